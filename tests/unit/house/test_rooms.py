from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

#: Room → what it may import of ours (docs: CONTRIBUTING, "The map").
FLOORS = {
    "core": set(),
    "stores": {"core"},
    "steps_impl": {"core", "stores"},
    "bootstrap": {"core", "stores"},
    "agent": {"core", "stores", "bootstrap", "steps_impl.contract"},
    "compat": {"core", "stores", "steps_impl"},
    "pipelines": {"core", "stores", "steps_impl"},
    "sandbox": {"core", "stores"},
    "ductrunner": {"core", "agent", "steps_impl", "sandbox", "pipelines", "bootstrap"},
}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def allowed(module: str, room: str) -> bool:
    if module.partition(".")[0] not in FLOORS:
        return True
    return any(module == floor or module.startswith(f"{floor}.") for floor in {room, *FLOORS[room]})


@pytest.mark.parametrize("room", FLOORS)
def test_a_room_imports_only_from_floors_below_it(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files, f"the room {room}/ is missing"
    wrong = [f"{path.relative_to(ROOT)}: {name}" for path in files for name in imports(path) if not allowed(name, room)]
    assert wrong == []
