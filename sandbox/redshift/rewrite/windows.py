"""What Postgres lacks over a window: RATIO_TO_REPORT, MEDIAN, PERCENTILE_CONT, LISTAGG, IGNORE NULLS."""

from __future__ import annotations

from sandbox.redshift.errors import unknown
from sandbox.redshift.rewrite.call import Call, Changes, find_call

_ALL_ROWS = " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"


def window_of(call: Call, behind: int) -> Call | None:
    """Return the bracket of the OVER that follows the token ``behind``, if one does."""
    tokens = call.statement.tokens
    if behind + 2 >= len(tokens) or not tokens[behind + 1].is_word("over") or not tokens[behind + 2].is_sign("("):
        return None
    return find_call(call.statement, behind + 1, call.rewrite)


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
    tokens, start = call.statement.tokens, call.close + 1
    if [token.text.lower() for token in tokens[start : start + 3]] != ["within", "group", "("]:
        return {}
    group = find_call(call.statement, start + 1, call.rewrite)
    if group is None or window_of(call, group.close) is None:
        return {}
    end = group.close
    descending = tokens[end - 1].is_word("desc")
    if tokens[end - 1].is_word("asc", "desc"):
        end -= 1
    place = call.text(call.open + 1, call.close)
    place = f"1 - ({place})" if descending else place
    value = call.text(start + 5, end)  # behind ORDER BY
    gone = dict.fromkeys(range(call.open, group.close + 1), "")
    written = f"pg_redshift.percentile_cont(({value})::double precision, ({place})::double precision)"
    return call.changes({**gone, call.name: written})


def first_or_last_value(call: Call) -> Changes:
    """With IGNORE NULLS, ``FIRST_VALUE`` and ``LAST_VALUE`` are aggregates of ours that pass NULL over."""
    place = _treatment_of_nulls(call)
    if place is None:
        return {}
    name = call.at(call.name).text
    ours = {call.name: f"pg_redshift.{name}"} if call.at(place).is_word("ignore") else {}
    return call.changes({place: "", place + 1: "", **ours})


def nulls_respected(call: Call) -> Changes:
    """``LAG``, ``LEAD`` and ``NTH_VALUE`` as Postgres has them.

    Raises:
        SqlError: with IGNORE NULLS, which no aggregate can do for them.
    """
    place = _treatment_of_nulls(call)
    if place is None:
        return {}
    if call.at(place).is_word("ignore"):
        raise unknown(f"IGNORE NULLS with {call.at(call.name).text.upper()}")
    return call.changes({place: "", place + 1: ""})


def _treatment_of_nulls(call: Call) -> int | None:
    """Return where IGNORE NULLS or RESPECT NULLS is: the last words in the brackets, or the first behind them."""
    for place in (call.close - 2, call.close + 1):
        words = call.statement.tokens[place : place + 2]
        if len(words) == 2 and words[0].is_word("ignore", "respect") and words[1].is_word("nulls"):
            return place
    return None


def listagg_over(call: Call, order: str, behind: int) -> Changes | None:
    """Return the changes of the OVER behind a LISTAGG; ``None`` when there is none."""
    window = window_of(call, behind)
    if window is None:
        return None
    return call.changes({window.close: f"{order}{_ALL_ROWS}" if order else ")"})
