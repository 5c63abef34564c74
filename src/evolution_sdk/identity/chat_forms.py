"""The JIDs under which the server may store one chat."""

from __future__ import annotations

from functools import lru_cache

from evolution_sdk.errors import RequestValidationError

from ._server import server_jid, server_spellings
from ._values import PhoneNumber

STATUS_CHAT = "status@broadcast"
LID = "@lid"
PHONE = "@s.whatsapp.net"
CHANNEL = "@newsletter"


@lru_cache(maxsize=1_024)
def chat_forms(number: str) -> tuple[str, ...]:
    """List the JIDs under which the server may store a chat, the likeliest first.

    Args:
        number: The recipient as written in the request.

    Returns:
        The JID that the server makes of it, the text itself (which EVOLUTION stores), and the other
        forms of a Brazilian, Mexican or Argentinian line. Hidden ids are not among them.
    """
    # From 2.4 on, which alone can send to one, a channel stays what it is.
    if number.endswith(CHANNEL):
        return (number,)
    jid = server_jid(number).lower()  # Baileys sends to the lower-case form
    forms = [jid, number]
    if jid.endswith(PHONE):
        for digits in (jid.partition("@")[0], number):
            try:
                line = PhoneNumber.parse(digits)
            except RequestValidationError:
                continue
            forms.extend(str(other.jid) for other in line.candidates())
            forms.extend(f"{spelling}{PHONE}" for spelling in server_spellings(line.digits))
    return tuple(dict.fromkeys(forms))


def person_jid(chat: str | None) -> str | None:
    """Return the JID of a person, by phone or hidden id; None for everything else."""
    return chat if chat is not None and chat.endswith((PHONE, LID)) else None
