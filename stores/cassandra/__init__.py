"""Apache Cassandra over CQL; the driver is an optional library (extra ``cassandra``)."""

from __future__ import annotations
