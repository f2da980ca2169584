"""Functions whose call Postgres writes in another form: ``NVL2``, ``DECODE``, ``LISTAGG``, ``MEDIAN``, ``CONVERT``.

A call is changed where its brackets and commas stand; what stands between them is left to the other changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.redshift.cursor import quote_text
from sandbox.redshift.rewrite.call import Call, Changes, find_call
from sandbox.redshift.rewrite.ignored_nulls import first_or_last_value, lag_or_lead, nth_value
from sandbox.redshift.rewrite.windows import listagg_over, median, percentile_cont, percentile_disc, ratio_to_report
from sandbox.redshift.tokens import Kind, Statement

#: What a decimal is without digits (Developer Guide, "Numeric types").
DECIMALS: Final = ("decimal", "numeric")
WHOLE_DECIMAL: Final = "numeric(18, 0)"


def call_changes(statement: Statement, rewrite: Callable[[Statement], str]) -> Changes:
    """Return the tokens to replace, by where they start; ``rewrite`` does the same for a part of the statement."""
    found: Changes = {}
    tokens = statement.tokens
    for at, token in enumerate(tokens[:-1]):
        if token.start in found:
            continue
        if token.is_word("approximate") and tokens[at + 1].is_word("count", "percentile_disc"):
            found[token.start] = (token, "")
        form = _FORMS.get(token.text.lower())
        if form is None or not tokens[at + 1].is_sign("(") or (at and tokens[at - 1].is_sign(".")):
            continue
        call = find_call(statement, at, rewrite)
        if call is not None:
            found |= form(call)
    return found | _top(statement)


def _nvl2(call: Call) -> Changes:
    if len(call.commas) != 2:
        return {}
    first, second = call.commas
    texts = {call.name: "", call.open: "(CASE WHEN (", first: ") IS NOT NULL THEN (", second: ") ELSE ("}
    return call.changes({**texts, call.close: ") END)"})


def _decode(call: Call) -> Changes:
    """``DECODE(x, a, 1, b, 2, 3)``: unlike in CASE, NULL is found by NULL."""
    count = len(call.commas)
    if count < 2:
        return {}
    again = f") WHEN ({call.text(call.open + 1, call.commas[0])}) IS NOT DISTINCT FROM ("
    texts = {call.name: "", call.open: "(CASE WHEN (", call.commas[0]: ") IS NOT DISTINCT FROM ("}
    for number, comma in enumerate(call.commas[1:], start=1):
        default = number == count - 1 and count % 2 == 1
        texts[comma] = ") THEN (" if number % 2 else (") ELSE (" if default else again)
    return call.changes({**texts, call.close: ") END)"})


def _listagg(call: Call) -> Changes:
    """``LISTAGG([DISTINCT] x [, ',']) [WITHIN GROUP (ORDER BY …)]``."""
    texts = {call.name: "pg_redshift.listagg"}
    if call.at(call.open + 1).is_word("distinct"):
        return _distinct_listagg(call)
    texts[call.open] = "(("
    order, behind = _within_group(call)
    window = listagg_over(call, order, max(behind, default=call.close))
    ending = ")" if window is not None else f"{order})"
    if call.commas:
        texts[call.commas[0]] = ")::text,"
    else:
        ending = f")::text, ''{ending}"
    return call.changes({**texts, call.close: ending, **behind}) | (window or {})


def _distinct_listagg(call: Call) -> Changes:
    """With DISTINCT the value stays as it is: it may be what is sorted by."""
    order, behind = _within_group(call)
    ending = f"{order})" if call.commas else f", ''{order})"
    return call.changes({call.name: "pg_redshift.listagg", call.close: ending, **behind})


def _within_group(call: Call) -> tuple[str, dict[int, str]]:
    """Return the order, and the tokens of WITHIN GROUP, which are left out behind the call."""
    tokens, start = call.statement.tokens, call.close + 1
    if [token.text.lower() for token in tokens[start : start + 3]] != ["within", "group", "("]:
        return "", {}
    group = find_call(call.statement, start + 1, call.rewrite)
    if group is None:
        return "", {}
    return f" {call.text(start + 3, group.close)}", dict.fromkeys(range(start, group.close + 1), "")


def _whole(kind: str) -> str:
    return WHOLE_DECIMAL if kind.lower() in DECIMALS else kind


def _cast(call: Call) -> Changes:
    """``CAST(x AS DECIMAL)`` is one of a whole number."""
    last = call.at(call.close - 1)
    if not (last.is_word(*DECIMALS) and call.at(call.close - 2).is_word("as")):
        return {}
    return call.changes({call.close - 1: WHOLE_DECIMAL})


def _concat(call: Call) -> Changes:
    """``CONCAT(x, y)``, which is NULL where one of them is; numbers and dates are texts here."""
    if len(call.commas) != 1:
        return {}
    return call.changes(
        {call.name: "pg_redshift.concat", call.open: "((", call.commas[0]: ")::text, (", call.close: ")::text)"}
    )


def _extract(call: Call) -> Changes:
    """``EXTRACT(ms FROM t)``, which Redshift names as a DATE_PART and Postgres has as another number."""
    part, place = call.at(call.open + 1), call.open + 2
    if not (part.is_name or part.kind is Kind.STRING) or not call.at(place).is_word("from"):
        return {}
    named = part.text if part.kind is Kind.STRING else quote_text(part.name)
    texts = {call.name: "pg_redshift.date_part", call.open + 1: named, place: ","}
    if call.at(place + 1).is_word("sysdate") and not call.at(place + 2).is_sign("("):
        texts[place + 1] = "pg_catalog.sysdate()"  # no table, as it is behind another FROM
    return call.changes({**texts, call.close: ", true)"})


def _convert(call: Call) -> Changes:
    """``CONVERT(type, x)`` is ``CAST(x AS type)``."""
    if len(call.commas) != 1:
        return {}
    (comma,) = call.commas
    kind = _whole(call.text(call.open + 1, comma))
    gone = dict.fromkeys(range(call.open + 1, comma + 1), "")
    return call.changes({call.name: "CAST", **gone, call.close: f" AS {kind})"})


def _try_cast(call: Call) -> Changes:
    """``TRY_CAST(x AS type)``: the type is asked for twice, once where it may fail."""
    place = next((at for at in range(call.close - 1, call.open, -1) if call.at(at).is_word("as")), None)
    if place is None:
        return {}
    kind = _whole(call.text(place + 1, call.close))
    gone = dict.fromkeys(range(place + 1, call.close), "")
    texts = {call.name: "CAST", call.open: "(pg_catalog.redshift_try_cast(", place: f", {quote_text(kind)})"}
    return call.changes({**gone, **texts, call.close: f" AS {kind})"})


def _strtol(call: Call) -> Changes:
    """``STRTOL(LEFT(MD5(x), 15), 16)``: what is sure to be hexadecimal digits is read without a look at each."""
    if len(call.commas) != 1:
        return {}
    (comma,) = call.commas
    left = call.inner(("left",), call.open + 1, comma)
    if left is None or len(left.commas) != 1 or call.text(comma + 1, call.close) != "16":
        return {}
    digest = left.inner(("md5", "sha1", "sha2"), left.open + 1, left.commas[0])
    if digest is None or left.text(left.commas[0] + 1, left.close) not in _DIGITS_OF_A_NUMBER:
        return {}
    return call.changes({call.name: "pg_redshift.strtol", comma: "", comma + 1: ""})


def _sha2(call: Call) -> Changes:
    """``SHA2(x, 256)``, whose form with one argument Postgres writes into the query, without a call for each row."""
    if len(call.commas) != 1 or call.text(call.commas[0] + 1, call.close) not in ("0", "256"):
        return {}
    return call.changes({call.name: "pg_redshift.sha2", call.commas[0]: "", call.commas[0] + 1: ""})


def _top(statement: Statement) -> Changes:
    """``SELECT TOP 10 …`` at the beginning of a statement is a LIMIT at its end."""
    tokens = statement.tokens
    if len(tokens) < 4 or not (tokens[0].is_word("select") and tokens[1].is_word("top") and tokens[2].text.isdigit()):
        return {}
    last = tokens[-1]
    limited = {last.start: (last, f"{last.text} LIMIT {tokens[2].text}")}
    return {token.start: (token, "") for token in tokens[1:3]} | limited


#: How many hexadecimal digits make a number that is not too large.
_DIGITS_OF_A_NUMBER: Final = frozenset(map(str, range(1, 16)))
_FORMS: Final[dict[str, Callable[[Call], Changes]]] = {
    "nvl2": _nvl2,
    "decode": _decode,
    "listagg": _listagg,
    "cast": _cast,
    "concat": _concat,
    "extract": _extract,
    "convert": _convert,
    "try_cast": _try_cast,
    "strtol": _strtol,
    "sha2": _sha2,
    "first_value": first_or_last_value,
    "last_value": first_or_last_value,
    "lag": lag_or_lead,
    "lead": lag_or_lead,
    "nth_value": nth_value,
    "median": median,
    "percentile_cont": percentile_cont,
    "percentile_disc": percentile_disc,
    "ratio_to_report": ratio_to_report,
}
