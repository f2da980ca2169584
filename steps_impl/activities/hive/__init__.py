"""HiveQL that is made for an activity: tables of its nodes, variables, what is said before and after its script."""

from __future__ import annotations
