"""Task objects as no service should hand them out: a right one with some of its parts broken."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

Document = dict[str, Any]
ATTEMPT = "@Work_2026-01-01T00:00:00_Attempt=1"
#: Characters that break naive code: NUL, half surrogates, directions, line ends, quotes, a byte-order mark.
ODD = "\0\ud800\udfff\u202e\u2028\r\n\t'\"\\$`;&|<>*?{}\ufeff\u0301é😀/.~ a"
#: Names that must not leave the directory they are meant for.
HOSTILE = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "a\0b",
    "~root",
    "-rf",
    "\ud800",
    "x" * 5000,
    "con\n",
)
PLACES = ("", "s3://", "s3:///key", "s3://bucket", "S3://bucket/x", "file:///x", "http://x/y", "../../out",
          "a/b/../../..", "/dev/full", "/proc/self/mem", ".", "\0", "\ud800", "x" * 5000, "nowhere/\0/x")  # fmt: skip
PERIODS = ("", "soon", "-1 minutes", "1", "minutes", "1 fortnight", "1e9 years", "99999999999999999999 years",
           "0 seconds", "1 minute 2 seconds", "١ minute", "\0", "1 \ud800", "nan hours", "15  minutes")  # fmt: skip

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ODD, max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(ODD, max_size=4), inner, max_size=3),
    max_leaves=8,
)
words = st.text(ODD, max_size=20) | st.sampled_from(HOSTILE)
fields = st.fixed_dictionaries(
    {}, optional={"key": words | anything, "stringValue": words | anything, "refValue": words | anything}
)


def right_task() -> Document:
    """A task that is done by any worker."""
    activity = [("type", "ShellCommandActivity"), ("command", "true"), ("@componentParent", None)]
    own = [{"key": key, "stringValue": value} for key, value in activity if value is not None]
    own.append({"key": "@componentParent", "refValue": "Work"})
    attempt = {"id": ATTEMPT, "name": "Work", "fields": own}
    return {"taskId": "", "pipelineId": "df-1", "attemptId": ATTEMPT, "objects": {ATTEMPT: attempt}}


def _fields_of(task: Document) -> list[Any]:
    return task["objects"][ATTEMPT]["fields"]


def _without(task: Document, key: str) -> None:
    own = _fields_of(task)
    own[:] = [field for field in own if not isinstance(field, dict) or field.get("key") != key]


def _set(task: Document, key: str, value: Any, kind: str = "stringValue") -> None:
    _without(task, key)
    _fields_of(task).append({"key": key, kind: value})


@st.composite
def _broken_frame(draw: Any) -> Callable[[Document], None]:
    """Something of the task object itself is missing or of another kind."""
    key = draw(st.sampled_from(["pipelineId", "attemptId", "objects"]))
    if draw(st.booleans()):
        return lambda task: task.pop(key, None)
    value = draw(anything)
    return lambda task: task.update({key: value})


@st.composite
def _broken_object(draw: Any) -> Callable[[Document], None]:
    """An object of the task is not an object."""
    value = draw(
        anything | st.fixed_dictionaries({"fields": anything}) | st.fixed_dictionaries({"fields": st.lists(fields)})
    )
    name = draw(st.sampled_from([ATTEMPT, "Other"]) | words)
    return lambda task: task["objects"].update({name: value})


@st.composite
def _odd_fields(draw: Any) -> Callable[[Document], None]:
    """Fields that are no fields, or have been said twice."""
    more = draw(st.lists(fields | anything, min_size=1, max_size=4))
    return lambda task: _fields_of(task).extend(more)


@st.composite
def _wrong_value(draw: Any) -> Callable[[Document], None]:
    """A known field with a value that makes no sense there."""
    key, values = draw(
        st.sampled_from(
            [
                ("type", (*HOSTILE, "SqlActivity", "shellcommandactivity", "Ec2Resource")),
                ("attemptTimeout", PERIODS),
                ("reportProgressTimeout", PERIODS),
                ("scriptUri", PLACES),
                ("command", ("", "\ud800", "\0", "exit 3", "#!\nx", "#!/nowhere\0/x\n", "#!" + "x" * 400)),
                ("stdout", PLACES),
                ("stderr", PLACES),
                ("pipelineLogUri", PLACES[:7]),
                ("scriptArgument", (*HOSTILE, "x" * 140_000)),
                ("maximumRetries", HOSTILE),
                ("*password", (*HOSTILE, "a", "secret" * 1000)),
            ]
        )
    )
    # What is run or written to is chosen from the list: chance must not write commands or paths.
    chance = st.nothing() if key in {"command", "stdout", "stderr"} else words
    value = draw(st.sampled_from(values) | chance)
    kind = draw(st.sampled_from(["stringValue", "stringValue", "stringValue", "refValue"]))
    return lambda task: _set(task, key, value, kind)


@st.composite
def _hostile_names(draw: Any) -> Callable[[Document], None]:
    """Ids that become names of files and variables."""
    name, other = draw(st.sampled_from(HOSTILE) | words), draw(st.sampled_from(HOSTILE) | words)
    where = draw(st.sampled_from(["pipeline", "attempt", "component", "instance"]))

    def apply(task: Document) -> None:
        if where == "pipeline":
            task["pipelineId"] = f"{name}/df-1"
        elif where == "attempt":
            own = f"{name}{ATTEMPT}"
            task["attemptId"] = own
            task["objects"] = {own: {"id": other + own, "name": other, "fields": _fields_of(task)}}
        else:
            _set(task, f"@{where}Parent", name, "refValue")

    return apply


@st.composite
def _wrong_nodes(draw: Any) -> Callable[[Document], None]:
    """Staging of nodes that are not there, are no nodes, or have no place."""
    kind = draw(st.sampled_from(["input", "output"]))
    ids = draw(st.lists(st.sampled_from(["Node", ATTEMPT, "Missing", ""]) | words, min_size=1, max_size=3))
    node = draw(
        st.fixed_dictionaries(
            {}, optional={"filePath": st.sampled_from(PLACES), "directoryPath": st.sampled_from(PLACES)}
        )
    )
    node_type = draw(st.sampled_from(["S3DataNode", "S3DataNode", "SqlDataNode", ""]))

    def apply(task: Document) -> None:
        own = [{"key": key, "stringValue": value} for key, value in {"type": node_type, **node}.items()]
        task["objects"]["Node"] = {"id": "Node", "name": "Node", "fields": own}
        _set(task, "stage", "true")
        _fields_of(task).extend({"key": kind, "refValue": name} for name in ids)

    return apply


@st.composite
def _too_much(draw: Any) -> Callable[[Document], None]:
    """More, longer or deeper than anybody should send."""
    how = draw(st.sampled_from(["fields", "objects", "value", "depth"]))

    def apply(task: Document) -> None:
        if how == "fields":
            _fields_of(task).extend({"key": f"f{number}", "stringValue": "v"} for number in range(300))
        elif how == "objects":
            task["objects"].update({f"o{number}": {"id": "o", "name": "o", "fields": []} for number in range(100)})
        elif how == "value":
            _set(task, "note", "é" * 5_000)
        else:
            deep: Any = []
            for _ in range(400):
                deep = [deep]
            task["objects"]["Deep"] = deep

    return apply


BREAKS = (
    _broken_frame(), _broken_object(), _odd_fields(), _wrong_value(), _wrong_value(), _hostile_names(), _wrong_nodes(),
    _too_much(),
)  # fmt: skip


@st.composite
def malformed(draw: Any) -> Document:
    """A right task with one to three breaks."""
    task = copy.deepcopy(right_task())
    breaks = draw(st.lists(st.one_of(*BREAKS), min_size=1, max_size=3))
    for one in breaks:
        try:
            one(task)
        except (KeyError, TypeError, AttributeError):
            break  # there is nothing left to break there
    return task


def generate(count: int) -> list[Document]:
    """Return so many malformed tasks, the same each time."""
    found: list[Document] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(malformed())
    def collect(task: Document) -> None:
        found.append(task)

    while len(found) < count:
        collect()
    return found[:count]
