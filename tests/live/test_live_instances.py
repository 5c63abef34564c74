"""The server itself, its instances, their keys, settings and webhooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import (
    AuthenticationError,
    InstanceAlreadyExistsError,
    InstanceNotFoundError,
    RequestValidationError,
    RouteNotFoundError,
)

NUMBER = "5511987654321"
Names = Callable[..., str]


async def test_server_information_and_credentials(live: Any) -> None:
    client = live.open()
    info = await live.run(client.server.info())
    assert info.version.startswith("2.")
    assert not info.drift
    await live.run(client.server.verify_creds())


async def test_a_wrong_key_is_401(live: Any, sales: Any) -> None:
    wrong = live.open(live.config.replace(api_key="not-the-key"))
    for call in (
        lambda: wrong.server.verify_creds(),
        lambda: wrong.instance(sales.name).chats.find(),
        lambda: wrong.instance(sales.name).messages.send_text(NUMBER, "never"),
    ):
        with pytest.raises(AuthenticationError) as caught:
            await live.run(call())
        assert (caught.value.status, caught.value.attempts) == (401, 1)


async def test_an_unknown_instance_is_404(live: Any, new_name: Names) -> None:
    name = new_name()
    client = live.open()
    for call in (
        lambda: client.instances.connection_state(name),
        lambda: client.instances.fetch(name),
        lambda: client.instance(name).messages.send_text(NUMBER, "never"),
    ):
        with pytest.raises(InstanceNotFoundError) as caught:
            await live.run(call())
        assert caught.value.status == 404


async def test_a_wrong_prefix_is_an_unknown_route(live: Any) -> None:
    wrong = live.open(live.config.replace(base_url=f"{live.config.base_url}/no-such-prefix"))
    for call in (lambda: wrong.server.verify_creds(), lambda: wrong.instances.fetch()):
        with pytest.raises(RouteNotFoundError) as caught:
            await live.run(call())
        assert caught.value.status == 404


async def test_an_instance_from_creation_to_deletion(live: Any, new_name: Names) -> None:
    client = live.open()
    name = new_name()
    created = await live.run(
        client.instances.create(
            name, integration="EVOLUTION", settings={"reject_call": True, "msg_call": "não"}
        )
    )
    assert (created.name, created.status) == (name, "open")
    assert created.token
    assert not created.drift
    with pytest.raises(InstanceAlreadyExistsError):
        await live.run(client.instances.create(name, integration="EVOLUTION"))

    (info,) = await live.run(client.instances.fetch(name))
    assert (info.name, info.integration, info.token) == (name, "EVOLUTION", created.token)
    assert info.settings.reject_call is True
    assert not info.drift
    (by_id,) = await live.run(client.instances.fetch(instance_id=info.id))
    assert by_id.name == name
    assert name in {row.name for row in await live.run(client.instances.fetch())}
    state = await live.run(client.instances.connection_state(name))
    assert (state.name, state.state) == (name, "open")
    assert (await live.run(client.instances.connect(name))).state == "open"
    assert (await live.run(client.instances.restart(name))).state == "open"

    await live.run(client.instances.delete(name, wait=True, poll_ms=100))
    with pytest.raises(InstanceNotFoundError):
        await live.run(client.instances.connection_state(name))
    again = await live.run(client.instances.create(name, integration="EVOLUTION"))
    assert again.token != created.token


async def test_a_name_that_needs_encoding(live: Any, server: Any, new_name: Names) -> None:
    if not server.profile.at_least("2.3"):
        pytest.skip("2.2.3 may put a name into a shell's command: only harmless ones there")
    client = live.open()
    name = new_name("sdk-live/é#{}")
    with pytest.raises(RequestValidationError, match="unsafe_name"):
        await live.run(client.instances.create(name, integration="EVOLUTION"))
    await live.run(client.instances.create(name, integration="EVOLUTION", unsafe_name=True))
    state = await live.run(client.instances.connection_state(name))
    assert state.name == name
    sent = await live.run(client.instance(name).messages.send_text(NUMBER, "olá"))
    assert sent.id


async def test_an_instance_token_works_for_its_own_instance_only(
    live: Any, new_name: Names
) -> None:
    admin = live.open()
    own, other = new_name(), new_name()
    created = await live.run(admin.instances.create(own, integration="EVOLUTION"))
    await live.run(admin.instances.create(other, integration="EVOLUTION"))
    client = live.open(EvolutionConfig(live.config.base_url, created.token, instance=own))
    assert (await live.run(client.messages.send_text(NUMBER, "olá"))).id
    with pytest.raises(AuthenticationError):
        await live.run(client.instance(other).messages.send_text(NUMBER, "never"))
    handle = admin.instance(own, token=created.token)
    assert (await live.run(handle.settings.find())) is not None
    with pytest.raises(AuthenticationError):
        await live.run(admin.instance(other, token=created.token).settings.find())


async def test_settings(live: Any, sales: Any) -> None:
    switches = {
        "reject_call": True, "groups_ignore": True, "always_online": False,
        "read_messages": True, "read_status": False, "sync_full_history": False,
    }  # fmt: skip
    await live.run(sales.settings.set(**switches, msg_call="agora não"))
    stored = await live.run(sales.settings.find())
    assert {name: getattr(stored, name) for name in switches} == switches
    assert stored.msg_call == "agora não"


async def test_webhook(live: Any, sales: Any) -> None:
    assert await live.run(sales.webhook.find()) is None
    # CALL never happens here, so that nothing is ever delivered.
    url = "https://hooks.invalid/evolution"
    stored = await live.run(
        sales.webhook.set(url, events=["CALL"], by_events=True, headers={"x-test": "1"})
    )
    found = await live.run(sales.webhook.find())
    for webhook in (stored, found):
        assert (webhook.enabled, webhook.url, webhook.events) == (True, url, ("CALL",))
        assert (webhook.by_events, webhook.headers) == (True, {"x-test": "1"})
        assert not webhook.drift
    await live.run(sales.webhook.set(enabled=False))
    off = await live.run(sales.webhook.find())
    assert (off.enabled, off.events) == (False, ())
