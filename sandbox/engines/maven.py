"""Jars fetched by Maven: from its local repository, else from where its settings say."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from core.errors import SandboxError
from sandbox.engines.artifacts import Artifact

#: Seconds that Maven may take for all jars (about 150 MB).
TIMEOUT = 600
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def fetch(artifacts: Iterable[Artifact], home: Path) -> None:
    """Copy each artifact to its place under ``home``; nothing that it depends on comes with it.

    Raises:
        SandboxError: Maven could not get one; the message ends with what it said.
    """
    with tempfile.TemporaryDirectory(prefix="engines-") as folder:
        Path(folder, "pom.xml").write_text(project(artifacts, home), encoding="utf-8")
        try:
            done = subprocess.run(
                ["mvn", "--batch-mode", "--quiet", _GOAL],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SandboxError(f"Maven did not get the engines' jars within {TIMEOUT} seconds; try again") from None
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr)
        raise SandboxError(f"Maven could not get the engines' jars: {said.strip()[:500]}")


def project(artifacts: Iterable[Artifact], home: Path) -> str:
    """Return the Maven project that copies each artifact to its place under ``home``."""
    items = "".join(_item(artifact, home) for artifact in artifacts)
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>ductrunner</groupId><artifactId>engines</artifactId><version>1</version><packaging>pom</packaging>"
        "<build><plugins><plugin><groupId>org.apache.maven.plugins</groupId>"
        "<artifactId>maven-dependency-plugin</artifactId><configuration><artifactItems>"
        f"{items}</artifactItems></configuration></plugin></plugins></build></project>"
    )


def _item(artifact: Artifact, home: Path) -> str:
    group, name, version, *classifiers = map(escape, artifact.coordinates.split(":"))
    classifier = "".join(f"<classifier>{word}</classifier>" for word in classifiers)
    return (
        f"<artifactItem><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>{classifier}"
        f"<outputDirectory>{escape(str(home / artifact.folder))}</outputDirectory></artifactItem>"
    )
