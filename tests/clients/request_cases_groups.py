"""What groups, labels, calls, proxy, templates, business, S3 and Baileys are to send."""

from __future__ import annotations

from typing import Any

from evolution_sdk import Jid, PhoneNumber

from .request_cases import NUMBER

GROUP = "120363000000000001@g.us"
ESCAPED = "120363000000000001%40g.us"
CODE = "F1EX5QZxO181L3TMVP31gY"
JID = f"{NUMBER}@s.whatsapp.net"
DEVICE = f"{NUMBER}:3@s.whatsapp.net"

GROUP_CASES: dict[str, tuple[Any, str, str, Any]] = {
    "group": (
        lambda c: c.groups.create("Team", [NUMBER]),
        "POST",
        "/group/create/sales",
        {"subject": "Team", "participants": [NUMBER]},
    ),
    "group with everything": (
        lambda c: c.groups.create(
            "Team",
            [PhoneNumber.parse(NUMBER), Jid.parse("111222@lid")],
            description="D",
            promote_participants=True,
        ),
        "POST",
        "/group/create/sales",
        {
            "subject": "Team",
            "participants": [NUMBER, "111222@lid"],
            "description": "D",
            "promoteParticipants": True,
        },
    ),
    "group subject": (
        lambda c: c.groups.update_subject(GROUP, "New"),
        "POST",
        "/group/updateGroupSubject/sales",
        {"groupJid": GROUP, "subject": "New"},
    ),
    "group picture": (
        lambda c: c.groups.update_picture(Jid.parse(GROUP), "https://a.example/p.png"),
        "POST",
        "/group/updateGroupPicture/sales",
        {"groupJid": GROUP, "image": "https://a.example/p.png"},
    ),
    "group description": (
        lambda c: c.groups.update_description("120363000000000001", "D"),
        "POST",
        "/group/updateGroupDescription/sales",
        {"groupJid": GROUP, "description": "D"},
    ),
    "group info": (
        lambda c: c.groups.find_info("120363000000000001"),
        "GET",
        f"/group/findGroupInfos/sales?groupJid={ESCAPED}",
        None,
    ),
    "all groups": (
        lambda c: c.groups.fetch_all(),
        "GET",
        "/group/fetchAllGroups/sales?getParticipants=false",
        None,
    ),
    "all groups with participants": (
        lambda c: c.groups.fetch_all(get_participants=True),
        "GET",
        "/group/fetchAllGroups/sales?getParticipants=true",
        None,
    ),
    "participants": (
        lambda c: c.groups.find_participants(GROUP),
        "GET",
        f"/group/participants/sales?groupJid={ESCAPED}",
        None,
    ),
    "invite code": (
        lambda c: c.groups.fetch_invite_code(GROUP),
        "GET",
        f"/group/inviteCode/sales?groupJid={ESCAPED}",
        None,
    ),
    "group by invite code": (
        lambda c: c.groups.find_by_invite_code(f"https://chat.whatsapp.com/{CODE}"),
        "GET",
        f"/group/inviteInfo/sales?inviteCode={CODE}",
        None,
    ),
    "join": (
        lambda c: c.groups.accept_invite_code(CODE),
        "GET",
        f"/group/acceptInviteCode/sales?inviteCode={CODE}",
        None,
    ),
    "send invite": (
        lambda c: c.groups.send_invite("120363000000000001", [NUMBER], "Join us"),
        "POST",
        "/group/sendInvite/sales",
        {"groupJid": GROUP, "numbers": [NUMBER], "description": "Join us"},
    ),
    "revoke invite code": (
        lambda c: c.groups.revoke_invite_code(GROUP),
        "POST",
        "/group/revokeInviteCode/sales",
        {"groupJid": GROUP},
    ),
    "update participants": (
        lambda c: c.groups.update_participants(GROUP, "promote", [NUMBER]),
        "POST",
        "/group/updateParticipant/sales",
        {"groupJid": GROUP, "action": "promote", "participants": [NUMBER]},
    ),
    "group member add mode": (
        lambda c: c.groups.update_member_add_mode(GROUP, "admin_add"),
        "POST",
        "/group/updateMemberAddMode/sales",
        {"groupJid": GROUP, "mode": "admin_add"},
    ),
    "group setting": (
        lambda c: c.groups.update_setting(GROUP, "announcement"),
        "POST",
        "/group/updateSetting/sales",
        {"groupJid": GROUP, "action": "announcement"},
    ),
    "ephemeral": (
        lambda c: c.groups.toggle_ephemeral(GROUP, 604_800),
        "POST",
        "/group/toggleEphemeral/sales",
        {"groupJid": GROUP, "expiration": 604_800},
    ),
    "leave": (
        lambda c: c.groups.leave(GROUP),
        "DELETE",
        f"/group/leaveGroup/sales?groupJid={ESCAPED}",
        None,
    ),
}
OTHER_CASES: dict[str, tuple[Any, str, str, Any]] = {
    "server.metrics": (lambda c: c.server.metrics(), "GET", "/metrics", None),
    "labels": (lambda c: c.labels.find(), "GET", "/label/findLabels/sales", None),
    "label": (
        lambda c: c.labels.handle(NUMBER, "1", "remove"),
        "POST",
        "/label/handleLabel/sales",
        {"number": NUMBER, "labelId": "1", "action": "remove"},
    ),
    "call": (
        lambda c: c.calls.offer(NUMBER, duration_seconds=3, is_video=False),
        "POST",
        "/call/offer/sales",
        {"number": NUMBER, "callDuration": 3, "isVideo": False},
    ),
    "proxy": (
        lambda c: c.proxy.set("proxy.example", 1080, protocol="socks", username="u", password="p"),
        "POST",
        "/proxy/set/sales",
        {
            "enabled": True,
            "host": "proxy.example",
            "port": "1080",
            "protocol": "socks",
            "username": "u",
            "password": "p",
        },
    ),
    "no proxy": (
        lambda c: c.proxy.set(enabled=False),
        "POST",
        "/proxy/set/sales",
        {
            "enabled": False,
            "host": "",
            "port": "",
            "protocol": "http",
            "username": "",
            "password": "",
        },
    ),
    "proxy.find": (lambda c: c.proxy.find(), "GET", "/proxy/find/sales", None),
    "template.create": (
        lambda c: c.templates.create(
            "promo_1",
            category="MARKETING",
            language="en_US",
            components=[{"type": "BODY", "text": "Hi"}],
            allow_category_change=False,
            webhook_url="https://a.example/template",
        ),
        "POST",
        "/template/create/sales",
        {
            "name": "promo_1",
            "category": "MARKETING",
            "language": "en_US",
            "components": [{"type": "BODY", "text": "Hi"}],
            "allowCategoryChange": False,
            "webhookUrl": "https://a.example/template",
        },
    ),
    "template.edit": (
        lambda c: c.templates.edit(
            "594425479261596",
            components=[{"type": "BODY", "text": "new"}],
            category="UTILITY",
            allow_category_change=True,
            ttl_seconds=3600,
        ),
        "POST",
        "/template/edit/sales",
        {
            "templateId": "594425479261596",
            "components": [{"type": "BODY", "text": "new"}],
            "category": "UTILITY",
            "allowCategoryChange": True,
            "ttl": 3600,
        },
    ),
    "template.delete": (
        lambda c: c.templates.delete("hello_world", hsm_id="594425479261596"),
        "DELETE",
        "/template/delete/sales",
        {"name": "hello_world", "hsmId": "594425479261596"},
    ),
    "template.find": (lambda c: c.templates.find(), "GET", "/template/find/sales", None),
    "catalog": (
        lambda c: c.business.get_catalog(NUMBER, limit=50),
        "POST",
        "/business/getCatalog/sales",
        {"number": NUMBER, "limit": 50},
    ),
    "own catalog": (
        lambda c: c.business.get_catalog(),
        "POST",
        "/business/getCatalog/sales",
        {},
    ),
    "collections": (
        lambda c: c.business.get_collections(NUMBER, limit=20),
        "POST",
        "/business/getCollections/sales",
        {"number": NUMBER, "limit": 20},
    ),
    "s3 media": (
        lambda c: c.s3.get_media("7717b639-263d", media_id="cm1", media_type="image"),
        "POST",
        "/s3/getMedia/sales?instanceId=7717b639-263d",
        {"id": "cm1", "type": "image"},
    ),
    "s3 url": (
        lambda c: c.s3.get_media_url("cm1"),
        "POST",
        "/s3/getMediaUrl/sales",
        {"id": "cm1"},
    ),
    "on whatsapp": (
        lambda c: c.baileys.on_whatsapp(NUMBER),
        "POST",
        "/baileys/onWhatsapp/sales",
        {"jid": JID},
    ),
    "baileys picture": (
        lambda c: c.baileys.profile_picture_url(GROUP, type="image", wait_ms=500),
        "POST",
        "/baileys/profilePictureUrl/sales",
        {"jid": GROUP, "type": "image", "timeoutMs": 500},
    ),
    "sessions": (
        lambda c: c.baileys.assert_sessions([DEVICE]),
        "POST",
        "/baileys/assertSessions/sales",
        {"jids": [DEVICE]},
    ),
    "participant nodes": (
        lambda c: c.baileys.create_participant_nodes(
            [DEVICE], {"conversation": "x"}, extra_attrs={"count": "0"}
        ),
        "POST",
        "/baileys/createParticipantNodes/sales",
        {"jids": [DEVICE], "message": {"conversation": "x"}, "extraAttrs": {"count": "0"}},
    ),
    "devices": (
        lambda c: c.baileys.get_usync_devices([JID], use_cache=False, ignore_zero_devices=True),
        "POST",
        "/baileys/getUSyncDevices/sales",
        {"jids": [JID], "useCache": False, "ignoreZeroDevices": True},
    ),
    "message tag": (
        lambda c: c.baileys.generate_message_tag(),
        "POST",
        "/baileys/generateMessageTag/sales",
        {},
    ),
    "message id": (
        lambda c: c.baileys.generate_message_id(),
        "GET",
        "/baileys/generateMessageID/sales",
        None,
    ),
    "node": (
        lambda c: c.baileys.send_node({"tag": "iq", "attrs": {}}),
        "POST",
        "/baileys/sendNode/sales",
        {"stanza": {"tag": "iq", "attrs": {}}},
    ),
    "decrypt": (
        lambda c: c.baileys.signal_decrypt(DEVICE, "msg", b"\x00"),
        "POST",
        "/baileys/signalRepositoryDecryptMessage/sales",
        {"jid": DEVICE, "type": "msg", "ciphertext": "AA=="},
    ),
    "auth state": (
        lambda c: c.baileys.get_auth_state(),
        "POST",
        "/baileys/getAuthState/sales",
        {},
    ),
}
