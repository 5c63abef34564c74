"""Phone numbers and WhatsApp ids (JIDs).

This package never asks the server and never corrects a number by rule: only WhatsApp knows which
form of a Brazilian, Mexican or Argentine number is in use. ``PhoneNumber.candidates()`` gives the
forms to ask about, and ``client.chats.resolve_number()`` asks.
"""

from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._base.lazy import load_name
from evolution_sdk._base.public import publish

from ._numbering import check_country_code
from ._values import Jid, JidKind, PhoneNumber
from .lid_store import LidStore
from .lids import LidMap

if TYPE_CHECKING:
    from .lid_stores import PostgresLidStore, RedisLidStore, SqliteLidStore

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

# Who keeps no pairs in a database needs none.
_HOMES: Final[dict[str, str]] = dict.fromkeys(
    ("PostgresLidStore", "RedisLidStore", "SqliteLidStore"), ".lid_stores"
)

publish(__name__, __all__)


def __getattr__(name: str) -> Any:
    return load_name(__name__, _HOMES, name)
