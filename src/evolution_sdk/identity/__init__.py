"""Phone numbers and WhatsApp ids (JIDs).

This package never asks the server and never corrects a number by rule: only WhatsApp knows which
form of a Brazilian, Mexican or Argentine number is in use. ``PhoneNumber.candidates()`` gives the
forms to ask about, and ``client.chats.resolve_number()`` asks.
"""

from evolution_sdk._base.public import publish

from ._numbering import check_country_code
from ._values import Jid, JidKind, PhoneNumber
from .lid_store import LidStore
from .lid_stores import PostgresLidStore, RedisLidStore, SqliteLidStore
from .lids import LidMap

__all__ = [
    "Jid",
    "JidKind",
    "LidMap",
    "LidStore",
    "PhoneNumber",
    "PostgresLidStore",
    "RedisLidStore",
    "SqliteLidStore",
    "check_country_code",
]

publish(__name__, __all__)
