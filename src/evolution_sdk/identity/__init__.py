"""Phone numbers and WhatsApp ids (JIDs).

Nothing here asks the server, and no number is corrected by rule: only WhatsApp knows which form a
Brazilian, Mexican or Argentine line has. ``PhoneNumber.candidates()`` lists the forms, and
``client.chats.resolve_number()`` asks which one exists.
"""

from evolution_sdk._base.public import publish

from ._numbering import check_country_code
from ._values import Jid, JidKind, PhoneNumber
from .lids import LidMap

__all__ = [
    "Jid",
    "JidKind",
    "LidMap",
    "PhoneNumber",
    "check_country_code",
]

publish(__name__, __all__)
