"""Dataduct's hooks: a Python file with ``before_hook(*args, **kwargs) -> (args, kwargs)`` and ``after_hook(result)``.

Either may be missing. Source: coursera/dataduct, utils/hook.py, where a hook stands around one function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import HookFailed
from core.user_code import load_user_code


@dataclass(frozen=True)
class UserHook:
    """The functions of one file."""

    path: Path
    before_hook: Callable[..., Any] | None
    after_hook: Callable[[Any], Any] | None

    @classmethod
    def load(cls, path: Path) -> UserHook:
        """Run the file and return its functions.

        Raises:
            SettingsError: it cannot be read, or is not safe to run.
            HookFailed: its code raises.
        """
        module = load_user_code(path)
        return cls(path, getattr(module, "before_hook", None), getattr(module, "after_hook", None))

    def before(self, **keywords: Any) -> dict[str, Any]:
        """Return the keywords as the hook wants them.

        Raises:
            HookFailed: it raised, or gave back something else.
        """
        if self.before_hook is None:
            return keywords
        answer = self._guarded("before_hook", lambda: self.before_hook and self.before_hook(**keywords))
        try:
            arguments, given = answer
            wanted = dict(given)
        except (TypeError, ValueError):
            raise HookFailed(f"{self.path}: before_hook must return (args, kwargs)") from None
        if arguments:
            raise HookFailed(f"{self.path}: before_hook may give keywords only; there are no other arguments")
        return wanted

    def after(self, result: Any) -> Any:
        """Return what the hook makes of the result. Raises as ``before``."""
        if self.after_hook is None:
            return result
        return self._guarded("after_hook", lambda: self.after_hook and self.after_hook(result))

    def _guarded(self, name: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (Exception, SystemExit) as error:
            raise HookFailed(f"{self.path}: {name} raised {type(error).__name__}: {error}") from None
