"""A stream that is redacted in chunks is the whole text redacted, whatever the secrets and wherever it is cut."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.logs.redactor import StreamRedactor
from core.redaction import Matcher, Redactor

#: Few letters, so that secrets begin, end and repeat inside one another.
LETTERS = st.text(alphabet="ab\nä", min_size=1, max_size=24)
SECRETS = st.lists(LETTERS, max_size=70)


def plain(secrets: list[str], text: bytes) -> bytes:
    """The oracle: at each place the longest secret, by a regular expression over the whole."""
    if not secrets:
        return text
    longest_first = sorted({secret.encode() for secret in secrets}, key=len, reverse=True)
    return re.sub(b"|".join(map(re.escape, longest_first)), b"[redacted]", text)


@st.composite
def streams(draw):
    secrets = draw(SECRETS)
    pieces = draw(st.lists(st.one_of(LETTERS, st.sampled_from(secrets or ["a"])), max_size=12))
    text = "".join(pieces).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    return secrets, text, [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(streams())
@settings(max_examples=300, deadline=None)
def test_chunks_are_redacted_as_the_whole_is(stream):
    secrets, text, chunks = stream
    redactor = StreamRedactor(Matcher(secrets))
    out = b"".join([*map(redactor.feed, chunks), redactor.finish()])
    assert out == plain(secrets, text)


@given(streams())
@settings(max_examples=100, deadline=None)
def test_nothing_but_the_beginning_of_a_secret_is_held_back(stream):
    secrets, text, chunks = stream
    redactor = StreamRedactor(Matcher(secrets))
    out = b"".join(map(redactor.feed, chunks))
    held = redactor.finish()
    held_bytes = held.replace(b"[redacted]", b"x")  # at least one byte each
    assert len(held_bytes) <= 2 * max((len(secret.encode()) for secret in secrets), default=0)
    assert out + held == plain(secrets, text)


def test_a_secret_learnt_meanwhile_is_removed_also_across_the_moment():
    redactor = StreamRedactor(Matcher(["first-secret"]))
    out = redactor.feed(b"a first-secret b first-sec")
    redactor.learn(Matcher(["first-secret", "second-secret"]))
    out += redactor.feed(b"ret c second-sec") + redactor.feed(b"ret d") + redactor.finish()
    assert out == b"a [redacted] b [redacted] c [redacted] d"


def test_a_private_key_is_removed_with_either_kind_of_line_ends_and_in_base64():
    import base64
    import json

    key = "-----BEGIN KEY-----\nMIIabc+/def\nghi==\n-----END KEY-----\n"
    made = Redactor()
    made.register(key)
    for spelling in (key, key.replace("\n", "\r\n"), json.dumps(key), base64.b64encode(key.encode()).decode()):
        assert "MII" not in made.redact(f"x {spelling} y")
        assert "ghi" not in made.redact(f"x {spelling} y")
