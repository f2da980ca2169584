"""Every key says what it means, and the flags of the agent are keys of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from agent.cli import agent
from core.sections.creation import Permission
from core.sections.section import Section
from core.sections.worker import AgentSettings
from core.settings import Settings

ROOT = Path(__file__).parents[3]
#: Flags that are no keys: where the configuration is, how long this run goes, secrets and what leads to them.
NO_KEYS = {
    *("config", "source", "once", "idle_exit", "help"),
    *("access_id", "secret_key", "proxy_host", "proxy_port", "proxy_username", "proxy_password"),
    *("proxy_domain", "proxy_workstation"),
}
OPTIONS = [option for option in agent.params if isinstance(option, click.Option)]


def below(kind: type[Section]) -> Iterator[type[Section]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


SECTIONS = [kind for kind in below(Section) if kind is not Settings]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda kind: kind.__name__)
def test_every_key_of_the_configuration_says_what_it_means(section):
    assert [name for name, field in section.model_fields.items() if not field.description] == []


def test_every_key_is_on_the_reference_page():
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert {name for section in SECTIONS for name in section.model_fields if section is not Permission} <= rows


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_every_flag_of_the_agent_is_a_key_of_the_configuration(option):
    assert option.help, "a flag without a word of help"
    if option.name in NO_KEYS:
        assert option.name not in AgentSettings.model_fields
    else:
        assert option.name in AgentSettings.model_fields


@pytest.mark.parametrize("option", [option for option in OPTIONS if "[default:" in (option.help or "")])
def test_a_default_that_the_help_names_is_the_default_of_the_key(option):
    [named] = re.findall(r"\[default: (.*)\]", option.help)
    assert named == str(AgentSettings.model_fields[option.name].default)


def test_a_flag_is_written_in_task_runners_spelling_and_in_ours():
    spelled = {option.name: option.opts for option in OPTIONS}
    assert {"--workerGroup", "--worker-group"} <= set(spelled["worker_group"])
    assert {"--logUri", "--log-uri"} <= set(spelled["log_uri"])
