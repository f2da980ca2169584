"""HTTP(S) as every client of ours speaks it: addresses and proxies, certificates, kept connections, clear faults.

Used by S3 (``stores.s3``) and by the worker's task sources. No AWS in here; who we are there is ``stores.identity``.
"""

from __future__ import annotations

from stores.web.address import Address, find_address
from stores.web.connections import Connections
from stores.web.faults import clock_ahead, clock_error, unreachable
from stores.web.interruption import Interruption

__all__ = ["Address", "Connections", "Interruption", "clock_ahead", "clock_error", "find_address", "unreachable"]
