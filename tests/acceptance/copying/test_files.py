"""From S3 to S3: files, directories, compression, formats, manifests."""

from __future__ import annotations

import gzip
import json

import pytest

from core.errors import NotFound, ParameterError, RecordMalformed
from tests.acceptance.copying.conftest import Copying

CSV, TSV = {"type": "CSV"}, {"type": "TSV"}
PIPES = {"type": "Custom", "columnSeparator": "|"}


def test_a_directory_is_copied_object_by_object_inside_s3(copying: Copying) -> None:
    content = {"a.csv": b"1,2\n", "deep//er/b.csv": b'odd "bytes" \xff\x00', "empty": b"", "mark/": b""}
    for name, data in content.items():
        copying.put(f"in/{name}", data)
    copying.put("inside-not/c.csv", b"x")
    copying.put("out/stays", b"earlier")

    done = copying.run(copying.s3_node("in/", CSV), copying.s3_node("out/", CSV))

    assert {key: copying.get(key) for key in copying.keys("out/")} == {
        "out/a.csv": b"1,2\n", "out/deep//er/b.csv": b'odd "bytes" \xff\x00', "out/empty": b"", "out/stays": b"earlier"
    }  # fmt: skip
    assert (done.rows, done.bytes, done.details["files"]) == (None, 18, 3)
    assert copying.open_uploads() == []


def test_a_file_is_copied_to_a_file_and_into_a_directory_with_its_content_type(copying: Copying) -> None:
    copying.s3.put_object(Bucket=copying.bucket, Key="in/a b.csv", Body=b"1\n", ContentType="text/csv")

    copying.run(copying.s3_node("in/a b.csv"), copying.s3_node("one"))
    copying.run(copying.s3_node("in/a b.csv"), copying.s3_node("dir/"))

    assert (copying.get("one"), copying.get("dir/a b.csv")) == (b"1\n", b"1\n")
    assert copying.s3.head_object(Bucket=copying.bucket, Key="one")["ContentType"] == "text/csv"


@pytest.mark.parametrize(("kind", "expected"), [("SERVER_SIDE_ENCRYPTION", "AES256"), ("NONE", None), (None, "AES256")])
@pytest.mark.parametrize("form", [CSV, TSV])
def test_what_is_written_is_encrypted_unless_the_node_says_otherwise(
    copying: Copying, kind: str | None, expected: str | None, form: dict[str, str]
) -> None:
    copying.put("in", b"1,2\n")
    asked = {"s3EncryptionType": kind} if kind else {}
    copying.run(copying.s3_node("in", CSV), copying.s3_node("out", form, **asked))

    assert copying.s3.head_object(Bucket=copying.bucket, Key="out").get("ServerSideEncryption") == expected


@pytest.mark.parametrize("form", [CSV, TSV, PIPES])
def test_a_directory_becomes_one_file_in_the_order_of_its_keys_with_every_record_ended(
    copying: Copying, form: dict[str, str]
) -> None:
    copying.put("in/2", b"3,4")
    copying.put("in/1", b"1,2\n2,3")
    copying.put("in/3", b"")
    copying.put("in/4.gz", gzip.compress(b"5,6\n"))
    done = copying.run(copying.s3_node("in/", CSV), copying.s3_node("out", form))

    separator = {"CSV": b",", "TSV": b"\t", "Custom": b"|"}[form["type"]]
    assert copying.get("out") == b"1,2\n2,3\n3,4\n5,6\n".replace(b",", separator)
    assert copying.keys("out") == ["out"]
    assert done.rows == (None if form is CSV else 4)


@pytest.mark.parametrize("form", [CSV, TSV])
@pytest.mark.parametrize("before", ["none", "gzip"])
@pytest.mark.parametrize("after", ["none", "gzip"])
def test_compression_is_taken_away_and_put_on(copying: Copying, before: str, after: str, form: dict[str, str]) -> None:
    suffix = {"none": "", "gzip": ".gz"}
    text = b"1,2\n3,4\n"
    copying.put(f"in/f{suffix[before]}", gzip.compress(text) if before == "gzip" else text)
    source, target = copying.s3_node("in/", CSV, compression=before), copying.s3_node("out/", form, compression=after)
    copying.run(source, target)

    raw = copying.s3.get_object(Bucket=copying.bucket, Key=f"out/f{suffix[after]}")["Body"].read()
    assert (raw[:2] == b"\x1f\x8b") == (after == "gzip")
    assert copying.get(f"out/f{suffix[after]}") == (text if form is CSV else text.replace(b",", b"\t"))


def test_each_file_of_a_directory_is_converted_under_its_name(copying: Copying) -> None:
    copying.put("in/a", b"1|x\\|y|\\N\n")
    copying.put("in/b/c", b"2|z|\\n")
    copying.run(copying.s3_node("in/", PIPES), copying.s3_node("out/", CSV))

    assert {key: copying.get(key) for key in copying.keys("out/")} == {"out/a": b"1,x|y,\\n\n", "out/b/c": b"2,z,\\n\n"}


def test_a_manifest_lists_what_is_read(copying: Copying) -> None:
    for name in ("one", "two", "three"):
        copying.put(f"in/{name}", f"{name}\n".encode())
    url = f"s3://{copying.bucket}/in/"
    entries = [{"url": url + "two", "mandatory": True}, {"url": url + "gone"}, {"url": url + "one"}]
    copying.put("manifest", json.dumps({"entries": entries}).encode())
    node = {"id": "M", "type": "S3DataNode", "manifestFilePath": f"s3://{copying.bucket}/manifest"}
    copying.run(node, copying.s3_node("out"))
    assert copying.get("out") == b"two\none\n"

    entries[1]["mandatory"] = True
    copying.put("manifest", json.dumps({"entries": entries}).encode())
    with pytest.raises(NotFound, match="in/gone does not exist"):
        copying.run(node, copying.s3_node("out"))
    with pytest.raises(ParameterError, match="a manifest is read, not written"):
        copying.run(copying.s3_node("in/one"), node)


def test_gzip_data_of_a_node_that_does_not_say_so_is_read_or_refused_by_name(
    copying: Copying, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying.put("in.csv", gzip.compress(b"1,2\n") + gzip.compress(b"3,4\n"))
    copying.run(copying.s3_node("in.csv", CSV), copying.s3_node("out", TSV))
    assert copying.get("out") == b"1\t2\n3\t4\n"

    monkeypatch.setenv("DUCTRUNNER_COPY_ACTIVITY_UNDECLARED_GZIP", "refuse")
    with pytest.raises(RecordMalformed, match=r"in\.csv is gzip data; say compression: gzip"):
        copying.run(copying.s3_node("in.csv", CSV), copying.s3_node("out", TSV))


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"plain", "is not gzip data"), (gzip.compress(b"1,2\n" * 9999)[:-20], "its gzip data is damaged or cut off")],
    ids=["plain", "cut off"],
)
def test_data_that_is_not_the_gzip_it_should_be_is_named_and_nothing_appears(
    copying: Copying, data: bytes, message: str
) -> None:
    copying.put("in/a.gz", gzip.compress(b"1,2\n"))
    copying.put("in/b.gz", data)
    copying.put("out/a", b"earlier")
    with pytest.raises(RecordMalformed, match=rf"in/b\.gz.*{message}"):
        copying.run(copying.s3_node("in/", CSV, compression="gzip"), copying.s3_node("out/", TSV))

    assert {key: copying.get(key) for key in copying.keys("out/")} == {"out/a": b"earlier"}
    assert copying.open_uploads() == []


def test_what_is_not_there_is_named(copying: Copying) -> None:
    for path in ("missing", "missing/"):
        with pytest.raises(NotFound, match=f"{copying.bucket}/missing"):
            copying.run(copying.s3_node(path, CSV), copying.s3_node("out", CSV))
    node = {"id": "N", "type": "S3DataNode", "filePath": "s3://no-such-bucket-here/x"}
    with pytest.raises(NotFound, match="no-such-bucket-here"):
        copying.run(node, copying.s3_node("out"))
    assert copying.keys() == []


def test_an_empty_directory_with_a_marker_and_an_empty_file_copy_nothing(copying: Copying) -> None:
    copying.put("in/", b"")
    copying.run(copying.s3_node("in/", CSV), copying.s3_node("out", TSV))
    copying.run(copying.s3_node("in/", CSV), copying.s3_node("dir/", TSV))
    copying.put("empty", b"")
    copying.run(copying.s3_node("empty", CSV), copying.s3_node("same", CSV))

    assert {key: copying.get(key) for key in copying.keys("")} == {"in/": b"", "out": b"", "empty": b"", "same": b""}


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"type": "RegEx", "inputRegEx": "x"}, "reads and writes CSV, TSV and Custom, not RegEx"),
        ({"type": "DynamoDBExportDataFormat"}, "not DynamoDBExportDataFormat"),
        ({"type": "Custom", "columnSeparator": "||"}, "columnSeparator must be one ASCII character"),
        ({"type": "TSV", "columnSeparator": "\n"}, "must be three different characters"),
    ],
)
def test_formats_that_copy_activity_has_no_use_for_are_refused_by_name(
    copying: Copying, form: dict[str, str], message: str
) -> None:
    copying.put("in", b"1\n")
    with pytest.raises(ParameterError, match=f"^Node: .*{message}"):
        copying.run(copying.s3_node("in", CSV), copying.s3_node("out", form))


def test_a_file_of_many_blocks_is_converted_whole(copying: Copying) -> None:
    line = b'%d,"a, quoted \\ value",\\N,plain\n'
    data = b"".join(line % number for number in range(60_000))
    copying.put("big.csv", data)
    copying.run(copying.s3_node("big.csv", CSV), copying.s3_node("big.tsv", TSV))

    expected = b"".join(b"%d\ta, quoted \\\\ value\t\\n\tplain\n" % number for number in range(60_000))
    assert copying.get("big.tsv") == expected
