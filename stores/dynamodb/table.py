"""What a DynamoDB table is like: its key, its throughput, its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from core.errors import UnsupportedValue

#: An item in the form of the wire: name → ``{type: value}``.
Item: TypeAlias = dict[str, dict[str, Any]]
#: Bytes of an item of a table that does not know yet how large its items are (it counts every six hours).
_USUAL_ITEM = 100.0


@dataclass(frozen=True)
class Key:
    """An attribute of the primary key; ``type`` is ``S``, ``N`` or ``B``."""

    name: str
    type: str


@dataclass(frozen=True)
class Table:
    """A table; capacities in units per second, ``None`` when it is billed on demand; ``items`` may be six hours old."""

    name: str
    keys: tuple[Key, ...]
    read_capacity: int | None
    write_capacity: int | None
    items: int
    bytes: int

    @property
    def item_size(self) -> float:
        """Bytes of an average item."""
        return self.bytes / self.items if self.bytes and self.items else _USUAL_ITEM

    def key_of(self, item: Item) -> tuple[str, ...]:
        """Return the values of the primary key.

        Raises:
            UnsupportedValue: the item has no such key; the message names the attribute, not the value.
        """
        return tuple(self._key_value(key, item) for key in self.keys)

    def check_key(self, item: Item, source: str) -> tuple[str, ...]:
        """Return the values of the primary key; errors say ``source``, where the item came from (as ``key_of``)."""
        try:
            return self.key_of(item)
        except UnsupportedValue as error:
            raise UnsupportedValue(f"{source}: {error}") from None

    def _key_value(self, key: Key, item: Item) -> str:
        value = item.get(key.name)
        if value is None:
            raise UnsupportedValue(f"the item has no {key.name!r}, which is in the key of the table {self.name}")
        [(type_, text)] = value.items()
        if type_ != key.type:
            raise UnsupportedValue(
                f"{key.name!r} is of type {type_}, but the key of the table {self.name} has it as {key.type}"
            )
        if text == "":
            raise UnsupportedValue(f"{key.name!r} is empty, but is in the key of the table {self.name}")
        return str(text)


def described(description: Mapping[str, Any]) -> Table:
    """Return the table of a ``DescribeTable`` answer."""
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in description["AttributeDefinitions"]}
    throughput = description.get("ProvisionedThroughput", {})
    billing = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    provisioned = billing == "PROVISIONED"
    return Table(
        name=str(description["TableName"]),
        keys=tuple(Key(entry["AttributeName"], types[entry["AttributeName"]]) for entry in description["KeySchema"]),
        read_capacity=int(throughput["ReadCapacityUnits"]) if provisioned else None,
        write_capacity=int(throughput["WriteCapacityUnits"]) if provisioned else None,
        items=int(description.get("ItemCount", 0)),
        bytes=int(description.get("TableSizeBytes", 0)),
    )
