from __future__ import annotations

import itertools

from sqlfluff.core import Linter

from steps_impl.extract.unload import UnloadForm, given_query, unload_statement

FORMS = [
    UnloadForm(form, compression, header, parallel, size)
    for form, compression, header, parallel, size in itertools.product(
        ("tsv", "csv", "json", "parquet"), ("none", "gzip", "bzip2", "zstd"), (False, True), (False, True), (None, 100)
    )
    if not (form == "parquet" and compression != "none") and not (header and form in ("json", "parquet"))
]


def test_every_unload_that_the_parameters_allow_is_redshifts_by_another_parser():
    parser = Linter(dialect="redshift")
    query = given_query("SELECT a, 'it''s' FROM \"t\" WHERE b <> 'x' LIMIT 3; -- the end")
    for form, region in itertools.product(FORMS, (None, "eu-west-1")):
        statement = unload_statement(query, "s3://b/p-", "default", form, region=region, escapes=False).text
        parsed = parser.parse_string(statement)
        assert not parsed.violations, statement
        assert "unparsable" not in parsed.tree.type_set(), statement
