"""What operators see: numbers, health, readiness, and who is told of them (CloudWatch, Prometheus, systemd, people)."""

from __future__ import annotations
