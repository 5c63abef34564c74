"""The transports over httpx and httpx2 can be mocked with respx, as applications will do.

respx knows httpx2 by the plugin pytest-httpx2, which has nothing for httpx2's own layer.
"""

from __future__ import annotations

import httpx
import pytest
import respx
from transport_adapters import make_request

from evolution_sdk._base.effect import Phase
from evolution_sdk.errors import ConnectionFailedError, EvolutionTimeoutError

DEFAULTS = ("httpx", "httpx-sync")
READY = ("ready-httpx", "ready-httpx-sync")
SECOND = ("httpx2", "httpx2-sync")
READY_SECOND = ("ready-httpx2", "ready-httpx2-sync")
EACH = (*DEFAULTS, *READY, *SECOND, *READY_SECOND)
URL = "http://evolution.test:8080"


def mocked(kind, **options):
    """respx over the engine of a kind."""
    engine = "httpcore2" if "httpx2" in kind else "httpcore"
    return respx.mock(base_url=URL, using=engine, **options)


@pytest.mark.parametrize("kind", EACH)
async def test_respx_in_its_default_mode(kind, opened):
    with mocked(kind) as router:
        route = router.post("/message/sendText/bot").respond(201, json={"ok": 1})
        adapter = opened(kind)
        for _ in range(2):
            response = await adapter.send(make_request(URL))
        assert route.call_count == 2
        call = route.calls.last.request
    answered = b'{"ok": 1}' if httpx.__version__ < "0.28" else b'{"ok":1}'  # as httpx writes it
    assert (response.status, response.body) == (201, answered)
    assert response.headers["content-type"] == "application/json"
    assert call.headers["apikey"] == "s3cret-key"
    assert call.content == b'{"text":"s3cret-text"}'


@pytest.mark.parametrize("kind", [*DEFAULTS, *READY])
async def test_respx_on_httpx_itself_sees_the_calls(kind, opened):
    with respx.mock(base_url=URL, using="httpx") as router:
        route = router.post("/message/sendText/bot").respond(201, json={"ok": 1})
        assert (await opened(kind).send(make_request(URL))).status == 201
        assert route.called


@pytest.mark.parametrize("kind", EACH)
@pytest.mark.parametrize(
    ("raised", "error", "phase"),
    [
        (httpx.ConnectError, ConnectionFailedError, Phase.NOT_SENT),
        (httpx.ConnectTimeout, EvolutionTimeoutError, Phase.NOT_SENT),
        (httpx.ReadTimeout, EvolutionTimeoutError, Phase.UNKNOWN),
        (httpx.ReadError, ConnectionFailedError, Phase.UNKNOWN),
    ],
)
async def test_side_effects_of_httpx_are_understood(kind, raised, error, phase, opened):
    with mocked(kind) as router:
        router.post("/message/sendText/bot").mock(side_effect=raised)
        with pytest.raises(error) as caught:
            await opened(kind).send(make_request(URL))
    assert caught.value.phase is phase


@pytest.mark.parametrize("kind", [*DEFAULTS, *SECOND])
async def test_an_unmocked_route_fails_the_test(kind, opened):
    with mocked(kind, assert_all_called=False) as router:
        router.get("/other")
        with pytest.raises(AssertionError):
            await opened(kind).send(make_request(URL))


@pytest.mark.parametrize("kind", [*DEFAULTS, *SECOND])
async def test_respx_works_although_the_environment_has_a_proxy(kind, opened, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with mocked(kind) as router:
        route = router.post("/message/sendText/bot").respond(201, json={})
        assert (await opened(kind).send(make_request(URL))).status == 201
        assert route.called
