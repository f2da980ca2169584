"""Speed and memory, measured beside the peers in the same run. Not tests: nothing here asserts a time."""

from __future__ import annotations
