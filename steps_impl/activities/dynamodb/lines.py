r"""Items as lines of files, in the two forms that AWS's tools write; both are read, whichever a file has.

* the export tool (``DynamoDbExport``): one JSON object a line;
* Hive (HiveCopyActivity, a table of ``item map<string,string>``): ``id\x03{"s":"x"}\x02n\x03{"n":"1"}``, names and JSON
  values between Hive's separators of keys (``\x03``) and of entries (``\x02``).
"""

from __future__ import annotations

import json
from typing import Any

from core.errors import UnsupportedValue
from steps_impl.activities.dynamodb.values import from_file, to_file
from stores.dynamodb import Item

_ENTRY, _KEY = "\x02", "\x03"
_SEPARATORS = (",", ":")


def json_line(item: Item) -> bytes:
    """Return the line of the export tool, with its end."""
    return (json.dumps(to_file(item), ensure_ascii=False, separators=_SEPARATORS) + "\n").encode()


def hive_line(item: Item) -> bytes:
    """Return Hive's line, with its end.

    Raises:
        UnsupportedValue: the name of an attribute has a character that ends a name or a line there.
    """
    values = to_file(item)
    if any(mark in name for name in values for mark in (_ENTRY, _KEY, "\n", "\r")):
        raise UnsupportedValue("an attribute has a control character in its name, which a file of Hive cannot hold")
    entries = [
        f"{name}{_KEY}{json.dumps(value, ensure_ascii=False, separators=_SEPARATORS)}" for name, value in values.items()
    ]
    return (_ENTRY.join(entries) + "\n").encode()


def read_line(line: bytes) -> Item:
    """Return the item of a line in either form.

    Raises:
        UnsupportedValue: it is none; the message says why, without its content.
    """
    try:
        text = line.decode().strip()
        document = _read_json(text) if text.startswith("{") else _read_hive(text)
    except UnicodeDecodeError:
        raise UnsupportedValue("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        raise UnsupportedValue('the line is not an item; it must be JSON such as {"id":{"s":"x"}}') from None
    return from_file(document)


def _read_json(text: str) -> dict[str, Any]:
    """Return a JSON object; numbers stay the text that they are."""
    document = json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse)
    if not isinstance(document, dict):
        raise TypeError
    return document


def _read_hive(text: str) -> dict[str, Any]:
    entries = (entry.partition(_KEY) for entry in text.split(_ENTRY))
    return {name: _read_json(value) for name, _, value in entries}


def _refuse(word: str) -> None:
    raise ValueError(word)
