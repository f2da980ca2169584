"""IGNORE NULLS and RESPECT NULLS of window functions (Developer Guide, "FIRST_VALUE", "LAG", "LEAD", "NTH_VALUE").

What passes NULL over is an aggregate of ours. LAG and LEAD keep the last values before the current row, newest first;
LEAD looks at the rows in the opposite order, so that each is looked at once.
"""

from __future__ import annotations

from sandbox.redshift.errors import SYNTAX, SqlError, unknown
from sandbox.redshift.rewrite.call import Call, Changes, window_of
from sandbox.redshift.tokens import Kind

_ROWS_BEFORE = " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"


def first_or_last_value(call: Call) -> Changes:
    """``FIRST_VALUE(x) IGNORE NULLS``, ``LAST_VALUE(x) IGNORE NULLS``: over the frame that is given."""
    place = _treatment_of_nulls(call)
    if place is None:
        return {}
    name = call.at(call.name).text
    ours = {call.name: f"pg_redshift.{name}"} if call.at(place).is_word("ignore") else {}
    return call.changes({place: "", place + 1: "", **ours})


def lag_or_lead(call: Call) -> Changes:
    """``LAG(x, 2) IGNORE NULLS OVER (w)``: the last value but one before the current row.

    Raises:
        SqlError: the offset is no whole number.
    """
    return _numbered(call, default="1")


def nth_value(call: Call) -> Changes:
    """``NTH_VALUE(x, 2) IGNORE NULLS OVER (w)``: the second value in the frame that is given.

    Raises:
        SqlError: the place is no whole number.
    """
    return _numbered(call, default=None)


def _numbered(call: Call, default: str | None) -> Changes:
    place = _treatment_of_nulls(call)
    if place is None:
        return {}
    gone = call.changes({place: "", place + 1: ""})
    number = "0" if call.at(place).is_word("respect") else _number(call, default, place)
    if number == "0":  # the current row, whatever it has
        return gone
    window = window_of(call, max(call.close, place + 1))
    if window is None:
        raise SqlError('syntax error: IGNORE NULLS without "OVER ("', SYNTAX)
    name = call.at(call.name).text
    written = {call.name: f"(pg_redshift.{name}", call.close: ")" if call.commas else f", {number})"}
    return gone | call.changes(written) | _window(call, window, number)


def _number(call: Call, default: str | None, place: int) -> str:
    """Return which value is meant: 1 is the next one."""
    if not call.commas and default is not None:
        return default
    (comma, *more) = call.commas or (call.close,)
    if more or min(call.close, place) != comma + 2 or not call.at(comma + 1).text.isdigit():
        raise unknown(f"IGNORE NULLS with {call.at(call.name).text.upper()} and anything but a whole number")
    return call.at(comma + 1).text


def _window(call: Call, window: Call, number: str) -> Changes:
    """Return the changes of the window: its order and frame, and the place in the array behind it."""
    ending = ")" if call.at(call.name).is_word("nth_value") else _ROWS_BEFORE
    texts = {window.close: f"{ending})[{number}]"}
    if call.at(call.name).is_word("lead"):
        for end in _ends_of_terms(window):
            texts |= _reversed(window, end, texts.get(end, window.at(end).text))
    return window.changes(texts)


def _ends_of_terms(window: Call) -> list[int]:
    """Return what stands behind each term of ORDER BY: a comma, or the bracket that closes."""
    depth, order = 0, window.close
    for place in range(window.open, window.close):
        depth += window.at(place).is_sign("(") - window.at(place).is_sign(")")
        if depth == 1 and window.at(place).is_word("order"):
            order = place
    return [end for end in (*window.commas, window.close) if end > order]


def _reversed(window: Call, end: int, text: str) -> dict[int, str]:
    """Return the changes for a term of ORDER BY after which the last row comes first."""
    last, nulls = end - 1, {}
    if window.at(last).is_word("first", "last") and window.at(last - 1).is_word("nulls"):
        nulls = {last: "LAST" if window.at(last).is_word("first") else "FIRST"}
        last -= 2
    if window.at(last).kind is Kind.WORD and window.at(last).is_word("asc", "desc"):
        return {**nulls, last: "ASC" if window.at(last).is_word("desc") else "DESC"}
    return {**nulls, last + 1: "DESC NULLS"} if nulls else {end: f" DESC{text}"}


def _treatment_of_nulls(call: Call) -> int | None:
    """Return where IGNORE NULLS or RESPECT NULLS is: the last words in the brackets, or the first behind them."""
    for place in (call.close - 2, call.close + 1):
        words = call.statement.tokens[place : place + 2]
        if len(words) == 2 and words[0].is_word("ignore", "respect") and words[1].is_word("nulls"):
            return place
    return None
