from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest

from core.redaction import MASK, Redactor

SECRET = 'p"ä ss\\wörd/+%'


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.register(SECRET)
    return made


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET, safe=""),
        quote_plus(SECRET),
    ],
)
def test_a_secret_is_removed_in_every_spelling(redactor: Redactor, written: str) -> None:
    assert redactor.redact(f"before {written} after") == f"before {MASK} after"


def test_what_is_no_secret_stays(redactor: Redactor) -> None:
    assert redactor.redact("passwords are fine") == "passwords are fine"


def test_a_longer_secret_wins_over_one_that_it_begins_with() -> None:
    redactor = Redactor()
    redactor.register("secret")
    redactor.register("secret-and-more")
    assert redactor.redact("secret-and-more") == MASK


@pytest.mark.parametrize("nothing", [None, "", "short"])
def test_nothing_and_ordinary_words_are_not_taken_for_secrets(nothing: str | None) -> None:
    redactor = Redactor()
    redactor.register(nothing)
    assert redactor.secrets() == frozenset()


def test_half_a_surrogate_pair_in_a_secret_is_no_reason_to_fail() -> None:
    redactor = Redactor()
    redactor.register("secret-\ud800")
    assert redactor.redact("a secret-\ud800 b") == f"a {MASK} b"
