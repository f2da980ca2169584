"""What the entry points share: Dataduct's flags, the end of the process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from core.errors import SettingsError
from steps_impl.registry import Step, load_step
from steps_impl.runner import run_values

#: What a definition holds where no topic was configured.
_NO_TOPIC = frozenset({"", "None"})


def flags() -> argparse.ArgumentParser:
    """Return a parser of Dataduct's flags; none may be shortened, since values begin with anything."""
    return argparse.ArgumentParser(allow_abbrev=False)


def check_flags(test_name: str) -> argparse.ArgumentParser:
    """Return a parser with the flags that all checks have."""
    parser = flags()
    parser.add_argument("--sns_topic_arn")
    parser.add_argument("--test_name", default=test_name)
    parser.add_argument("--log_to_s3", action="store_true")
    parser.add_argument("--path_suffix", default="")
    return parser


def check_values(given: argparse.Namespace) -> dict[str, Any]:
    """Return the parameters that all checks have.

    With a topic a failed check is told there and the step goes on; without one it fails (dataduct.qa.Check).
    """
    from core.settings import load_settings

    topic = topic_of(given.sns_topic_arn)
    with suppress(SettingsError):  # which the step says itself, as every step does
        topic = topic or load_settings().etl.sns_topic_arn_warning
    return {
        "sns_topic_arn": topic,
        "on_failure": "warn" if topic else "fail",
        "test_name": given.test_name,
        "log_to_s3": given.log_to_s3,
        "path_suffix": given.path_suffix or "",
    }


def topic_of(text: str | None) -> str | None:
    """Return the topic that a flag names, if it names one."""
    return None if text is None or text.strip() in _NO_TOPIC else text


def finish(step: Step | str, values: Mapping[str, Any]) -> None:
    """Run a step; end the process when it did not succeed."""
    chosen = load_step(step) if isinstance(step, str) else step
    if status := run_values(chosen, {name: value for name, value in values.items() if value is not None}):
        sys.exit(status)
