"""The fake plays a version: what differs comes from the version's profile."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from fake_answers import body_of, message_of

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.operations.server_version import EVENTS_SINCE, SUPPORTED
from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.cli import build, parser

GROUP = "120363000000000001@g.us"
PEER, LID = "5511987654321", "111222333444555@lid"
ALL = (*SUPPORTED, "2.4-pre")


def made(version: str, **options: Any) -> FakeEvolution:
    fake = FakeEvolution(api_key="k", version=version, clock=FakeClock(), **options)
    for name, channel in (("sales", "WHATSAPP-BAILEYS"), ("evo", "EVOLUTION")):
        fake.create_instance(name, integration=channel)
    return fake


def ask(fake: FakeEvolution, method: str, path: str, body: Any = None) -> Any:
    headers = {"apikey": "k"} | ({} if body is None else {"content-type": "application/json"})
    content = b"" if body is None else json.dumps(body).encode()
    reply = fake.kernel.handle(method, path, headers, content)
    return httpx.Response(reply.status, content=reply.body)


def test_it_tells_its_version() -> None:
    told = {version: ask(made(version), "GET", "/").json() for version in ALL}
    assert {version: info["version"] for version, info in told.items()} == {
        **{version: version for version in SUPPORTED},
        "2.4-pre": "2.3.7",
    }
    assert [v for v, info in told.items() if "whatsappWebVersion" not in info] == ["2.2.3"]
    assert FakeEvolution().http_client().get("/").json()["version"] == "2.3.7"


@pytest.mark.parametrize("version", ["latest", "", "two"])
def test_what_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ConfigurationError, match=r"2\.2\.3, 2\.3\.6, 2\.3\.7, 2\.4\.0, 2\.4-pre"):
        FakeEvolution(version=version)


def test_the_command_takes_a_version() -> None:
    given = parser().parse_args(["--api-key", "k", "--server-version", "2.2.3"])
    assert build(given).http_client().get("/").json()["version"] == "2.2.3"
    assert build(parser().parse_args(["--api-key", "k"])).kernel.server.profile.at_least("2.3.7")


@pytest.mark.parametrize("version", ALL)
def test_a_route_that_it_lacks_is_not_there(version: str) -> None:
    fake = made(version)
    profile = fake.kernel.server.profile
    for name, operation in OPERATIONS.items():
        path = operation.path.replace("{instance}", "nope")
        answer = ask(fake, operation.method, path)
        lacking = answer.status_code == 404 and "Cannot " in answer.text
        assert lacking is (profile.lacks(operation) is not None), name


@pytest.mark.parametrize("version", ALL)
def test_it_announces_only_events_that_it_knows(version: str) -> None:
    fake = made(version)
    ask(fake, "POST", "/instance/create", {"instanceName": "new", "integration": "EVOLUTION"})
    ask(fake, "DELETE", "/instance/delete/new")
    told = {event["event"] for event in fake.events}
    for event in ("instance.create", "instance.delete"):
        since = EVENTS_SINCE[event.replace(".", "_").upper()]
        assert (event in told) is fake.kernel.server.profile.at_least(since)


@pytest.mark.parametrize("version", ALL)
def test_a_message_id_is_heeded_from_2_4_on(version: str) -> None:
    fake = made(version)
    heeds = fake.kernel.server.profile.has("message_ids")
    for name in ("sales", "evo"):
        body = {"number": PEER, "text": "x", "messageId": "3EB0C0FFEE0000000001"}
        for _ in range(2):
            answer = ask(fake, "POST", f"/message/sendText/{name}", body).json()
            assert (answer["key"]["id"] == body["messageId"]) is heeds
        where = {"where": {"key": {"id": body["messageId"]}}}
        found = ask(fake, "POST", f"/chat/findMessages/{name}", where).json()["messages"]
        assert found["total"] == (2 if heeds else 0)


@pytest.mark.parametrize(
    ("version", "told", "kept"),
    [
        ("2.2.3", {"remoteJid": LID}, {"remoteJid": LID}),
        (
            "2.3.6",
            {"remoteJid": LID, "remoteJidAlt": "phone", "addressingMode": "lid"},
            {"remoteJid": LID, "remoteJidAlt": "phone", "addressingMode": "lid"},
        ),
        (
            "2.3.7",
            {"remoteJid": "phone", "remoteJidAlt": "phone", "addressingMode": "lid",
             "participant": ""},
            {"remoteJid": LID, "remoteJidAlt": "phone", "addressingMode": "lid",
             "participant": ""},
        ),
        (
            "2.4.0",
            {"remoteJid": "phone", "remoteJidAlt": LID, "addressingMode": "pn", "participant": ""},
            {"remoteJid": LID, "remoteJidAlt": "phone", "addressingMode": "lid",
             "participant": ""},
        ),
    ],
)  # fmt: skip
def test_a_chat_under_a_hidden_id(version: str, told: dict[str, str], kept: dict[str, str]) -> None:
    """`facts/versions/baileys.md` "Event → shape": the event and the stored row."""
    fake = made(version)
    fake.set_lid(PEER, LID)
    key_id = fake.receive_text("sales", from_=LID, text="hi")
    event = next(e for e in fake.events if e["event"] == "messages.upsert")
    usual = {"fromMe": False, "id": key_id}

    def full(key: dict[str, str]) -> dict[str, Any]:
        phone = f"{PEER}@s.whatsapp.net"
        return usual | {name: phone if word == "phone" else word for name, word in key.items()}

    assert event["data"]["key"] == full(told)
    assert fake.instances["sales"].messages[0].key == full(kept)
    assert ("contextInfo" in event["data"]) is (version == "2.4.0")


@pytest.mark.parametrize(("version", "count"), [("2.3.6", 1), ("2.3.7", 2), ("2.4.0", 2)])
def test_the_second_jid_of_a_filter_is_an_alternative(version: str, count: int) -> None:
    """`fetchMessages` of each version in its source: before 2.3.7 the first must fit as well."""
    fake = made(version)
    fake.set_lid(PEER, LID)
    for sender in (PEER, LID, "5511900000009"):
        fake.receive_text("sales", from_=sender, text="hi")
    phone = f"{PEER}@s.whatsapp.net"
    where = {"where": {"key": {"remoteJid": phone, "remoteJidAlt": phone}}}
    found = ask(fake, "POST", "/chat/findMessages/sales", where).json()["messages"]
    assert found["total"] == count


@pytest.mark.parametrize(
    ("version", "count"), [("2.2.3", 2), ("2.3.6", 1), ("2.3.7", 2), ("2.4.0", 2)]
)
def test_a_message_that_comes_again(version: str, count: int) -> None:
    """`facts/versions/baileys.md` "same id twice"."""
    fake = made(version)
    for _ in range(2):
        fake.receive_text("sales", from_=PEER, text="hi", key_id="3A01")
    assert len(fake.instances["sales"].messages) == count
    assert [e["event"] for e in fake.events].count("messages.upsert") == count
    # After five minutes nobody remembers it.
    fake.clock.advance(300_001)
    fake.receive_text("sales", from_=PEER, text="hi", key_id="3A01")
    assert len(fake.instances["sales"].messages) == count + 1


def test_votes_come_from_2_3_7_on() -> None:
    for version in ALL:
        fake = made(version)
        vote = {"pollUpdateMessage": {"vote": {"selectedOptions": ["Yes"]}}}
        fake.receive("sales", from_=PEER, message=vote, kind="pollUpdateMessage")
        told = any(e["event"] == "messages.upsert" for e in fake.events)
        assert told is fake.kernel.server.profile.has("poll_votes_decrypted")


def test_members_in_group_events() -> None:
    for version in ALL:
        fake = made(version)
        fake.groups.add(GROUP, "Team", [])
        path = f"/group/updateParticipant/sales?groupJid={GROUP}"
        ask(fake, "POST", path, {"action": "add", "participants": [PEER]})
        data = next(e for e in fake.events if e["event"] == "group-participants.update")["data"]
        objects = fake.kernel.server.profile.has("participant_objects")
        assert all(isinstance(member, dict) is objects for member in data["participants"])
        assert ("participantsData" in data) is objects


@pytest.mark.parametrize(("version", "told"), [("2.3.7", True), ("2.4.0", False)])
def test_a_logout_is_silent_from_2_4_on(version: str, told: bool) -> None:
    fake = made(version)
    ask(fake, "DELETE", "/instance/logout/sales")
    assert any(e["event"] == "logout.instance" for e in fake.events) is told
    assert fake.instances["sales"].state == "close"
    again = ask(fake, "DELETE", "/instance/logout/sales")
    assert again.status_code == (400 if told else 200)


def test_gifs_are_for_the_release_of_2_4_alone() -> None:
    body = {"number": PEER, "mediatype": "video", "media": "AAAA", "fileName": "v.mp4"}
    gif = {**body, "gifPlayback": "true", "gifAttribution": "1"}
    for version in ALL:
        answer = ask(made(version), "POST", "/message/sendMedia/sales", gif).json()
        video = answer["message"]["videoMessage"]
        assert (video["gifPlayback"], video.get("gifAttribution")) == (
            (True, 1) if version == "2.4.0" else (False, None)
        )
    wrong = ask(made("2.4.0"), "POST", "/message/sendMedia/sales", {**body, "gifPlayback": "maybe"})
    words = "gifPlayback is not exactly one from [subschema 0],[subschema 1]"
    assert wrong.json()["response"]["message"] == [[words]]


def test_channels_are_recipients_from_2_4_on() -> None:
    body = {"number": "120363400000000001@newsletter", "text": "news"}
    assert ask(made("2.3.7"), "POST", "/message/sendText/sales", body).status_code == 400
    fake = made("2.4.0")
    assert ask(fake, "POST", "/message/sendText/sales", body).status_code == 201
    found = ask(fake, "POST", "/chat/findChannels/sales", {"page": 1, "limit": 1}).json()
    assert [row["remoteJid"] for row in found["records"]] == [body["number"]]


class TestNewRoutes:
    def test_templates(self) -> None:
        fake = made("2.3.7")
        ask(fake, "POST", "/template/create/evo", {
            "name": "promo", "category": "MARKETING", "language": "en_US", "components": [],
        })  # fmt: skip
        listed = ask(fake, "GET", "/template/find/evo").json()
        change = {"templateId": listed[-1]["id"], "category": "UTILITY", "ttl": 60}
        edited = ask(fake, "POST", "/template/edit/evo", change).json()
        assert edited == {"success": True, "id": listed[-1]["id"]}
        assert ask(fake, "GET", "/template/find/evo").json()[-1]["category"] == "UTILITY"
        assert ask(fake, "DELETE", "/template/delete/evo", {"name": "promo"}).json() == {
            "success": True
        }
        left = [row["name"] for row in ask(fake, "GET", "/template/find/evo").json()]
        assert left == ["hello_world"]
        assert fake.instances["evo"].tables["Template"] == []

    def test_a_template_that_meta_refuses(self) -> None:
        fake = made("2.3.7")
        fake.meta.refuse_template("hello_world")
        for method, path, body in (
            ("DELETE", "delete", {"name": "hello_world"}),
            ("POST", "edit", {"templateId": fake_template(fake)}),
        ):
            refused = ask(fake, method, f"/template/{path}/evo", body)
            assert (refused.status_code, refused.json()["details"]["context"]) == (
                400, f"template_{path}"
            )  # fmt: skip

    def test_members_who_add(self) -> None:
        fake = made("2.4.0")
        fake.groups.add(GROUP, "Team", [])
        path = f"/group/updateMemberAddMode/sales?groupJid={GROUP}"
        answer = ask(fake, "POST", path, {"mode": "all_member_add"})
        assert (answer.status_code, answer.json()) == (
            201, {"update": "success", "mode": "all_member_add"}
        )  # fmt: skip
        assert any(e["event"] == "groups.update" for e in fake.events)

    def test_played_and_ids(self) -> None:
        fake = made("2.4.0")
        keys = {"playedMessages": [{"id": "1", "fromMe": False, "remoteJid": "1@lid"}]}
        played = ask(fake, "POST", "/chat/markMessageAsPlayed/sales", keys)
        assert (played.status_code, played.json()["played"]) == (201, "success")
        one, two = (ask(fake, "GET", "/baileys/generateMessageID/sales").json()["id"] for _ in "12")
        assert one != two
        assert one.startswith("3EB0")

    def test_cards(self) -> None:
        fake = made("2.4.0")
        card = {"body": "c", "buttons": [{"type": "copy", "copyCode": "1", "displayText": "C"}]}
        shown = {**card, "imageUrl": "https://a.example/a.png", "footer": "f"}
        sent = [
            ask(fake, "POST", "/message/sendCarousel/sales",
                {"number": PEER, "body": "b", "cards": cards}).json()
            for cards in ([card], [shown, card])
        ]  # fmt: skip
        one, many = (answer["message"]["interactiveMessage"] for answer in sent)
        assert (one["body"]["text"], "carouselMessage" in one) == ("c", False)
        first = many["carouselMessage"]["cards"][0]
        assert (many["body"]["text"], first["footer"]["text"]) == ("b", "f")
        assert first["header"]["hasMediaAttachment"] is True
        assert fake.assert_sent(PEER, kind="interactiveMessage").text == "b"

    def test_a_licence(self) -> None:
        fake = made("2.4.0")
        assert ask(fake, "GET", "/license/status").json() == {
            "status": "active",
            "instance_id": "46574c01-323a-4663-ba30-303a30303a30",
            "api_key": "k...k",
        }
        for path in ("register", "activate"):
            assert ask(fake, "GET", f"/license/{path}").json()["status"] == "active"
        # Earlier servers have none, and serve whatever is said of one.
        assert ask(made("2.3.7", licensed=False), "GET", "/instance/fetchInstances").is_success


def fake_template(fake: FakeEvolution) -> str:
    return str(fake.kernel.server.meta.of(None)[0]["id"])


def test_a_minified_build_hides_the_call() -> None:
    for minified in (True, False):
        fake = made("2.3.7", minified=minified)
        reply = fake.kernel.handle(
            "POST", "/chat/findMessages/sales", {"apikey": "k", "content-type": "application/json"},
            b'{"offset": "3"}',
        )  # fmt: skip
        assert ("prismaRepository.message.findMany" in message_of(reply)) is not minified
        assert message_of(reply).endswith("Expected Int, provided String.")
        assert body_of(reply)["status"] == 500
