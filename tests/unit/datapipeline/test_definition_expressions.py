from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ExpressionInvalid
from sandbox.datapipeline.expressions import Ref, Value, Verbatim, evaluate
from sandbox.datapipeline.syntax import parse_template

# The moment that AWS uses in the examples of its function reference; @scheduledStartTime is ours.
FIELDS: dict[tuple[str | None, str], list[Value]] = {
    (None, "myDateTime"): ["2011-05-24T17:10:00"],
    (None, "@scheduledStartTime"): ["2012-12-01T03:04:05"],
    (None, "myList"): ["one", "two"],
    (None, "myNode"): [Ref("Node")],
    (None, "myNodes"): [Ref("Node"), Ref("Second")],
    (None, "myNested"): ["<#{myText}>"],
    (None, "myText"): ["text"],
    (None, "myNumber"): ["5"],
    (None, "myLoop"): ["#{myLoop}"],
    (None, "myBomb"): ["#{myBomb2}#{myBomb2}"],
    (None, "myBomb2"): ["#{myBomb3}#{myBomb3}"],
    (None, "myBomb3"): ["#{myBomb}"],
    (None, "errorMessage"): [Verbatim("bad #{myText}")],
    ("Node", "directoryPath"): ["s3://bucket/#{myDay}/"],
    ("Node", "myDay"): ["#{format(@scheduledStartTime,'YYYY-MM-dd')}"],
    ("Node", "@scheduledStartTime"): ["2013-01-02T00:00:00"],
    ("Node", "next"): [Ref("Second")],
    ("Second", "directoryPath"): ["s3://second/"],
    ("Second", "@status"): ["FINISHED"],
    (None, "node"): [Ref("Node")],
}
PARAMETERS: dict[str, list[Value]] = {
    "myInteger": [7],
    "*myPassword": ["hunter2"],
    "myArray": ["a", "b"],
    "myTable": ["t"],
}


class FixedScope:
    def field(self, object_id: str | None, name: str) -> list[Value]:
        return FIELDS.get((object_id, name), [])

    def parameter(self, name: str) -> list[Value]:
        return PARAMETERS.get(name, [])


SCOPE = FixedScope()


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("day(myDateTime)", "24"),
        ("dayOfYear(myDateTime)", "144"),
        ("firstOfMonth(myDateTime)", "2011-05-01T17:10:00"),
        ("format(myDateTime,'YYYY-MM-dd HH:mm:ss z')", "2011-05-24 17:10:00 UTC"),
        ("hour(myDateTime)", "17"),
        ("makeDate(2011,5,24)", "2011-05-24T00:00:00"),
        ("makeDateTime(2011,5,24,14,21)", "2011-05-24T14:21:00"),
        ("midnight(myDateTime)", "2011-05-24T00:00:00"),
        ("minusDays(myDateTime,1)", "2011-05-23T17:10:00"),
        ("minusHours(myDateTime,1)", "2011-05-24T16:10:00"),
        ("minusMinutes(myDateTime,1)", "2011-05-24T17:09:00"),
        ("minusMonths(myDateTime,1)", "2011-04-24T17:10:00"),
        ("minusWeeks(myDateTime,1)", "2011-05-17T17:10:00"),
        ("minusYears(myDateTime,1)", "2010-05-24T17:10:00"),
        ("minute(myDateTime)", "10"),
        ("month(myDateTime)", "5"),
        ("plusDays(myDateTime,1)", "2011-05-25T17:10:00"),
        ("plusHours(myDateTime,1)", "2011-05-24T18:10:00"),
        ("plusMinutes(myDateTime,1)", "2011-05-24T17:11:00"),
        ("plusMonths(myDateTime,1)", "2011-06-24T17:10:00"),
        ("plusWeeks(myDateTime,1)", "2011-05-31T17:10:00"),
        ("plusYears(myDateTime,1)", "2012-05-24T17:10:00"),
        ("sunday(myDateTime)", "2011-05-22T17:10:00"),
        ("year(myDateTime)", "2011"),
        ("yesterday(myDateTime)", "2011-05-23T17:10:00"),
    ],
)
def test_the_examples_of_the_function_reference_give_their_results(expression: str, result: str) -> None:
    assert evaluate(f"#{{{expression}}}", SCOPE) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("sunday('2011-05-22T01:02:03')", "2011-05-22T01:02:03"),
        ("sunday('2011-05-28T01:02:03')", "2011-05-22T01:02:03"),
        ("plusPeriod(myDateTime,'1 day')", "2011-05-25T17:10:00"),
        ("plusPeriod(myDateTime,'2 Months')", "2011-07-24T17:10:00"),
        ("plusMonths('2012-01-31T00:00:00',1)", "2012-02-29T00:00:00"),
        ("plusYears('2012-02-29T00:00:00',1)", "2013-02-28T00:00:00"),
        ("minusMonths('2012-01-31T00:00:00',2)", "2011-11-30T00:00:00"),
        ("plusDays(myDateTime,-1)", "2011-05-23T17:10:00"),
        ("hour(inTimeZone(myDateTime,'America/Los_Angeles'))", "10"),
        ("format(inTimeZone(myDateTime,'Asia/Tokyo'),'HH Z ZZ ZZZ')", "02 +0900 +09:00 Asia/Tokyo"),
        ("@scheduledStartTime.format('YYYY-MM-dd')", "2012-12-01"),
        ("format(minusDays(@scheduledStartTime, day(@scheduledStartTime)),'YYYYMMdd')", "20121130"),
        ("minusMinutes(@scheduledStartTime,30).format('HH:mm')", "02:34"),
        ("format('2012-12-01','YYYY')", "2012"),
        ("format('2012-12-01T00:00:00Z','YYYY')", "2012"),
    ],
)
def test_dates_follow_joda_where_the_reference_gives_no_example(expression: str, result: str) -> None:
    assert evaluate(f"#{{{expression}}}", SCOPE) == result


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ("YYYYMMdd-HH-mm-ss", "20110524-17-10-00"),
        ("YYYY-MM-DD", "2011-05-144"),  # D is the day of the year
        ("YY-MM-DD HH:MM:SS", "11-05-144 17:05:00"),  # an example of AWS, wrong under Joda and kept so
        ("hh:mm a", "05:10 PM"),
        ("KK kk", "05 17"),
        ("yyyy", "2011"),
        ("MMM MMMM", "May May"),
        ("EEE EEEE e", "Tue Tuesday 2"),
        ("xxxx-'W'ww", "2011-W21"),
        ("YYYY''''", "2011''"),
        ("'o''clock'", "o'clock"),
        ("SSS", "000"),
        ("Z ZZ ZZZ zzzz", "+0000 +00:00 UTC Coordinated Universal Time"),
        ("C G", "20 AD"),
        ("H K h k", "17 5 5 17"),
        ("/.:_ -", "/.:_ -"),
    ],
)
def test_joda_patterns_are_taken_literally(pattern: str, result: str) -> None:
    assert evaluate(f'#{{format(myDateTime,"{pattern}")}}', SCOPE) == result


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("1 + 2", "3"),
        ("1 - 2", "-1"),
        ("1 * 2", "2"),
        ("1 / 2", "0"),
        ("-7 / 2", "-3"),
        ("7 / -2", "-3"),
        ("1.0 / 2", "0.5"),
        ("2 ^ 2", "4.0"),
        ("2 ^ 3 ^ 2", "512.0"),
        ("2 + 3 * 4", "14"),
        ("(2 + 3) * 4", "20"),
        ("10 - 3 - 2", "5"),
        ("--2", "2"),
        ("'hel' + 'lo'", "hello"),
        ('"hel" + "lo"', "hello"),
        ("'a' + 1", "a1"),
        ("'n' + 1 + 2", "n12"),
        ("1 + 2 + 'n'", "3n"),
        ("myInteger + 1", "8"),
        ("myNumber * 2", "10"),
        ("myNumber + 1", "51"),
        ("'it\\'s'", "it's"),
        ("'}'", "}"),
        ("'a\\n'", "a\\n"),
    ],
)
def test_operators_count_truncate_and_join(expression: str, result: str) -> None:
    assert evaluate(f"#{{{expression}}}", SCOPE) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("#{myText}", "text"),
        ("a #{ myText } b #{myText}", "a text b text"),
        ("#{myNested}", "<text>"),
        ("#{myNode.directoryPath}", "s3://bucket/2013-01-02/"),
        ("#{myNode.next.directoryPath}", "s3://second/"),
        ("#{node.next.directoryPath}", "s3://second/"),
        ("#{node.@scheduledStartTime}", "2013-01-02T00:00:00"),
        ("#{myNode.next.@status}", "FINISHED"),
        ("#{myNode}", "Node"),
        ("#{*myPassword}", "hunter2"),
        ("#{myTable}", "t"),
        ("#{errorMessage}", "bad #{myText}"),
    ],
)
def test_references_are_followed_in_the_scope_of_the_object_they_reach(text: str, result: str) -> None:
    assert evaluate(text, SCOPE) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("#{'this is ' + myList}", ["this is one", "this is two"]),
        ("x #{myList} y", ["x one y", "x two y"]),
        ("[#{myList}, #{myArray}]", ["one", "two", "a", "b"]),
        ("#{myList + myArray}", ["onea", "oneb", "twoa", "twob"]),
        ("#{myNodes.directoryPath}", ["s3://bucket/2013-01-02/", "s3://second/"]),
        ("[#{myText}]", "[text]"),
    ],
)
def test_lists_are_worked_on_element_by_element(text: str, result: str | list[str]) -> None:
    assert evaluate(text, SCOPE) == result


@pytest.mark.parametrize(
    "text", ["${INPUT1_STAGING_DIR}", "${input1}", "makeDate(2011,5,24)", "# {x} $# }{ #", "", "\\n"]
)
def test_what_is_not_an_expression_stays_as_it_is(text: str) -> None:
    assert evaluate(text, SCOPE) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#{nothing}", "no field or parameter 'nothing'"),
        ("#{myNode.nothing}", "object 'Node' has no field 'nothing'"),
        ("#{myText.x}", "'myText' is not a reference"),
        ("#{node.next.@status}", "runtime field"),
        ("#{formt(myDateTime,'Y')}", "did you mean 'format'"),
        ("#{format(myDateTime)}", "takes 2 arguments, not 1"),
        ("#{format(myText,'YYYY')}", "date-time"),
        ("#{format(myDateTime,'QQ')}", "'Q' is not a letter"),
        ('#{format(myDateTime,"\'open")}', "quote"),
        ("#{makeDate(2011,13,1)}", "month"),
        ("#{makeDate(2011,1.5,1)}", "whole number"),
        ("#{plusYears(myDateTime,9000)}", "years 1 to 9999"),
        ("#{plusDays(myDateTime,999999999999)}", ""),
        ("#{1/0}", "divided by 0"),
        ("#{10 ^ 400}", "range"),
        ("#{(0-8) ^ 0.5}", ""),
        ("#{999999999999999999 * 999999999999999999}", "64 bits"),
        ("#{'a' - 1}", "number"),
        ("#{inTimeZone(myDateTime,'../etc')}", "time zone"),
        ("#{myLoop}", "circle"),
        ("#{myBomb}", "circle"),
        ("#{", "at its end"),
        ("#{}", "at character 3"),
        ("#{myText", "'}' is expected at its end"),
        ("#{my Text}", "at character 6"),
        ("#{'open}", "is expected"),
        ("#{(1}", "')' is expected"),
        ("#{f(1}", "',' or ')'"),
        ("#{'a'.b}", "only a field"),
        ("#{12345678901234567890}", "too long"),
        ("#{" + "(" * 5000 + ")" * 5000 + "}", "inside each other"),
    ],
)
def test_a_bad_expression_is_refused_with_its_text_and_reason(text: str, reason: str) -> None:
    with pytest.raises(ExpressionInvalid) as caught:
        evaluate(text, SCOPE)
    assert reason in str(caught.value)
    assert text[:20] in str(caught.value) or "circle" in str(caught.value)


def test_long_sums_need_no_stack() -> None:
    assert evaluate("#{" + "+".join(["1"] * 20_000) + "}", SCOPE) == "20000"
    assert evaluate("#{" + "^".join(["1"] * 20_000) + "}", SCOPE) == "1.0"


def test_lists_that_multiply_are_stopped() -> None:
    with pytest.raises(ExpressionInvalid, match="combine"):
        evaluate("#{" + "+".join(["myList"] * 20) + "}", SCOPE)


@given(st.text(alphabet="#{}()'\".,+-*/^@ my1aé\\$:\n"))
def test_no_text_raises_anything_but_an_expression_error(text: str) -> None:
    for candidate in (text, "#{" + text, "#{" + text + "}"):
        try:
            evaluate(candidate, SCOPE)
        except ExpressionInvalid:
            assert "#{" in candidate


@given(st.text().filter(lambda text: "#{" not in text))
def test_text_without_an_expression_comes_back_unchanged(text: str) -> None:
    assert evaluate(text, SCOPE) == text
    assert parse_template(text) == ((text,) if text else ())


@given(st.text(alphabet=st.characters(exclude_characters="'\\", exclude_categories=["Cs"])))
def test_a_string_literal_is_its_own_value(text: str) -> None:
    assert evaluate("#{'" + text + "'}", SCOPE) == text


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9).filter(bool))
def test_integer_division_truncates_towards_zero(dividend: int, divisor: int) -> None:
    assert evaluate(f"#{{({dividend})/({divisor})}}", SCOPE) == str(
        int(abs(dividend) // abs(divisor)) * (1 if dividend * divisor >= 0 else -1)
    )


def test_an_expression_is_parsed_once() -> None:
    text = "#{format(minusDays(@scheduledStartTime,1),'YYYY-MM-dd')}/unique"
    evaluate(text, SCOPE)
    before = parse_template.cache_info()
    evaluate(text, SCOPE)
    after = parse_template.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("format('2011-05-24T00:05:00','h K k H a')", "12 0 24 0 AM"),
        ("format('2011-05-24T12:05:00','h K k H a')", "12 0 12 12 PM"),
        # The clock in New York went from 02:00 to 03:00 on 2011-03-13.
        ("format(plusHours(inTimeZone('2011-03-13T06:30:00','America/New_York'),1),'HH:mm Z')", "03:30 -0400"),
        ("format(plusDays(inTimeZone('2011-03-12T15:00:00','America/New_York'),1),'HH:mm Z')", "10:00 -0400"),
    ],
)
def test_noon_midnight_and_a_lost_hour(expression: str, result: str) -> None:
    assert evaluate(f"#{{{expression}}}", SCOPE) == result


class DoublingScope:
    """Field ``f<n>`` names ``f<n-1>`` twice; ``f0`` is a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def field(self, object_id: str | None, name: str) -> list[Value]:
        level = int(name[1:])
        return [f"#{{f{level - 1}}}#{{f{level - 1}}}" if level else self.text]

    def parameter(self, name: str) -> list[Value]:
        return []


def test_fields_that_double_again_and_again_are_stopped() -> None:
    assert evaluate("#{f10}", DoublingScope("x")) == "x" * 1024
    with pytest.raises(ExpressionInvalid, match="circle or too deeply"):
        evaluate("#{f14}", DoublingScope(""))
    with pytest.raises(ExpressionInvalid, match="longer than"):
        evaluate("#{f8}", DoublingScope("x" * 10_000))


def test_decimals_that_overflow_are_refused() -> None:
    with pytest.raises(ExpressionInvalid, match="finite"):
        evaluate("#{10 ^ 300 * 10 ^ 300}", SCOPE)
