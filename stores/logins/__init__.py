"""As whom, and around what, a database of the configuration is connected to.

``access``: host, user and the secret of this moment: the password, RDS's token or Redshift's temporary credentials.
``hooks``: the user's ``connect_to_…`` files. ``login``: the two around one connection, with a second try when a secret
was changed in between.
"""

from __future__ import annotations

from stores.logins.access import Access
from stores.logins.login import current_access, logged_in

__all__ = ["Access", "current_access", "logged_in"]
