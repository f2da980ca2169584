from __future__ import annotations

import bz2
import gzip
import io

import pyarrow.parquet as pq
import pytest
import zstandard

from core.errors import UnsupportedValue
from steps_impl.extract.empty import empty_file
from steps_impl.extract.increments import Piece
from steps_impl.extract.redshift_increment import RedshiftDialect, query_of
from steps_impl.extract.relation import Relation
from steps_impl.extract.unload import UnloadForm, given_query, unload_statement

ELEMENTS = [
    {"name": "id", "type": {"base": "integer"}},
    {"name": "t", "type": {"base": "character varying", "max_length": 20}},
    {"name": "d", "type": {"base": "numeric", "precision": 10, "scale": 2}},
]
UNPACKED = [("none", bytes, "_00"), ("gzip", gzip.decompress, ".gz"), ("bzip2", bz2.decompress, ".bz2")]


@pytest.mark.parametrize(("compression", "unpack", "end"), [*UNPACKED, ("zstd", zstandard.decompress, ".zst")])
def test_an_empty_file_is_compressed_as_the_others_would_be(compression, unpack, end):
    name, content = empty_file(UnloadForm("csv", compression, header=True), ELEMENTS)
    assert (unpack(content), name.endswith(end)) == (b"id,t,d\n", True)
    assert unpack(empty_file(UnloadForm("tsv", compression), ELEMENTS)[1]) == b""


def test_an_empty_parquet_file_has_the_columns_and_their_types():
    name, content = empty_file(UnloadForm("parquet"), ELEMENTS)
    found = [(field.name, str(field.type)) for field in pq.read_schema(io.BytesIO(content))]
    assert name.endswith(".parquet")
    assert found == [("id", "int32"), ("t", "string"), ("d", "decimal128(10, 2)")]


def test_quotes_are_doubled_and_backslashes_where_the_server_reads_them_as_escapes():
    def text(escapes):
        query = given_query(r"SELECT 'a\b''c' FROM t;")
        return unload_statement(query, "s3://b/p'x-", "default", UnloadForm(), region="eu-west-1", escapes=escapes).text

    assert text(False).startswith(r"UNLOAD ('SELECT ''a\b''''c'' FROM t')")
    assert text(True).startswith(r"UNLOAD ('SELECT ''a\\b''''c'' FROM t')")
    assert "TO 's3://b/p''x-'\nIAM_ROLE default\n" in text(True)
    assert text(True).endswith("REGION 'eu-west-1'")


@pytest.mark.parametrize(
    ("value", "kind", "literal"),
    [
        ("7", "bigint", "7"),
        ("-1.50", "numeric", "-1.50"),
        ("it's", "character varying", "'it''s'"),
        ("2024-01-01", "date", "'2024-01-01'::date"),
        ("2024-01-01 00:00:00+00", "timestamp with time zone", "'2024-01-01 00:00:00+00'::timestamp with time zone"),
    ],
)
def test_a_mark_is_compared_at_its_full_length(value, kind, literal):
    assert RedshiftDialect().literal(value, kind) == literal


def test_a_mark_that_is_no_value_of_its_column_is_refused():
    with pytest.raises(UnsupportedValue):
        RedshiftDialect().literal("1; DROP TABLE t", "bigint")


def test_pieces_become_one_query_and_limits_stand_in_brackets():
    relation = Relation(source="t", selection="*", columns=(), source_types={})
    assert query_of(relation, []) == "SELECT * FROM t WHERE 1 = 0"
    query = query_of(relation, [Piece("a > 1"), Piece("b IS NULL"), Piece("c = 1", limit=2)])
    assert query.splitlines() == [
        "SELECT * FROM t WHERE (a > 1) OR (b IS NULL)",
        "UNION ALL",
        "SELECT * FROM (SELECT * FROM t WHERE c = 1 LIMIT 2) AS repeated",
    ]
