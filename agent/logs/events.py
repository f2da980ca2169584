"""Bytes of a log to the messages of log events, and those to JSON: in bulk, not line by line where it can be helped.

CloudWatch takes text. A line ends with LF, CR LF or a lone CR; of several updates that overwrite one another with CR
(progress bars) the last is taken. Bytes that are no UTF-8 become U+FFFD, NUL becomes U+2400 (its picture), an empty
line becomes a space (a message has at least one character), and a long line is cut in pieces between characters.
The local file and S3 have every byte as it was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

#: Bytes that CloudWatch counts for each event beside its message.
OVERHEAD = 26
#: Largest event. AWS has raised this to 1 MB; the limit before (256 KB, the overhead included) is taken everywhere.
MESSAGE_LIMIT = 256 * 1024 - OVERHEAD
#: Most bytes that one character takes in UTF-8.
_WIDEST = 4
#: An unfinished line of so many bytes goes out in pieces; also in the worst case, a replacement of 3 bytes for each.
PIECE = MESSAGE_LIMIT // 3
#: Control characters are escaped in JSON, so that this one can stand between two strings.
_BETWEEN = "\x00"


@dataclass(frozen=True)
class Messages:
    """What was made of some bytes."""

    texts: list[str]
    #: Bytes of the log that they cover.
    consumed: int
    #: What CloudWatch counts for them: UTF-8 and overhead.
    size: int


def read_messages(raw: bytes, most: int, *, whole: bool) -> Messages:
    """Return the lines at the beginning of ``raw``, at most ``most`` of them.

    With ``whole`` the last line goes out though nothing ends it yet, as it does when it is ``PIECE`` bytes long.
    """
    cut = _last_end(raw)
    if len(raw) - cut >= PIECE or whole:
        cut = len(raw) if whole else max(cut, _character_border(raw, cut + PIECE))
    if not cut:
        return Messages([], 0, 0)
    if b"\r" not in raw and raw.count(b"\n", 0, cut) < most:
        return _messages(raw[:cut].removesuffix(b"\n"), cut)
    lines = raw[:cut].split(b"\n", most)
    if len(lines) > most:
        cut -= len(lines.pop())
    elif not lines[-1]:
        lines.pop()
    return _messages(b"\n".join(_shown(line) if b"\r" in line else line for line in lines), cut)


def to_json(texts: list[str], time: int) -> str:
    """Return the events of these messages, all of one time (milliseconds), as the inside of a JSON list."""
    between = f'}},{{"timestamp":{time},"message":'
    joined = json.dumps(texts, ensure_ascii=False, separators=(_BETWEEN, ":"))[1:-1]
    return between[2:] + joined.replace(_BETWEEN, between) + "}"


def _messages(data: bytes, consumed: int) -> Messages:
    text = data.decode("utf-8", "replace")
    if "\0" in text:
        text = text.replace("\0", "\u2400")
    texts = text.split("\n")
    if "\n\n" in text or not text or text[0] == "\n" or text[-1] == "\n":
        texts = [line or " " for line in texts]
    if len(data) > PIECE and max(map(len, texts)) * _WIDEST > MESSAGE_LIMIT:
        texts = [piece for line in texts for piece in _pieces(line)]
    size = len(text) if text.isascii() else len(text.encode())  # with the ends of lines, or the spaces in their place
    return Messages(texts, consumed, size + 1 + OVERHEAD * len(texts))


def _pieces(line: str) -> list[str]:
    if len(line) * _WIDEST <= MESSAGE_LIMIT or len(line.encode()) <= MESSAGE_LIMIT:
        return [line]
    length = MESSAGE_LIMIT // _WIDEST
    return [line[at : at + length] for at in range(0, len(line), length)]


def _last_end(raw: bytes) -> int:
    """Return the place behind the last end of a line."""
    newline = raw.rfind(b"\n") + 1
    return raw.rfind(b"\r", newline) + 1 or newline


def _shown(line: bytes) -> bytes:
    """Return what a terminal would show at last of a line with carriage returns."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _character_border(raw: bytes, at: int) -> int:
    """Return ``at``, or the beginning of the character that it cuts in two."""
    for back in range(min(_WIDEST, at)):
        if at - back >= len(raw) or raw[at - back] & 0xC0 != 0x80:
            return at - back
    return at
