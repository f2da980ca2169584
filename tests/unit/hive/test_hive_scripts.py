"""The scripts that are made for HiveActivity, as text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.errors import ParameterError
from steps_impl.activities.hive.quoting import literal, name, type_name
from steps_impl.activities.hive.reserved import quote_columns
from steps_impl.activities.hive.script import assemble, script_variables
from steps_impl.activities.hive.statements import settings, split, strings
from steps_impl.activities.hive.tables import Reference, dynamodb_table, file_table, references, s3_table, variables
from steps_impl.activities.objects.nodes import DynamoDBDataNode, S3DataNode

CSV = {"id": "Csv", "type": "CSV", "column": ["host STRING", "size INT"]}
#: The guide's page on RegEx, as its definition is read from JSON.
REGEX = {
    "id": "MyInputDataType",
    "type": "RegEx",
    "inputRegEx": r'([^ ]*) ([^ ]*) (-|\[[^\]]*\])(?: ([^ "]*|"[^"]*"))?',
    "outputFormat": "%1$s %2$s %3$s %4$s",
    "column": ["host STRING", "identity STRING", "time STRING", "agent STRING"],
}


def s3(data_format: dict[str, Any] | None = None, **fields: Any) -> S3DataNode:
    given_fields = {"id": "Node", "directoryPath": "s3://bucket/folder", **fields}
    return TypeAdapter(S3DataNode).validate_python({**given_fields, "dataFormat": data_format})


def test_a_csv_input_is_a_table_with_the_csv_serde() -> None:
    assert s3_table("t", s3(CSV), written=False) == (
        "CREATE TEMPORARY EXTERNAL TABLE `t` (`host` STRING, `size` INT)\n"
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' WITH SERDEPROPERTIES "
        r"('separatorChar'=',', 'quoteChar'='\u0022', 'escapeChar'='\u005C')"
        "\nSTORED AS TEXTFILE LOCATION 's3://bucket/folder/'"
    )


@pytest.mark.parametrize(
    ("data_format", "clause"),
    [
        ({"type": "TSV", "column": "a STRING"}, r"FIELDS TERMINATED BY '\u0009'"),
        ({"type": "TSV", "column": "a", "columnSeparator": r"\t", "escapeChar": "\\"}, r"'\u0009' ESCAPED BY '\u005C'"),
        ({"type": "Custom", "column": "a", "columnSeparator": ";"}, r"FIELDS TERMINATED BY '\u003B'"),
        ({"type": "Custom", "column": "a", "columnSeparator": "|", "recordSeparator": "\n"}, r"BY '\u007C'"),
    ],
)
def test_other_texts_are_delimited(data_format: dict[str, Any], clause: str) -> None:
    assert clause in s3_table("t", s3(data_format), written=True)


def test_a_regular_expression_is_read_by_hives_serde_and_written_by_the_contributed_one() -> None:
    read, written = (s3_table("t", s3(REGEX), written=side) for side in (False, True))
    assert "SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'" in read
    assert strings(read)[1:3] == ["input.regex", REGEX["inputRegEx"]]
    assert "SERDE 'org.apache.hadoop.hive.contrib.serde2.RegexSerDe'" in written
    assert strings(written)[1:5] == ["input.regex", REGEX["inputRegEx"], "output.format.string", REGEX["outputFormat"]]


def test_a_node_without_a_format_has_lines() -> None:
    assert "(`line` STRING)" in s3_table("t", s3(), written=False)


def test_one_file_is_read_through_a_file_that_names_it() -> None:
    create, load = file_table("t", s3(CSV, directoryPath=None, filePath="s3://bucket/a.csv"), "/work/files.txt")
    assert "SymlinkTextInputFormat" in create
    assert load == "LOAD DATA LOCAL INPATH '/work/files.txt' INTO TABLE `t`"


def test_a_dynamodb_node_is_a_table_of_the_storage_handler() -> None:
    node = TypeAdapter(DynamoDBDataNode).validate_python(
        {
            "id": "D",
            "tableName": "adEvents",
            "region": "us_west_1",
            "readThroughputPercent": "0.25",
            "dataFormat": {"type": "DynamoDBDataFormat", "column": ["hash STRING", "timeStamp BIGINT"]},
        }
    )
    assert dynamodb_table("t", node) == (
        "CREATE EXTERNAL TABLE `t` (`hash` STRING, `timeStamp` BIGINT)\n"
        "STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'\n"
        "TBLPROPERTIES ('dynamodb.table.name'='adEvents', 'dynamodb.column.mapping'='hash:hash,timestamp:timeStamp', "
        "'dynamodb.throughput.read.percent'='0.25', 'dynamodb.throughput.write.percent'='0.5', "
        "'dynamodb.regionid'='us-west-1')"
    )


@pytest.mark.parametrize(
    ("data_format", "written", "message"),
    [
        ({"id": "F", "type": "CSV"}, False, "the format of Node has no column"),
        ({"type": "CSV", "column": "a STRING) LOCATION 's3://x'"}, False, "which is none of Hive's"),
        ({"type": "CSV", "column": "a;b STRING"}, False, "cannot be the name of a column"),
        ({"type": "Custom", "column": "a", "columnSeparator": "::"}, False, "columnSeparator of Node is '::'"),
        ({"type": "Custom", "column": "a", "columnSeparator": ",", "recordSeparator": "\r"}, False, "recordSeparator"),
        ({"type": "RegEx", "column": "a"}, False, "has no inputRegEx"),
        ({"type": "RegEx", "column": "a", "inputRegEx": "(a)(b)"}, False, "has 2 groups for 1 columns"),
        ({"type": "RegEx", "column": "a", "inputRegEx": "(a)"}, True, "has no outputFormat"),
        ({"type": "DynamoDBExportDataFormat"}, False, "which is for DynamoDBDataNode and HiveCopyActivity"),
    ],
)
def test_what_hive_cannot_do_is_refused_by_name(data_format: dict[str, Any], written: bool, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        s3_table("t", s3(data_format), written)


def test_an_output_that_is_a_file_is_refused() -> None:
    with pytest.raises(ParameterError, match="Hive writes directories: use directoryPath"):
        s3_table("t", s3(CSV, directoryPath=None, filePath="s3://bucket/a.csv"), written=True)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_text_in_quotes_is_one_text_whatever_it_holds(text: str) -> None:
    quoted = literal(text)
    assert strings(quoted) == [text]
    assert len(split(quoted)) == 1
    assert not set("\"\\;'${") & set(quoted[1:-1].replace("\\u", ""))


@pytest.mark.parametrize("text", ["", "a\nb", "a'b", 'a"b', "a;b", "a\\b", "${x}"])
def test_a_name_that_could_end_a_statement_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        name(text)


def test_a_backquote_in_a_name_is_doubled() -> None:
    assert name("a`b c") == "`a``b c`"


@pytest.mark.parametrize("text", ["INT", "decimal(10,2)", "MAP<STRING,ARRAY<INT>>", "struct<a:int,b:string>"])
def test_types_of_hive_are_types(text: str) -> None:
    assert type_name(text, "c") == text


@pytest.mark.parametrize("text", ["INT)", "STRING COMMENT 'x'", "ARRAY<INT", "1", "a`b"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ParameterError):
        type_name(text, "c")


def test_the_nodes_that_a_script_uses_are_found_in_each_spelling() -> None:
    script = (
        "INSERT OVERWRITE TABLE ${output1} SELECT * FROM ${input2} JOIN ${hivevar:input10} JOIN ${INPUT2} -- ${in3}"
    )
    assert references(script) == [
        Reference("INPUT2", "input", 2),
        Reference("input2", "input", 2),
        Reference("input10", "input", 10),
        Reference("output1", "output", 1),
    ]


def test_statements_are_put_around_the_script_and_its_end_is_made_one() -> None:
    assert assemble(["A"], "SELECT 1", ["B"]) == "A;\nSELECT 1\n;\nB;\n"
    assert assemble(["A"], "SELECT 1; ", []) == "A;\nSELECT 1;\n"
    assert assemble([], "SELECT 1 -- end", ["B"]) == "SELECT 1 -- end\n;\nB;\n"


def test_variables_keep_their_values_as_they_are() -> None:
    given_values = script_variables(
        ["SAMPLE=s3://bucket/x", "FILTER_DATE=2013-01-01", "EMPTY=", "EXPR=a=b;c", "EXPR=z;"]
    )
    assert given_values == {"SAMPLE": "s3://bucket/x", "FILTER_DATE": "2013-01-01", "EMPTY": "", "EXPR": "z;"}
    assert variables(given_values)[-1] == "SET hivevar:EXPR=z\\;"


@pytest.mark.parametrize("value", ["NAME", "a b=c", "x; DROP TABLE t; --=1", "PADDED= x"])
def test_a_variable_that_hive_would_not_get_is_refused(value: str) -> None:
    with pytest.raises(ParameterError, match="scriptVariable"):
        variables(script_variables([value]))


def test_statements_are_told_apart_beside_texts_and_comments() -> None:
    script = 'SELECT \';\' -- ; no\n, ";\\";" FROM `a;b`; SET x = 1 ;\n-- SET y=2;\nSET z= s p ;'
    assert len(split(script)) == 4
    assert ";".join(split(script)) == script
    assert settings(script) == {"x": "1", "z": "s p"}


def test_columns_that_became_reserved_words_are_quoted_in_queries() -> None:
    script = (
        "CREATE TABLE t (user STRING);\n"
        "-- user\nINSERT OVERWRITE TABLE ${output1} select host,user,time, x.user, 'user', `user`, ${user}, date, "
        "cast(a AS date), date '2013-01-01', date (b) from ${input1} where user = 'x' and users = 1;"
    )
    assert quote_columns(script, ["host", "user", "time", "Date"]) == (
        "CREATE TABLE t (user STRING);\n"
        "-- user\nINSERT OVERWRITE TABLE ${output1} select host,`user`,time, x.`user`, "
        "'user', `user`, ${user}, `date`, "
        "cast(a AS date), date '2013-01-01', date (b) from ${input1} where `user` = 'x' and users = 1;"
    )
    assert quote_columns(script, ["host", "time"]) == script
