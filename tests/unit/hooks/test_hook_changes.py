"""What a hook may change of the command, and what it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.hooks.changes import apply_changes
from agent.hooks.directory import Hooks
from agent.hooks.program import END
from agent.processes.child import Command
from agent.processes.conditions import AS_THE_AGENT
from core.errors import HookFailed

HOOKS = Hooks(None, 1.0, ("*_PASSWORD",))


@pytest.fixture
def command(tmp_path):
    conditions = replace(AS_THE_AGENT, nice=7)
    return Command(("bash", "script"), {"KEPT": "1", "GONE": "1"}, tmp_path, conditions)


def saved(tmp_path, content):
    path = tmp_path / "saved"
    path.write_bytes(content)
    return path


def test_a_hook_changes_the_environment_and_the_directory_and_never_whose_rights_the_command_has(command, tmp_path):
    left = saved(tmp_path, b"/\n\0KEPT=1\0NEW=a\nb=c" + END)
    changed = apply_changes(command, command, left, tmp_path / "none", HOOKS)
    assert dict(changed.environment) == {"KEPT": "1", "NEW": "a\nb=c"}
    assert str(changed.directory) == "/"
    assert (changed.argv, changed.conditions) == (command.argv, command.conditions)


def test_an_environment_that_was_not_saved_whole_is_an_error_and_not_half_taken(command, tmp_path):
    with pytest.raises(HookFailed, match="is the disk full"):
        apply_changes(command, command, saved(tmp_path, b"/\n\0KEPT=1\0GO"), tmp_path / "none", HOOKS)


def test_a_hook_that_leaves_nothing_changes_nothing(command, tmp_path):
    assert apply_changes(command, command, tmp_path / "none", tmp_path / "none", HOOKS) == command
