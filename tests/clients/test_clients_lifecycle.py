"""Instances from creation to deletion, their keys, and their webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import (
    AuthenticationError,
    InstanceAlreadyExistsError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    RequestValidationError,
    SendOutcomeUnknownError,
    WaitTimeoutError,
)

from .conftest import KEY, URL, Kit
from .fake_stage import BAILEYS, BUSINESS, EVOLUTION, NUMBER, Stage

HOOK = "https://hooks.example.com/evolution"


def polls(stage: Stage, path: str) -> int:
    return sum(seen.path.startswith(path) for seen in stage.arrived)


# Creating


@pytest.mark.parametrize(
    ("channel", "arguments", "state"),
    [
        (BAILEYS, {}, "close"),
        (BUSINESS, {"token": "meta-token", "number": "123456789012345"}, "open"),
        (EVOLUTION, {"number": "5511900000000"}, "open"),
    ],
)
async def test_create_on_each_channel(
    stage: Stage, channel: Any, arguments: dict[str, str], state: str
) -> None:
    client = stage.client(instance=None)
    created = await stage.kit.run(client.instances.create("novo", integration=channel, **arguments))
    row = stage.fake.instances["novo"]
    assert (created.name, created.status, created.token) == ("novo", state, row.token)
    assert created.instance.integration == channel
    assert row.number == arguments.get("number")
    assert arguments.get("token", row.token) == row.token
    (info,) = await stage.kit.run(client.instances.fetch("novo"))
    assert (info.name, info.token, info.connection_status) == ("novo", row.token, state)


async def test_create_with_settings_and_a_webhook_of_its_own(stage: Stage) -> None:
    client = stage.client(instance=None)
    await stage.kit.run(
        client.instances.create(
            "novo",
            integration=EVOLUTION,
            settings={"reject_call": True, "msg_call": "agora não"},
            webhook={"url": HOOK, "headers": {"x-a": "1"}, "by_events": True, "base64": True},
        )
    )
    novo = client.instance("novo")
    settings = await stage.kit.run(novo.settings.find())
    assert (settings.reject_call, settings.msg_call) == (True, "agora não")
    webhook = await stage.kit.run(novo.webhook.find())
    assert (webhook.url, webhook.enabled, webhook.headers) == (HOOK, True, {"x-a": "1"})
    assert (webhook.by_events, webhook.base64) == (True, True)


async def test_create_can_wait_for_a_qr_code(stage: Stage) -> None:
    client = stage.client(instance=None)
    created = await stage.kit.run(client.instances.create("novo", qrcode=True))
    assert created.qrcode.ready
    assert created.qrcode.base64.startswith("data:image/png;base64,")
    without = await stage.kit.run(client.instances.create("outro"))
    assert without.qrcode is None


async def test_a_taken_name_is_refused(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    with pytest.raises(InstanceAlreadyExistsError) as caught:
        await stage.kit.run(stage.client().instances.create("sales", integration=EVOLUTION))
    assert (caught.value.status, caught.value.instance) == (403, "sales")
    assert caught.value.operation == "instance.create_instance"
    assert caught.value.attempts == 1


async def test_a_lost_answer_of_create_is_reported_and_not_repeated(stage: Stage) -> None:
    client = stage.client(instance=None)
    stage.fake.faults.add("instance.create_instance", "answer_then_drop")
    for on_unknown in ("raise", "reconcile", "resend"):
        with pytest.raises(SendOutcomeUnknownError) as caught:
            await stage.kit.run(
                client.instances.create(
                    f"novo-{on_unknown}", integration=EVOLUTION, on_unknown=on_unknown
                )
            )
        assert caught.value.instance == f"novo-{on_unknown}"
        assert await stage.kit.run(client.instances.fetch(f"novo-{on_unknown}"))
    assert polls(stage, "/instance/create") == 3


async def test_the_global_key_is_used_where_only_it_works(stage: Stage) -> None:
    stage.fake.create_instance("sales", integration=EVOLUTION, token="token-of-sales")
    token_only = stage.client(config=EvolutionConfig(URL, "token-of-sales"))
    with pytest.raises(AuthenticationError):
        await stage.kit.run(token_only.instances.create("novo", integration=EVOLUTION))
    with pytest.raises(AuthenticationError):
        await stage.kit.run(token_only.server.verify_creds())

    both = stage.client(
        config=EvolutionConfig(URL, "token-of-sales", authentication={"api_key": KEY})
    )
    await stage.kit.run(both.instances.create("novo", integration=EVOLUTION))
    assert stage.last.headers["apikey"] == KEY
    await stage.kit.run(both.server.verify_creds())
    assert stage.last.headers["apikey"] == KEY
    names = {info.name for info in await stage.kit.run(both.instances.fetch())}
    assert names == {"sales", "novo"}
    await stage.kit.run(both.messages.send_text(NUMBER, "oi"))
    assert stage.last.headers["apikey"] == "token-of-sales"


async def test_an_instance_token_lists_only_its_own(stage: Stage) -> None:
    stage.fake.create_instance("sales", integration=EVOLUTION, token="token-of-sales")
    stage.fake.create_instance("other", integration=EVOLUTION)
    client = stage.client(config=EvolutionConfig(URL, "token-of-sales"))
    (own,) = await stage.kit.run(client.instances.fetch())
    assert own.name == "sales"


async def test_the_server_information_needs_no_key_and_gets_none(stage: Stage) -> None:
    info = await stage.kit.run(stage.client().server.info())
    assert info.version == "2.3.7"
    assert "apikey" not in stage.last.headers


async def test_a_handle_with_a_token_works_for_its_own_instance_only(stage: Stage) -> None:
    stage.fake.create_instance("sales", integration=EVOLUTION, token="token-of-sales")
    stage.fake.create_instance("other", integration=EVOLUTION, token="token-of-other")
    client = stage.client(instance=None)
    sales = client.instance("sales", token="token-of-sales")
    await stage.kit.run(sales.messages.send_text(NUMBER, "oi"))
    assert stage.last.headers["apikey"] == "token-of-sales"
    with pytest.raises(AuthenticationError) as caught:
        await stage.kit.run(
            client.instance("other", token="token-of-sales").messages.send_text(NUMBER, "oi")
        )
    assert caught.value.instance == "other"
    assert "token-of-sales" not in f"{caught.value} {caught.value!r} {sales!r}"
    assert [sent.instance for sent in stage.fake.sent] == ["sales"]
    await stage.kit.run(client.instance("other").messages.send_text(NUMBER, "oi"))
    assert stage.last.headers["apikey"] == KEY


async def test_fetch_by_name_id_and_number(stage: Stage) -> None:
    sales = stage.fake.create_instance("sales", integration=EVOLUTION, number="5511911111111")
    stage.fake.create_instance("other", integration=EVOLUTION)
    api = stage.client().instances
    for found in (
        await stage.kit.run(api.fetch("sales")),
        await stage.kit.run(api.fetch(instance_id=sales.id)),
        await stage.kit.run(api.fetch(number="5511911111111")),
    ):
        assert [info.name for info in found] == ["sales"]
    assert len(await stage.kit.run(api.fetch())) == 2
    with pytest.raises(InstanceNotFoundError):
        await stage.kit.run(api.fetch("nobody"))


# Connecting


def whatsapp_answers_after(stage: Stage, connects: int) -> None:
    """WhatsApp is out of reach, and comes back with a certain connect."""
    stage.fake.set_whatsapp_reachable(False)

    def before(_: str, target: str) -> None:
        if target.startswith("/instance/connect/"):
            stage.fake.set_whatsapp_reachable(polls(stage, "/instance/connect/") >= connects)

    stage.before = before  # type: ignore[method-assign]  # made to be replaced


async def test_wait_for_qr_asks_until_there_is_one(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="close")
    whatsapp_answers_after(stage, 4)
    result = await stage.kit.run(stage.client().instances.wait_for_qr(poll_ms=3_000))
    assert result.ready
    assert result.base64.startswith("data:image/png")
    assert result.pairing_code is None
    assert polls(stage, "/instance/connect/sales") == 4
    assert stage.kit.time.naps == [3.0] * 3


async def test_wait_for_qr_of_an_open_instance_returns_at_once(stage: Stage) -> None:
    stage.open_instance()
    result = await stage.kit.run(stage.client().instances.wait_for_qr())
    assert (result.state, result.ready) == ("open", False)
    assert stage.kit.time.naps == []


async def test_wait_for_qr_gives_up(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="close")
    stage.fake.set_whatsapp_reachable(False)
    begun = stage.kit.time.now
    with pytest.raises(WaitTimeoutError, match="a QR code"):
        await stage.kit.run(
            stage.client().instances.wait_for_qr("sales", wait_ms=10_000, poll_ms=1_500)
        )
    # each connect holds its answer for two seconds
    assert begun + 10 <= stage.kit.time.now <= begun + 12
    assert polls(stage, "/instance/connect/") > 2


async def test_a_code_that_does_not_come_is_explained(stage: Stage) -> None:
    """The server's {"count": 0} says nothing to whoever sees it for the first time."""
    stage.fake.create_instance("sales", state="close")
    stage.fake.set_whatsapp_reachable(False)
    instances = stage.client().instances
    for wait in (
        lambda: instances.wait_for_qr(wait_ms=0),
        lambda: instances.pairing_code("5511987654321", wait_ms=0),
    ):
        with pytest.raises(WaitTimeoutError, match=r"\{'count': 0\}.*PHONE_VERSION.*restart"):
            await stage.kit.run(wait())


async def test_a_channel_without_a_code_is_explained(kit: Kit) -> None:
    """Recorded of EVOLUTION and WHATSAPP-BUSINESS after a logout: an empty object."""
    kit.stub.default = (200, {})
    with pytest.raises(WaitTimeoutError, match="only WHATSAPP-BAILEYS"):
        await kit.run(kit.client().instances.wait_for_qr(wait_ms=0))


async def test_codes_that_are_used_up_are_explained(kit: Kit) -> None:
    kit.stub.default = (200, {"count": 30})
    with pytest.raises(WaitTimeoutError, match=r"made 30 codes.*QRCODE_LIMIT"):
        await kit.run(kit.client().instances.wait_for_qr(wait_ms=0))


@pytest.mark.parametrize(
    ("state", "wanted", "words"),
    [
        ("connecting", "open", "'connecting'. Nobody has scanned a code.*wait_for_qr"),
        ("close", "open", "'close'. It is not connecting.*wait_for_qr"),
        ("open", "close", "state is 'open'.$"),
    ],
)
async def test_a_state_that_does_not_come_is_explained(
    stage: Stage, state: str, wanted: str, words: str
) -> None:
    stage.fake.create_instance("sales", state=state)
    with pytest.raises(WaitTimeoutError, match=words):
        await stage.kit.run(stage.client().instances.wait_until(wanted, wait_ms=0))


async def test_a_pairing_code_is_waited_for(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="close")
    whatsapp_answers_after(stage, 3)
    code = await stage.kit.run(
        stage.client().instances.pairing_code("5511987654321", poll_ms=1_000)
    )
    assert len(code) == 8
    assert code == stage.fake.instances["sales"].qr.pairing_code
    assert stage.last.target == "/instance/connect/sales?number=5511987654321"
    assert polls(stage, "/instance/connect/") == 3


async def test_no_pairing_code_in_time(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="close")
    stage.fake.set_whatsapp_reachable(False)
    with pytest.raises(WaitTimeoutError, match="a pairing code"):
        await stage.kit.run(stage.client().instances.pairing_code("5511987654321", wait_ms=5_000))


async def test_wait_until_the_phone_has_scanned(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="connecting")

    def before(_: str, target: str) -> None:
        if polls(stage, "/instance/connectionState/") == 3:
            stage.fake.scan_qr("sales")

    stage.before = before  # type: ignore[method-assign]  # made to be replaced
    state = await stage.kit.run(stage.client().instances.wait_until("open", poll_ms=250))
    assert (state.state, state.name) == ("open", "sales")
    assert stage.kit.time.naps == [0.25, 0.25]


async def test_wait_until_gives_up_and_never_sleeps_past_the_end(stage: Stage) -> None:
    stage.fake.create_instance("sales", state="connecting")
    begun = stage.kit.time.now
    with pytest.raises(WaitTimeoutError, match="'open'"):
        await stage.kit.run(
            stage.client().instances.wait_until("open", "sales", wait_ms=2_500, poll_ms=1_000)
        )
    assert stage.kit.time.now == begun + 2.5
    assert stage.kit.time.naps == [1.0, 1.0, 0.5]


async def test_waiting_for_an_unknown_instance_fails_at_once(stage: Stage) -> None:
    for wait in ("wait_for_qr", "wait_until"):
        arguments = ["open", "nobody"] if wait == "wait_until" else ["nobody"]
        with pytest.raises(InstanceNotFoundError):
            await stage.kit.run(getattr(stage.client().instances, wait)(*arguments))
    assert stage.kit.time.naps == []


async def test_restart_of_a_closed_instance_is_an_error_in_spite_of_http_200(
    stage: Stage,
) -> None:
    stage.fake.create_instance("sales", state="close")
    with pytest.raises(InstanceNotConnectedError) as caught:
        await stage.kit.run(stage.client().instances.restart())
    assert (caught.value.status, caught.value.instance) == (200, "sales")
    assert polls(stage, "/instance/restart/") == 1


async def test_restart_keeps_an_open_instance_open(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    await stage.kit.run(client.instances.restart())
    state = await stage.kit.run(client.instances.connection_state())
    assert state.state == "open"


async def test_presence_of_the_account(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    ack = await stage.kit.run(client.instances.set_presence("unavailable"))
    assert ack.presence == "unavailable"
    with pytest.raises(RequestValidationError):
        await stage.kit.run(client.instances.set_presence("asleep"))


async def test_logout_closes_and_a_second_one_is_an_error(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    ack = await stage.kit.run(client.instances.logout())
    assert (ack.status, ack.message) == ("SUCCESS", "Instance logged out")
    assert (await stage.kit.run(client.instances.connection_state())).state == "close"
    with pytest.raises(InstanceNotConnectedError):
        await stage.kit.run(client.instances.logout())
    with pytest.raises(InstanceNotConnectedError):
        await stage.kit.run(client.messages.send_text(NUMBER, "oi", retry=False))


# Deleting


async def test_delete_answers_before_it_is_done(stage: Stage) -> None:
    stage.new_fake(deletion_lag_ms=5_000)
    stage.open_instance(EVOLUTION)
    client = stage.client()
    ack = await stage.kit.run(client.instances.delete())
    assert ack.message == "Instance deleted"
    with pytest.raises(InstanceAlreadyExistsError, match="deletion has finished"):
        await stage.kit.run(client.instances.create("sales", integration=EVOLUTION))
    state = await stage.kit.run(client.instances.connection_state())
    assert state.state is None


async def test_delete_can_wait_until_the_name_is_free(stage: Stage) -> None:
    stage.new_fake(deletion_lag_ms=1_800)
    stage.open_instance(EVOLUTION)
    client = stage.client()
    await stage.kit.run(client.instances.delete("sales", wait=True, poll_ms=400))
    assert stage.kit.time.naps == [0.4] * 5
    assert "sales" not in stage.fake.instances
    await stage.kit.run(client.instances.create("sales", integration=EVOLUTION))


async def test_a_deletion_that_hangs_is_reported_with_its_usual_cause(stage: Stage) -> None:
    stage.new_fake(deletion_lag_ms=20 * 60_000)
    stage.open_instance(EVOLUTION)
    with pytest.raises(WaitTimeoutError) as caught:
        await stage.kit.run(stage.client().instances.delete(wait=True, wait_ms=9_000))
    assert any("webhook" in note for note in caught.value.__notes__)
    assert sum(stage.kit.time.naps) == 9


async def test_deleting_an_unknown_instance(stage: Stage) -> None:
    with pytest.raises(InstanceNotFoundError):
        await stage.kit.run(stage.client().instances.delete("nobody", wait=True))
