"""What Postgres lacks over a window: RATIO_TO_REPORT, MEDIAN, PERCENTILE_CONT and PERCENTILE_DISC, LISTAGG."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.redshift.rewrite.call import Call, Changes, find_call, window_of

_ALL_ROWS = " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"


def ratio_to_report(call: Call) -> Changes:
    """``RATIO_TO_REPORT(x) OVER (w)`` is ``x / SUM(x) OVER (w)``."""
    window = window_of(call, call.close)
    if window is None:
        return {}
    value = call.text(call.open + 1, call.close)
    shares = f")::double precision / nullif(sum({value})"
    return call.changes({call.name: "", call.open: "((", call.close: shares, window.close: "), 0))"})


def median(call: Call) -> Changes:
    """``MEDIAN(x)``; over a window with an aggregate of our own."""
    if window_of(call, call.close) is not None:
        return call.changes({call.name: "pg_redshift.median", call.open: "((", call.close: ")::double precision)"})
    return call.changes({call.name: "percentile_cont(0.5) WITHIN GROUP", call.open: "(ORDER BY "})


def percentile_cont(call: Call) -> Changes:
    """``PERCENTILE_CONT(p) WITHIN GROUP (ORDER BY x) OVER (w)``."""
    found = _percentile(call)
    if found is None:
        return {}
    place = f"1 - ({found.place})" if found.descending else found.place
    written = f"pg_redshift.percentile_cont(({found.value})::double precision, ({place})::double precision)"
    return call.changes({**found.gone, call.name: written})


def percentile_disc(call: Call) -> Changes:
    """``PERCENTILE_DISC(p) WITHIN GROUP (ORDER BY x) OVER (w)``."""
    found = _percentile(call)
    if found is None:
        return {}
    written = f"pg_redshift.percentile_disc(array_agg({found.value})"
    ending = f"), {found.place}, {found.descending})"
    return call.changes({**found.gone, call.name: written, found.window.close: ending})


@dataclass(frozen=True)
class _Percentile:
    """What a percentile over a window is of; ``gone`` are its own brackets and those of WITHIN GROUP."""

    place: str
    value: str
    descending: bool
    gone: dict[int, str]
    window: Call


def _percentile(call: Call) -> _Percentile | None:
    tokens, start = call.statement.tokens, call.close + 1
    if [token.text.lower() for token in tokens[start : start + 3]] != ["within", "group", "("]:
        return None
    group = find_call(call.statement, start + 1, call.rewrite)
    window = window_of(call, group.close) if group is not None else None
    if group is None or window is None:
        return None
    descending = tokens[group.close - 1].is_word("desc")
    end = group.close - 1 if tokens[group.close - 1].is_word("asc", "desc") else group.close
    value = call.text(start + 5, end)  # behind ORDER BY
    gone = dict.fromkeys(range(call.open, group.close + 1), "")
    return _Percentile(call.text(call.open + 1, call.close), value, descending, gone, window)


def listagg_over(call: Call, order: str, behind: int) -> Changes | None:
    """Return the changes of the OVER behind a LISTAGG; ``None`` when there is none."""
    window = window_of(call, behind)
    if window is None:
        return None
    return call.changes({window.close: f"{order}{_ALL_ROWS}" if order else ")"})
