"""A server of 2.4 that was not activated: it says so once and plainly, and nothing is done."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from evolution_sdk.errors import LicenseRequiredError
from evolution_sdk.models.server import LicenseState
from evolution_sdk.monitor import EvolutionMonitorService

pytestmark = pytest.mark.unlicensed

NUMBER = "5511987654321"


def watched(seen: list[str]) -> httpx.Client:
    return httpx.Client(event_hooks={"request": [lambda request: seen.append(request.url.path)]})


async def test_each_call_is_one_request_and_one_error_with_the_page(live: Any) -> None:
    seen: list[str] = []

    async def note(request: httpx.Request) -> None:
        seen.append(request.url.path)

    is_async = live.colour == "async"
    http: Any = httpx.AsyncClient(event_hooks={"request": [note]}) if is_async else watched(seen)
    try:
        client = live.open(http_client=http)
        sales = client.instance("sdk-live-nobody")
        for call in (
            lambda: client.instances.fetch(),
            lambda: client.instances.create("sdk-live-nobody", integration="EVOLUTION"),
            lambda: client.server.verify_creds(),
            lambda: sales.chats.find(),
            lambda: sales.messages.send_text(NUMBER, "never"),
            lambda: sales.messages.send_text(NUMBER, "never", on_unknown="resend"),
        ):
            seen.clear()
            with pytest.raises(LicenseRequiredError) as caught:
                await live.run(call())
            assert len(seen) == 1
            error = caught.value
            assert (error.status, error.attempts) == (503, 1)
            assert error.register_url is not None
            assert error.register_url.startswith(live.config.base_url)
            assert error.register_url in str(error)
            assert "not activated, nothing was done" in str(error)
    finally:
        await live.run(http.aclose() if is_async else http.close())


async def test_what_the_server_tells_without_a_licence(live: Any) -> None:
    client = live.open()
    assert (await live.run(client.server.info())).version.startswith("2.")
    assert await live.run(client.supports("license.status"))
    found = await live.run(client.license.status())
    assert found.status is LicenseState.INACTIVE
    assert not found.active
    assert found.instance_id
    assert not found.drift


@pytest.mark.parametrize("instances", [[], ["sdk-live-nobody"]], ids=["server", "instance"])
async def test_the_monitor_says_that_it_is_unhealthy_and_why(
    live: Any, instances: list[str]
) -> None:
    with EvolutionMonitorService(live.open(), instances=instances) as monitor:
        report = await monitor.check_health()
    assert report.status == "unhealthy"
    assert report.reasons[0].startswith("the server is not activated")
    assert f"{live.config.base_url}/manager/login" in report.reasons[0]
