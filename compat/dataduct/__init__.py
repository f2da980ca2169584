"""The import package ``dataduct`` for definitions that Dataduct has compiled: their commands import its executors.

Only what runs on a worker is here: the seven entry points under ``steps.executors``, with Dataduct's flags, done by
Ductrunner's steps, and what of its command (``cli``) a worker calls. Definitions are written and activated with other
tools. Source: coursera/dataduct at 83aea17.
"""

from __future__ import annotations
