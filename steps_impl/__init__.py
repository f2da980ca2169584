"""What a step does: one module per step, in folders by purpose. Imports ``core`` and ``stores``."""

from __future__ import annotations
