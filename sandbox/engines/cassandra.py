"""Apache Cassandra for one node: its jars, and the Java that runs them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from core.errors import PartMissing
from sandbox.engines.home import JarHome


class CassandraJars(JarHome):
    """The jars of ``cassandra.lock``."""

    title = "Cassandra"
    prefix = "cassandra-"
    lock = Path(__file__).parent / "cassandra.lock"
    furniture = None

    def folder(self) -> Path:
        """Return the folder that holds the jars.

        Raises:
            PartMissing: they are not installed, or Java is not.
        """
        if not self.installed:
            raise PartMissing("Cassandra is not installed here; run: ductrunner sandbox engines")
        self._require_java()
        return self.home / "lib"


def java() -> Path:
    """Return the Java of ``$JAVA_HOME``, else of PATH.

    Raises:
        PartMissing: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    if not found:
        raise PartMissing("Java was not found; on Debian run: apt-get install openjdk-17-jre-headless")
    return Path(found)
