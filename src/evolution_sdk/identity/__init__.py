"""Who a message is from or for: phone numbers and WhatsApp ids (JIDs).

Nothing here asks the server, and nothing corrects a number by rule: which of the forms a Brazilian,
Mexican or Argentine line has in WhatsApp is known only to WhatsApp. ``PhoneNumber.candidates()``
gives the forms to ask about, ``pick_existing`` chooses from the server's answer.
"""

from ._numbering import check_country_code
from ._server import (
    match_number,
    pick_existing,
    recipient,
    same_line,
    server_jid,
    with_country_code,
)
from ._values import Jid, JidKind, PhoneNumber
from .lids import LidMap

__all__ = [
    "Jid",
    "JidKind",
    "LidMap",
    "PhoneNumber",
    "check_country_code",
    "match_number",
    "pick_existing",
    "recipient",
    "same_line",
    "server_jid",
    "with_country_code",
]
