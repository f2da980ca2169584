"""Statements and parameters for Pig, as text."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from core.errors import ParameterError
from steps_impl.activities.objects.formats import DataFormat
from steps_impl.activities.pig.parameters import parameter_file, script_variables
from steps_impl.activities.pig.quoting import literal
from steps_impl.activities.pig.references import node_of, references
from steps_impl.activities.pig.relations import load, store

FORMATS: TypeAdapter[Any] = TypeAdapter(DataFormat)


def form(**fields: Any) -> Any:
    return FORMATS.validate_python(fields)


@pytest.mark.parametrize(
    ("fields", "statement"),
    [
        (
            {"type": "CSV", "column": ["a STRING", "b DECIMAL(10,2)", "c"]},
            "PigStorage(',') AS (a:chararray, b:bigdecimal, c:chararray)",
        ),
        ({"type": "TSV", "column": "a INT, b BIGINT"}, r"PigStorage('\t') AS (a:int, b:long)"),
        ({"type": "Custom", "columnSeparator": "|"}, "PigStorage('|')"),
        ({"type": "Custom", "columnSeparator": "\\t"}, r"PigStorage('\t')"),
        ({"type": "Custom", "columnSeparator": "\x01"}, r"PigStorage('\u0001')"),
    ],
)
def test_a_plain_format_is_read_by_pigs_own_storage(fields: dict[str, Any], statement: str) -> None:
    assert load("r", "s3://b/in/", form(**fields), "In") == f"r = LOAD 's3://b/in/' USING {statement};"


def test_a_node_without_a_format_is_read_and_written_as_pig_does_by_itself() -> None:
    assert load("r", "s3://b/in/", None, "In") == "r = LOAD 's3://b/in/' USING PigStorage();"
    assert store("r", "s3://b/out", None, "Out") == r"STORE r INTO 's3://b/out' USING PigStorage('\t');"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type": "CSV", "column": "a-b INT"}, "'a-b' of In is no name in Pig"),
        ({"type": "CSV", "column": "a JSON"}, "the type 'JSON'"),
        ({"type": "CSV", "escapeChar": "\\"}, "has no column"),
        ({"type": "CSV", "recordSeparator": ";"}, "recordSeparator other than a newline"),
        ({"type": "Custom", "columnSeparator": "||"}, "must be one character"),
        ({"type": "RegEx", "column": "a"}, "no inputRegEx"),
        ({"type": "DynamoDBExportDataFormat"}, "which Pig cannot read or write"),
    ],
)
def test_a_format_that_pig_cannot_read_is_refused_by_name(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=r".*".join(words.split(" "))):
        load("r", "s3://b/in/", form(**fields), "In")


def test_an_output_by_expression_needs_its_form() -> None:
    with pytest.raises(ParameterError, match="no outputFormat"):
        store("r", "s3://b/out", form(type="RegEx", column="a"), "Out")


def test_texts_of_a_definition_do_not_become_pig_latin() -> None:
    assert literal("it's $x\\") == r"'it\'s \$x\\'"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("x=3", "x = '3'"),
        ("x=", "x = ''"),
        ("x=a=b c", "x = 'a=b c'"),
        ("x='quoted'", "x = 'quoted'"),
        ("x=`date`", "x = `date`"),
        ("x=it's", 'x = "it\'s"'),
    ],
)
def test_a_variable_is_written_as_pig_takes_it(given: str, line: str) -> None:
    assert parameter_file(script_variables([given], "Work")) == line + "\n"


@pytest.mark.parametrize("given", ["", "x", "=x", "a b=x", "x=a\nb"])
def test_a_variable_that_pig_cannot_take_is_refused(given: str) -> None:
    with pytest.raises(ParameterError, match="the scriptVariable"):
        script_variables([given], "Work")


def test_the_nodes_that_a_script_uses_are_found_in_every_spelling() -> None:
    script = "B = LIMIT ${INPUT1} 3; ${output2} = FOREACH $Input1 GENERATE '\\${input3}', $input10x, $n, '$output1';"
    found = [(entry.parameter, entry.relation) for entry in references(script)]
    assert found == [
        ("INPUT1", "staged_input1"),
        ("Input1", "staged_input1"),
        ("output1", "staged_output1"),
        ("output2", "staged_output2"),
    ]


def test_a_node_that_the_activity_has_not_is_named() -> None:
    with pytest.raises(ParameterError, match=r"the script of Work uses \$\{input2\}, but the activity has 0 inputs"):
        node_of(references("A = ${input2};")[0], [], "Work")
