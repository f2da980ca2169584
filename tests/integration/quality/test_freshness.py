from __future__ import annotations

from typing import Any

import psycopg2
import pytest

HOURS = {
    "source": "UTC_TIMESTAMP() - INTERVAL {} MINUTE",
    "postgres": "(now() AT TIME ZONE 'UTC') - interval '{} minutes'",
    "redshift": "DATEADD(minute, -{}, GETDATE())",
}


def fresh(hosts: Any, host: str, *words: str) -> Any:
    return hosts.step("freshness-check", "--host-name", host, "--table", "t", *words)


@pytest.mark.parametrize("host", ["source", "postgres", "redshift"])
def test_the_age_of_the_newest_value_decides_on_every_host(hosts: Any, host: str) -> None:
    kind = "DATETIME(6)" if host == "source" else "TIMESTAMP"
    hosts.on(host, f"CREATE TABLE t (at {kind})")
    empty = fresh(hosts, host, "--column", "at", "--max-age", "1000 days", "--on-failure", "warn")
    assert (empty.details["success"], empty.details["error_rate"]) == (False, None)
    hosts.on(
        host,
        f"INSERT INTO t SELECT {HOURS[host].format(60 * 24 * 30)}",
        f"INSERT INTO t SELECT {HOURS[host].format(90)}",
    )
    assert fresh(hosts, host, "--column", "AT", "--max-age", "2 hours").code == 0
    late = fresh(hosts, host, "--column", "at", "--max-age", "1 hour")
    assert (late.code, "the newest at is 1:30:0" in late.said) == (3, True)


@pytest.mark.parametrize("host", ["source", "postgres"])
def test_a_column_without_zone_is_read_in_the_zone_that_is_given(hosts: Any, host: str) -> None:
    hosts.on(host, f"CREATE TABLE t (at {'DATETIME' if host == 'source' else 'TIMESTAMP'})",
             f"INSERT INTO t SELECT {HOURS[host].format(-9 * 60)}")  # fmt: skip
    ahead = fresh(hosts, host, "--column", "at", "--max-age", "1 hour")
    assert (ahead.code, "in the future; check clock and time zone" in ahead.said) == (3, True)
    assert fresh(hosts, host, "--column", "at", "--max-age", "1 hour", "--timezone", "Asia/Tokyo").code == 0


@pytest.mark.parametrize(
    ("host", "kind"), [("source", "TIMESTAMP(6)"), ("postgres", "TIMESTAMPTZ"), ("redshift", "TIMESTAMPTZ")]
)
def test_a_column_with_a_zone_needs_none(hosts: Any, host: str, kind: str) -> None:
    hosts.on(host, f"CREATE TABLE t (at {kind})", "INSERT INTO t VALUES (CURRENT_TIMESTAMP)")
    assert fresh(hosts, host, "--column", "at", "--max-age", "1 minute", "--timezone", "America/New_York").code == 0


def test_zero_dates_are_no_value_and_infinity_lies_in_the_future(hosts: Any) -> None:
    hosts.on("source", "SET sql_mode = ''", "CREATE TABLE t (at DATETIME)", "INSERT INTO t VALUES (0)")
    hosts.on("postgres", "CREATE TABLE t (at TIMESTAMP)", "INSERT INTO t VALUES ('infinity')")
    none = fresh(hosts, "source", "--column", "at", "--max-age", "1 day")
    assert (none.code, "there is no value in at" in none.said) == (3, True)
    ahead = fresh(hosts, "postgres", "--column", "at", "--max-age", "1 day", "--timezone", "America/New_York")
    assert (ahead.code, "in the future" in ahead.said) == (3, True)


def test_the_last_load_of_a_table_counts(hosts: Any, s3_client: Any, s3_bucket: str) -> None:
    hosts.on("redshift", "CREATE TABLE t (id INT)", "DROP SCHEMA IF EXISTS other CASCADE")
    never = fresh(hosts, "redshift", "--last-load", "--max-age", "1 day")
    assert (never.code, "there is no value in load" in never.said) == (3, True)
    s3_client.put_object(Bucket=s3_bucket, Key="good", Body=b"1\n")
    s3_client.put_object(Bucket=s3_bucket, Key="bad", Body=b"x\n")
    copy = f"COPY t FROM 's3://{s3_bucket}/{{}}' IAM_ROLE default"
    with pytest.raises(psycopg2.Error):
        hosts.on("redshift", copy.format("bad"))
    assert fresh(hosts, "redshift", "--last-load", "--max-age", "1 day").code == 3
    hosts.on("redshift", copy.format("good"))
    look = ("freshness-check", "--table", "public.T", "--last-load", "--max-age", "1 day")
    assert hosts.step(*look).code == 0
    hosts.on("redshift", "CREATE SCHEMA other", "CREATE TABLE other.t (id INT)")
    several = hosts.step(*look)
    assert (several.code, "t is in other, public; the history tells" in several.said) == (2, True)
    hosts.on("redshift", "DROP SCHEMA other CASCADE")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--column", "id", "--max-age", "1 hour"], "id is integer; name a date or timestamp column"),
        (["--column", "nothing", "--max-age", "1 hour"], "there is no nothing in t"),
        (["--column", "at", "--max-age", "soon"], "'soon' is not a period"),
        (["--column", "at", "--max-age", "1 hour", "--timezone", "Mars"], "no time zone"),
        (["--max-age", "1 hour"], "exactly one of --column and --last-load"),
        (["--last-load", "--max-age", "1 hour"], "needs --table of the host redshift"),
    ],
)
def test_what_is_no_age_is_refused(hosts: Any, words: list[str], message: str) -> None:
    hosts.on("postgres", "CREATE TABLE t (id INT, at TIMESTAMP)")
    done = fresh(hosts, "postgres", *words)
    assert (done.code, message in done.said) == (2, True), done.said
