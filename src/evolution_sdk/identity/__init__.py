"""Who a message is from or for: phone numbers and WhatsApp ids (JIDs).

Nothing here asks the server, and nothing corrects a number by rule: which of the forms a Brazilian,
Mexican or Argentine line has in WhatsApp is known only to WhatsApp. ``PhoneNumber.candidates()``
gives the forms to ask about, ``client.chats.resolve_number()`` asks.
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
