"""Files of rows or of JSON as items of DynamoDB: what is read, and which type each attribute gets."""

from __future__ import annotations
