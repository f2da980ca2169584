"""The reference page of the metrics, from the catalogue in ``agent/health/catalogue.py``."""

from __future__ import annotations

from agent.health.catalogue import CATALOGUE, Metric
from agent.health.emf import DETAILS, NAMESPACE
from agent.health.prometheus import PREFIX

_HEAD = f"""# Metrics

Made by `make docs` from `agent/health/catalogue.py`. The same numbers go two ways:

- **CloudWatch**: every `agent.metrics_interval` seconds a line `metrics` of the agent's log, in the embedded metric
  format. Where logs go to CloudWatch, these lines become metrics of the namespace `{NAMESPACE}` by themselves: by
  `WorkerGroup`, and by `WorkerGroup` and `Host`. What has a type or an error is also told by `WorkerGroup` and
  {" or ".join(f"`{name}`" for name in DETAILS.values())}, when there was one. Counters are what was added since the
  line before, histograms a sample of at most 100 values. What belongs to no group is told with the agent's first one.
- **Prometheus**: `/metrics` of the status endpoint, as text or as OpenMetrics. Counters there begin at 0 when the agent
  starts.

`type` is an activity type that this worker runs, or `other`; no label holds the id of a pipeline or an attempt.

| CloudWatch | unit | Prometheus | kind | labels | meaning |
|---|---|---|---|---|---|
"""


def page() -> str:
    """Return the page's text."""
    return _HEAD + "".join(map(_row, CATALOGUE))


def _row(metric: Metric) -> str:
    values = metric.spread[1] if metric.spread else ("",)
    titles = ", ".join(f"`{metric.title}{value.title().replace('_', '')}`" for value in values)
    name = f"{PREFIX}{metric.name}{'_total' if metric.kind == 'counter' else ''}"
    labels = ", ".join(f"`{name}`" for name in metric.labels)
    return f"| {titles} | {metric.unit} | `{name}` | {metric.kind} | {labels} | {metric.help} |\n"
