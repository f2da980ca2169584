"""The YARN applications of an attempt: found by tag, killed when the attempt ends without them."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import StoreError
from steps_impl.activities.cluster.configuration import properties
from stores.yarn import ResourceManager

#: Seconds for YARN's own command, when its service does not answer; an attempt that is stopped has 10 in all.
_COMMAND_TIMEOUT = 8.0
_POLICY = "yarn.http.policy"
_ADDRESS = "yarn.resourcemanager.webapp.address"
_TLS_ADDRESS = "yarn.resourcemanager.webapp.https.address"


def run_tag(pipeline: str, attempt: str) -> str:
    """Return the tag that all attempts of one run share: YARN's tags are short, ASCII and in small letters."""
    run = attempt.partition("_Attempt=")[0]
    return "dp-" + hashlib.sha256(f"{pipeline}\0{run}".encode()).hexdigest()[:20]


class Applications:
    """Those with one tag, on the cluster whose configuration is in a folder."""

    def __init__(self, tag: str, configuration: Path, environment: Mapping[str, str]) -> None:
        self.tag = tag
        self._services = resource_managers(configuration)
        self._environment = environment

    @classmethod
    def of_cluster(cls, tag: str, configuration: Path | None, environment: Mapping[str, str]) -> Applications | None:
        """Return them; ``None`` where MapReduce does not use YARN, so that there are none."""
        if configuration is None:
            return None
        framework = properties(configuration, "core-site.xml", "mapred-site.xml").get("mapreduce.framework.name")
        return cls(tag, configuration, environment) if framework in ("yarn", "yarn-tez") else None

    def kill(self, known: Iterable[str] = ()) -> list[str]:
        """End those that have the tag and those that are ``known`` by id; return the ids of those that were ended.

        The service is asked first; when it does not answer, YARN's command is.
        """
        for service in self._services:
            try:
                running = {*service.running(self.tag), *(name for name in known if service.is_running(name))}
                return [name for name in sorted(running) if service.kill(name)]
            except StoreError:
                continue
        return self._kill_by_command(known)

    def _kill_by_command(self, known: Iterable[str]) -> list[str]:
        states = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
        listed = self._yarn("application", "-list", "-appTags", self.tag, "-appStates", states)
        running = {word for word in listed.split() if word.startswith("application_")} | set(known)
        if running:
            self._yarn("application", "-kill", *sorted(running))
        return sorted(running)

    def _yarn(self, *words: str) -> str:
        try:
            done = subprocess.run(
                ["yarn", *words],
                env=dict(self._environment),
                capture_output=True,
                text=True,
                timeout=_COMMAND_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout


def resource_managers(configuration: Path) -> list[ResourceManager]:
    """Return the services that yarn-site.xml names: one, or several where YARN is highly available."""
    known = properties(configuration, "core-site.xml", "yarn-site.xml")
    tls = known.get(_POLICY) == "HTTPS_ONLY"
    scheme, key, port = ("https", _TLS_ADDRESS, 8090) if tls else ("http", _ADDRESS, 8088)
    names = [f".{name.strip()}" for name in known.get("yarn.resourcemanager.ha.rm-ids", "").split(",") if name.strip()]
    found = []
    for suffix in names or [""]:
        host = known.get(f"yarn.resourcemanager.hostname{suffix}")
        address = known.get(f"{key}{suffix}") or (f"{host}:{port}" if host else None)
        found += [ResourceManager(f"{scheme}://{address}")] if address else []
    return found
