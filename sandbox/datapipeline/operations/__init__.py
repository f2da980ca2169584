"""The operations of the API, one module per family. Each takes the service and a request of the right shape."""

from __future__ import annotations
