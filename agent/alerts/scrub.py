"""Takes row data out of what programs print when something fails: databases like to quote the value that was wrong.

What the sentence says stays (table, column, constraint, line), the value becomes ``…``. Masked are, line by line:

- Postgres and Redshift: values of ``DETAIL``, ``CONTEXT`` and ``STATEMENT`` lines, of ``invalid input …: "…"`` and
  ``value "…" …``; the statement behind ``LINE 1:``; ``raw_line``, ``raw_field_value`` and ``Value '…'`` of load errors;
- MySQL: ``Duplicate entry '…'``, ``Incorrect … value: '…'``, ``near '…'``, ``out of range in '…'``;
- Python, Java, Spark: the text that could not be converted to a number or a time;
- texts in single quotes in a line that holds SQL, and ``VALUES (…)``;
- rows: lines of tab-, pipe- or comma-separated values, tuples, JSON objects and arrays;
- mail addresses anywhere.

A value that goes on in the next line cannot be told from the text behind it: the rest of the text is left out.
What a program prints in words of its own cannot be recognised; the logs are where the whole text belongs.
"""

from __future__ import annotations

import re

MASK = "…"

#: What begins a value that ends in the same line, and what stays of the line.
_VALUES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), kept)
    for pattern, kept in (
        # Postgres, Redshift
        (r"(\bKey \([^()]*(?:\([^()]*\)[^()]*)*\)=)\(.*\)", rf"\1({MASK})"),
        (r"(\brow contains )\(.*\)", rf"\1({MASK})"),
        (r"(\bCOPY [^,]+, line \d+(?:, column [^:]+)?: ).+", rf"\1{MASK}"),
        (r"(\bJSON data, line \d+: ).+", rf"\1{MASK}"),
        (r"^(\s*LINE \d+: ).+", rf"\1{MASK}"),
        (r"(\bSTATEMENT:\s+).+", rf"\1{MASK}"),
        (r"(\b(?:invalid|malformed|out of range|could not)\b[^:\"]*(?:\"[^\"]*\"[^:\"]*)?: )\".*\"", rf'\1"{MASK}"'),
        (r"(\bvalue )\".*\"( is out of range| too long)", rf'\1"{MASK}"\2'),
        (r"(\b(?:unrecognized|invalid) value )\".*\"", rf'\1"{MASK}"'),
        (r"(\binvalid byte sequence for encoding \"[^\"]*\": ).+", rf"\1{MASK}"),
        (r"(\bbad UTF8 hex sequence: )[0-9a-f ]+", rf"\1{MASK} "),
        (r"(\b(?:raw_line|raw_field_value|err_data)\b\s*[:=|]\s*).+", rf"\1{MASK}"),
        (r"(\bValue )'.*'(, Pos\b)", rf"\1'{MASK}'\2"),
        (r"^(\s*context:\s++)(?!COPY|SQL|PL/|JSON).+", rf"\1{MASK}"),
        # MySQL
        (r"(\bDuplicate entry ).+( for key )", rf"\1'{MASK}'\2"),
        (r"(\bIncorrect [\w ]+ value: ).+?( for (?:column|function)\b.*)?$", rf"\1'{MASK}'\2"),
        (r"(\b(?:syntax to use )?near )'.*'?( at line \d+)", rf"\1'{MASK}'\2"),
        (r"(\bvalue is out of range in )'.*'", rf"\1'{MASK}'"),
        # Python, Java
        (r"(\b(?:invalid literal for|could not convert string to)\b[^:]*: ).+", rf"\1{MASK}"),
        (r"(\btime data ).+( does not match format)", rf"\1{MASK}\2"),
        (r"(\bunconverted data remains: ).+", rf"\1{MASK}"),
        (r"(\bFor input string: ).+", rf"\1{MASK}"),
        (r"(\bText )'.*'( could not be parsed)", rf"\1'{MASK}'\2"),
        # anything
        (r"(\bVALUES\s*)\(.*", rf"\1({MASK})"),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", f"{MASK}@{MASK}"),
    )
)
_DETAIL = re.compile(r"(\bDETAIL:\s+)(.+)")
#: Details that are words about the schema once their values are masked.
_KNOWN_DETAIL = re.compile(rf"Key \(.*\)=\({MASK}\)|Failing row contains|.* row contains")
_CONTEXT = re.compile(r"\bCONTEXT:\s")
_SQL = re.compile(r"\b(?:SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE|WHERE|SET)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'")
_DOUBLE_QUOTED = re.compile(r'"[^"]*"')
#: A value that has begun and does not end in its line.
_UNENDED = re.compile(
    r"""(?:\bKey\ \(.*\)=|\brow\ contains\ )\([^)]*$
      | \bCOPY\ [^,]+,\ line\ \d+(?:,\ column\ [^:]+)?:\ "[^"]*$
      | \binvalid\ input\ [^:]*:\ "[^"]*$
      | \bDuplicate\ entry\ '(?!.*'\ for\ key\ )
      | \bIncorrect\ [\w\ ]+\ value:\ '[^']*$""",
    re.VERBOSE | re.IGNORECASE,
)
_ROW = re.compile(
    r"""\s*(?:
        [^\t]*\S[^\t]*\t[^\t]*\t.*              # tabs: two or more behind a first value
      | [^|]+\|[^|]+\|.*                        # pipes
      | [^\s,]+(?:[ ][^\s,]+)*(?:,\S?[^,]*){3,} # commas without the blank that prose has behind them
      | \{.*["'].*[:].*\},?                     # an object
      | [\[(].*,.*[\])],?                       # an array, a tuple
    )\s*""",
    re.VERBOSE,
)
#: An error as PyMySQL writes it is a tuple too; its values are masked before rows are looked for.
_MYSQL_ERROR = re.compile(
    r"""\s*\(\d{4}, ["'](?:Cannot|Can't|Column|Data t|Deadlock|Duplicate|Incorrect|Lock wait|Out of|Truncated)"""
)
_PROSE_COMMAS = re.compile(r",\s")


def scrub(text: str) -> str:
    """Return the text without what looks like row data."""
    kept: list[str] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        cut = _UNENDED.search(line)
        if cut is not None:
            kept.append(f"{line[: cut.start()]}{MASK} ({len(lines) - number + 1} lines left out: they may hold rows)")
            break
        kept.append(_scrub_line(line))
    return "\n".join(kept)


def _scrub_line(line: str) -> str:
    for pattern, replacement in _VALUES:
        line = pattern.sub(replacement, line)
    if _is_row(line):
        return f"({MASK} a line of values)"
    if _CONTEXT.search(line):
        line = _DOUBLE_QUOTED.sub(f'"{MASK}"', line)
    if _SQL.search(line):
        line = _QUOTED.sub(f"'{MASK}'", line)
    return _DETAIL.sub(_detail, line)


def _detail(found: re.Match[str]) -> str:
    return found[0] if _KNOWN_DETAIL.match(found[2]) else f"{found[1]}{MASK}"


def _is_row(line: str) -> bool:
    if not _ROW.fullmatch(line) or _MYSQL_ERROR.match(line):
        return False
    stripped = line.strip()
    return "\t" in stripped or "|" in stripped or stripped[0] in "{[(" or not _PROSE_COMMAS.search(stripped)
