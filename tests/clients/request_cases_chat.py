"""What each method of ``chats`` is to send: (call, method, path with query, body)."""

from __future__ import annotations

from typing import Any

from evolution_sdk import Jid

from .request_cases import BEGIN, END, KEY, LAST, MESSAGE, NUMBER, RANGE, SIX, WIRE_KEY

CHAT_CASES: dict[str, tuple[Any, str, str, Any]] = {
    "numbers": (
        lambda c: c.chats.check_whatsapp_numbers([NUMBER, f"{NUMBER}@s.whatsapp.net"]),
        "POST",
        "/chat/whatsappNumbers/sales",
        {"numbers": [NUMBER, f"{NUMBER}@s.whatsapp.net"]},
    ),
    "read": (
        lambda c: c.chats.mark_message_as_read(MESSAGE),
        "POST",
        "/chat/markMessageAsRead/sales",
        {"readMessages": [WIRE_KEY]},
    ),
    "archive": (
        lambda c: c.chats.archive(MESSAGE, archive=False),
        "POST",
        "/chat/archiveChat/sales",
        {"archive": False, "chat": WIRE_KEY["remoteJid"], "lastMessage": LAST},
    ),
    "unread": (
        lambda c: c.chats.mark_unread(MESSAGE),
        "POST",
        "/chat/markChatUnread/sales",
        {"chat": WIRE_KEY["remoteJid"], "lastMessage": LAST},
    ),
    "delete message": (
        lambda c: c.chats.delete_message_for_everyone(KEY),
        "DELETE",
        "/chat/deleteMessageForEveryone/sales",
        WIRE_KEY,
    ),
    "edit": (
        lambda c: c.chats.update_message(KEY, "new"),
        "POST",
        "/chat/updateMessage/sales",
        {"number": WIRE_KEY["remoteJid"], "text": "new", "key": WIRE_KEY},
    ),
    "typing": (
        lambda c: c.chats.send_presence(NUMBER, "recording", delay_ms=500),
        "POST",
        "/chat/sendPresence/sales",
        {"number": NUMBER, "presence": "recording", "delay": 500},
    ),
    "block": (
        lambda c: c.chats.update_block_status(NUMBER, "block"),
        "POST",
        "/chat/updateBlockStatus/sales",
        {"number": NUMBER, "status": "block"},
    ),
    "media of a message": (
        lambda c: c.chats.get_base64_from_media_message(KEY, convert_to_mp4=True),
        "POST",
        "/chat/getBase64FromMediaMessage/sales",
        {"message": {"key": {"id": "3EB0AA"}}, "convertToMp4": True},
    ),
    "chats": (
        lambda c: c.chats.find(remote_jid=KEY.remote_jid, since=BEGIN, until=END, take=5, skip=2),
        "POST",
        "/chat/findChats/sales",
        {
            "where": {"remoteJid": KEY.remote_jid, "messageTimestamp": RANGE},
            "take": 5,
            "skip": 2,
        },
    ),
    "all chats": (lambda c: c.chats.find(), "POST", "/chat/findChats/sales", {}),
    "one chat": (
        lambda c: c.chats.find_by_remote_jid(Jid.parse(KEY.remote_jid)),
        "GET",
        "/chat/findChatByRemoteJid/sales?remoteJid=5511987654321%40s.whatsapp.net",
        None,
    ),
    "contacts": (
        lambda c: c.chats.find_contacts(remote_jid=KEY.remote_jid, page=2, page_size=10),
        "POST",
        "/chat/findContacts/sales",
        {"where": {"remoteJid": KEY.remote_jid}, "page": 2, "offset": 10},
    ),
    "messages": (
        lambda c: c.chats.find_messages(
            remote_jid=KEY.remote_jid,
            message_id="3EB0",
            from_me=True,
            participant="p@lid",
            message_type="conversation",
            source="web",
            since=BEGIN,
            until=END,
            page=3,
            page_size=7,
        ),
        "POST",
        "/chat/findMessages/sales",
        {
            "where": {
                "key": {
                    "id": "3EB0",
                    "remoteJid": KEY.remote_jid,
                    "fromMe": True,
                    "participant": "p@lid",
                },
                "messageType": "conversation",
                "source": "web",
                "messageTimestamp": RANGE,
            },
            "page": 3,
            "offset": 7,
        },
    ),
    "statuses": (
        lambda c: c.chats.find_status_message(message_id="3EB0", page_size=3),
        "POST",
        "/chat/findStatusMessage/sales",
        {"where": {"id": "3EB0"}, "page": 1, "offset": 3},
    ),
    "picture": (
        lambda c: c.chats.fetch_profile_picture_url(NUMBER),
        "POST",
        "/chat/fetchProfilePictureUrl/sales",
        {"number": NUMBER},
    ),
    "business profile": (
        lambda c: c.chats.fetch_business_profile(),
        "POST",
        "/chat/fetchBusinessProfile/sales",
        {},
    ),
    "profile": (
        lambda c: c.chats.fetch_profile(NUMBER),
        "POST",
        "/chat/fetchProfile/sales",
        {"number": NUMBER},
    ),
    "name": (
        lambda c: c.chats.update_profile_name("Loja"),
        "POST",
        "/chat/updateProfileName/sales",
        {"name": "Loja"},
    ),
    "about": (
        lambda c: c.chats.update_profile_status(""),
        "POST",
        "/chat/updateProfileStatus/sales",
        {"status": ""},
    ),
    "new picture": (
        lambda c: c.chats.update_profile_picture("https://a.example/p.png"),
        "POST",
        "/chat/updateProfilePicture/sales",
        {"picture": "https://a.example/p.png"},
    ),
    "no picture": (
        lambda c: c.chats.remove_profile_picture(),
        "DELETE",
        "/chat/removeProfilePicture/sales",
        None,
    ),
    "played": (
        lambda c: c.chats.mark_message_as_played(KEY),
        "POST",
        "/chat/markMessageAsPlayed/sales",
        {"playedMessages": [WIRE_KEY]},
    ),
    "poll votes": (
        lambda c: c.chats.get_poll_vote(KEY),
        "POST",
        "/chat/getPollVote/sales",
        {"message": {"key": {"id": "3EB0AA"}}, "remoteJid": WIRE_KEY["remoteJid"]},
    ),
    "channels": (
        lambda c: c.chats.find_channels(page=2, limit=10),
        "POST",
        "/chat/findChannels/sales",
        {"page": 2, "limit": 10},
    ),
    "privacy": (
        lambda c: c.chats.fetch_privacy_settings(),
        "GET",
        "/chat/fetchPrivacySettings/sales",
        None,
    ),
    "new privacy": (
        lambda c: c.chats.update_privacy_settings(**SIX),
        "POST",
        "/chat/updatePrivacySettings/sales",
        SIX,
    ),
}
