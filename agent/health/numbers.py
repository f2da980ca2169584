"""Where the numbers are kept: counted as things happen, sampled when somebody asks."""

from __future__ import annotations

import random
import threading
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.health.catalogue import CATALOGUE, Metric

Labels = tuple[str, ...]
#: Values that one array of an embedded-metric-format line may hold.
FRESH_LIMIT = 100


@dataclass
class Distribution:
    """A histogram: counts by bucket (the last one has no bound), their sum, and what is new since it was taken."""

    counts: list[int]
    total: float = 0.0
    fresh: list[float] = field(default_factory=list)
    seen: int = 0

    def copy(self) -> Distribution:
        """Return it as it is now."""
        return Distribution(list(self.counts), self.total, list(self.fresh), self.seen)


@dataclass(frozen=True)
class Snapshot:
    """All numbers of one moment, in the order of the catalogue."""

    values: Mapping[Metric, Mapping[Labels, float]]
    distributions: Mapping[Metric, Mapping[Labels, Distribution]]


class Numbers:
    """Safe to use from many threads; labels are given in the order of the metric's own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[Metric, dict[Labels, float]] = {
            metric: {} for metric in CATALOGUE if metric.kind != "histogram"
        }
        self._distributions: dict[Metric, dict[Labels, Distribution]] = {
            metric: {} for metric in CATALOGUE if metric.kind == "histogram"
        }
        self._samplers: list[Callable[[], None]] = []

    def add(self, metric: Metric, amount: float, *labels: str) -> None:
        """Count something that has happened."""
        with self._lock:
            series = self._values[metric]
            series[labels] = series.get(labels, 0) + amount

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Say how much it is now (a gauge), or in all (a counter that is kept elsewhere)."""
        with self._lock:
            self._values[metric][labels] = value

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Add one observation to a histogram."""
        with self._lock:
            known = self._distributions[metric]
            entry = known.setdefault(labels, Distribution([0] * (len(metric.buckets) + 1)))
            entry.counts[bisect_left(metric.buckets, value)] += 1
            entry.total += value
            _keep(entry, value)

    def sampled_by(self, sampler: Callable[[], None]) -> None:
        """Call ``sampler`` before the numbers are read; it sets what is known only by looking."""
        self._samplers.append(sampler)

    def read(self, *, take: bool = False) -> Snapshot:
        """Return all numbers; with ``take``, the fresh observations begin anew."""
        for sampler in self._samplers:
            sampler()
        with self._lock:
            values = {metric: dict(series) for metric, series in self._values.items()}
            distributions = {
                metric: {labels: entry.copy() for labels, entry in series.items()}
                for metric, series in self._distributions.items()
            }
            if take:
                for series in self._distributions.values():
                    for entry in series.values():
                        entry.fresh, entry.seen = [], 0
        return Snapshot(values, distributions)


def _keep(entry: Distribution, value: float) -> None:
    """Keep a fair sample of at most ``FRESH_LIMIT`` values (reservoir sampling, Vitter's algorithm R)."""
    entry.seen += 1
    if len(entry.fresh) < FRESH_LIMIT:
        entry.fresh.append(value)
    elif (place := random.randrange(entry.seen)) < FRESH_LIMIT:  # noqa: S311  # a sample, not cryptography
        entry.fresh[place] = value
