"""Which columns of a table the values of the files go to."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ParameterError, SchemaMismatch


def chosen(given: Sequence[str] | None, writable: Sequence[str], made: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the table's columns for the values of a row, in their order.

    ``given`` are the names that the parameters or the manifest state; without any, the files hold all columns that
    can be written. ``made`` are those whose values the server makes itself. Names are compared in any case.

    Raises:
        SchemaMismatch: the table has no such column, or makes it itself.
    """
    if not given:
        return tuple(writable)
    exact = {name: name for name in writable}
    spelling = {name.lower(): name for name in reversed(writable)} | exact
    found = [spelling.get(name) or spelling.get(name.lower()) for name in given]
    if wrong := [name for name, own in zip(given, found, strict=True) if own is None]:
        generated = {name.lower() for name in made}
        which = ", ".join(f"{name} (generated)" if name.lower() in generated else name for name in wrong)
        raise SchemaMismatch(f"{where} has no column to write {which}; correct --columns, or select other columns")
    names = tuple(name for name in found if name is not None)
    if len(set(names)) < len(names):
        raise SchemaMismatch(f"{where}: the files hold a column twice; correct --columns")
    return names


def keys_of(given: Sequence[str], primary: Sequence[str], loaded: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the columns that identify a row, as the table spells them.

    Raises:
        ParameterError: there are none, or the files do not hold them.
    """
    spelling = {name.lower(): name for name in loaded}
    named = tuple(given) or tuple(primary)
    if not named:
        raise ParameterError(f"{where} has no primary key; say with --keys what identifies a row")
    if missing := [name for name in named if name.lower() not in spelling]:
        raise ParameterError(
            f"the files for {where} do not hold the key {', '.join(missing)}; see --keys and --columns"
        )
    return tuple(spelling[name.lower()] for name in named)
