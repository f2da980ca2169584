"""Steps of the user's own: from the configuration (class, file, type) and from installed packages.

A package offers its steps as entry points of the group ``ductrunner.steps``: the name is the step's, the value leads to
an object of the class ``Step`` or to a class like the one below. The same goes for a file that ``custom_steps`` names
(Dataduct's section: ``class_name``, ``file_path``, ``step_type``). A class has a docstring, whose first line is its
summary, a class ``Parameters`` and a method ``run(parameters, context)``; ``examples/custom_step`` is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeGuard

from core.errors import DuctrunnerError, ParameterError, SettingsError
from core.sections.dataducts import CustomStepSettings
from core.settings import Settings, load_settings
from core.user_code import load_user_code
from steps_impl.catalogue import Entry, nearest
from steps_impl.contract import GROUP
from steps_impl.describe import describe_step, entry_of
from steps_impl.registry import MODULES, Parameters, Step


@dataclass(frozen=True)
class Origin:
    """Where a custom step comes from; ``load`` returns the class or object."""

    name: str
    where: str
    load: Callable[[], Any]


def load_custom(name: str, environment: Mapping[str, str]) -> Step:
    """Return a step of the user's own.

    Raises:
        ParameterError: no step has this name; the message names the nearest one.
        SettingsError: two have it, or it is none.
        HookFailed: its code raises.
    """
    known = origins(environment)
    if name not in known:
        near = nearest(name, [*MODULES, *known])
        raise ParameterError(f"there is no step {name!r}{near}; `ductrunner steps` lists them")
    return _as_step(known[name])


def custom_entries(environment: Mapping[str, str]) -> list[Entry]:
    """Return what help says of each custom step, in alphabetical order; of one that cannot be loaded: why."""
    return [_entry(origin) for _, origin in sorted(origins(environment).items())]


def _entry(origin: Origin) -> Entry:
    try:
        return entry_of(_as_step(origin))
    except DuctrunnerError as error:
        return Entry(origin.name, f"(cannot be used: {error})", ())


def origins(environment: Mapping[str, str]) -> dict[str, Origin]:
    """Return every custom step by name; none is loaded.

    Raises:
        SettingsError: a name is taken.
    """
    settings = load_settings(environment=environment)
    found: dict[str, Origin] = {}
    for origin in [*_configured(settings), *_installed()]:
        if origin.name in MODULES:
            raise SettingsError(f"{origin.where}: {origin.name!r} is a step of Ductrunner; give it another name")
        if origin.name in found:
            other = found[origin.name].where
            raise SettingsError(f"{origin.where}: {other} has a step {origin.name!r} too; rename one")
        found[origin.name] = origin
    return found


def _configured(settings: Settings) -> Iterator[Origin]:
    for entry in settings.custom_steps:
        path = _path_of(entry, settings)
        yield Origin(entry.step_type, str(path), lambda entry=entry, path=path: _in_file(entry, path))  # type: ignore[misc]


def _path_of(entry: CustomStepSettings, settings: Settings) -> Path:
    base = settings.etl.custom_steps_path
    return (base.expanduser() if base else Path()) / entry.file_path.expanduser()


def _in_file(entry: CustomStepSettings, path: Path) -> Any:
    module = load_user_code(path)
    try:
        return getattr(module, entry.class_name)
    except AttributeError:
        raise SettingsError(f"{path} has no class {entry.class_name!r} for the step {entry.step_type!r}") from None


def _installed() -> Iterator[Origin]:
    for point in entry_points(group=GROUP):
        package = point.dist.name if point.dist else "an installed package"
        yield Origin(point.name, package, lambda point=point: _in_package(point))  # type: ignore[misc]


def _in_package(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise SettingsError(f"the step {point.name!r} ({point.value}): {type(error).__name__}: {error}") from None


def _as_step(origin: Origin) -> Step:
    found = origin.load()
    step = replace(found, name=origin.name) if isinstance(found, Step) else _of_class(found, origin)
    try:
        describe_step(step)
    except TypeError as error:
        raise SettingsError(f"{origin.where}: the step {origin.name!r}: {error}") from None
    return step


def _of_class(found: Any, origin: Origin) -> Step:
    parameters = getattr(found, "Parameters", None)
    if not (isinstance(found, type) and callable(getattr(found, "run", None)) and _is_model(parameters)):
        raise SettingsError(
            f"{origin.where}: the step {origin.name!r} must be a Step, or a class with a run method and a class "
            "Parameters that derives from ductrunner.steps.Parameters"
        )
    summary = (found.__doc__ or "").strip().partition("\n")[0]
    return Step(origin.name, summary or f"A step of {origin.where}.", parameters, found().run)


def _is_model(kind: object) -> TypeGuard[type[Parameters]]:
    return isinstance(kind, type) and issubclass(kind, Parameters)
