from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlfluff.core import Linter

from core.errors import ParameterError
from core.sections.creation import DatabaseSettings, Permission
from steps_impl.load.copy_options import CopyOptions, CopyTarget, copy_statement
from steps_impl.load.staging import create_staging
from steps_impl.tables.catalog import create_statements
from steps_impl.tables.model import TableName
from steps_impl.tables.parser import parse_table
from steps_impl.warehouse import statements
from steps_impl.warehouse.keys import kinds_of, null_safe_match, plain_match
from steps_impl.warehouse.order import winner_terms

T = TableName("t", "dev")
STG, WINNERS = TableName("stg"), TableName("win")
TABLE = parse_table(
    "CREATE TABLE dev.t (id INT NOT NULL DISTKEY, kind INT, note VARCHAR(9), extra SUPER, PRIMARY KEY (id, kind)) "
    "SORTKEY (kind)"
)
KEYS = ("id", "kind")
COLUMNS = ("id", "kind", "note")
ROLE = "arn:aws:iam::123456789012:role/copy"
LINTER = Linter(dialect="redshift")


def is_redshift(statement: str) -> bool:
    parsed = LINTER.parse_string(statement + ";\n")
    return not parsed.violations and parsed.tree is not None and not list(parsed.tree.recursive_crawl("unparsable"))


READERS = DatabaseSettings(permissions=(Permission(group="r", permission="select, insert"),))
GOLDEN = {
    "lock": (statements.lock(T), 'LOCK "dev"."t"'),
    "count": (statements.count_rows(T.sql), 'SELECT COUNT(*) FROM "dev"."t"'),
    "delete all": (statements.delete_all(T), 'DELETE FROM "dev"."t"'),
    "insert all": (
        statements.insert_all(T, STG, COLUMNS),
        'INSERT INTO "dev"."t" ("id", "kind", "note")\nSELECT "id", "kind", "note" FROM "stg"',
    ),
    "insert missing": (
        statements.insert_missing(T, STG, COLUMNS, KEYS),
        (
            'INSERT INTO "dev"."t" ("id", "kind", "note")\n'
            'SELECT s."id", s."kind", s."note" FROM "stg" AS s\n'
            'WHERE NOT EXISTS (SELECT 1 FROM "dev"."t" AS t WHERE t."id" = s."id" AND t."kind" = s."kind")'
        ),
    ),
    "from a query": (
        statements.fill_from_query(STG, "SELECT 1 AS id -- end", ("id",)),
        'INSERT INTO "stg" ("id")\nSELECT "id" FROM (\nSELECT 1 AS id -- end\n) AS source',
    ),
    "from a table": (
        statements.fill_from_table(STG, TableName("s"), ("id",)),
        'INSERT INTO "stg" ("id")\nSELECT "id" FROM "s" AS source',
    ),
    "profile": (
        statements.profile_keys(STG, KEYS),
        (
            "SELECT COALESCE(SUM(copies), 0), COUNT(*), "
            'COALESCE(SUM(CASE WHEN "id" IS NULL OR "kind" IS NULL THEN copies ELSE 0 END), 0)\n'
            'FROM (SELECT "id", "kind", COUNT(*) AS copies FROM "stg" GROUP BY "id", "kind") AS grouped'
        ),
    ),
    "drop null keys": (
        statements.drop_null_keys(STG, KEYS),
        'DELETE FROM "stg" WHERE "id" IS NULL OR "kind" IS NULL',
    ),
    "winners": (
        statements.keep_winners(WINNERS, STG, COLUMNS, KEYS, ('"note" DESC NULLS LAST',)),
        (
            'INSERT INTO "win" ("id", "kind", "note")\nSELECT "id", "kind", "note" FROM (\n'
            '  SELECT "id", "kind", "note", '
            'ROW_NUMBER() OVER (PARTITION BY "id", "kind" ORDER BY "note" DESC NULLS LAST) AS "ductrunner_rank"\n'
            '  FROM "stg"\n) AS ranked\nWHERE "ductrunner_rank" = 1'
        ),
    ),
    "delete matching": (
        statements.delete_matching(T, STG, plain_match(KEYS)),
        'DELETE FROM "dev"."t" USING "stg" AS s\nWHERE "dev"."t"."id" = s."id" AND "dev"."t"."kind" = s."kind"',
    ),
    "delete matching nulls": (
        statements.delete_matching(T, STG, null_safe_match(kinds_of(TABLE, ("id",)))),
        (
            'DELETE FROM "dev"."t" USING "stg" AS s\n'
            'WHERE COALESCE("dev"."t"."id", CAST(0 AS INTEGER)) = COALESCE(s."id", CAST(0 AS INTEGER)) AND '
            'CASE WHEN "dev"."t"."id" IS NULL THEN 1 ELSE 0 END = CASE WHEN s."id" IS NULL THEN 1 ELSE 0 END'
        ),
    ),
    "count matches": (
        statements.count_matches(T, STG, KEYS, plain_match(KEYS)),
        (
            'SELECT COUNT(*), COUNT(s."ductrunner_mark") FROM "dev"."t" AS t\n'
            'LEFT JOIN (SELECT "id", "kind", 1 AS "ductrunner_mark" FROM "stg") AS s '
            'ON t."id" = s."id" AND t."kind" = s."kind"'
        ),
    ),
    "merge": (
        statements.merge_all(T, STG, COLUMNS, KEYS, plain_match(KEYS)),
        (
            'MERGE INTO "dev"."t" USING "stg" AS s ON "dev"."t"."id" = s."id" AND "dev"."t"."kind" = s."kind"\n'
            'WHEN MATCHED THEN UPDATE SET "note" = s."note"\n'
            'WHEN NOT MATCHED THEN INSERT ("id", "kind", "note") VALUES (s."id", s."kind", s."note")'
        ),
    ),
    "staging like": (
        create_staging(STG, TABLE, ("id", "kind", "note", "extra"), exists=True),
        'CREATE TEMPORARY TABLE "stg" (LIKE "dev"."t" INCLUDING DEFAULTS)',
    ),
    "staging of a definition": (
        create_staging(STG, TABLE, COLUMNS, exists=False),
        (
            'CREATE TEMPORARY TABLE "stg" (\n  "id" INTEGER NOT NULL,\n  "kind" INTEGER,\n'
            '  "note" CHARACTER VARYING(9)\n)\nDISTKEY ("id")\nSORTKEY ("kind")'
        ),
    ),
    "grant": (
        create_statements(TABLE, DatabaseSettings(permissions=(Permission(group="r", permission="select, insert"),)))[
            1
        ],
        'GRANT SELECT, INSERT ON "dev"."t" TO GROUP "r"',
    ),
    "copy": (
        copy_statement(CopyTarget(STG, ("id",)), "s3://b/it's/manifest", ["s3://b/x.gz"], ROLE, CopyOptions()),
        (
            f"COPY \"stg\" (\"id\")\nFROM 's3://b/it''s/manifest'\nIAM_ROLE '{ROLE}'\nMANIFEST\n"
            "DELIMITER '\\t'\nESCAPE\nGZIP\nCOMPUPDATE OFF STATUPDATE OFF"
        ),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_statement_reads_exactly_so(name: str) -> None:
    statement, expected = GOLDEN[name]
    assert statement.text == expected


#: sqlfluff has no LOCK without TABLE.
@pytest.mark.parametrize("name", sorted(GOLDEN.keys() - {"lock"}))
def test_a_statement_is_sql_of_redshift(name: str) -> None:
    assert is_redshift(GOLDEN[name][0].text)


OPTIONS = st.builds(
    CopyOptions,
    format=st.sampled_from(["tsv", "csv", "json", "avro", "parquet"]),
    compression=st.sampled_from([None, "", "GZIP", "BZIP2", "LZOP", "ZSTD"]),
    null_as=st.sampled_from(["\\N", "NULL", "it's"]),
    escape=st.booleans(),
    ignore_header=st.integers(0, 2),
    max_error=st.integers(0, 3),
    replace_invalid_char=st.none() | st.sampled_from(["?", "'"]),
    truncate_columns=st.booleans(),
)


@given(OPTIONS, st.sampled_from(["default", ROLE]))
@settings(max_examples=40, deadline=None)
def test_every_combination_of_copy_options_is_sql_of_redshift(options: CopyOptions, role: str) -> None:
    target = CopyTarget(STG, ("id", "kind"))
    assert is_redshift(copy_statement(target, "s3://b/manifest", ["s3://b/x"], role, options).text)


@given(st.permutations(["id", "kind", "note", "extra"]), st.integers(1, 3), st.integers(1, 4))
@settings(max_examples=5, deadline=None)
def test_every_merge_is_sql_of_redshift(columns: list[str], key_count: int, column_count: int) -> None:
    names = columns[: max(key_count, column_count)]
    keys = [name for name in names if name != "extra"][:key_count]
    if not keys:
        return
    order = winner_terms(TABLE, names, keys, None)
    for statement in (
        statements.insert_all(T, STG, names),
        statements.profile_keys(STG, keys),
        statements.keep_winners(WINNERS, STG, names, keys, order),
        statements.delete_matching(T, STG, plain_match(keys)),
        statements.delete_matching(T, STG, null_safe_match(kinds_of(TABLE, keys))),
        statements.count_matches(T, STG, keys, plain_match(keys)),
    ):
        assert is_redshift(statement.text), statement.text


def test_the_stated_order_comes_first_and_every_other_column_breaks_ties() -> None:
    assert winner_terms(TABLE, ("id", "kind", "note", "extra"), ("id",), "note DESC, id nulls first") == (
        '"note" DESC NULLS LAST',
        '"id" ASC NULLS FIRST',
        '"kind" DESC NULLS LAST',
    )


def test_a_table_of_keys_only_still_has_an_order() -> None:
    assert winner_terms(TABLE, KEYS, KEYS, None) == ('"id" ASC NULLS LAST',)


@pytest.mark.parametrize("stated", ["nowhere", "note DOWN", "note,", "extra", "note; DROP TABLE t", "1"])
def test_an_order_that_is_not_understood_is_refused(stated: str) -> None:
    with pytest.raises(ParameterError, match="--order-by"):
        winner_terms(TABLE, ("id", "kind", "note", "extra"), ("id",), stated)


def test_files_of_different_compression_are_not_loaded_together() -> None:
    with pytest.raises(ParameterError, match="different ways"):
        copy_statement(
            CopyTarget(TableName("s"), ("a",)), "s3://b/m", ["s3://b/x.gz", "s3://b/y.tsv"], ROLE, CopyOptions()
        )


@pytest.mark.parametrize(("name", "word"), [("x.gz", "GZIP"), ("x.bz2", "BZIP2"), ("x.zst", "ZSTD"), ("x.lzo", "LZOP")])
def test_the_names_of_the_files_tell_the_compression(name: str, word: str) -> None:
    text = copy_statement(CopyTarget(TableName("s"), ("a",)), "s3://b/m", [f"s3://b/{name}"], ROLE, CopyOptions()).text
    assert f"\n{word}\n" in text
