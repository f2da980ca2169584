"""Sizes and spans of time as people read them."""

from __future__ import annotations

_DAY, _HOUR, _MINUTE = 86400, 3600, 60
_STEP = 1024


def size(count: float) -> str:
    """Return bytes as ``812 B``, ``5.4 MiB``, ``31 GiB``."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if abs(value) < _STEP:
            break
        value, unit = value / _STEP, larger
    return f"{value:.1f} {unit}" if unit != "B" and abs(value) < 10 else f"{value:.0f} {unit}"


def span(seconds: float) -> str:
    """Return seconds as ``3 s``, ``4 min 5 s``, ``2 h 10 min``, ``3 d 4 h``."""
    rest = round(max(0.0, seconds))
    for unit, name, smaller, below in ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s")):
        if rest >= unit:
            whole, part = divmod(rest, unit)
            return f"{whole} {name} {part // smaller} {below}" if part // smaller else f"{whole} {name}"
    return f"{rest} s"
