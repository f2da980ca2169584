"""How many values of a column are missing: the limits, the query, the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from steps_impl.quality.report import CheckReport


def parse_limits(entries: Sequence[str], default: float) -> dict[str, float]:
    """Return the highest share of NULL, in percent, by column, from ``column`` or ``column=percent``.

    Raises:
        ValueError: an entry without a column, or a share that is no number from 0 to 100.
    """
    limits: dict[str, float] = {}
    for entry in entries:
        name, given, share = entry.strip().rpartition("=")
        name, share = (name.strip(), share) if given else (entry.strip(), str(default))
        try:
            limits[name] = float(share)
        except ValueError:
            raise ValueError(f"{entry!r}: write COLUMN or COLUMN=PERCENT, for example email=0.5") from None
        if not name or not 0 <= limits[name] <= 100:
            raise ValueError(f"{entry!r}: write a column and a share from 0 to 100 percent")
    return limits


def null_query(relation: str, columns: Sequence[str], quote: Callable[[str], str], blank: Sequence[str] = ()) -> str:
    """Return the query for the number of rows and, of each column, of its values; of those in ``blank`` '' is none."""
    values = [f"NULLIF(TRIM({quote(name)}), '')" if name in blank else quote(name) for name in columns]
    return f"SELECT COUNT(*), {', '.join(f'COUNT({value})' for value in values)} FROM {relation}"


def null_reports(
    place: tuple[str, str], limits: Mapping[str, float], counts: Sequence[int], *, empty: float | None = None
) -> list[CheckReport]:
    """Return one report for each column; ``empty`` is the rate where there are no rows (``None``: a failure)."""
    schema, table = place
    rows, *values = counts
    reports = []
    for (name, limit), present in zip(limits.items(), values, strict=True):
        missing = rows - present
        reports.append(
            CheckReport(
                check=f"null-rate of {name}",
                schema=schema,
                table=table,
                tolerance=limit,
                error_rate=100.0 * missing / rows if rows else empty,
                counts={"rows": rows, "nulls": missing},
                finding=f"{missing} of {rows} rows have no {name}" if rows else "there are no rows to look at",
            )
        )
    return reports
