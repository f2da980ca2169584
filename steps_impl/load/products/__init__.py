"""Files back into the databases of products: what ``load-mysql``, ``load-postgres`` and ``load-cassandra`` share."""

from __future__ import annotations
