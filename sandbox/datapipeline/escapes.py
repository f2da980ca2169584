"""The backslash level that is lost between a definition and the shell."""

from __future__ import annotations

#: Fields that hold the text of a program or an expression, in which the level is lost.
PROGRAM_FIELDS = frozenset(
    {"command", "hiveScript", "inputRegEx", "postStepCommand", "preStepCommand", "script", "step"}
)


def unescape_once(text: str) -> str:
    r"""Remove one level of backslashes: reading from the left, two backslashes become one.

    Only pairs change. A single backslash before any other character stays where it is, so ``\n`` stays backslash-n,
    ``\"`` stays backslash-quote and ``\,`` stays backslash-comma; ``\\n`` becomes ``\n`` (two characters), ``\\\n``
    becomes ``\\n``, and ``\\\\n`` becomes ``\\n``. No newline, tab or quote ever comes out of it.

    AWS does not document the rule. Three of its own texts need it: the commas of EmrActivity's ``step``, the regular
    expression of the guide's PigActivity, and the commands that Dataduct compiles, ``sed 's/\\\\n/NULL/g'`` and
    ``tr -d '\\000'``, which damage data when the level is kept.
    """
    return text.replace("\\\\", "\\")
