"""Phones act on the fake: what bots hear of it, what is refused, and what the store has then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from delivery_stage import PEER, ask

from evolution_sdk import ConfigurationError, EvolutionClient
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.models import Button, ListRow, ListSection
from evolution_sdk.testing import FakeClock, FakeControl, FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

GROUP = "120363000000000001@g.us"
LID = "111222333444555@lid"
KEY = "a long random text"
ALL = ("2.2.3", "2.3.6", "2.3.7", "2.4-pre", "2.4.0")


def made(version: str = "2.3.7", **options: Any) -> FakeEvolution:
    fake = FakeEvolution(version=version, clock=FakeClock(), **options)
    fake.create_instance("sales", owner="5511900000001")
    return fake


def poll(fake: FakeEvolution, *, most: int = 1, number: str = PEER) -> str:
    body = {"number": number, "name": "Q", "selectableCount": most, "values": ["Yes", "No"]}
    return str(ask(fake, "POST", "/message/sendPoll/sales", body).json()["key"]["id"])


def since(fake: FakeEvolution, act: Callable[[], Any]) -> list[tuple[str, Any]]:
    """What an act has told of messages."""
    before = len(fake.events)
    act()
    return [
        (e["event"], e["data"]) for e in fake.events[before:] if e["event"].startswith("messages.")
    ]


# Through a receiver and a client, as a bot has it.


class Bot:
    """A client whose instance delivers to a receiver, in one frozen time."""

    def __init__(self, version: str = "2.3.7") -> None:
        self.clock = FakeClock()
        self.fake = FakeEvolution(version=version, clock=self.clock)
        self.fake.create_instance("sales")
        self.client = EvolutionClient(
            self.fake.url, self.fake.api_key, instance="sales",
            http_client=self.fake.http_client(), clock=self.clock, sleep=self.clock.sleep,
        )  # fmt: skip
        self.router = EventRouter()
        self.receiver = WebhookReceiver(
            self.router, jwt_key=KEY, client=self.client, clock=self.clock.time
        )
        self.client.webhook.set(
            url="http://bot.test/hook", events=["MESSAGES_UPSERT"], headers={"jwt_key": KEY}
        )
        self.heard: list[MessagesUpsert] = []
        self.router.on(MessagesUpsert)(self.heard.append)

    def deliver(self) -> None:
        made = self.fake.webhooks.deliver(httpx.WSGITransport(self.receiver.wsgi))
        assert {attempt.status for attempt in made} == {200}
        self.receiver.drain()

    def close(self) -> None:
        self.receiver.close()
        self.client.close()


@pytest.fixture
def bot() -> Any:
    made = Bot()
    yield made
    made.close()


def test_a_reply_is_waited_for(bot: Bot) -> None:
    sent = bot.client.messages.send_text(PEER, "How are you?")
    bot.fake.receive_text("sales", from_=PEER, text="not about that")
    bot.fake.receive_text("sales", from_=PEER, text="fine", quote=sent.id)
    bot.deliver()
    assert sent.wait_for_reply(quoted=True, timeout_ms=1_000).text == "fine"


def test_a_button_is_a_reply(bot: Bot) -> None:
    buttons = [Button(type="reply", display_text=text, id=text[0]) for text in ("Yes", "No")]
    sent = bot.client.messages.send_buttons(PEER, title="?", buttons=buttons)
    bot.fake.choose("sales", message_id=sent.id, title="No")
    bot.deliver()
    reply = sent.wait_for_reply(quoted=True, timeout_ms=1_000)
    assert reply.selected is not None
    assert (reply.selected.id, reply.selected.title) == ("N", "No")


def test_a_row_of_a_list_is_a_reply(bot: Bot) -> None:
    row = ListRow(title="Pizza", description="Large", row_id="p")
    sent = bot.client.messages.send_list(
        PEER, title="Menu", description="Today", button_text="See", footer_text="-",
        sections=[ListSection(title="S", rows=(row,))],
    )  # fmt: skip
    bot.fake.choose("sales", message_id=sent.id, id="p")
    bot.deliver()
    selected = sent.wait_for_reply(timeout_ms=1_000).selected
    assert selected is not None
    assert (selected.id, selected.title, selected.description) == ("p", "Pizza", "Large")


@pytest.mark.parametrize("version", ["2.3.7", "2.4.0"])
def test_a_vote_is_waited_for(version: str) -> None:
    bot = Bot(version)
    sent = bot.client.messages.send_poll(PEER, "Q", ["Yes", "No"])
    for options in (["Yes"], [], ["No"]):
        bot.fake.vote("sales", poll=sent.id, options=options)
    bot.deliver()
    vote = sent.wait_for_vote(option="No", timeout_ms=1_000)
    assert vote.poll_vote is not None
    assert vote.poll_vote.options == ("No",)
    bot.close()


def test_votes_reactions_edits_and_deletions_are_heard(bot: Bot) -> None:
    sent = bot.client.messages.send_poll(PEER, "Q", ["Yes", "No"])
    bot.fake.vote("sales", poll=sent.id, options=["No"])
    bot.fake.vote("sales", poll=sent.id, options=[])
    bot.fake.react("sales", message_id=sent.id, emoji="👍")
    bot.deliver()
    first, gone, reaction = bot.heard
    assert first.poll_vote is not None
    assert gone.poll_vote is not None
    assert (first.poll_vote.poll_id, first.poll_vote.options) == (sent.id, ("No",))
    assert (gone.poll_vote.options, gone.poll_vote.is_removed) == ((), True)
    assert first.poll_vote.poll is not None
    assert first.poll_vote.poll.from_me
    assert reaction.reaction is not None
    assert (reaction.reaction.emoji, reaction.reaction.target.id) == ("👍", sent.id)


# Versions.


def test_votes_by_version() -> None:
    """`facts/versions/baileys.md` "2.3.6 → 2.3.7 → 2.4-pre": 2.3.6 leaves votes out."""
    for version in ALL:
        fake = made(version)
        sent = poll(fake)
        told = since(fake, lambda fake=fake, sent=sent: fake.vote(  # type: ignore[misc]
            "sales", poll=sent, options=["Yes"]))  # fmt: skip
        read = version not in ("2.2.3", "2.3.6")
        assert [event for event, _ in told] == (["messages.upsert"] if read else [])
        votes = [row for row in fake.instances["sales"].messages if row.key["id"] != sent]
        assert len(votes) == read


def test_the_count_of_2_4_has_the_vote() -> None:
    fake = made("2.4.0")
    sent = poll(fake)
    fake.vote("sales", poll=sent, options=["No"])
    body = {"message": {"key": {"id": sent}}, "remoteJid": f"{PEER}@s.whatsapp.net"}
    answer = ask(fake, "POST", "/chat/getPollVote/sales", body).json()
    assert answer["poll"]["results"]["No"]["votes"] == 1


@pytest.mark.parametrize(
    ("version", "edited", "revoked"),
    [
        ("2.2.3", ["edited"], ["delete"]),
        ("2.3.0", ["edited"], ["delete"]),
        ("2.3.6", ["edited"], ["edited", "delete"]),
        ("2.3.7", ["edited", "update"], ["edited", "delete"]),
        ("2.4.0", ["edited", "update"], ["edited", "delete"]),
    ],
)
def test_edits_and_deletions_by_version(
    version: str, edited: list[str], revoked: list[str]
) -> None:
    """`facts/versions/baileys.md` "Event → shape"; 2.3.0 and 2.3.6 by their source."""
    fake = made(version)
    key_id = fake.receive_text("sales", from_=PEER, text="one")
    told = since(fake, lambda: fake.edit("sales", key_id, "two"))
    assert [event.removeprefix("messages.") for event, _ in told] == edited
    # The contact's phone names us as the chat, and the message as its own.
    assert told[0][1]["key"] == {
        "remoteJid": "5511900000001@s.whatsapp.net", "fromMe": True, "id": key_id,
    }  # fmt: skip
    row = fake.instances["sales"].message(key_id)
    assert row is not None
    assert row.message["conversation"] == ("one" if version == "2.2.3" else "two")
    told = since(fake, lambda: fake.revoke("sales", key_id))
    assert [event.removeprefix("messages.") for event, _ in told] == revoked
    deleted = told[-1][1]
    assert (deleted["id"], deleted["fromMe"]) == (key_id, False)
    assert deleted.get("status") == ("DELETED" if version >= "2.3.7" else None)
    assert (row.content is None) is (len(revoked) == 2)


def test_a_deleted_row_is_null_wherever_it_is_listed() -> None:
    fake = made()
    key_id = fake.receive_text("sales", from_=PEER, text="secret")
    fake.revoke("sales", key_id)
    found = ask(fake, "POST", "/chat/findMessages/sales", {}).json()["messages"]["records"]
    (chat,) = ask(fake, "POST", "/chat/findChats/sales", {}).json()
    assert (found[0]["message"], chat["lastMessage"]["message"]) == (None, None)
    ask(fake, "DELETE", "/chat/deleteMessageForEveryone/sales", {
        "id": key_id, "remoteJid": f"{PEER}@s.whatsapp.net", "fromMe": True,
    })  # fmt: skip
    assert fake.events[-1]["data"]["message"] is None


def test_a_server_that_stores_no_updates_still_tells() -> None:
    fake = made(store_message_updates=False)
    key_id = fake.receive_text("sales", from_=PEER, text="one")
    assert len(since(fake, lambda: fake.edit("sales", key_id, "two"))) == 2
    fake.revoke("sales", key_id)
    assert fake.instances["sales"].updates == []


def test_captions_are_edited() -> None:
    fake = made()
    key_id = fake.receive(
        "sales", from_=PEER, message={"imageMessage": {"caption": "a", "width": 1}},
        kind="imageMessage", from_me=True,
    )  # fmt: skip
    ((_, edited), (_, update)) = since(fake, lambda: fake.edit("sales", key_id, "b"))
    assert edited["editedMessage"] == {"imageMessage": {"caption": "b", "width": 1}}
    assert update["fromMe"] is True


# Who, and where.


@pytest.mark.parametrize(
    ("version", "chat", "other"),
    [
        ("2.2.3", LID, None),
        ("2.3.6", LID, "phone"),
        ("2.3.7", "phone", "phone"),
        ("2.4.0", "phone", LID),
    ],
)
def test_answers_in_a_chat_under_a_hidden_id(version: str, chat: str, other: str | None) -> None:
    """`facts/versions/baileys.md` "Event → shape": a text in a @lid chat, phone known."""
    fake = made(version)
    fake.set_lid(PEER, LID)
    key_id = fake.receive_text("sales", from_=LID, text="hi")
    # The person is named by either of their ids.
    ((_, told),) = since(fake, lambda: fake.react(
        "sales", message_id=key_id, emoji="👍", from_=PEER))  # fmt: skip
    words = {"phone": f"{PEER}@s.whatsapp.net", None: None}
    assert told["key"]["remoteJid"] == words.get(chat, chat)
    assert told["key"].get("remoteJidAlt") == words.get(other, other)
    # The key inside is the library's, which no version turns to the phone.
    assert told["message"]["reactionMessage"]["key"]["remoteJid"] == LID


def test_members_are_named_as_their_group_names_them() -> None:
    fake = made()
    fake.set_lid(PEER, LID)
    fake.groups.add(GROUP, "Team", [LID, "100000000000009@lid"], cached=True)
    sent = poll(fake, number=GROUP)
    for who in ({"from_": PEER}, {"from_": LID}, {"from_": GROUP, "participant": PEER}):
        ((_, told),) = since(fake, lambda who=who: fake.vote(  # type: ignore[misc]
            "sales", poll=sent, options=["Yes"], **who))  # fmt: skip
        assert told["key"]["participant"] == LID
        assert told["pollUpdates"][0] == {"name": "Yes", "voters": [LID]}
        # Our own poll: its author is our own hidden id.
        key = told["message"]["pollUpdateMessage"]["pollCreationMessageKey"]
        assert (key["fromMe"], key["participant"].endswith("@lid")) == (True, True)
    with pytest.raises(ValueError, match="participant: must name who"):
        fake.vote("sales", poll=sent, options=["Yes"])


def test_an_admin_deletes_our_message() -> None:
    fake = made()
    fake.groups.add(GROUP, "Team", ["100000000000009@lid"], cached=True)
    body = {"number": GROUP, "text": "x"}
    sent = ask(fake, "POST", "/message/sendText/sales", body).json()["key"]["id"]
    ((_, edited), (_, deleted)) = since(
        fake, lambda: fake.revoke("sales", sent, from_="100000000000009@lid")
    )
    assert (edited["key"]["fromMe"], deleted["fromMe"]) == (False, False)
    assert deleted["participant"] == "100000000000009@lid"
    assert edited["key"]["participant"] != deleted["participant"]


@pytest.mark.parametrize("version", ["2.3.7", "2.4.0"])
def test_a_quote_of_a_file_is_in_the_content(version: str) -> None:
    fake = made(version)
    sent = ask(fake, "POST", "/message/sendText/sales", {"number": PEER, "text": "a"}).json()
    ((_, told),) = since(fake, lambda: fake.receive(
        "sales", from_=PEER, message={"imageMessage": {"caption": "b"}}, kind="imageMessage",
        quote=sent["key"]["id"], mentions=["5511911111111"]))  # fmt: skip
    inside = told["message"]["imageMessage"]["contextInfo"]
    assert inside["stanzaId"] == sent["key"]["id"]
    assert inside["participant"] == "5511900000001@s.whatsapp.net"
    assert inside["mentionedJid"] == ["5511911111111@s.whatsapp.net"]
    assert told["contextInfo"] == (inside if version == "2.3.7" else None)


# History.


def batch(*texts: str) -> list[dict[str, Any]]:
    return [
        {"key": {"remoteJid": PEER, "id": text}, "message": {"conversation": text}}
        for text in texts
    ]


def test_a_history_comes_in_batches_and_ends_with_its_sum() -> None:
    fake = made("2.4.0")
    fake.sync_history("sales", batch("a"), contacts={PEER: "Ana"}, progress=40, is_latest=False)
    fake.sync_history("sales", batch("a", "b"), progress=100, is_latest=True)
    sets = [e for e in fake.events if e["event"] == "messages.set"]
    assert [(e["progress"], e["isLatest"]) for e in sets] == [(40, False), (100, True)]
    # What is stored is not told again.
    assert [[row["key"]["id"] for row in e["data"]] for e in sets] == [["a"], ["b"]]
    assert [row["pushName"] for e in sets for row in e["data"]] == ["Ana", PEER]
    (summary,) = [e["data"] for e in fake.events if e["event"] == "messaging-history.set"]
    assert summary == {"messageCount": 2, "chatCount": 1, "contactCount": 1, "progress": 100}
    # Another run counts anew, as does one whose progress falls.
    fake.sync_history("sales", batch("c"), progress=50)
    fake.sync_history("sales", batch("d"), progress=50)
    assert fake.instances["sales"].history.messages == 1
    assert fake.instances["sales"].contact(f"{PEER}@s.whatsapp.net") is not None


def test_a_history_by_version() -> None:
    for version in ALL:
        fake = made(version)
        fake.sync_history("sales", batch("a"), progress=100)
        profile = fake.kernel.server.profile
        told = {e["event"]: e for e in fake.events}
        assert ("progress" in told["messages.set"]) is profile.has("history_progress")
        assert ("remoteLid" in told["chats.set"]["data"][0]) is profile.has("chat_lids")
        assert ("messaging-history.set" in told) is version.startswith("2.4")
        found = ask(fake, "POST", "/chat/findMessages/sales", {}).json()["messages"]["records"]
        assert [row["message"] for row in found] == [{"conversation": "a"}]


# What else a phone starts.


def test_a_hidden_caller_is_told_with_the_phone() -> None:
    for version, told in (("2.2.3", None), ("2.3.7", f"{PEER}@s.whatsapp.net")):
        fake = made(version)
        fake.set_lid(PEER, LID)
        first = fake.call("sales", from_=LID)
        assert fake.call("sales", from_=LID, status="timeout", call_id=first) == first
        offer, timeout = (e["data"] for e in fake.events[-2:])
        assert (offer["status"], timeout["status"], offer["id"]) == ("offer", "timeout", first)
        assert offer.get("callerPn") == told


def test_a_member_types_in_a_group() -> None:
    fake = made()
    fake.presence("sales", from_=GROUP, participant=LID, state="recording")
    assert fake.events[-1]["data"] == {
        "id": GROUP, "presences": {LID: {"lastKnownPresence": "recording"}},
    }  # fmt: skip


@pytest.mark.parametrize(("version", "state"), [("2.3.7", "close"), ("2.4.0", "open")])
def test_a_closed_evolution_instance_is_connected(version: str, state: str) -> None:
    """``connectToWhatsapp`` of `evolution.channel.service.ts`, 2.3.7 and 2.4.0-rc2."""
    fake = FakeEvolution(version=version, clock=FakeClock())
    fake.create_instance("local", integration="EVOLUTION")
    fake.set_state("local", "close")
    ask(fake, "GET", "/instance/connect/local")
    assert fake.instances["local"].state == state


def test_odd_buttons_are_survived() -> None:
    fake = made()
    buttons = [
        {"name": "quick_reply", "buttonParamsJson": "{"},
        {"name": "quick_reply"},
        "none",
        {"name": "quick_reply", "buttonParamsJson": '{"id":"a","display_text":"A"}'},
    ]
    offer = {"interactiveMessage": {"nativeFlowMessage": {"buttons": buttons}}}
    key_id = fake.receive("sales", from_=PEER, message=offer, kind="interactiveMessage")
    ((_, told),) = since(fake, lambda: fake.choose("sales", message_id=key_id, title="A"))
    answer = told["message"]["interactiveResponseMessage"]
    assert answer["nativeFlowResponseMessage"]["paramsJson"] == '{"id":"a","display_text":"A"}'


# Refusals.


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda fake, text, sent: fake.vote("sales", poll=text, options=[]), "poll: .* is no poll"),
        (
            lambda fake, text, sent: fake.vote("sales", poll=sent, options=["Maybe"]),
            "options: the poll has no option 'Maybe'; it has Yes, No",
        ),
        (
            lambda fake, text, sent: fake.vote("sales", poll=sent, options=["Yes", "No"]),
            "options: this poll takes at most 1",
        ),
        (lambda fake, text, sent: fake.vote("sales", poll=sent, options="Yes"), "options"),
        (lambda fake, text, sent: fake.vote("sales", poll="3A00", options=[]), "from_: is needed"),
        (
            lambda fake, text, sent: fake.vote(
                "sales", poll=sent, options=[], from_="5511911111111"
            ),
            "from_: is not in the chat",
        ),
        (lambda fake, text, sent: fake.choose("sales", message_id=text, id="a"), "nothing to ch"),
        (lambda fake, text, sent: fake.edit("sales", sent, "x"), "message_id: a pollCreationMess"),
        (
            lambda fake, text, sent: fake.revoke("sales", sent, from_=PEER),
            "from_: only the author deletes",
        ),
        (lambda fake, text, sent: fake.sync_history("sales", [{}]), r"messages\[0\]: must be a"),
        (lambda fake, text, sent: fake.edit("local", text, "x"), "instance: only WHATSAPP-BAILEYS"),
        (lambda fake, text, sent: fake.presence("sales", from_=PEER, state="asleep"), "state"),
    ],
)  # fmt: skip
def test_what_no_phone_can_do(act: Callable[..., Any], words: str) -> None:
    fake = made()
    fake.create_instance("local", integration="EVOLUTION")
    text = fake.receive_text("sales", from_=PEER, text="x")
    sent = poll(fake)
    before = list(fake.events)
    with pytest.raises(ConfigurationError, match=words):
        act(fake, text, sent)
    assert fake.events == before


@pytest.mark.parametrize(
    "act",
    [
        lambda fake: fake.edit("sales", "3A00", "x"),
        lambda fake: fake.revoke("sales", "3A00"),
        lambda fake: fake.react("sales", message_id="3A00", emoji="👍"),
        lambda fake: fake.choose("sales", message_id="3A00", id="a"),
        lambda fake: fake.receive_text("sales", from_=PEER, text="x", quote="3A00"),
    ],
)
def test_a_message_that_is_not_there(act: Callable[[FakeEvolution], Any]) -> None:
    fake = made()
    with pytest.raises(KeyError, match="message_id: the instance has stored no message '3A00'"):
        act(fake)
    with pytest.raises(KeyError, match="no instance 'nope'"):
        fake.edit("nope", "3A00", "x")


# From another process.


def test_phones_act_from_another_process() -> None:
    fake = made("2.4.0")
    with fake.serve(), FakeControl(fake.url, fake.api_key) as control:
        sent = poll(fake)
        vote = control.vote("sales", poll=sent, options=["No"], push_name="Ana")
        assert fake.instances["sales"].message(vote) is not None
        text = control.receive_text("sales", from_=PEER, text="x", quote=sent, mentions=[LID])
        control.react("sales", message_id=text, emoji="👍", from_=PEER)
        control.edit("sales", text, "y")
        control.revoke("sales", text)
        control.sync_history("sales", batch("a"), contacts={PEER: "Ana"}, progress=100)
        control.presence("sales", from_=PEER)
        assert len(control.call("sales", from_=PEER)) == 32
        with pytest.raises(KeyError, match="stored no message"):
            control.choose("sales", message_id="3A00", title="Yes")
        with pytest.raises(ValueError, match="has no option"):
            control.vote("sales", poll=sent, options=["Maybe"])
    told = [e["event"] for e in fake.events]
    for event in ("messages.edited", "messages.delete", "presence.update", "call", "messages.set"):
        assert event in told


def test_the_own_phone_votes_and_reacts() -> None:
    """Recorded as a row: `findMessages rows (extra)` of 2.3.7, "3ASIM00000000000524"."""
    fake = made()
    sent = poll(fake)
    ((_, vote),) = since(
        fake, lambda: fake.vote("sales", poll=sent, options=["No"], from_="5511900000001")
    )
    assert vote["key"]["fromMe"] is True
    assert vote["message"]["pollUpdateMessage"]["pollCreationMessageKey"] == {
        "remoteJid": f"{PEER}@s.whatsapp.net", "fromMe": True, "id": sent,
    }  # fmt: skip
    assert vote["pollUpdates"][1]["voters"] == ["5511900000001@s.whatsapp.net"]
    text = fake.receive_text("sales", from_=GROUP, participant=LID, text="x")
    ((_, told),) = since(fake, lambda: fake.react(
        "sales", message_id=text, emoji="👍", from_="5511900000001"))  # fmt: skip
    own = fake.kernel.server.network.lids.of("5511900000001@s.whatsapp.net")
    assert (told["key"]["fromMe"], told["key"]["participant"]) == (True, own)
    assert told["message"]["reactionMessage"]["key"]["participant"] == LID
