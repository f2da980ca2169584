"""The activities of AWS Data Pipeline that are not the user's own command: one step each, named after its type.

Their parameters are the activity object of the definition with everything that it refers to in its place; see
``objects``. Source: Developer Guide, *Pipeline object reference*.
"""

from __future__ import annotations
