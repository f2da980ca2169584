"""CloudWatch's embedded metric format: numbers as log lines, which CloudWatch Logs turns into metrics.

Source: CloudWatch User Guide, *Specification: Embedded metric format* (at most 100 metrics and 30 dimensions a line;
a value is a number or an array of at most 100). Counters go out as what was added since the line before.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from agent.health.catalogue import CATALOGUE, Metric
from agent.health.numbers import FRESH_LIMIT, Distribution, Labels, Numbers, Snapshot

NAMESPACE = "Ductrunner"
#: Labels that have lines of their own, where there is something to say, and the names of their dimensions.
DETAILS = {"type": "Type", "error": "ErrorId"}

Value = float | list[float]


class Lines:
    """Makes the lines of one interval after the other."""

    def __init__(self, numbers: Numbers, groups: Sequence[str], host: str) -> None:
        self._numbers = numbers
        self._groups = groups
        self._host = host
        self._before: dict[tuple[Metric, Labels], float] = {}

    def next(self, timestamp: float) -> list[dict[str, Any]]:
        """Return the fields of each line: what is new since the call before. ``timestamp`` is Unix time in seconds."""
        series = list(self._series(self._numbers.read(take=True)))
        lines = []
        for number, group in enumerate(self._groups):
            ours = [entry for entry in series if entry.group == group or (entry.group is None and number == 0)]
            lines.append(self._line(ours, {"WorkerGroup": group, "Host": self._host}, timestamp))
            lines += self._detail_lines(ours, group, timestamp)
        return lines

    def _series(self, snapshot: Snapshot) -> Iterator[_Series]:
        yield from self._nothing()
        for metric, known in snapshot.values.items():
            for labels, value in known.items():
                before = 0.0
                if metric.kind == "counter":
                    before = self._before.get((metric, labels), 0.0)
                    self._before[metric, labels] = value
                yield _Series(metric, labels, value - before)
        for metric, distributions in snapshot.distributions.items():
            for labels, entry in distributions.items():
                yield _Series(metric, labels, entry)

    def _nothing(self) -> Iterator[_Series]:
        """Yield a zero of every counter: that nothing happened is worth a value, and alarms need one."""
        for metric in CATALOGUE:
            if metric.kind == "counter":
                spread = metric.spread or ("", ("",))
                for group, value in itertools.product(self._groups, spread[1]):
                    known = {"group": group, spread[0]: value}
                    yield _Series(metric, tuple(known.get(label, "") for label in metric.labels), 0.0)

    def _detail_lines(self, series: Sequence[_Series], group: str, timestamp: float) -> Iterator[dict[str, Any]]:
        for label, dimension in DETAILS.items():
            values = sorted({entry.label(label) for entry in series} - {""})
            for value in values:
                new = [entry for entry in series if entry.label(label) == value and entry.has_news]
                if new:
                    yield self._line(new, {"WorkerGroup": group, dimension: value}, timestamp)

    def _line(self, series: Sequence[_Series], dimensions: dict[str, str], timestamp: float) -> dict[str, Any]:
        values = _summed(series)
        sets = [list(dimensions)[: length + 1] for length in range(len(dimensions))]
        directive = {
            "Namespace": NAMESPACE,
            # All hosts of a group together, and each alone; a detail only with its dimension.
            "Dimensions": sets if "Host" in dimensions else sets[-1:],
            "Metrics": [{"Name": name, "Unit": metric.unit} for name, (metric, _) in values.items()],
        }
        found = {name: value for name, (_, value) in values.items()}
        return {"_aws": {"Timestamp": int(timestamp * 1000), "CloudWatchMetrics": [directive]}, **dimensions, **found}


class _Series:
    """One metric with one combination of labels: a number, or the fresh values of a histogram."""

    def __init__(self, metric: Metric, labels: Labels, value: float | Distribution) -> None:
        self.metric = metric
        self.value: Value = value.fresh if isinstance(value, Distribution) else value
        self._labels = dict(zip(metric.labels, labels, strict=True))
        self.group = self._labels.get("group")

    def label(self, name: str) -> str:
        return self._labels.get(name, "")

    @property
    def name(self) -> str:
        if self.metric.spread is None:
            return self.metric.title
        return self.metric.title + self._labels[self.metric.spread[0]].title().replace("_", "")

    @property
    def has_news(self) -> bool:
        return self.metric.kind != "gauge" and bool(self.value)


def _summed(series: Sequence[_Series]) -> dict[str, tuple[Metric, Value]]:
    found: dict[str, tuple[Metric, Value]] = {}
    ordered = sorted(series, key=lambda entry: entry.name)
    for name, entries in itertools.groupby(ordered, key=lambda entry: entry.name):
        alike = list(entries)
        value = _sum([entry.value for entry in alike])
        if value != []:
            found[name] = (alike[0].metric, value)
    return found


def _sum(values: Sequence[Value]) -> Value:
    lists = [value for value in values if isinstance(value, list)]
    if lists:
        # Turn by turn, so that none is left out when there are more than fit.
        mixed = itertools.chain.from_iterable(itertools.zip_longest(*lists))
        return [round(value, 3) for value in mixed if value is not None][:FRESH_LIMIT]
    return round(sum(value for value in values if not isinstance(value, list)), 3)
