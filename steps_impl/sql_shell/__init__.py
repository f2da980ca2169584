"""``ductrunner sql-shell``: a database of the configuration by hand, as Dataduct's ``sql_shell`` opened it."""

from __future__ import annotations
