"""Executables of the machine's owner that run around every task and at the agent's start and end.

Their names are buildkite's way: ``environment``, ``pre-task``, ``post-task``, ``agent-start``, ``agent-stop``.
"""

from __future__ import annotations
