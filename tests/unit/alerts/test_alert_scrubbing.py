"""What databases quote of a row when they refuse it does not reach a topic; what is wrong still does."""

from __future__ import annotations

import pytest

from agent.alerts.scrub import scrub

VALUES = ("Ann", "forty", "7 Hill Road")

MASKED = {
    "DETAIL:  Key (email)=(Ann) already exists.": "DETAIL:  Key (email)=(…) already exists.",
    'DETAIL:  Key (lower(name), id)=(Ann (2nd), 7) is not present in table "users".': (
        'DETAIL:  Key (lower(name), id)=(…) is not present in table "users".'
    ),
    "DETAIL:  Failing row contains (1, Ann, null).": "DETAIL:  Failing row contains (…).",
    'CONTEXT:  COPY users, line 3, column age: "forty"': "CONTEXT:  COPY users, line 3, column age: …",
    'CONTEXT:  COPY users, line 3: "1\tAnn\tx"': "CONTEXT:  COPY users, line 3: …",
    'ERROR:  invalid input syntax for type integer: "forty"': 'ERROR:  invalid input syntax for type integer: "…"',
    'ERROR: invalid input value for enum mood: "forty"': 'ERROR: invalid input value for enum mood: "…"',
    'ERROR:  value "forty" is out of range for type integer': 'ERROR:  value "…" is out of range for type integer',
    'ERROR: date/time field value out of range: "forty"': 'ERROR: date/time field value out of range: "…"',
    'ERROR:  malformed array literal: "{Ann"': 'ERROR:  malformed array literal: "…"',
    'DETAIL:  Token "Ann" is invalid.': "DETAIL:  …",
    'CONTEXT:  JSON data, line 1: {"a": Ann...': "CONTEXT:  JSON data, line 1: …",
    "LINE 1: INSERT INTO t VALUES ('Ann')": "LINE 1: …",
    "STATEMENT:  select 'Ann'": "STATEMENT:  …",
    "(1062, \"Duplicate entry 'Ann-7' for key 'users.name'\")": (
        "(1062, \"Duplicate entry '…' for key 'users.name'\")"
    ),
    "Incorrect integer value: 'forty' for column 'age' at row 1": (
        "Incorrect integer value: '…' for column 'age' at row 1"
    ),
    "Truncated incorrect DOUBLE value: 'forty'": "Truncated incorrect DOUBLE value: '…'",
    "check the manual for the right syntax to use near 'SELEC Ann' at line 1": (
        "check the manual for the right syntax to use near '…' at line 1"
    ),
    "Invalid digit, Value 'forty', Pos 0, Type: Integer": "Invalid digit, Value '…', Pos 0, Type: Integer",
    "raw_field_value | 7 Hill Road": "raw_field_value | …",
    "  context:   Ann": "  context:   …",
    "ValueError: invalid literal for int() with base 10: 'forty'": (
        "ValueError: invalid literal for int() with base 10: …"
    ),
    "ValueError: could not convert string to float: 'forty'": "ValueError: could not convert string to float: …",
    'java.lang.NumberFormatException: For input string: "forty"': (
        "java.lang.NumberFormatException: For input string: …"
    ),
    "update users set name = 'Ann' where id = 3": "update users set name = '…' where id = 3",
    "cannot write to ann@example.com": "cannot write to …@…",
    "1\tAnn\tx": "(… a line of values)",
    "1,Ann,Smith,42": "(… a line of values)",
    " 1 | Ann | Smith": "(… a line of values)",
    '{"id": 1, "name": "Ann"}': "(… a line of values)",
    "(1, 'Ann', 42)": "(… a line of values)",
    '[1, "Ann"]': "(… a line of values)",
}

KEPT = (
    'ERROR:  duplicate key value violates unique constraint "users_pkey"',
    'ERROR:  null value in column "email" of relation "users" violates not-null constraint',
    'ERROR:  relation "stage.users" does not exist',
    "ERROR 1045 (28000): Access denied for user 'etl'",
    "Traceback (most recent call last):",
    '  File "/opt/job.py", line 3, in <module>',
    "    run(first, second, third)",
    "\tat java.lang.Thread.run(Thread.java:748)",
    "cannot reach host db, port 5432, after 3 tries, giving up",
    "scp: /data/x: No such file or directory",
    "CONTEXT:  PL/pgSQL function f(integer) line 3 at RAISE",
    "",
)


@pytest.mark.parametrize(("line", "expected"), MASKED.items())
def test_a_value_is_masked_and_the_rest_of_the_sentence_stays(line, expected):
    assert scrub(line) == expected
    assert not any(value in scrub(line) for value in VALUES)


@pytest.mark.parametrize("line", KEPT)
def test_a_line_without_row_data_stays_as_it_is(line):
    assert scrub(line) == line


@pytest.mark.parametrize(
    "first",
    [
        "DETAIL:  Key (note)=(first",
        "DETAIL:  Failing row contains (1, first",
        'CONTEXT:  COPY t, line 1, column note: "first',
        "Duplicate entry 'first",
        "Incorrect integer value: 'first",
        'ERROR:  invalid input syntax for type integer: "first',
    ],
)
def test_behind_a_value_that_goes_on_in_the_next_line_nothing_is_told(first):
    told = scrub(f"ERROR:  something\n{first}\nsecond)\nthird")
    assert told.startswith("ERROR:  something\n")
    assert not any(word in told for word in ("first", "second", "third"))
    assert "3 lines left out" in told
