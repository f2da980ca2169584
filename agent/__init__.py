"""The worker: takes tasks of a worker group, runs each as a child process, reports how it went."""

from __future__ import annotations
