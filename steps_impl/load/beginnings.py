"""What a file is by its first bytes: told when COPY refuses it for something else."""

from __future__ import annotations

#: First bytes, by which word of COPY or format they are meant to be read, and what they are.
_BEGINNINGS = (
    (b"\x1f\x8b", "gzip", "like gzip"),
    (b"BZh", "bzip2", "like bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd", "like zstd"),
    (b"\x89LZO", "lzop", "like lzop"),
    (b"PAR1", "parquet", "like Parquet"),
    (b"Obj\x01", "avro", "like Avro"),
    (b"ORC", "orc", "like ORC"),
    (b"PK\x03\x04", "zip", "like a zip archive"),
    (
        b"\xef\xbb\xbf",
        "bom",
        "with a byte order mark, which COPY takes for a part of the first value; write it without",
    ),
    (b"\xff\xfe", "utf16", "like UTF-16; write it as UTF-8, or give ENCODING with --command-options"),
    (b"\xfe\xff", "utf16", "like UTF-16; write it as UTF-8, or give ENCODING with --command-options"),
)
#: The length of the longest of them, in bytes.
LONGEST = 4


def told_by(beginning: bytes, taken_for: str) -> str | None:
    """Return what a file begins with unless that is what it was taken for, a format or a word of COPY."""
    for first, name, what in _BEGINNINGS:
        if beginning.startswith(first):
            return None if name == taken_for.lower() else f"it begins {what}"
    return None
