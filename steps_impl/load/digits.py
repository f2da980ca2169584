"""Digits behind the decimal point that a column has no room for.

COPY cuts them off without a word (Developer Guide, "Data conversion parameters", ROUNDEC). The manifest of an extract
says how many the source has, so that such a load is refused by name before it begins.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import SchemaMismatch
from steps_impl.load.copy_options import CopyOptions
from steps_impl.load.manifest import LoadInput
from steps_impl.tables.model import Table


def check_digits(table: Table, columns: Sequence[str], source: LoadInput, options: CopyOptions) -> None:
    """Refuse columns of the files that have more digits behind the point than the definition.

    Raises:
        SchemaMismatch: names every such column; not when the options say what is to be done with the digits.
    """
    if options.round_decimals or options.instead:
        return
    found = [
        f"column {name!r} has {scale} digits behind the point in the files and {kind.arguments[1]} in the definition"
        for name, scale in source.scales
        if name in columns and (kind := table.column(name).type).name == "numeric" and kind.arguments[1] < scale
    ]
    if found:
        raise SchemaMismatch(
            f"table {table.name} and its files do not fit: {'; '.join(found)}; COPY would cut them off: "
            "widen the column, or use --round-decimals"
        )
