"""The text of a step: its jar, its arguments, what backslashes mean; streaming's files; jars of another layout."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from steps_impl.activities.cluster.launching import streaming_arguments
from steps_impl.activities.cluster.steps import split_step


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://b/MyWork.jar,arg1,arg2", ["s3://b/MyWork.jar", "arg1", "arg2"]),
        (" s3://b/MyWork.jar ", ["s3://b/MyWork.jar"]),
        (r"x.jar,a\,b\,c", ["x.jar", "a,b,c"]),
        (r"x.jar,a\\,b\\,c", ["x.jar", "a,b,c"]),
        (r"x.jar,a\\\,b", ["x.jar", r"a\,b"]),
        (r"x.jar,File\.gz", ["x.jar", "File.gz"]),
        (r"x.jar,File\\.gz", ["x.jar", r"File\.gz"]),
        ("x.jar,,b,", ["x.jar", "", "b", ""]),
        ("x.jar,-D,k=v w, y ,\n  z", ["x.jar", "-D", "k=v w", "y ", "z"]),
        (r"x.jar,\ y", ["x.jar", " y"]),
        ("x.jar,\\", ["x.jar", ""]),
        ("x.jar,a\nb", ["x.jar", "a\nb"]),
    ],
)
def test_a_step_is_split_at_its_plain_commas(text: str, words: list[str]) -> None:
    assert split_step(text) == words


@pytest.mark.parametrize("text", ["", "  ", ",a"])
def test_a_step_without_a_jar_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="names no jar"):
        split_step(text)


def test_a_mapper_in_s3_becomes_a_file_that_the_job_brings_along() -> None:
    words = ["-input", "in", "-mapper", "s3n://b/k/split.py", "-reducer", "aggregate"]
    changed = ["-input", "in", "-mapper", "split.py", "-reducer", "aggregate"]
    assert streaming_arguments(words) == ["-files", "s3n://b/k/split.py", *changed]


def test_files_that_the_job_brings_along_anyway_stay() -> None:
    words = ["-files", "a.py", "-mapper", "s3://b/m.py", "-reducer", "s3://b/r.py"]
    assert streaming_arguments(words) == [
        "-files",
        "a.py,s3://b/m.py,s3://b/r.py",
        "-mapper",
        "m.py",
        "-reducer",
        "r.py",
    ]


def test_streaming_that_names_no_program_of_s3_stays_as_it_is() -> None:
    words = ["-files", "s3://b/m.py", "-mapper", "m.py", "-input", "s3://b/in"]
    assert streaming_arguments(words) == words
