"""This machine as an EC2 instance: its name for the service, its notices; nothing where it is none."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Mapping

from agent import log
from agent.control import Control
from agent.gate import Gate
from agent.leaving.crew import Crew
from agent.leaving.mailbox import Mailbox
from agent.leaving.notices import Notices
from agent.side import Side
from core.errors import StoreError
from core.sections.worker import AgentSettings
from stores.instance import find_metadata

_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,32}")


class Machine:
    """What the start of the agent asks about the machine, and tells it at the end."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str]) -> None:
        self.metadata = find_metadata(environment, sure=settings.instance_notices == "on")
        self._settings = settings
        self._notices: Notices | None = None
        self._answers = True
        self._crew = Crew(self.metadata.url) if self.metadata else None

    def watch(self, control: Control, gate: Gate) -> list[Side]:
        """Look for notices before the first poll (for half a second at most when nobody answers), then go on."""
        if self.metadata is None or self._crew is None or self._settings.instance_notices == "off":
            return []
        self._notices = Notices(self.metadata, self._crew, self._settings, control, gate)
        self._notices.look_first(ask=self._answers)
        return [self._notices]

    def runner_name(self) -> str:
        """Return what this worker is called at the service: unique in the account, and the same after a restart.

        Instance id and the number of the process on it; where there is no instance, the host and a random part.
        """
        instance = self._instance_id()
        if instance and self._crew:
            return f"{instance}-{self._crew.number()}"
        return f"{socket.gethostname()}-{secrets.token_hex(4)}"

    def depart(self, mailbox: Mailbox) -> None:
        """The agent has ended its work."""
        if self._notices:
            self._notices.depart(mailbox)

    def _instance_id(self) -> str | None:
        if self.metadata is None:
            return None
        try:
            item = self.metadata.get("meta-data/instance-id")
        except StoreError as error:
            self._answers = False
            log.event("instance_unknown", level="WARNING", error=str(error))
            return None
        text = item.text.strip() if item else ""
        return text if _INSTANCE_ID.fullmatch(text) else None
