"""One module per outside system: connections, retries, typed errors. Knows nothing of tasks or steps."""

from __future__ import annotations
