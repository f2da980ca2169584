"""What can be chosen about the service, most of it where AWS's own behaviour is not documented.

The letters in brackets name the open question in the project's notes on the protocol: for each the service plays
both variants, so that a worker can be tested against either.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from typing import Any

from sandbox.datapipeline import limits
from sandbox.datapipeline.plan import Assumed


@dataclass(frozen=True, slots=True)
class Options:
    """Times are in seconds of the service's clock, except ``poll_hold``, which is real time."""

    poll_hold: float = 90.0
    ack_window: float = 120.0
    ownership_window: float = 300.0
    retry_delay_minimum: float = limits.MIN_RETRY_DELAY.total_seconds()
    retry_delay_default: float = limits.DEFAULT_RETRY_DELAY.total_seconds()
    task_map: str = "full"
    secret_key: str = "starred"  # noqa: S105 - the name of a variant
    empty_poll: str = "absent"
    redelivery: str = "new-task"
    timeout_answer: str = "canceled"
    unescape: str = "on"
    managed_worker_group: str = "managed"
    creation_lead: float = 300.0
    instance_interval: float = limits.MIN_INSTANCE_INTERVAL.total_seconds()
    active_instances: float = limits.MAX_ACTIVE_INSTANCES
    past_start: str = "backfill"
    schedule_type: str = "cron"
    precondition_interval: float = 60.0
    precondition_failed: str = "cascade"
    precondition_false: str = "retry"
    late_from: str = "scheduled-start"
    late_until: str = "completed"

    @property
    def assumed(self) -> Assumed:
        """Return what holds for components that do not say it."""
        return Assumed(self.schedule_type, int(self.active_instances))


_HELP = {
    "poll_hold": "seconds that PollForTask waits for work (real time)",
    "ack_window": "seconds until a delivered task without a first report is handed out again",
    "ownership_window": (
        "(A6) seconds without a report until a task is handed out again; AWS's texts say 300 and 900; "
        "reportProgressTimeout overrides it"
    ),
    "retry_delay_minimum": "shortest delay in seconds between two attempts",
    "retry_delay_default": "delay in seconds between two attempts where retryDelay is not given",
    "task_map": "(A1) what a task's objects hold: all that the attempt refers to, or the attempt alone",
    "secret_key": "(A2) secrets are delivered under *password or under password",
    "empty_poll": "(A3) an empty poll answers without taskObject, or with null",
    "redelivery": "(A5) a task that is handed out again has a new taskId, or the same",
    "timeout_answer": "(A7) how a worker learns of attemptTimeout: canceled=true or TaskNotFoundException",
    "unescape": "(A13) remove one level of backslashes between definition and task",
    "managed_worker_group": (
        "(A12) worker group that is given what runs on an Ec2Resource or EmrCluster (runsOn); neither is started"
    ),
    "creation_lead": "seconds that an instance of a schedule is created before its time",
    "instance_interval": "shortest time in seconds between the creation of two instances of an object; AWS: 300",
    "active_instances": "how many instances of an object may be active, and the default of maxActiveInstances; AWS: 5",
    "precondition_interval": (
        "seconds between two looks of the service at a precondition that it evaluates itself and that has no retryDelay"
    ),
    "precondition_failed": (
        "what becomes of an object whose precondition has failed: CASCADE_FAILED, or what its failureAndRerunMode says"
    ),
    "precondition_false": (
        "(A18) what a worker's FALSE means before preconditionTimeout is over: another try after retryDelay, or the end"
    ),
    "late_from": (
        "from when lateAfterTimeout counts: the scheduled start, the moment that the object may start, or the creation "
        "of an instance that is made up for"
    ),
    "late_until": "an object is late until it has completed, or only until a worker has started it",
    "past_start": "a schedule that begins more than a day before its activation is made up for, or refused as by AWS",
    "schedule_type": "the scheduleType of objects that have none; AWS's guide names no default",
}
_CHOICES = {
    "task_map": ("full", "attempt"),
    "secret_key": ("starred", "plain"),
    "empty_poll": ("absent", "null"),
    "redelivery": ("new-task", "same-task"),
    "timeout_answer": ("canceled", "task-not-found"),
    "unescape": ("on", "off"),
    "precondition_failed": ("cascade", "failure-mode"),
    "precondition_false": ("retry", "fail"),
    "late_from": ("scheduled-start", "due", "creation"),
    "late_until": ("completed", "started"),
    "past_start": ("backfill", "refuse"),
    "schedule_type": ("cron", "timeseries"),
}
_UNITS = {"active_instances": "N"}
_TEXTS = {"managed_worker_group": "NAME"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add one flag per option."""
    for option in fields(Options):
        settings: dict[str, Any] = {"default": option.default, "help": _HELP[option.name]}
        if option.name in _CHOICES:
            settings["choices"] = _CHOICES[option.name]
        elif option.name in _TEXTS:
            settings["metavar"] = _TEXTS[option.name]
        else:
            settings |= {"type": float, "metavar": _UNITS.get(option.name, "SECONDS")}
        parser.add_argument("--" + option.name.replace("_", "-"), **settings)


def options_from(arguments: argparse.Namespace) -> Options:
    """Return the options that the flags say."""
    return Options(**{option.name: getattr(arguments, option.name) for option in fields(Options)})
