"""Going away: signals, the end of a shift, and machines that EC2 takes back."""

from __future__ import annotations
