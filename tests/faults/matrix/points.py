"""The named points of an attempt's life at which the matrix strikes: before or after each effect of the agent.

An effect is what others can see: a call of the service, a file, a process, an object in S3. Two neighbouring points
have exactly one effect between them, so that a strike at each of them is a strike between every pair of effects.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Death(Enum):
    """What becomes of the attempt when the agent dies at a point, as the service has it in the end."""

    #: Nobody knows of the attempt yet: it is handed out again, and the same attempt finishes.
    UNTOUCHED = "untouched"
    #: It is in the journal, but not known to be acknowledged: handed out again, or reported FAILED and tried again.
    BEGUN = "begun"
    #: It is ours: the next agent reports it FAILED, the service tries again.
    INTERRUPTED = "interrupted"
    #: Its outcome stands: the next agent delivers it, and nothing is done twice.
    DECIDED = "decided"


@dataclass(frozen=True)
class Point:
    """A moment: the ``number``-th passing of a function, just ``before`` it is entered or ``after`` it has returned."""

    name: str
    #: ``module:qualified.name``, where the caller looks it up.
    function: str
    when: str
    death: Death
    meaning: str
    #: A process of the attempt lives.
    child: bool = False
    number: int = 1
    #: Only passings inside this other function count.
    within: str | None = None
    #: A write to the agent's own disk follows.
    writes: bool = False


_SOURCE = "agent.sources.datapipeline:DataPipelineSource"
_CHILD = "agent.processes.child:Child"
_BEFORE, _AFTER = "before", "after"
_U, _B, _I, _D = Death.UNTOUCHED, Death.BEGUN, Death.INTERRUPTED, Death.DECIDED

POINTS = (
    Point("polled", f"{_SOURCE}.poll", _AFTER, _U, "the task is ours to acknowledge; nothing is written yet"),
    Point("parsed", "agent.attempt:parse_task", _AFTER, _U, "the task is understood"),
    Point("beginning", "agent.journal.journal:Journal.begin", _BEFORE, _U, "nothing is in the journal yet",
          writes=True),
    Point("begun", "agent.journal.journal:Journal.begin", _AFTER, _B, "the attempt is in the journal", writes=True),
    Point("acknowledging", f"{_SOURCE}.report_progress", _BEFORE, _B, "the acknowledgement is about to be sent"),
    Point("acknowledged", f"{_SOURCE}.report_progress", _AFTER, _I, "the service knows that it is ours"),
    Point("claimed", "agent.running:Running.claim", _AFTER, _I, "the lease reports it from here on"),
    Point("making workspace", "agent.workspace:Workspace.create", _BEFORE, _I, "no directory yet", writes=True),
    Point("workspace made", "agent.workspace:Workspace.create", _AFTER, _I, "its directories are there", writes=True),
    Point("planned", "agent.work:make_plan", _AFTER, _I, "the staging directories are there", writes=True),
    Point("staging in", "agent.staging:stage_in", _BEFORE, _I, "no input is read yet", writes=True),
    Point("first input", "stores.s3.downloads:_Target.publish", _AFTER, _I, "one file is there, others not",
          writes=True),
    Point("last input", "stores.s3.downloads:_Target.publish", _AFTER, _I, "every file is there", number=3),
    Point("staged in", "agent.staging:stage_in", _AFTER, _I, "the inputs are complete", writes=True),
    Point("writing script", "agent.work:prepare_script", _BEFORE, _I, "no script yet", writes=True),
    Point("script written", "agent.work:prepare_script", _AFTER, _I, "the script is there", writes=True),
    Point("starting child", f"{_CHILD}._start", _BEFORE, _I, "the pipes are open, no command yet", writes=True),
    Point("recording child", "agent.journal.entry:Entry.child", _BEFORE, _I, "the command runs, unknown to the journal",
          child=True),
    Point("child recorded", "agent.journal.entry:Entry.child", _AFTER, _I, "the next agent can find the command",
          child=True),
    Point("child started", f"{_CHILD}._start", _AFTER, _I, "the command runs", child=True, writes=True),
    Point("first output", "agent.logs.output:OutputFile.feed", _AFTER, _I, "the command has said something", child=True,
          writes=True),
    Point("child ended", f"{_CHILD}._carry", _AFTER, _I, "the table is loaded, nobody has said so"),
    Point("leftovers ended", f"{_CHILD}.wait", _AFTER, _I, "nothing of the command lives"),
    Point("copying streams", "agent.work:copy_streams", _BEFORE, _I, "stdout is not where it shall be"),
    Point("streams copied", "agent.work:copy_streams", _AFTER, _I, "stdout is where it shall be"),
    Point("staging out", "agent.staging:stage_out", _BEFORE, _I, "no output is sent yet"),
    Point("first output object", "stores.s3.uploads:put", _AFTER, _I, "one object is there, others not",
          within="agent.staging:stage_out"),
    Point("staged out", "agent.staging:stage_out", _AFTER, _I, "the outputs are complete"),
    Point("uploading logs", "agent.work:upload_logs", _BEFORE, _I, "the logs are on this machine only"),
    Point("logs uploaded", "agent.work:upload_logs", _AFTER, _I, "the logs are in S3"),
    Point("end told", "agent.work:Work._report_end", _AFTER, _I, "what it has used is told, its outcome is not"),
    Point("removing workspace", "agent.workspace:Workspace.remove", _BEFORE, _I, "its directories are still there"),
    Point("workspace removed", "agent.workspace:Workspace.remove", _AFTER, _I, "only the logs are left"),
    Point("deciding", "agent.journal.entry:Entry.owe", _BEFORE, _I, "the outcome is known to this process only",
          writes=True),
    Point("decided", "agent.journal.entry:Entry.owe", _AFTER, _D, "the outcome is in the journal", writes=True),
    Point("sending status", f"{_SOURCE}.set_status", _BEFORE, _D, "the outcome is about to be told"),
    Point("status taken", f"{_SOURCE}.set_status", _AFTER, _D, "the service has the outcome"),
    Point("settled", "agent.journal.entry:Entry.settle", _AFTER, _D, "the journal has forgotten the attempt"),
    Point("released", "agent.running:Running.release", _AFTER, _D, "the attempt is no more among those that run"),
    Point("slot freed", "agent.attempt:Attempt.run", _AFTER, _D, "the slot is about to take another task"),
)  # fmt: skip
