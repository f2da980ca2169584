"""``ductrunner doctor``: the flags of the agent that say what it would work with."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from agent.cli import option

WELL = 0
ILL = 1


@click.command()
@option("config", type=click.Path(path_type=Path), help="Our YAML file, or TaskRunner's credentials.json.")
@option("workerGroup", help="The worker group whose tasks the worker is to take.")
@option("region", help="AWS region; default: the environment's, else us-east-1.")
@option("endpoint", help="Address of the Data Pipeline service; default: the region's.")
@option("output", type=click.Path(path_type=Path), help="Directory of logs, staging and scripts. [default: output]")
@option("logUri", help="s3://… under which attempt logs go when a task names no pipelineLogUri.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of {check, status, message, advice, statement}.")
@click.option("--send-test", is_flag=True, help="Publish a message to each SNS topic, to see it arrive.")
@click.pass_context
def doctor(context: click.Context, /, *, as_json: bool, send_test: bool, **given: Any) -> None:
    """Look at everything that a worker needs, and say what to do.

    Takes no task. Writes and removes an object at each S3 place, and one line to the log stream doctor/HOST.
    Exit status 1 when something has to be put right; warnings alone are 0.
    """
    from agent.doctor import show
    from agent.doctor.checks import CHECKS
    from agent.doctor.examination import examine, is_well
    from agent.doctor.patient import make_patient
    from agent.flags import Flags

    nothing: dict[str, Any] = {field.name: None for field in fields(Flags)}
    patient = make_patient(Flags(**{**nothing, **given}), send_test=send_test)
    findings = []
    for finding in examine(patient, CHECKS):
        findings.append(finding)
        if not as_json:
            click.echo(show.line(finding))
    if as_json:
        click.echo(show.document(findings))
    else:
        if missing := show.statements(findings):
            click.echo(f"\nMissing in the policy of the worker's role:\n{missing}")
        click.echo(f"\n{show.summary(findings)}")
    context.exit(WELL if is_well(findings) else ILL)
