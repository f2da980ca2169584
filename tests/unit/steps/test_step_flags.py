from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from steps_impl.catalogue import Entry, Flag
from steps_impl.contract import StepContext, StepResult
from steps_impl.describe import describe_step
from steps_impl.flags import parse_flags
from steps_impl.registry import Parameters, Step


class Sample(Parameters):
    table_definition: str = Field(description="file")
    splits: int = Field(default=1, ge=1, le=9, description="files", json_schema_extra={"unit": "files"})
    keys: tuple[str, ...] = Field(default=(), description="keys")
    analyze: bool = Field(default=True, description="analyze")
    mode: Literal["replace", "append"] = Field(default="replace", description="mode")
    ratio: float | None = Field(default=None, description="ratio")
    token: SecretStr | None = Field(default=None, description="a secret")
    extra: dict[str, str] = Field(default={}, description="more")


def run(parameters: Sample, context: StepContext) -> StepResult:
    return StepResult()


STEP = Step("sample", "A sample.", Sample, run)
DESCRIBED = describe_step(STEP)
ENTRY = Entry("sample", DESCRIBED["summary"], tuple(Flag(**flag) for flag in DESCRIBED["flags"]))


def parsed(*words):
    return parse_flags(words, ENTRY)


def test_the_model_says_type_default_unit_and_kind_of_each_flag():
    flags = {flag.name: flag for flag in ENTRY.flags}
    assert {name: (flag.kind, flag.type, flag.default) for name, flag in flags.items()} == {
        "table_definition": ("value", "text", None),
        "splits": ("value", "integer 1..9", 1),
        "keys": ("list", "text …", []),
        "analyze": ("switch", "yes/no", True),
        "mode": ("value", "replace|append", "replace"),
        "ratio": ("value", "number", None),
        "token": ("secret", "text", None),
        "extra": ("object", "JSON object", {}),
    }
    assert flags["table_definition"].required
    assert flags["splits"].unit == "files"


def test_a_parameter_without_a_description_is_a_fault_of_the_step():
    class Silent(Parameters):
        width: int = 3

    with pytest.raises(TypeError, match="'width' has no description"):
        describe_step(Step("silent", "", Silent, run))


def test_every_way_to_write_a_flag_is_read():
    line = parsed(
        "--table-definition",
        "t.sql",
        "--splits=4",
        "--keys",
        "a",
        "b",
        "--no-analyze",
        "--keys=c",
        "--extra",
        '{"x": "y"}',
    )
    assert line.faults == []
    assert line.values == {
        "table_definition": "t.sql",
        "splits": "4",
        "keys": ["a", "b", "c"],
        "analyze": False,
        "extra": {"x": "y"},
    }


@given(
    st.text(min_size=1).filter(
        lambda text: (
            text.partition("=")[0] not in {f.flag for f in ENTRY.flags}
            and not text.startswith(("--no-analyze", "--params", "--help"))
        )
    )
)
def test_a_scalar_takes_any_text_even_sql_that_begins_with_a_comment(text):
    assert parsed("--table-definition", text).values == {"table_definition": text}


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--tabel-definition", "x"], "--tabel-definition: unknown flag, did you mean --table-definition?"),
        (["--splits"], "--splits: needs a value"),
        (["--splits", "--analyze"], "--splits: needs a value"),
        (["--keys"], "--keys: needs at least one value"),
        (["--splits", "1", "--splits", "2"], "--splits: given twice; give it once"),
        (["--analyze=yes"], "--analyze: takes no value; write --analyze or --no-analyze"),
        (["--token", "abc"], "--token: is a secret and no flag; give it in the --params file"),
        (["--extra", "{"], "--extra: is not JSON"),
        (["loose"], "'loose': unexpected word; every parameter of sample is a flag"),
        (["-x"], "-x: unknown flag"),
    ],
)
def test_each_fault_names_the_flag_and_what_to_do(words, fault):
    assert fault in parsed(*words).faults


def test_faults_do_not_hide_each_other():
    assert len(parsed("--nope", "--splits", "--mode", "--mode").faults) >= 3


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["--splits", "--keys", "--analyze", "--no-analyze", "--params", "--token", "--", "-", "="]),
            st.text(max_size=5),
        ),
        max_size=8,
    )
)
def test_no_command_line_breaks_the_parser(words):
    parse_flags(words, ENTRY)


def test_all_words_behind_two_dashes_are_arguments_of_what_the_step_runs():
    flag = Flag("script_arguments", "list", "text …", False, (), "", "arguments")
    entry = Entry("script", "Runs one.", (*ENTRY.flags, flag))
    line = parse_flags(["--script-arguments", "a", "--splits", "2", "--", "--splits", "-x", "--", ""], entry)
    assert line.values == {"script_arguments": ["a", "--splits", "-x", "--", ""], "splits": "2"}
    behind = parse_flags(["--script-arguments", "--", "-x"], entry)
    assert (behind.faults, behind.values) == ([], {"script_arguments": ["-x"]})
    assert parsed("--", "x").faults == ["--: sample runs nothing that takes arguments"]
