"""``commandOptions``: parameters of COPY and UNLOAD, each a text with one or several of them.

AWS passes them on and leaves it to Redshift to understand them; so is it done here. They are taken apart only as far
as needed: who is authorised, what belongs to UNLOAD alone or to COPY alone, and what the activity states itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import DefinitionError, ParameterError
from core.redaction import REDACTOR
from steps_impl.tables.tokens import Kind, Token, tokenize

_AUTHORIZATION = frozenset({"IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "TOKEN"})
_ROLE = "IAM_ROLE"
#: ``WITH CREDENTIALS …`` is ``CREDENTIALS …``: the word says nothing, and would be left over without what follows it.
_FILLER = "WITH"
_UNLOAD_ONLY = frozenset(
    {"PARALLEL", "ALLOWOVERWRITE", "CLEANPATH", "ADDQUOTES", "HEADER", "MAXFILESIZE", "PARTITION", "ROWGROUPSIZE"}
    | {"EXTENSION"}
)
_COPY_ONLY = frozenset(
    {"ACCEPTANYDATE", "ACCEPTINVCHARS", "BLANKSASNULL", "COMPROWS", "COMPUPDATE", "DATEFORMAT", "EMPTYASNULL"}
    | {"ENCODING", "EXPLICIT_IDS", "FILLRECORD", "IGNOREALLERRORS", "IGNOREBLANKLINES", "IGNOREHEADER", "MAXERROR"}
    | {"NOLOAD", "QUOTE", "READRATIO", "REMOVEQUOTES", "ROUNDEC", "SSH", "STATUPDATE", "TIMEFORMAT", "TRIMBLANKS"}
    | {"TRUNCATECOLUMNS", "AVRO", "ORC", "SHAPEFILE", "LZOP"}
)
_EITHER = frozenset(
    {"BZIP2", "CSV", "DELIMITER", "ENCRYPTED", "ESCAPE", "FIXEDWIDTH", "FORMAT", "GZIP", "JSON", "KMS_KEY_ID"}
    | {"MANIFEST", "MASTER_SYMMETRIC_KEY", "NULL", "PARQUET", "REGION", "ZSTD"}
)
_KNOWN = _AUTHORIZATION | _UNLOAD_ONLY | _COPY_ONLY | _EITHER
#: What the activity decides itself, and why it may not be given.
_REFUSED = {
    "NOLOAD": "it would load nothing",
    "EXPLICIT_IDS": "the rows pass through a table that has no IDENTITY column",
    "FROM": "the input says where the data is",
    "TO": "the output says where the data goes",
}


@dataclass(frozen=True)
class CommandOptions:
    """The options of one activity, in the order in which they were given."""

    options: tuple[tuple[str, str], ...] = ()

    def has(self, *words: str) -> bool:
        """Tell whether one of these parameters is given."""
        return any(word in words for word, _ in self.options)

    @property
    def authorization(self) -> str:
        """What says who reads and writes; empty when nothing does."""
        return self._text(_AUTHORIZATION)

    @property
    def for_copy(self) -> str:
        """What COPY takes, without the authorization."""
        return self._text(_COPY_ONLY | _EITHER | {""})

    @property
    def for_unload(self) -> str:
        """What UNLOAD takes, without the authorization."""
        return self._text(_UNLOAD_ONLY | _EITHER | {""})

    def _text(self, words: Iterable[str]) -> str:
        return " ".join(text for word, text in self.options if word in words)


def read_options(texts: Iterable[str], where: str) -> CommandOptions:
    """Take the texts of ``commandOptions`` apart; ``where`` names the activity.

    A word that is no parameter of COPY or UNLOAD known here stays with the one before it, and is left to Redshift.

    Raises:
        ParameterError: they end the statement, or hold what the activity says itself.
    """
    options: list[tuple[str, str]] = []
    for text in texts:
        tokens = _tokens(text, where)
        for at, token in enumerate(tokens):
            if token.text == ";" or token.word in _REFUSED:
                reason = _REFUSED.get(token.word, "a statement is not ended here")
                raise ParameterError(f"{where}: {token.text} may not stand in commandOptions: {reason}")
            if _begins_option(tokens, at) or not options:
                options.append((token.word if token.word in _KNOWN else "", token.text))
            else:
                options[-1] = (options[-1][0], f"{options[-1][1]} {token.text}")
    _keep_secrets(options)
    return CommandOptions(tuple(options))


def _tokens(text: str, where: str) -> list[Token]:
    try:
        return [token for token in tokenize(text) if token.kind is not Kind.END and token.word != _FILLER]
    except DefinitionError as error:
        raise ParameterError(f"{where}: commandOptions cannot be read: {error}") from None


def _begins_option(tokens: list[Token], at: int) -> bool:
    """Say whether a word begins a parameter: ``FORMAT AS CSV`` and ``FORMAT JSON 'auto'`` are one each."""
    if tokens[at].word not in _KNOWN:
        return False
    before = [token.word for token in tokens[max(at - 2, 0) : at]]
    return before[-1:] != ["FORMAT"] and before != ["FORMAT", "AS"]


def _keep_secrets(options: Iterable[tuple[str, str]]) -> None:
    """Make sure that no key is ever written anywhere but into the statement."""
    for word, text in options:
        if word in _AUTHORIZATION - {_ROLE}:
            value = text[text.find("'") + 1 : text.rfind("'")]
            for part in (value, *(piece.partition("=")[2] for piece in value.split(";"))):
                REDACTOR.register(part)
