"""What a compiled step calls on a worker: ``python -c "from dataduct.steps.executors.X import f; f()" FLAGS``.

Each function reads ``sys.argv``, runs a step of Ductrunner, and ends the process with that step's exit status when it
is not 0.
"""

from __future__ import annotations
