"""The configuration that a cluster's clients read, with what an attempt adds to it.

Not every main class takes ``-D``, so tags and queue are put where all clients look: into a folder that shows the
cluster's own configuration with another ``mapred-site.xml``, named by ``HADOOP_CONF_DIR``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

_SITE = "mapred-site.xml"
_VARIABLE = re.compile(r"\$\{([\w.-]+)\}")
_SYSTEM = Path("/etc/hadoop/conf")


def find_configuration(environment: Mapping[str, str]) -> Path | None:
    """Return the folder of the cluster's configuration: ``$HADOOP_CONF_DIR``, else Hadoop's own, else the system's."""
    hadoop = shutil.which("hadoop", path=environment.get("PATH", os.defpath))
    homes = [Path(hadoop).resolve().parent.parent] if hadoop else []
    named = environment.get("HADOOP_CONF_DIR")
    own = [home / folder for home in homes for folder in ("conf", "etc/hadoop")]
    places = [Path(named)] if named else [*own, _SYSTEM]
    return next((place for place in places if (place / "core-site.xml").is_file()), None)


def overlay(configuration: Path, folder: Path, added: Mapping[str, str]) -> Path:
    """Make ``folder`` show ``configuration`` with ``added`` properties of MapReduce; return it."""
    folder.mkdir()
    for entry in configuration.iterdir():
        if entry.name != _SITE:
            (folder / entry.name).symlink_to(entry.resolve())
    root = _parsed(configuration / _SITE)
    for name, value in added.items():
        place = ET.SubElement(root, "property")
        ET.SubElement(place, "name").text = name
        ET.SubElement(place, "value").text = value
    ET.ElementTree(root).write(folder / _SITE, encoding="utf-8", xml_declaration=True)
    return folder


def properties(configuration: Path, *sites: str) -> dict[str, str]:
    """Return the properties of the named site files, later ones over earlier ones, their variables filled in."""
    found = {name: value for site in sites for name, value in _entries(_parsed(configuration / site))}
    return {name: _filled_in(value, found) for name, value in found.items()}


def _filled_in(value: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1], match[0]), value)


def _parsed(path: Path) -> ET.Element:
    """Return the file's root; an empty configuration when there is no such file, or none that can be read."""
    try:
        return ET.parse(path).getroot()  # noqa: S314  # the machine's own configuration
    except (OSError, ET.ParseError):
        return ET.Element("configuration")


def _entries(root: ET.Element) -> list[tuple[str, str]]:
    return [
        (name.strip(), (entry.findtext("value") or "").strip())
        for entry in root.iter("property")
        if (name := entry.findtext("name"))
    ]
