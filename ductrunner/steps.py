"""What a step of your own is made of; the same names that Ductrunner's own steps use."""

from __future__ import annotations

from core.errors import CheckFailed, DataError, DuctrunnerError, ParameterError, StoreError
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step

__all__ = [
    "CheckFailed",
    "DataError",
    "DuctrunnerError",
    "ParameterError",
    "Parameters",
    "Step",
    "StepContext",
    "StepResult",
    "StoreError",
]
