"""``dependency_check``: waits for the day's runs of other pipelines."""

from __future__ import annotations

from dataduct.steps.executors._running import finish, flags, topic_of


def dependency_check() -> None:
    """Wait for ``--dependencies``; failures of ``--dependencies_ok_to_fail`` are only told."""
    parser = flags()
    parser.add_argument("--dependencies", nargs="*", default=[])
    parser.add_argument("--dependencies_ok_to_fail", nargs="*", default=[])
    parser.add_argument("--pipeline_name")
    parser.add_argument("--refresh_rate", type=float, default=900.0)
    parser.add_argument("--start_date")
    parser.add_argument("--sns_topic_arn")
    given = parser.parse_args()
    values = {
        "dependencies": tuple(given.dependencies),
        "dependencies_ok_to_fail": tuple(given.dependencies_ok_to_fail),
        "pipeline_name": given.pipeline_name,
        "refresh_rate": given.refresh_rate,
        "start_date": given.start_date,
        "sns_topic_arn": topic_of(given.sns_topic_arn),
    }
    finish("pipeline-dependencies", values)
