"""Requests of groups, labels, calls, proxy, templates, business, S3 and the low-level routes."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from request_checks import (
    SEEN,
    a_broken_rule_is_named_without_the_value,
    compare_with_the_table,
    good_values_pass_and_only_they_travel,
)

from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import RequestModel, baileys, business, s3
from evolution_sdk.models import requests_group as group
from evolution_sdk.models.call import OfferCallRequest
from evolution_sdk.models.label import HandleLabelRequest
from evolution_sdk.models.proxy import ProxyRequest
from evolution_sdk.models.template import (
    CreateTemplateRequest,
    DeleteTemplateRequest,
    EditTemplateRequest,
)

BODIES: dict[str, type[RequestModel]] = {
    "group.create_group": group.CreateGroupRequest,
    "group.update_group_subject": group.GroupSubjectRequest,
    "group.update_group_picture": group.GroupPictureRequest,
    "group.update_group_description": group.GroupDescriptionRequest,
    "group.send_group_invite": group.SendInviteRequest,
    "group.revoke_invite_code": group.GroupRef,
    "group.update_participants": group.ParticipantsRequest,
    "group.update_group_setting": group.GroupSettingRequest,
    "group.toggle_ephemeral": group.EphemeralRequest,
    "group.update_member_add_mode": group.MemberAddModeRequest,
    "label.handle_label": HandleLabelRequest,
    "call.offer_call": OfferCallRequest,
    "proxy.set_proxy": ProxyRequest,
    "template.create_template": CreateTemplateRequest,
    "template.edit_template": EditTemplateRequest,
    "template.delete_template": DeleteTemplateRequest,
    "business.get_catalog": business.CatalogRequest,
    "business.get_collections": business.CollectionsRequest,
    "s3.get_media": s3.FindMediaRequest,
    "s3.get_media_url": s3.MediaUrlRequest,
    "baileys.baileys_on_whatsapp": baileys.JidRequest,
    "baileys.baileys_profile_picture_url": baileys.PictureUrlRequest,
    "baileys.baileys_assert_sessions": baileys.JidsRequest,
    "baileys.baileys_create_participant_nodes": baileys.ParticipantNodesRequest,
    "baileys.baileys_get_usync_devices": baileys.DevicesRequest,
    "baileys.baileys_send_node": baileys.NodeRequest,
    "baileys.baileys_signal_decrypt": baileys.DecryptRequest,
}


def test_every_field_we_can_send_is_one_the_server_knows() -> None:
    compare_with_the_table({key.partition(".")[0] for key in BODIES}, BODIES)


NUMBER = "5511999999999"
OTHER = "5511988888888"
JID = f"{NUMBER}@s.whatsapp.net"
GROUP = "120363000000000001@g.us"
CODE = "F1EX5QZxO181L3TMVP31gY"
PNG = b64encode(b"\x89PNG\r\n\x1a\n----").decode()
PROXY = {"host": "proxy.example", "port": 8080}
TEMPLATE = {"name": "n", "category": "UTILITY", "language": "en_US", "components": ()}

GOOD: list[tuple[type[RequestModel], dict[str, Any]]] = [
    (group.CreateGroupRequest, {"subject": "s", "participants": (NUMBER,)}),
    (group.CreateGroupRequest,
     {"subject": "s", "participants": (NUMBER, OTHER), "description": "d",
      "promote_participants": False}),
    (group.GroupSubjectRequest, {"group_jid": GROUP, "subject": "s"}),
    (group.GroupPictureRequest, {"group_jid": GROUP, "image": PNG}),
    (group.GroupDescriptionRequest, {"group_jid": GROUP, "description": "d"}),
    (group.FetchGroupsQuery, {"get_participants": "true"}),
    (group.InviteQuery, {"invite_code": CODE}),
    (group.SendInviteRequest, {"group_jid": GROUP, "description": "d", "numbers": (NUMBER,)}),
    (group.ParticipantsRequest,
     {"group_jid": GROUP, "action": "demote", "participants": (NUMBER,)}),
    (group.GroupSettingRequest, {"group_jid": GROUP, "action": "not_announcement"}),
    (group.EphemeralRequest, {"group_jid": GROUP, "expiration": 0}),
    (group.MemberAddModeRequest, {"group_jid": GROUP, "mode": "all_member_add"}),
    (HandleLabelRequest, {"number": NUMBER, "label_id": "1", "action": "remove"}),
    (OfferCallRequest, {"number": NUMBER, "call_duration": 15, "is_video": False}),
    (ProxyRequest, PROXY),
    (ProxyRequest, {"enabled": False}),
    (ProxyRequest, {**PROXY, "port": "1", "protocol": "socks", "username": "u", "password": "p"}),
    (CreateTemplateRequest, {**TEMPLATE, "allow_category_change": False, "webhook_url": "u"}),
    (EditTemplateRequest, {"template_id": "1", "components": ({},), "ttl": 60}),
    (DeleteTemplateRequest, {"name": "n", "hsm_id": "1"}),
    (business.CatalogRequest, {}),
    (business.CatalogRequest, {"number": NUMBER, "limit": 50}),
    (business.CollectionsRequest, {"limit": 20}),
    (s3.FindMediaRequest, {}),
    (s3.FindMediaRequest, {"id": "cm1", "type": "sticker"}),
    (s3.InstanceQuery, {"instance_id": "7717b639"}),
    (s3.MediaUrlRequest, {"id": "cm1"}),
    (baileys.PictureUrlRequest, {"jid": GROUP, "type": "preview", "timeout_ms": 1}),
    (baileys.JidsRequest, {"jids": ()}),
    (baileys.ParticipantNodesRequest, {"jids": (JID,), "message": {}, "extra_attrs": {"a": "b"}}),
    (baileys.DevicesRequest, {"jids": (JID,), "use_cache": False, "ignore_zero_devices": True}),
    (baileys.NodeRequest, {"stanza": {"tag": "iq"}}),
    (baileys.DecryptRequest, {"jid": JID, "type": "msg", "ciphertext": "AA=="}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "values"), GOOD, ids=[model.__name__ for model, _ in GOOD])
def test_good_values_pass_and_only_they_travel(
    model: type[RequestModel], values: dict[str, Any]
) -> None:
    good_values_pass_and_only_they_travel(model, values)


BAD: list[tuple[type[RequestModel], dict[str, Any], str, str]] = [
    # model, values, the field named, a part of the rule
    (group.CreateGroupRequest, {"subject": "", "participants": (NUMBER,)}, "subject", "character"),
    (group.CreateGroupRequest, {"subject": "s", "participants": ()}, "participants", "1 item"),
    (group.CreateGroupRequest, {"subject": "s", "participants": (SEEN,)}, "participants[0]",
     "letters"),
    (group.CreateGroupRequest, {"subject": "s", "participants": (NUMBER, f"+{NUMBER}")},
     "participants", "once"),
    (group.CreateGroupRequest, {"subject": "s", "participants": (NUMBER,), "description": ""},
     "description", "character"),
    (group.CreateGroupRequest,
     {"subject": "s", "participants": (NUMBER,), "profile_picture": SEEN}, "profile_picture",
     "not permitted"),
    (group.GroupRef, {"group_jid": SEEN}, "group_jid", "digits and dashes"),
    (group.GroupRef, {"group_jid": ""}, "group_jid", "digits and dashes"),
    (group.GroupRef, {"group_jid": JID}, "group_jid", "digits and dashes"),
    (group.GroupRef, {"group_jid": Jid.parse(JID)}, "group_jid", "digits and dashes"),
    (group.GroupRef, {"group_jid": 120363000000000001}, "group_jid", "digits and dashes"),
    (group.GroupRef, {"group_jid": "\u0663@g.us"}, "group_jid", "digits and dashes"),
    (group.GroupSubjectRequest, {"group_jid": GROUP, "subject": ""}, "subject", "character"),
    (group.GroupPictureRequest, {"group_jid": GROUP, "image": f"{SEEN}!"}, "image", "base64"),
    (group.GroupPictureRequest, {"group_jid": GROUP, "image": f"ftp://{SEEN}/a.png"}, "image", ""),
    (group.GroupDescriptionRequest, {"group_jid": GROUP, "description": ""}, "description",
     "character"),
    (group.FetchGroupsQuery, {"get_participants": "maybe"}, "get_participants", "'true'"),
    (group.InviteQuery, {"invite_code": "short"}, "invite_code", "pattern"),
    (group.InviteQuery, {"invite_code": f"{CODE[:-1]}-"}, "invite_code", "pattern"),
    (group.InviteQuery, {"invite_code": f"https://chat.whatsapp.com/{SEEN}"}, "invite_code",
     "pattern"),
    (group.SendInviteRequest, {"group_jid": GROUP, "description": "", "numbers": (NUMBER,)},
     "description", "character"),
    (group.SendInviteRequest, {"group_jid": GROUP, "description": "d", "numbers": ()}, "numbers",
     "1 item"),
    (group.ParticipantsRequest, {"group_jid": GROUP, "action": SEEN, "participants": (NUMBER,)},
     "action", "'promote'"),
    (group.ParticipantsRequest, {"group_jid": GROUP, "action": "add", "participants": ()},
     "participants", "1 item"),
    (group.GroupSettingRequest, {"group_jid": GROUP, "action": SEEN}, "action", "'locked'"),
    (group.EphemeralRequest, {"group_jid": GROUP, "expiration": 5}, "expiration_seconds", "86400"),
    (HandleLabelRequest, {"number": NUMBER, "label_id": "", "action": "add"}, "label_id",
     "character"),
    (HandleLabelRequest, {"number": NUMBER, "label_id": "1", "action": SEEN}, "action", "'add'"),
    (OfferCallRequest, {"number": NUMBER, "call_duration": 0}, "duration_seconds", "greater"),
    (OfferCallRequest, {"number": NUMBER, "call_duration": 16}, "duration_seconds", "less"),
    (OfferCallRequest, {"number": NUMBER, "call_duration": 1.5}, "duration_seconds", "integer"),
    (OfferCallRequest, {"number": NUMBER}, "duration_seconds", "required"),
    (ProxyRequest, {}, "host", "host"),
    (ProxyRequest, {"host": SEEN}, "port", "port from 1"),
    (ProxyRequest, {"host": SEEN, "port": 65_536}, "port", "65535"),
    (ProxyRequest, {"host": SEEN, "port": "http"}, "port", "pattern"),
    (ProxyRequest, {"host": SEEN, "port": True}, "port", "string"),
    (ProxyRequest, {**PROXY, "protocol": "https"}, "protocol", "'socks'"),
    (ProxyRequest, {**PROXY, "password": SEEN}, "username", "without the other"),
    (ProxyRequest, {**PROXY, "username": SEEN}, "password", "without the other"),
    (CreateTemplateRequest, {**TEMPLATE, "name": ""}, "name", "character"),
    (CreateTemplateRequest, {**TEMPLATE, "language": ""}, "language", "character"),
    (CreateTemplateRequest, {**TEMPLATE, "category": SEEN}, "category", "'MARKETING'"),
    (CreateTemplateRequest, {**TEMPLATE, "components": None}, "components", "required"),
    (business.CatalogRequest, {"limit": 0}, "limit", "greater"),
    (business.CollectionsRequest, {"limit": 21}, "limit", "less"),
    (s3.FindMediaRequest, {"id": ""}, "media_id", "character"),
    (s3.FindMediaRequest, {"type": SEEN}, "media_type", "'image'"),
    (s3.InstanceQuery, {"instance_id": ""}, "instance_id", "character"),
    (s3.MediaUrlRequest, {"id": "no digit"}, "media_id", "pattern"),
    (baileys.JidRequest, {"jid": SEEN}, "jid", "letters"),
    (baileys.JidRequest, {"jid": 5511999999999}, "jid", "JID"),
    (baileys.JidsRequest, {"jids": (JID, "a@b@c")}, "jids[1]", "user@server"),
    (baileys.PictureUrlRequest, {"jid": JID, "type": SEEN}, "type", "'preview'"),
    (baileys.PictureUrlRequest, {"jid": JID, "timeout_ms": 0}, "wait_ms", "greater"),
    (baileys.DecryptRequest, {"jid": JID, "type": SEEN, "ciphertext": b"x"}, "type", "'pkmsg'"),
    (baileys.DecryptRequest, {"jid": JID, "type": "msg", "ciphertext": f"{SEEN}!"}, "ciphertext",
     "base64"),
    (baileys.DecryptRequest, {"jid": JID, "type": "msg", "ciphertext": b""}, "ciphertext",
     "at least 1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "values", "field", "rule"),
    BAD,
    ids=[f"{row[0].__name__}-{row[2]}-{row[3]}" for row in BAD],
)
def test_a_broken_rule_is_named_without_the_value(
    model: type[RequestModel], values: dict[str, Any], field: str, rule: str
) -> None:
    a_broken_rule_is_named_without_the_value(model, values, field, rule)


@pytest.mark.parametrize(
    "given", [GROUP, "120363000000000001", f" {GROUP} ", Jid.parse(GROUP)], ids=repr
)
def test_a_group_is_named_in_any_form(given: str | Jid) -> None:
    """``sendInvite`` takes it as it is, so that the suffix is always there."""
    assert group.GroupRef.check(group_jid=given).body() == {"groupJid": GROUP}


def test_an_old_group_id_is_taken() -> None:
    old = "5511999999999-1600000000@g.us"
    assert group.GroupRef.check(group_jid=old.partition("@")[0]).body() == {"groupJid": old}


@pytest.mark.parametrize(
    "given",
    [
        CODE,
        f"https://chat.whatsapp.com/{CODE}",
        f" https://chat.whatsapp.com/invite/{CODE}?mode=wwt ",
        f"chat.whatsapp.com/{CODE}",
    ],
)
def test_an_invitation_is_named_by_its_code_or_its_link(given: str) -> None:
    assert group.InviteQuery.check(invite_code=given).body() == {"inviteCode": CODE}


def test_a_number_too_short_for_the_schema_travels_as_jid() -> None:
    """The server demands ten characters, which numbers of small countries do not have."""
    short, long, hidden = "68340001", PhoneNumber.parse("4791234567"), "111222333444@lid"
    request = group.ParticipantsRequest.check(
        group_jid=GROUP, action="add", participants=(short, long, hidden)
    )
    assert request.body()["participants"] == [f"{short}@s.whatsapp.net", "4791234567", hidden]


def test_a_picture_travels_as_url_or_bare_base64() -> None:
    def sent(image: str) -> str:
        return str(group.GroupPictureRequest.check(group_jid=GROUP, image=image).body()["image"])

    url = "http://127.0.0.1:8086/media/pic.png"
    assert sent(url) == url
    assert sent(PNG) == PNG
    assert sent(f"data:image/png;base64,{PNG}") == PNG


def test_a_port_is_text_and_nothing_is_left_out() -> None:
    """The database takes no missing user name, the schema no missing host even when disabled."""
    assert ProxyRequest.check(**PROXY).body() == {
        "enabled": True,
        "host": "proxy.example",
        "port": "8080",
        "protocol": "http",
        "username": "",
        "password": "",
    }
    blank = dict.fromkeys(("host", "port", "username", "password"), "")
    assert ProxyRequest.check(enabled=False).body() == {
        **blank,
        "enabled": False,
        "protocol": "http",
    }


def test_the_low_level_routes_get_full_jids_with_their_device() -> None:
    given = (NUMBER, PhoneNumber.parse(NUMBER), Jid.parse(f"{NUMBER}:12@s.whatsapp.net"))
    sent = baileys.JidsRequest.check(jids=given).body()["jids"]
    assert sent == [JID, JID, f"{NUMBER}:12@s.whatsapp.net"]


def test_a_ciphertext_may_be_bytes() -> None:
    request = baileys.DecryptRequest.check(jid=JID, type="pkmsg", ciphertext=b"\x01\x02")
    assert request.body()["ciphertext"] == "AQI="
