"""Messages to an SNS topic about attempts that did not end well: few, without secrets, without row data."""

from __future__ import annotations
