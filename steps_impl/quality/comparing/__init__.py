"""Two tables on two engines, compared by checksums that each engine computes itself."""

from __future__ import annotations
