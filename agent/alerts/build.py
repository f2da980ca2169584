"""Alerts as the configuration wants them."""

from __future__ import annotations

from agent.alerts.alerts import Alerts
from core.settings import Settings
from stores.notifications import Topic

#: Seconds. One call has one try: whether and when there is another is for the loop to say.
CONNECT_TIMEOUT = 3
READ_TIMEOUT = 5


def make_alerts(settings: Settings) -> list[Alerts]:
    """Return the alerts; none when no topic is named. SNS's client is made at the first message."""
    arn = settings.alerts.topic or settings.etl.sns_topic_arn_failure
    if not arn:
        return []
    topic = Topic(arn, connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"total_max_attempts": 1})
    return [Alerts(settings.alerts, topic.publish)]
