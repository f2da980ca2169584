from __future__ import annotations

import gzip
import json

import psycopg2
import pytest

from core.errors import NotFound, UnsupportedValue

AWKWARD = [
    (1, None, None), (2, "", "NULL"), (3, "\\N", "\\"), (4, "a\tb", "a\nb"), (5, "a\r\nb", 'say "hi", then'),
    (6, "\x1d\x1e\x1f", "😀"), (7, "NULL", None), (8, "\\n", "\\t"), (9, " x ", "'"),
]  # fmt: skip
COPY_OPTIONS = {"tsv": r"DELIMITER '\t' ESCAPE NULL AS '\N'", "csv": r"CSV NULL AS '\N'"}


@pytest.fixture
def prefix(s3_bucket):
    return f"s3://{s3_bucket}/data/words"


def keys(s3_client, bucket):
    return sorted(entry["Key"] for entry in s3_client.list_objects_v2(Bucket=bucket).get("Contents", []))


def body(s3_client, bucket, key):
    return s3_client.get_object(Bucket=bucket, Key=key)["Body"].read()


@pytest.fixture
def words(source):
    source.execute("CREATE TABLE words (id INT PRIMARY KEY, a VARCHAR(40), b TEXT) CHARACTER SET utf8mb4")
    source.insert("words", AWKWARD)
    return source


def test_files_and_manifest_appear_under_the_prefix(words, s3_client, s3_bucket, prefix):
    result = words.extract(table="words", output=prefix, splits=2)
    manifest = json.loads(body(s3_client, s3_bucket, "data/words/manifest"))
    urls = [entry["url"] for entry in manifest["entries"]]
    assert result.details["manifest"] == f"{prefix}/manifest"
    assert [f"s3://{s3_bucket}/{key}" for key in keys(s3_client, s3_bucket) if "part-" in key] == sorted(urls)
    text = [gzip.decompress(body(s3_client, s3_bucket, url.split("/", 3)[3])) for url in urls]
    assert all(line in b"".join(text) for line in (b"1\t\\N\t\\N\n", b"2\t\tNULL\n", b"3\t\\\\\\N\t\\\\\n"))
    for entry, raw in zip(manifest["entries"], urls, strict=True):
        head = s3_client.head_object(Bucket=s3_bucket, Key=raw.split("/", 3)[3])
        assert entry["meta"]["content_length"] == head["ContentLength"]


def test_a_second_run_replaces_the_files_of_the_first_and_no_others(words, s3_client, s3_bucket, prefix):
    s3_client.put_object(Bucket=s3_bucket, Key="data/words_old/part-1", Body=b"kept")
    words.extract(table="words", output=prefix)
    first = keys(s3_client, s3_bucket)
    words.extract(table="words", output=prefix)
    second = keys(s3_client, s3_bucket)
    assert len(second) == len(first) == 3
    assert set(first) & set(second) == {"data/words/manifest", "data/words_old/part-1"}


def test_a_failed_run_leaves_no_object_and_no_open_upload(words, s3_client, s3_bucket, prefix):
    words.execute("ALTER TABLE words ADD born DATE", "UPDATE words SET born = '0000-00-00' WHERE id = 9")
    with pytest.raises(UnsupportedValue):
        words.extract(table="words", output=prefix, splits=3)
    assert keys(s3_client, s3_bucket) == []
    assert not s3_client.list_multipart_uploads(Bucket=s3_bucket).get("Uploads")


def test_a_missing_bucket_is_told_by_name(words, aws_environment):
    with pytest.raises(NotFound, match="no-such-bucket-here"):
        words.extract(table="words", output="s3://no-such-bucket-here/x/")


@pytest.mark.parametrize("compression", ["gzip", "none"])
@pytest.mark.parametrize("output_format", ["tsv", "csv"])
def test_the_warehouse_loads_the_manifest_and_has_the_sources_values(
    words, prefix, s3_bucket, postgres_database, redshift_front, output_format, compression
):
    words.extract(table="words", output=prefix, splits=2, output_format=output_format, compression=compression)
    host, port = redshift_front.address
    connection = psycopg2.connect(
        host=host,
        port=port,
        user=postgres_database.username,
        password=postgres_database.password,
        dbname=postgres_database.database,
    )
    options = COPY_OPTIONS[output_format] + (" GZIP" if compression == "gzip" else "")
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE words (id INT, a VARCHAR(160), b VARCHAR(65535))")
        cursor.execute(
            f"COPY words FROM '{prefix}/manifest' IAM_ROLE 'arn:aws:iam::123456789012:role/copy' MANIFEST {options}"
        )
        cursor.execute("SELECT * FROM words ORDER BY id")
        assert cursor.fetchall() == AWKWARD
    connection.close()
