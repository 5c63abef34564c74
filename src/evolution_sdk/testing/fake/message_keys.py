"""Keys of messages that arrive on Baileys: as events tell them, and as rows keep them."""

from __future__ import annotations

from .js import JsonObject
from .lids import LID_SUFFIX
from .numbers import is_group
from .state import ServerState


def stored_key(
    server: ServerState,
    jid: str,
    key_id: str,
    participant: str | None,
    *,
    from_me: bool = False,
) -> JsonObject:
    """Make the key of a message that arrives, as its row keeps it.

    Args:
        server: The state: what differs by version, and which phone has which hidden id.
        jid: The chat.
        key_id: The message's WhatsApp id.
        participant: The author in a group.
        from_me: Whether the own phone has written it.
    """
    key: JsonObject = {"remoteJid": jid, "fromMe": from_me, "id": key_id}
    if participant is not None:
        key["participant"] = participant
    profile = server.profile
    if not profile.has("alternative_keys"):
        return key
    group = is_group(jid)
    if not group and participant is None and profile.has("participant_in_chats"):
        key["participant"] = ""
    one = participant if group and participant is not None else jid
    other = server.network.lids.other(one)
    # A stanza of the own phone does not name the other person's hidden id beside the phone.
    if other is not None and (group or not from_me or one.endswith(LID_SUFFIX)):
        key["participantAlt" if group else "remoteJidAlt"] = other
    key["addressingMode"] = "lid" if one.endswith(LID_SUFFIX) else "pn"
    return key


def told_key(server: ServerState, key: JsonObject) -> JsonObject:
    """Make the key that the event of a message tells, from the one of its row.

    The two disagree in a chat under a hidden id (`facts/versions/baileys.md` "LID chat").
    """
    phone = key.get("remoteJidAlt")
    hidden = str(key["remoteJid"]).endswith(LID_SUFFIX)
    if not hidden or phone is None or not server.profile.has("phone_in_lid_keys"):
        return key
    if server.profile.has("lid_in_alt"):
        swapped = {"remoteJid": phone, "remoteJidAlt": key["remoteJid"], "addressingMode": "pn"}
        return {**key, **swapped}
    return {**key, "remoteJid": phone}
