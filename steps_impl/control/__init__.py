"""What happens around the steps."""

from __future__ import annotations
