"""Scripts whose tables are DynamoDB's, for a Hive without the storage handler."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from steps_impl.activities.dynamodb.rows import HiveColumn
from steps_impl.activities.hive.handler import rewrite

#: The guide's page "Staging Data and Tables", with the expression as the service has filled it in.
GUIDE = """-- Map DynamoDB Table
SET dynamodb.endpoint=dynamodb.us-west-2.amazonaws.com;
SET dynamodb.throughput.read.percent = 0.3;
CREATE EXTERNAL TABLE dynamodb_table (item map<string,string> COMMENT 'all, of it') COMMENT 'a table'
STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'
TBLPROPERTIES ("dynamodb.table.name" = "MyDDBTable");
INSERT OVERWRITE TABLE ${output1} SELECT * FROM dynamodb_table;"""
#: AWS's sample "CSV to DynamoDB".
IMPORT = """DROP TABLE IF EXISTS tempHiveTable;

CREATE EXTERNAL TABLE tempHiveTable (id string, age bigint, `rate` double)
STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'
TBLPROPERTIES ("dynamodb.table.name" = "${TABLE}", "dynamodb.column.mapping" = "id:Id,age:Age");

CREATE EXTERNAL TABLE s3TempTable (id string, age int, rate double)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n' LOCATION 's3://bucket/in';

INSERT OVERWRITE TABLE tempHiveTable SELECT * FROM s3TempTable"""


def test_the_guides_table_is_read_with_the_settings_of_the_script() -> None:
    script, [table] = rewrite(GUIDE, {"output1": "o"}, "/work")
    assert (table.name, table.table, table.region) == ("dynamodb_table", "MyDDBTable", "us-west-2")
    assert (table.read, table.written, table.share("read"), table.share("write")) == (True, False, 0.3, 0.5)
    assert table.columns == (HiveColumn("item", "map<string,string>", None),)
    assert "CREATE TEMPORARY TABLE dynamodb_table (item map<string,string>)\n" in script
    assert "LOAD DATA LOCAL INPATH '/work/1/in' INTO TABLE dynamodb_table;" in script
    assert "STORED BY" not in script
    assert script.endswith("INSERT OVERWRITE TABLE ${output1} SELECT * FROM dynamodb_table;")


def test_what_is_inserted_is_written_down_right_after_the_statement() -> None:
    script, [table] = rewrite(IMPORT, {"TABLE": "people"}, "/work")
    assert (table.table, table.read, table.written, table.region) == ("people", False, True, None)
    assert [column.attribute for column in table.columns] == ["Id", "Age", "rate"]
    assert "LOAD DATA" not in script
    _, unloaded = script.split("INSERT OVERWRITE TABLE tempHiveTable SELECT * FROM s3TempTable")
    assert unloaded.startswith(";\nINSERT OVERWRITE LOCAL DIRECTORY '/work/1/out/000003'")
    assert unloaded.rstrip().endswith("SELECT `id`, `age`, `rate` FROM tempHiveTable;")


def test_a_script_without_such_tables_stays_as_it_is() -> None:
    script = "CREATE TABLE t (a INT) STORED BY 'org.apache.hadoop.hive.hbase.HBaseStorageHandler'; SELECT 'STORED BY'"
    assert rewrite(script, {}, "/work") == (script, [])


def test_a_table_that_is_read_and_inserted_into_is_both() -> None:
    script = IMPORT.replace("FROM s3TempTable", "FROM tempHiveTable JOIN s3TempTable").replace("${TABLE}", "t")
    _, [table] = rewrite(script, {}, "/work")
    assert (table.read, table.written) == (True, True)


def test_a_name_inside_of_another_name_or_a_comment_is_no_use() -> None:
    script = GUIDE.replace("FROM dynamodb_table;", "FROM dynamodb_table2; -- dynamodb_table")
    _, [table] = rewrite(script, {"output1": "o"}, "/work")
    assert not table.read


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"dynamodb.table.name"', '"x"', "has no dynamodb.table.name"),
        ('"MyDDBTable"', '"${hiveconf:table}"', "has a .* whose value is not known here"),
        ("item map", "item", "is not of the form: name type"),
    ],
)
def test_a_declaration_that_cannot_be_followed_is_refused(old: str, new: str, message: str) -> None:
    text = GUIDE.replace(old, new).replace("item<string,string>", "item")
    with pytest.raises(ParameterError, match=message):
        rewrite(text, {}, "/work")


def test_a_share_that_is_none_is_refused() -> None:
    _, [table] = rewrite(GUIDE.replace("0.3", "fast"), {}, "/work")
    with pytest.raises(ParameterError, match="is 'fast'"):
        table.share("read")


def test_exported_files_are_a_table_that_is_only_read() -> None:
    text = """CREATE EXTERNAL TABLE raw_data(accountId string, name string)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.dynamodb.DynamoDBExportSerDe'
        LOCATION "s3://bucket/backup/2013-01-01"
        TBLPROPERTIES ("dynamodb.column.mapping"="accountId:accountId,name:Name");
        insert overwrite table csv_data select * from raw_data;"""
    script, [table] = rewrite(text, {}, "/work")
    assert (table.location, table.read, table.written) == ("s3://bucket/backup/2013-01-01", True, False)
    assert [column.attribute for column in table.columns] == ["accountId", "Name"]
    assert "LOAD DATA LOCAL INPATH '/work/1/in' INTO TABLE raw_data" in script
    assert "DynamoDBExportSerDe" not in script
    with pytest.raises(ParameterError, match="only reads"):
        rewrite(text.replace("csv_data", "raw_data"), {}, "/work")
    with pytest.raises(ParameterError, match="has no LOCATION"):
        rewrite(text.replace("LOCATION", "PLACE"), {}, "/work")
