"""Preconditions that a worker evaluates, again and again until they are true or their time is over.

One that is handed over leaves the slot of the task at once: it is evaluated by threads of its own (the jar of AWS has
two for them, too) and waits in the ``Room`` in between, where it costs an entry in a list.
Source: Developer Guide, *Task Runner threads and preconditions*.
"""

from __future__ import annotations

#: The types that are evaluated until they are true.
PRECONDITIONS = frozenset({"Exists", "ShellCommandPrecondition"})
