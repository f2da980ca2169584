from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ParameterError
from stores.s3 import S3Location, parse_uri


@pytest.mark.parametrize(
    ("uri", "bucket", "key"),
    [
        ("s3://b/k", "b", "k"),
        ("s3n://b/a/b", "b", "a/b"),
        ("s3a://b//a//b/", "b", "/a//b/"),
        ("S3://b/a b/../ü?#%41", "b", "a b/../ü?#%41"),
        ("s3://b", "b", ""),
        ("s3://b/", "b", ""),
        ("s3://b/line\nbreak", "b", "line\nbreak"),
    ],
)
def test_a_key_is_everything_after_the_buckets_slash(uri: str, bucket: str, key: str) -> None:
    assert parse_uri(uri) == S3Location(bucket, key)


@given(st.text())
def test_any_key_survives_writing_and_parsing(key: str) -> None:
    assert parse_uri(str(S3Location("bucket", key))).key == key


@pytest.mark.parametrize("uri", ["", "b/k", "http://b/k", "s3:/b/k", "s3:///k", "s3://"])
def test_what_is_no_address_is_refused_by_name(uri: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_uri(uri)
    assert repr(uri) in str(caught.value)


def test_a_directory_does_not_take_its_neighbours() -> None:
    directory = parse_uri("s3://b/dir").as_directory()
    assert directory.key == "dir/"
    assert directory.as_directory() == directory
    assert parse_uri("s3://b").as_directory().key == ""


def test_a_child_keeps_a_double_slash_of_its_directory() -> None:
    assert str(parse_uri("s3://b//dir").child("x/y")) == "s3://b//dir/x/y"
    assert str(parse_uri("s3://b/dir/").child("x")) == "s3://b/dir/x"
