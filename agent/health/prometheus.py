"""The numbers as Prometheus reads them: text, or OpenMetrics where the scraper asks for it.

The library is loaded at the first scrape: an agent that nobody scrapes neither waits for it nor holds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from agent.health.catalogue import Metric
from agent.health.numbers import Distribution, Labels, Numbers

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

PREFIX = "ductrunner_"


def exposition(numbers: Numbers, accept: str) -> tuple[bytes, str]:
    """Return the text and its content type, for an ``Accept`` header."""
    from prometheus_client.exposition import choose_encoder

    encode, content_type = choose_encoder(accept)
    return encode(_Collected(numbers)), content_type


class _Collected:
    """What the library takes for a registry."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    def collect(self) -> Iterator[Family]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        snapshot = self._numbers.read()
        for metric, series in snapshot.values.items():
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = make(PREFIX + metric.name, metric.help, labels=metric.labels)
            for labels, value in sorted(series.items()):
                family.add_metric(labels, value)
            yield family
        for metric, distributions in snapshot.distributions.items():
            yield _histogram(metric, distributions)


def _histogram(metric: Metric, distributions: Mapping[Labels, Distribution]) -> Family:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    bounds = [*(str(bound) for bound in metric.buckets), "+Inf"]
    for labels, entry in sorted(distributions.items(), key=lambda item: item[0]):
        family.add_metric(labels, list(zip(bounds, accumulate(entry.counts), strict=True)), entry.total)
    return family
