"""Ids that the client gives to messages: sent where a server may heed them, and looked up by."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk._client.options import SEND_KEYS
from evolution_sdk.errors import (
    ConnectionFailedError,
    EvolutionError,
    EvolutionTimeoutError,
    RequestValidationError,
    SendOutcomeUnknownError,
    ServerError,
)
from evolution_sdk.models.requests_message import Button
from evolution_sdk.operations.routes.message import SEND_LOCATION, SEND_TEXT

from .conftest import URL, Kit, record, world_of

NUMBER = "5511987654321"
JID = f"{NUMBER}@s.whatsapp.net"
OURS = re.compile(r"3EB0[0-9A-F]{18}")
LOST = ConnectionFailedError("the connection broke")
PLACE = {"latitude": 1, "longitude": 1}
SEND, LOOK = "/message/sendText/sales", "/chat/findMessages/sales"


def answered(message_id: str, **changes: Any) -> tuple[int, Any]:
    key = {"fromMe": True, "id": message_id, "remoteJid": JID}
    return 201, record(key=key, **changes)


def page(*rows: Any) -> tuple[int, Any]:
    records = list(rows)
    return 200, {
        "messages": {"total": len(records), "pages": 1, "currentPage": 1, "records": records}
    }


def missing(path: str) -> tuple[int, Any]:
    words = [f"Cannot GET {path}"]
    return 404, {"status": 404, "error": "Not Found", "response": {"message": words}}


def row(message_id: str, **changes: Any) -> Any:
    made = record(key={"fromMe": True, "id": message_id, "remoteJid": JID}, **changes)
    return {"id": "row1", **made}


class Server:
    """Takes ids, or ignores them; loses answers on demand, and never says its version."""

    def __init__(
        self,
        kit: Kit,
        *,
        heeds: bool = True,
        version: str | None = None,
        develop: bool = False,
        loss: EvolutionError = LOST,
    ) -> None:
        self.kit = kit
        self.develop = develop
        self.loss = loss
        self.heeds = heeds
        self.version = version
        self.rows: list[Any] = []
        self.losses: list[str] = []
        self.asked: list[tuple[str, Any]] = []
        self.made = 0

    def __call__(self, request: Any) -> Any:
        path = request.url.removeprefix(URL)
        body = json.loads(request.content) if request.content else None
        self.asked.append((path, body))
        self.kit.stub.script = [self.answer(path, body)]
        return self.kit.stub.send(request)

    def answer(self, path: str, body: Any) -> Any:
        if path == "/":
            return EvolutionTimeoutError("slow") if self.version is None else self.told()
        if "/generateMessageID/" in path:
            return (200, {"id": "3EB0"}) if self.develop else missing(path)
        if path == LOOK:
            return self.found(body["where"])
        if path.startswith("/chat/whatsappNumbers/"):
            return 200, [{"jid": JID, "exists": True, "number": NUMBER}]
        loss = self.losses.pop(0) if self.losses else ""
        if loss != "before":
            self.made += 1
            given = body.get("messageId")
            message_id = given if self.heeds and given else f"3EB0{self.made:018X}"
            content = {"conversation": body["text"]}
            self.rows.append(row(message_id, message=content, messageTimestamp=self.now))
        if loss:
            return self.loss
        return answered(message_id, message=content, messageTimestamp=self.now)

    def told(self) -> Any:
        return 200, {"status": 200, "message": "x", "version": self.version}

    @property
    def now(self) -> int:
        return int(self.kit.time.now)

    def found(self, where: Any) -> Any:
        key = where["key"]
        rows = [one for one in self.rows if all(one["key"].get(k) == v for k, v in key.items())]
        return page(*rows)

    def sent(self) -> list[Any]:
        return [body for path, body in self.asked if path == SEND]

    def looks(self) -> list[Any]:
        return [body["where"]["key"] for path, body in self.asked if path == LOOK]


def client_of(kit: Kit, server: Server, **options: Any) -> Any:
    options.setdefault("server_version", None)
    client = kit.client(**options)
    world_of(client).transport = server_transport(server)
    return client


def server_transport(server: Server) -> Any:
    class Transport:
        def send(self, request: Any) -> Any:
            return server(request)

        def close(self) -> Any:
            return server.kit.stub.close()

    return Transport()


class TestWhichSendsCarryOne:
    @pytest.mark.parametrize(
        ("version", "carried"),
        [(None, True), ("2.2.3", False), ("2.3.6", False), ("2.3.7", False), ("2.4.0", True)],
    )
    async def test_by_the_servers_version(
        self, kit: Kit, version: str | None, carried: bool
    ) -> None:
        client = kit.client(server_version=version)
        await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert ("messageId" in kit.stub.last_json) is carried
        if carried:
            assert OURS.fullmatch(kit.stub.last_json["messageId"])

    async def test_by_the_kind_of_message(self, kit: Kit) -> None:
        api = kit.client(server_version="2.4.0").messages
        buttons = [Button(display_text="a", id="b")]
        for call, carried in (
            (lambda: api.send_text(NUMBER, "oi"), True),
            (lambda: api.send_poll(NUMBER, name="?", values=["a", "b"]), True),
            (lambda: api.send_sticker(NUMBER, "https://x.example/a.webp"), True),
            (lambda: api.send_whatsapp_audio(NUMBER, "https://x.example/a.ogg"), True),
            (lambda: api.send_buttons(NUMBER, title="t", buttons=buttons), True),
            (lambda: api.send_location(NUMBER, name="n", address="a", **PLACE), False),
        ):
            await kit.run(call())
            assert ("messageId" in kit.stub.last_json) is carried, kit.stub.last.url

    async def test_a_file_part_carries_it_as_a_field(self, kit: Kit) -> None:
        api = kit.client(server_version="2.4.0").messages
        await kit.run(api.send_media(NUMBER, b"%PDF-1.4 x", file_name="a.pdf", prefer="multipart"))
        fields = dict(kit.stub.last.fields)
        assert OURS.fullmatch(fields["messageId"])

    async def test_an_answer_under_another_id_ends_it(self, kit: Kit) -> None:
        """2.3.7 may be an early 2.4, and BUSINESS ignores ids on every version: answers tell."""
        server = Server(kit, heeds=False, version="2.3.7")
        client = client_of(kit, server)
        await kit.run(client.server.info())
        await kit.run(client.messages.send_text(NUMBER, "one"))
        await kit.run(client.messages.send_text(NUMBER, "two"))
        assert ["messageId" in body for body in server.sent()] == [True, False]
        # Another version begins anew.
        server.version = "2.4.0"
        await kit.run(client.server.info())
        await kit.run(client.messages.send_text(NUMBER, "three"))
        assert "messageId" in server.sent()[-1]

    async def test_every_attempt_carries_the_same(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        refused = ConnectionFailedError("refused")
        refused.phase = refused.phase.NOT_SENT
        world_of(client).transport = refusing_first(server, [refused, refused])
        sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
        (body,) = server.sent()
        assert sent.id == body["messageId"]

    async def test_equal_texts_carry_different_ones(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        for _ in range(3):
            await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert len({body["messageId"] for body in server.sent()}) == 3


def refusing_first(server: Server, refusals: list[Any]) -> Any:
    inner = server_transport(server)
    send = inner.send

    def refusing(request: Any) -> Any:
        if refusals:
            server.kit.stub.script = [refusals.pop()]
            return server.kit.stub.send(request)
        return send(request)

    inner.send = refusing
    return inner


class TestChosen:
    async def test_it_is_sent_and_is_the_message(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", message_id="invoice-4711"))
        assert sent.id == server.sent()[0]["messageId"] == "invoice-4711"

    async def test_it_is_sent_even_where_it_may_be_ignored(self, kit: Kit) -> None:
        server = Server(kit, heeds=False)
        client = client_of(kit, server, server_version="2.3.6")
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", message_id="invoice-4711"))
        assert server.sent()[0]["messageId"] == "invoice-4711"
        assert sent.id != "invoice-4711"

    @pytest.mark.parametrize(
        "value", ["", "short", "a b c d e f", "é" * 10, "x" * 65, '"};drop', "-leading", 12345678]
    )
    async def test_what_cannot_be_one(self, kit: Kit, value: Any) -> None:
        client = kit.client()
        with pytest.raises(RequestValidationError) as caught:
            await kit.run(client.messages.send_text(NUMBER, "oi", message_id=value))
        assert caught.value.field == "message_id"
        assert kit.stub.requests == []

    async def test_kinds_that_take_none(self, kit: Kit) -> None:
        api, chosen = kit.client().messages, "invoice-4711"
        with pytest.raises(RequestValidationError, match="message_id: no server takes one"):
            await kit.run(
                api.send_location(NUMBER, name="n", address="a", message_id=chosen, **PLACE)
            )

    @pytest.mark.parametrize("heard_before", [True, False])
    async def test_another_message_under_it_settles_nothing(
        self, kit: Kit, heard_before: bool
    ) -> None:
        """Ids are not removed as doubles: one that was used before is another message's."""
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        if heard_before:
            await kit.run(client.messages.send_text(NUMBER, "first"))
        server.rows.append(row("invoice-4711", message={"conversation": "another text"}))
        server.losses = ["before"]
        chosen = "invoice-4711"
        with pytest.raises(SendOutcomeUnknownError, match="another message is stored"):
            await kit.run(
                client.messages.send_text(NUMBER, "oi", message_id=chosen, on_unknown="resend")
            )
        assert [body["text"] for body in server.sent()].count("oi") == 1

    async def test_two_sends_of_one_id_and_text_are_not_taken_for_one(self, kit: Kit) -> None:
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        again = {"message_id": "invoice-4711", "on_unknown": "resend"}
        await kit.run(client.messages.send_text(NUMBER, "oi", **again))
        server.losses = ["after"]
        with pytest.raises(SendOutcomeUnknownError, match="another message is stored"):
            await kit.run(client.messages.send_text(NUMBER, "oi", **again))
        assert len(server.sent()) == 2

    @pytest.mark.parametrize("place", ["another time", "another person"])
    async def test_an_equal_message_of_elsewhere_is_not_the_send(
        self, kit: Kit, place: str
    ) -> None:
        """Yesterday's of the same id, or one under a hidden id that nobody has told of."""
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "first"))
        old = row("daily-greeting", message={"conversation": "oi"}, messageTimestamp=server.now)
        if place == "another time":
            old["messageTimestamp"] -= 86_400
        else:
            old["key"]["remoteJid"] = "111222333444555@lid"
        server.rows.append(old)
        server.losses = ["before"]
        with pytest.raises(SendOutcomeUnknownError, match="another message is stored"):
            await kit.run(client.messages.send_text(NUMBER, "oi", message_id="daily-greeting"))


class TestLost:
    async def test_it_is_found_by_its_id_alone(self, kit: Kit) -> None:
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        server.losses = ["after"]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert sent.id == server.sent()[0]["messageId"]
        assert sent.reconciled
        assert server.looks() == [{"id": sent.id}]
        # Found under it, so that ids are heeded there: from now on nothing else counts.
        server.losses = ["before"]
        again = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        bodies = server.sent()
        assert bodies[1]["messageId"] == bodies[2]["messageId"] == again.id
        assert all("remoteJid" not in key for key in server.looks())
        assert [one["key"]["id"] for one in server.rows] == [sent.id, again.id]

    async def test_neither_clock_nor_likeness_counts(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        server.losses = ["after"]
        # A server whose clock is years off, and that keeps the text in a shape of its own.
        kept = server.found
        server.found = lambda where: (  # type: ignore[method-assign]
            page(*(dict(one, messageTimestamp=5, message={"newShape": {}}) for one in server.rows))
            if where["key"].get("id") == server.rows[0]["key"]["id"]
            else kept(where)
        )
        sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert sent.id == server.sent()[0]["messageId"]

    async def test_an_equal_message_is_not_taken_for_it(self, kit: Kit) -> None:
        """Its text was sent a moment ago by somebody else: by likeness it would count as sent."""
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.rows.append(row("3EB0AAAAAAAAAAAAAAAAAA", message={"conversation": "oi"}))
        server.rows[-1]["messageTimestamp"] = server.now + 1
        server.losses = ["before"]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert sent.id == server.sent()[-1]["messageId"]
        assert [body["text"] for body in server.sent()] == ["first", "oi", "oi"]

    async def test_a_server_that_ignores_ids_is_searched_by_likeness(self, kit: Kit) -> None:
        server = Server(kit, heeds=False)
        client = client_of(kit, server)
        server.losses = ["after"]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert sent.id == server.rows[0]["key"]["id"] != server.sent()[0]["messageId"]
        first, *others = server.looks()
        assert first == {"id": server.sent()[0]["messageId"]}
        assert others

    async def test_messages_of_other_sends_by_id_are_theirs(self, kit: Kit) -> None:
        """Of two equal texts, the first one's row is not the second's."""
        server = Server(kit)
        client = client_of(kit, server)
        server.losses = ["after", "before"]
        hide = server.found

        def blind(where: Any) -> Any:
            # The first send finds nothing at all, as if its row came late.
            return page() if len(server.sent()) == 1 else hide(where)

        server.found = blind  # type: ignore[method-assign]
        with pytest.raises(SendOutcomeUnknownError) as caught:
            await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert caught.value.message_id == server.sent()[0]["messageId"]
        second = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert second.id == server.sent()[-1]["messageId"]
        assert [one["key"]["id"] for one in server.rows] == [caught.value.message_id, second.id]

    async def test_the_version_is_looked_at_before_absence_by_id_counts(self, kit: Kit) -> None:
        """Answers of 2.4 told that ids are heeded; the server is 2.3 again when one is lost."""
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.heeds, server.version = False, "2.3.6"
        server.losses = ["after"]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert [body["text"] for body in server.sent()] == ["first", "oi"]
        assert sent.id == server.rows[-1]["key"]["id"]

    @pytest.mark.parametrize("loss", [LOST, EvolutionTimeoutError("slow")])
    @pytest.mark.parametrize("tells", ["2.3.6", None])
    async def test_a_server_rolled_back_gets_no_double(
        self, kit: Kit, loss: Any, tells: str | None
    ) -> None:
        """Whether it tells its version or not, and however the answer was lost."""
        server = Server(kit, version="2.4.0", loss=loss)
        client = client_of(kit, server)
        await kit.run(client.server.info())
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.heeds, server.version = False, tells
        server.losses = ["after"]
        await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert [body["text"] for body in server.sent()] == ["first", "oi"]

    async def test_an_instance_made_anew_gets_no_double(self, kit: Kit) -> None:
        """Of the same name, on a channel that ignores ids: its store has nothing of before."""
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.rows.clear()
        server.heeds = False
        server.losses = ["after"]
        await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert [body["text"] for body in server.sent()] == ["first", "oi"]

    async def test_an_early_build_that_was_replaced_gets_no_double(self, kit: Kit) -> None:
        """Both call themselves 2.3.7; only the route tells."""
        server = Server(kit, version="2.3.7", develop=True)
        client = client_of(kit, server)
        assert await kit.run(client.supports("messages.send_carousel"))
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.heeds = server.develop = False
        server.losses = ["after"]
        await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert [body["text"] for body in server.sent()] == ["first", "oi"]
        kit.time.now += 61
        assert not await kit.run(client.supports("messages.send_carousel"))

    async def test_an_early_build_is_exact_as_well(self, kit: Kit) -> None:
        server = Server(kit, version="2.3.7", develop=True)
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "first"))
        server.losses = ["before"]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", on_unknown="resend"))
        assert [one["key"]["id"] for one in server.rows][1:] == [sent.id]
        assert all("remoteJid" not in key for key in server.looks())

    async def test_an_event_tells_of_it(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        server.losses = ["after"]
        heard: list[Any] = []

        def unstored(where: Any) -> Any:
            if not heard:
                heard.append(where)
                made = {**server.rows[0], "message": {"conversation": "in another shape"}}
                envelope = {"event": "send.message", "instance": "sales", "data": made}
                client.feed(envelope, verified=True)
            return page()

        server.found = unstored  # type: ignore[method-assign]
        sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert (sent.id, sent.evidence) == (server.sent()[0]["messageId"], "event")

    async def test_errors_tell_the_id(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        server.losses = ["before"]
        with pytest.raises(SendOutcomeUnknownError) as caught:
            await kit.run(client.messages.send_text(NUMBER, "oi"))
        assert caught.value.message_id == server.sent()[0]["messageId"]
        server.answer = lambda path, body: (
            500,
            {"status": 500, "error": "x", "response": {"message": "y"}},
        )  # type: ignore[method-assign]
        with pytest.raises((ServerError, SendOutcomeUnknownError)) as other:
            await kit.run(client.messages.send_text(NUMBER, "oi", retry=False))
        assert OURS.fullmatch(str(other.value.message_id))


class TestFindSent:
    """After a crash: by the id that was written down before the send."""

    async def test_found_by_its_id_whatever_the_time(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", message_id="invoice-4711"))
        server.rows[0]["messageTimestamp"] = 5
        found = await kit.run(look(client, "invoice-4711"))
        assert (found.status, found.message.id) == ("found", sent.id)

    async def test_absent_where_ids_are_heeded(self, kit: Kit) -> None:
        server = Server(kit, version="2.4.0")
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "oi"))  # an equal text, of another send
        found = await kit.run(look(client, "invoice-4711"))
        assert found.status == "absent"

    async def test_an_equal_one_under_another_id_is_in_doubt(self, kit: Kit) -> None:
        """Sent before the server was upgraded, when it ignored the id."""
        server = Server(kit, heeds=False, version="2.3.6")
        old = client_of(kit, server)
        await kit.run(old.messages.send_text(NUMBER, "oi", message_id="invoice-4711"))
        server.heeds, server.version = True, "2.4.0"
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "other"))
        assert (await kit.run(look(client, "invoice-4711"))).status == "unknown"

    async def test_by_likeness_where_it_is_not_known(self, kit: Kit) -> None:
        server = Server(kit, heeds=False)
        client = client_of(kit, server)
        sent = await kit.run(client.messages.send_text(NUMBER, "oi", message_id="invoice-4711"))
        found = await kit.run(look(client, "invoice-4711"))
        assert (found.status, found.message.id) == ("found", sent.id)

    async def test_another_message_under_it(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        await kit.run(client.messages.send_text(NUMBER, "tchau", message_id="invoice-4711"))
        assert (await kit.run(look(client, "invoice-4711"))).status == "unknown"

    async def test_what_cannot_be_one(self, kit: Kit) -> None:
        with pytest.raises(RequestValidationError, match="message_id"):
            await kit.run(look(kit.client(), "a b"))


def look(client: Any, message_id: str) -> Any:
    since = datetime.fromtimestamp(world_of(client).time() - 60, tz=UTC)
    return client.messages.find_sent(NUMBER, "oi", since=since, message_id=message_id)


class TestAnIdThatWasMadeBeforehand:
    """By who writes it down before the send, so that it can be looked for after a crash."""

    @staticmethod
    async def call(kit: Kit, client: Any, own_id: str | None, **options: Any) -> Any:
        pipeline, target = client._pipeline, client.messages._target
        body = {"number": NUMBER, "text": "oi"}
        sending = pipeline.call(
            SEND_TEXT, target, body, options=options, known_options=SEND_KEYS, own_id=own_id
        )
        return await kit.run(sending)

    @pytest.mark.parametrize(("version", "made"), [("2.3.7", False), ("2.4.0", True), (None, True)])
    async def test_is_made_where_the_server_may_heed_it(
        self, kit: Kit, version: str | None, made: bool
    ) -> None:
        pipeline = kit.client(server_version=version)._pipeline
        given = pipeline.new_message_id(SEND_TEXT, "sales")
        assert (given is not None) is made
        assert given is None or OURS.fullmatch(given)
        assert pipeline.new_message_id(SEND_LOCATION, "sales") is None

    async def test_is_not_made_where_answers_told_that_ids_are_ignored(self, kit: Kit) -> None:
        client = client_of(kit, Server(kit, heeds=False))
        await kit.run(client.messages.send_text(NUMBER, "one"))
        assert client._pipeline.new_message_id(SEND_TEXT, "sales") is None
        assert client._pipeline.new_message_id(SEND_TEXT, "other") is not None

    async def test_is_sent_and_found_again_as_one_of_ours(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        given = client._pipeline.new_message_id(SEND_TEXT, "sales")
        server.losses = ["after"]
        sent = await self.call(kit, client, given)
        assert [body["messageId"] for body in server.sent()] == [given]
        assert (sent.id, sent.reconciled) == (given, True)

    async def test_is_not_sent_where_it_surely_is_ignored(self, kit: Kit) -> None:
        client = kit.client(server_version="2.3.7")
        await self.call(kit, client, "3EB0AAAA0001")
        assert "messageId" not in kit.stub.last_json

    async def test_gives_way_to_the_one_that_the_caller_chose(self, kit: Kit) -> None:
        client = kit.client(server_version="2.4.0")
        await self.call(kit, client, "3EB0AAAA0001", message_id="pedido-4711")
        assert kit.stub.last_json["messageId"] == "pedido-4711"

    async def test_errors_name_it(self, kit: Kit) -> None:
        server = Server(kit)
        client = client_of(kit, server)
        server.losses = ["before"]
        with pytest.raises(EvolutionError) as caught:
            await self.call(kit, client, "3EB0AAAA0001", on_unknown="raise")
        assert caught.value.message_id == "3EB0AAAA0001"
