"""EC2's instance metadata service, version 2, as it is seen from inside one instance.

What it serves is decided by its control endpoints (``sandbox.imds.items``); what it is not: user data, IAM credentials,
network interfaces, and anything else that nobody here asks for is 404, as on an instance without it.
"""

from __future__ import annotations
