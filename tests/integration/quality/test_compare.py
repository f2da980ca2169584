from __future__ import annotations

import stat
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

MYSQL = """CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(80), price DECIMAL(12,4), rate DOUBLE, single FLOAT,
  paid TINYINT(1), day DATE, moment DATETIME(6), plain DATETIME, seen TIMESTAMP(3) NULL, clock TIME(6), code CHAR(10),
  data VARBINARY(20), uid CHAR(36)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"""
POSTGRES = """CREATE TABLE t (id INT PRIMARY KEY, name TEXT, price NUMERIC(20,6), rate FLOAT8, single FLOAT4,
  paid BOOLEAN, day DATE, moment TIMESTAMP, plain TIMESTAMP, seen TIMESTAMPTZ, clock TIME, code CHAR(10), data {data},
  uid {uid})"""
TARGETS = {
    "postgres": POSTGRES.format(data="BYTEA", uid="UUID"),
    "redshift": POSTGRES.format(data="VARCHAR(40)", uid="VARCHAR(36)").replace("TEXT", "VARCHAR(320)").replace(
        "INT PRIMARY KEY", "INT NOT NULL, PRIMARY KEY (id)").replace("id INT NOT NULL, PRIMARY KEY (id),", "id INT,"),
}  # fmt: skip
TEXTS = [
    "plain", "", None, "NULL", "\\N", "C:\\new", "tab\tand|bar", "line\r\nend", "it's \"quoted\"", "😀 𝔘𝔫𝔦", "%s %% {}",
    " blanks around ", "ẞß İı", "ﬁ", "a|1:b",
]  # fmt: skip
NUMBERS: list[dict[str, Any]] = [
    {"price": "1.5000", "rate": 0.1, "single": 0.1, "paid": 1},
    {"price": "-0.0001", "rate": -2.5e300, "single": 16777216, "paid": 0},
    {"price": "99999999.9999", "rate": 1e-280, "single": -1.17e-38, "paid": None},
    {"price": None, "rate": 0.30000000000000004, "single": 3.4e38, "paid": 1},
    {"price": "0", "rate": 0, "single": None, "paid": 1},
    {"price": "1000", "rate": 1000, "single": 999999.9, "paid": 0},
]
TIMES: list[dict[str, Any]] = [
    {"day": "2024-02-29", "moment": "2024-02-29 23:59:59.999999", "clock": "23:59:59.999999"},
    {"day": "1000-01-01", "moment": "1970-01-01 00:00:00", "clock": "00:00:00"},
    {"day": None, "moment": "2038-01-20 03:14:08.5", "clock": None},
    {"day": "9999-12-31", "moment": None, "clock": "10:00:00.5"},
]
COLUMNS = (
    "id",
    "name",
    "price",
    "rate",
    "single",
    "paid",
    "day",
    "moment",
    "plain",
    "seen",
    "clock",
    "code",
    "data",
    "uid",
)


def rows() -> list[dict[str, Any]]:
    filled = []
    for number in range(60):
        time = TIMES[number % len(TIMES)]
        moment = time["moment"]
        row = {"id": number + 1, "name": TEXTS[number % len(TEXTS)], **NUMBERS[number % len(NUMBERS)], **time}
        row |= {"plain": moment[:19] if moment else None, "seen": f"2024-03-31 01:{number:02d}:00.125"}
        row |= {"code": f"c{number} ", "data": bytes([number, 0, 255]), "uid": f"A0EEBC99-9C0B-4EF8-BB6D-{number:012d}"}
        filled.append(row)
    return filled


def put(hosts: Any, host: str, table: list[dict[str, Any]]) -> None:
    connection = {"source": hosts.mysql, "postgres": hosts.postgres, "redshift": hosts.redshift}[host]
    with connection.cursor() as cursor:
        for row in table:
            values = [shown(host, name, row[name]) for name in COLUMNS]
            cursor.execute(f"INSERT INTO t ({', '.join(COLUMNS)}) VALUES ({', '.join(['%s'] * len(COLUMNS))})", values)


def shown(host: str, name: str, value: Any) -> Any:
    if host == "source" or value is None:
        return value
    if name == "paid":
        return bool(value)
    if name == "seen":
        return f"{value}+00"
    return value.hex() if name == "data" and host == "redshift" else value


@pytest.fixture(params=["postgres", "redshift"])
def target(request: pytest.FixtureRequest, hosts: Any) -> str:
    name: str = request.param
    hosts.on("source", MYSQL, "SET time_zone = '+00:00'", "SET sql_mode = ''")
    hosts.on(name, TARGETS[name])
    return name


def test_equal_tables_of_every_type_are_equal_across_engines(hosts: Any, target: str) -> None:
    put(hosts, "source", rows())
    put(hosts, target, rows())
    done = hosts.compare(target)
    assert done.code == 0, done.said
    assert (done.details["source_rows"], done.details["target_rows"]) == (60, 60)


#: Values that differ from those of the first rows as little as can be.
CHANGES: list[tuple[str, Any]] = [
    ("name", "Plain"), ("name", None), ("name", ""), ("price", "1.5001"), ("rate", 0.1000000001),
    ("single", 0.1000001), ("paid", 0), ("day", "2024-02-28"), ("moment", "2024-02-29 23:59:59.999998"),
    ("plain", "2024-02-29 23:59:58"), ("seen", "2024-03-31 01:00:00.126"), ("clock", "23:59:59.999998"),
    ("code", "C0"), ("data", b"\x00\x00\xfe"), ("uid", "A0EEBC99-9C0B-4EF8-BB6D-000000000099"), ("code", None),
]  # fmt: skip


def test_a_value_of_any_type_that_differs_is_found_with_its_column_and_never_shown(hosts: Any, target: str) -> None:
    original = rows()
    for number, (column, _) in enumerate(CHANGES):
        original[number][column] = rows()[0][column]
    changed = [dict(row) for row in original]
    for row, (column, value) in zip(changed, CHANGES, strict=False):
        row[column] = value
    put(hosts, "source", original)
    put(hosts, target, changed)
    done = hosts.compare(target, "--on-failure", "warn")
    assert done.details["columns"] == dict(Counter(column for column, _ in CHANGES))
    assert done.details["different"] == len(CHANGES)
    assert "A0EEBC99" not in done.said.upper()


def test_missing_extra_and_different_rows_are_told_apart_and_listed_on_request(
    hosts: Any, target: str, tmp_path: Path
) -> None:
    put(hosts, "source", rows())
    changed = rows()
    changed[9]["name"] = "other"
    put(hosts, target, [*changed[1:-1], {**changed[-1], "id": 1000}])
    place = tmp_path / "keys.tsv"
    done = hosts.compare(target, "--keys-to", str(place), "--on-failure", "warn", "--keys", "id", "uid")
    assert done.code == 0
    found = {name: done.details[name] for name in ("missing", "extra", "different")}
    assert found == {"missing": 2, "extra": 1, "different": 1}
    lines = sorted(line.split("\t")[:2] for line in place.read_text().splitlines())
    assert lines == [["different", "10"], ["extra", "1000"], ["missing", "1"], ["missing", "60"]]
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_keys_that_a_collation_takes_as_equal_are_different_keys(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v INT)")
    hosts.on("postgres", "CREATE TABLE t (k TEXT PRIMARY KEY, v INT)")
    for host in ("source", "postgres"):
        hosts.on(host, "INSERT INTO t VALUES ('a', 1), ('A', 2), ('ä', 3), ('Z', 4), ('_', 5), ('z ', 6), ('', 7)")
    assert hosts.compare("postgres").code == 0
    hosts.on("source", "ALTER TABLE t CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin")
    assert hosts.compare("postgres").code == 0
    hosts.on("source", "UPDATE t SET v = 9 WHERE k = 'A'")
    done = hosts.compare("postgres", "--on-failure", "warn")
    assert (done.details["different"], done.details["missing"]) == (1, 0)


def test_columns_of_several_character_sets_are_compared_as_characters(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1, "
             "b VARCHAR(9) CHARACTER SET cp1251, c VARCHAR(9) CHARACTER SET utf8mb4, d CHAR(9) CHARACTER SET utf16)",
             "INSERT INTO t VALUES (1, 'äé', 'жи', '😀', 'ж'), (2, 'Ã¤', '', 'x', '')")  # fmt: skip
    hosts.on("postgres", "CREATE TABLE t (id INT, a TEXT, b TEXT, c TEXT, d TEXT)",
             "INSERT INTO t VALUES (1, 'äé', 'жи', '😀', 'ж'), (2, 'Ã¤', '', 'x', '')")  # fmt: skip
    assert hosts.compare("postgres").code == 0
    hosts.on("postgres", "UPDATE t SET a = 'ä' WHERE id = 2")
    assert hosts.compare("postgres", "--on-failure", "warn").details["columns"] == {"a": 1}


def test_a_case_insensitive_key_column_hides_nothing(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (k VARCHAR(20) PRIMARY KEY, v INT) COLLATE utf8mb4_general_ci")
    hosts.on("postgres", "CREATE TABLE t (k TEXT PRIMARY KEY, v INT)")
    hosts.on("source", "INSERT INTO t SELECT CONCAT(IF(seq % 2, 'key-', 'KEY-'), seq), seq FROM seq_1_to_3000")
    hosts.on("postgres", "INSERT INTO t SELECT CASE WHEN n % 2 = 1 THEN 'key-' ELSE 'KEY-' END || n, n "
             "FROM generate_series(1, 3000) n")  # fmt: skip
    assert hosts.compare("postgres").code == 0
    hosts.on("postgres", "UPDATE t SET k = 'Key-1500' WHERE k = 'KEY-1500'", "DELETE FROM t WHERE v = 7")
    done = hosts.compare("postgres", "--on-failure", "warn")
    assert [done.details[name] for name in ("missing", "extra", "different")] == [2, 1, 0]


@pytest.mark.parametrize("low", [1, -40_000, 9_000_000_000])
def test_a_few_wrong_rows_of_many_are_found_by_ranges(hosts: Any, low: int) -> None:
    hosts.on("source", "CREATE TABLE t (id BIGINT PRIMARY KEY, v INT)")
    hosts.on("redshift", "CREATE TABLE t (id BIGINT, v INT)")
    hosts.on("source", f"INSERT INTO t SELECT {low} + CAST(seq AS SIGNED) * 7, seq FROM seq_1_to_30000")
    hosts.on("redshift", f"INSERT INTO t SELECT {low} + n * 7, n FROM generate_series(1, 30000) n")
    assert hosts.compare("redshift").code == 0
    hosts.on("redshift", "DELETE FROM t WHERE v = 30000", "UPDATE t SET v = -1 WHERE v IN (1, 15000)",
             f"INSERT INTO t VALUES ({low - 10}, 1), (NULL, 2)")  # fmt: skip
    done = hosts.compare("redshift", "--on-failure", "warn")
    assert [done.details[name] for name in ("missing", "extra", "different")] == [1, 2, 2]


def test_duplicates_of_a_key_are_counted(hosts: Any) -> None:
    hosts.on("postgres", "CREATE TABLE t (id INT, v INT)", "INSERT INTO t VALUES (1, 1), (1, 1), (2, 2), (3, 3)")
    hosts.on("redshift", "CREATE TABLE t (id INT, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2), (2, 2), (3, 4)")
    done = hosts.compare("redshift", "--keys", "id", "--on-failure", "warn", source="postgres")
    assert [done.details[name] for name in ("missing", "extra", "different")] == [1, 1, 1]


def test_keys_that_are_floats_are_told_alike_on_both_sides(hosts: Any, tmp_path: Path) -> None:
    hosts.on("source", "CREATE TABLE t (k DOUBLE, v INT)", "INSERT INTO t VALUES (1e22, 1), (0.1, 2), (-5.5, 3)")
    hosts.on("postgres", "CREATE TABLE t (k FLOAT8, v INT)", "INSERT INTO t VALUES (1e22, 1), (0.1, 2), (-5.5, 4)")
    done = hosts.compare("postgres", "--keys", "k", "--keys-to", str(tmp_path / "keys"))
    assert (done.code, (tmp_path / "keys").read_text()) == (3, "different\t-5.5\n")


def test_floats_of_a_wrong_row_are_equal_where_the_checksums_take_them_as_equal(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (k INT, v INT, f DOUBLE, g DOUBLE, s FLOAT)",
             "INSERT INTO t VALUES (1, 1, 1e-300, 1, 1.000001)")  # fmt: skip
    hosts.on("postgres", "CREATE TABLE t (k INT, v INT, f FLOAT8, g FLOAT8, s FLOAT8)",
             "INSERT INTO t VALUES (1, 2, 0, 1.000000000000004, 1.0000014)")  # fmt: skip
    done = hosts.compare("postgres", "--keys", "k", "--on-failure", "warn")
    assert done.details["columns"] == {"v": 1}


def test_columns_that_differ_by_their_letters_alone_are_refused(hosts: Any) -> None:
    hosts.on("postgres", 'CREATE TABLE t (k INT PRIMARY KEY, "V" INT, v INT)')
    done = hosts.compare("postgres", source="postgres")
    assert (done.code, "several columns are called v but for its letters" in done.said) == (2, True)


def test_neighbouring_values_do_not_run_together(hosts: Any) -> None:
    hosts.on("postgres", "CREATE TABLE t (id INT, a TEXT, b TEXT, c INT)")
    hosts.on("redshift", "CREATE TABLE t (id INT, a VARCHAR(20), b VARCHAR(20), c INT)")
    hosts.on("postgres", "INSERT INTO t VALUES (1, 'a', 'bc', 1), (2, 'a|1|', 'b', 1), (3, NULL, '', NULL)")
    hosts.on("redshift", "INSERT INTO t VALUES (1, 'ab', 'c', 1), (2, 'a', '1||b', 1), (3, '', NULL, NULL)")
    done = hosts.compare("redshift", "--keys", "id", "--on-failure", "warn", source="postgres")
    assert done.details["different"] == 3


def test_only_a_part_is_compared_where_a_condition_says_so(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, at DATETIME)")
    hosts.on("redshift", "CREATE TABLE t (id INT, at TIMESTAMP)")
    for host in ("source", "redshift"):
        hosts.on(host, "INSERT INTO t VALUES (1, '2020-01-01 00:00:00'), (2, '2026-01-01 00:00:00')")
    hosts.on("source", "INSERT INTO t VALUES (3, '2019-05-05 00:00:00')")
    assert hosts.compare("redshift").code == 3
    assert hosts.compare("redshift", "--since", "at=2019-12-31T00:00:00").code == 0
    assert hosts.compare("redshift", "--where", "id < 3 -- not the newest").code == 0
    done = hosts.step("compare", "--source-host", "source", "--source-sql", "SELECT * FROM t WHERE id % 3 > 0;",
                      "--target-table", "public.t", "--keys", "ID")  # fmt: skip
    assert (done.code, done.details["source_rows"]) == (0, 2)


def test_digits_that_one_side_cannot_hold_are_cut_rounded_or_a_difference(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, price DECIMAL(10,4), at DATETIME(6))")
    hosts.on("redshift", "CREATE TABLE t (id INT, price DECIMAL(10,2), at DATE)")
    hosts.on("source", "INSERT INTO t VALUES (1, -1.2399, '2024-01-01 10:00:00.5')")
    hosts.on("redshift", "INSERT INTO t VALUES (1, -1.23, '2024-01-01')")
    codes = [hosts.compare("redshift", "--digits", digits).code for digits in ("cut", "round", "exact")]
    assert codes == [0, 3, 3]
    hosts.on("redshift", "UPDATE t SET price = -1.24")
    assert hosts.compare("redshift", "--digits", "round").code == 0


def test_zero_dates_are_null_or_a_difference(hosts: Any) -> None:
    hosts.on("source", "SET sql_mode = ''", "CREATE TABLE t (id INT PRIMARY KEY, day DATE, at DATETIME)",
             "INSERT INTO t VALUES (1, '0000-00-00', '0000-00-00 00:00:00')")  # fmt: skip
    hosts.on("redshift", "CREATE TABLE t (id INT, day DATE, at TIMESTAMP)", "INSERT INTO t VALUES (1, NULL, NULL)")
    assert hosts.compare("redshift").code == 0
    assert hosts.compare("redshift", "--zero-dates", "keep").code == 3


def test_the_search_ends_at_the_limit_and_says_so(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t SELECT seq, 1 FROM seq_1_to_30000")
    hosts.on("redshift", "CREATE TABLE t (id INT, v INT)", "INSERT INTO t SELECT n, 2 FROM generate_series(1, 30000) n")
    done = hosts.compare("redshift", "--limit", "100", "--on-failure", "warn")
    assert done.details["complete"] is False
    assert 100 <= done.details["different"] < 30000


def test_empty_sides_are_equal_and_an_empty_source_has_no_rate(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY)")
    hosts.on("redshift", "CREATE TABLE t (id INT)")
    assert hosts.compare("redshift").code == 0
    hosts.on("redshift", "INSERT INTO t VALUES (1), (2)")
    done = hosts.compare("redshift", "--on-failure", "warn", "--tolerance", "100")
    assert (done.details["success"], done.details["error_rate"], done.details["extra"]) == (False, None, 2)


def test_reserved_words_and_odd_names_are_quoted(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE `t` (`order` INT, `group` INT, `a``b \"c%s` TEXT, PRIMARY KEY (`order`, `group`))",
             "INSERT INTO t VALUES (1, 2, 'x')")  # fmt: skip
    hosts.on(
        "postgres", 'CREATE TABLE t ("order" INT, "group" INT, "a`b ""c%s" TEXT)', "INSERT INTO t VALUES (1, 2, 'x')"
    )
    assert hosts.compare("postgres").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target-table", "absent"], "absent"),
        (["--keys", "nothing"], "nothing (unknown)"),
        (["--since", "at"], "write COLUMN="),
        (["--keys-to", "/nowhere/keys"], "cannot write to /nowhere"),
        (["--exclude", "v"], ""),
    ],
)
def test_bad_parameters_are_named(hosts: Any, words: list[str], message: str) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, v INT, at DATETIME)")
    hosts.on("redshift", "CREATE TABLE t (id INT, at TIMESTAMP)")
    done = hosts.compare("redshift", *words)
    assert (done.code == 0) is (not message)
    assert message in done.said


def test_an_unknown_host_is_refused_with_the_known_ones(hosts: Any) -> None:
    done = hosts.compare("nobody")
    assert (done.code, "no host 'nobody' in the configuration; it knows: postgres, redshift, source" in done.said) == (
        2,
        True,
    )


def test_columns_of_one_side_only_and_types_without_a_common_form_are_refused(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, v INT, s TEXT)")
    hosts.on("postgres", "CREATE TABLE t (id INT PRIMARY KEY, s JSONB, extra INT)")
    done = hosts.compare("postgres")
    assert (done.code, "v (source only), extra (target only)" in done.said) == (2, True)
    done = hosts.compare("postgres", "--columns", "s")
    assert (done.code, "column s: blob and jsonb have no common form" in done.said) == (2, True)


def test_nothing_is_left_of_a_list_of_keys_when_the_comparison_breaks_off(hosts: Any, tmp_path: Path) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)")
    hosts.on("redshift", "CREATE TABLE t (id INT, w INT)")
    before = sorted(tmp_path.iterdir())
    assert hosts.compare("redshift", "--keys-to", str(tmp_path / "keys")).code == 2
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_is_no_list_of_keys_and_none_is_left_in_it(hosts: Any, tmp_path: Path) -> None:
    hosts.on("postgres", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    (tmp_path / "keys").mkdir()
    done = hosts.compare("postgres", "--keys-to", str(tmp_path / "keys"), source="postgres")
    assert (done.code, "keys is a folder; name a file in it" in done.said) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--since", "AT=2024-01-01T00:00:00"], 0, ""),
        (["--since", "gone=1 day"], 2, "--since: gone is no column in"),
        (["--since", "id=1 day"], 2, "--since: id is"),
        (["--exclude", "at", "gone"], 2, "--exclude: there is no gone on either side"),
    ],
)
def test_columns_are_found_in_any_case_and_those_that_are_not_there_are_named(
    hosts: Any, words: list[str], code: int, message: str
) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, At DATETIME)", "INSERT INTO t VALUES (1, '2024-01-01')")
    hosts.on("redshift", "CREATE TABLE t (id INT, at TIMESTAMP)",
             "INSERT INTO t VALUES (1, '2024-01-01'), (2, '2023-01-01')")  # fmt: skip
    done = hosts.compare("redshift", *words)
    assert (done.code, message in done.said) == (code, True), done.said


def test_enumerations_and_domains_of_postgres_are_compared_as_what_they_are(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('sad', 'ok'), d DECIMAL(6,2))",
             "INSERT INTO t VALUES (1, 'ok', 1.5), (2, 'sad', NULL)")  # fmt: skip
    hosts.on("postgres", "DROP TYPE IF EXISTS mood", "DROP DOMAIN IF EXISTS price",
             "CREATE TYPE mood AS ENUM ('sad', 'ok')", "CREATE DOMAIN price AS numeric(6,2) CHECK (value > 0)",
             "CREATE TABLE t (id INT PRIMARY KEY, e mood, d price)",
             "INSERT INTO t VALUES (1, 'ok', 1.5), (2, 'ok', NULL)")  # fmt: skip
    done = hosts.compare("postgres", "--on-failure", "warn")
    assert (done.code, done.details["columns"]) == (0, {"e": 1}), done.said
    look = ("null-rate-check", "--host-name", "postgres", "--table", "t", "--columns", "e", "--blank-is-null")
    assert hosts.step(*look).code == 0
    hosts.on("postgres", "DROP TABLE t", "DROP TYPE mood", "DROP DOMAIN price")
