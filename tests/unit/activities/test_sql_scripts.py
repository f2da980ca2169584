"""SQL scripts taken apart."""

from __future__ import annotations

import pytest

from core.errors import ParameterError
from steps_impl.activities.sql.script import bind, split_script
from steps_impl.activities.sql.transactions import runs_as_one

ALL = ("mysql", "postgres", "redshift")


def texts(script, engine="postgres"):
    return [piece.text for piece in split_script(script, engine)]


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("select 1", ["select 1"]),
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ("select 'it''s;'; select 2", ["select 'it''s;'", "select 2"]),
        ('select ";" ; select 2', ['select ";"', "select 2"]),
        ("select 1 -- one;\n; select 2", ["select 1", "select 2"]),
        ("/* a; */ select 1; -- the end;", ["select 1"]),
        ("select /* a; */ 1", ["select /* a; */ 1"]),
        (";;\n ;", []),
        ("-- nothing", []),
        ("", []),
        ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
    ],
)
def test_a_script_is_split_at_its_semicolons_alone(script, expected, engine):
    assert texts(script, engine) == expected


def test_a_backslash_escapes_where_the_server_says_so():
    assert texts(r"select 'C:\'; select 2", "postgres") == [r"select 'C:\'", "select 2"]
    assert texts(r"select E'\'; '; select 2", "postgres") == [r"select E'\'; '", "select 2"]
    assert texts(r"select '\'; '; select 2", "mysql") == [r"select '\'; '", "select 2"]


def test_dollar_quotes_and_nested_comments_of_postgres():
    script = (
        "create function f() returns int as $x$ begin; return $1; end $x$ language plpgsql; /* a /* b; */ ; */ select 1"
    )
    assert len(texts(script)) == 2
    assert texts("select $1; select $2") == ["select $1", "select $2"]


def test_the_body_of_a_routine_stays_whole():
    script = (
        "create procedure p() begin if a then set b = 1; end if; case c when 1 then set d = 2; end case; end; call p()"
    )
    assert len(texts(script, "mysql")) == 2
    atomic = "create function f() returns int begin atomic select 1; select 2; end; select f()"
    assert len(texts(atomic, "postgres")) == 2


def test_the_delimiter_command_of_mysql():
    script = "select 0;\nDELIMITER //\ncreate trigger t begin set a = 1; end//\ndelimiter ;\nselect 1;"
    assert texts(script, "mysql") == ["select 0", "create trigger t begin set a = 1; end", "select 1"]


def test_comments_of_mysql():
    assert texts("select 5--1; # a;\nselect 2 -- b;\n; select /*!40001 SQL_NO_CACHE */ 3", "mysql") == [
        "select 5--1",
        "select 2",
        "select /*!40001 SQL_NO_CACHE */ 3",
    ]


def test_arguments_stand_at_the_question_marks_in_order():
    pieces = split_script("select '?', ? -- ?\n; insert into t values (?, '100%')", "postgres")
    assert bind(pieces, ["a", "b"]) == [
        ("select '?', %s", ("a",)),
        ("insert into t values (%s, '100%%')", ("b",)),
    ]


def test_without_arguments_everything_stays_as_it_is():
    pieces = split_script("select a ? 'b', '100%'", "postgres")
    assert bind(pieces, []) == [("select a ? 'b', '100%'", ())]


@pytest.mark.parametrize("arguments", [["a"], ["a", "b", "c"]])
def test_too_few_or_too_many_arguments_are_refused(arguments):
    with pytest.raises(ParameterError, match=rf"2 places .* {len(arguments)} scriptArgument"):
        bind(split_script("select ?, ?", "mysql"), arguments)


@pytest.mark.parametrize(
    ("script", "engine", "one"),
    [
        ("insert into t values (1); delete from u", "postgres", True),
        ("beginning_of_day()", "postgres", True),
        ("begin; insert into t values (1); commit", "postgres", False),
        ("vacuum t", "redshift", False),
        ("VACUUM", "postgres", False),
        ("alter table a append from b", "redshift", False),
        ("create index concurrently i on t (a)", "postgres", False),
        ("create table a (b int)", "redshift", True),
        ("start transaction; select 1", "mysql", False),
        ("call p()", "mysql", True),
    ],
)
def test_a_script_is_one_transaction_unless_it_or_the_server_says_otherwise(script, engine, one):
    assert runs_as_one(split_script(script, engine), engine) is one
