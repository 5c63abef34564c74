"""Pages that listen: what they are sent, and that none of them holds up anything."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from console_kit import BEARER, TOKEN, OpenPage, ask, settle
from monitor_kit import World

from evolution_sdk.monitor import EvolutionConsole
from evolution_sdk.monitor.console.book import Changes
from evolution_sdk.monitor.console.hub import Hub


class Stage:
    """A console whose looks a test makes."""

    def __init__(self, **options: Any) -> None:
        self.world = World(**options)
        self.console = EvolutionConsole(self.world.monitor, token=TOKEN)
        self.hub: Hub = self.console._hub
        self._turn = asyncio.Event()
        self.hub._sleep = self._sleep

    async def _sleep(self, seconds: float) -> None:
        assert seconds == 1.0
        self._turn.clear()
        await self._turn.wait()

    async def tick(self) -> None:
        self._turn.set()
        await settle()

    async def check(self) -> None:
        await self.world.check()
        await self.tick()


async def test_a_page_gets_the_state_and_then_what_changes() -> None:
    stage = Stage()
    page = OpenPage(stage.console)
    await settle()
    assert b"".join(page.parts).startswith(b"retry: 2000\nid: ")
    ((name, state),) = page.events
    assert name == "state"
    assert {"health", "instances", "strips", "series", "calls", "alerts"} <= set(state)
    await stage.tick()
    assert len(page.events) == 1, "nothing changed"
    await stage.world.read()
    await stage.tick()
    name, changes = page.events[-1]
    assert (name, set(changes)) == ("changes", {"at", "calls"})
    await stage.check()
    assert page.events[-1][1]["instances"]["sales"]["status"] == "healthy"
    stage.world.fake.create_instance("support")
    await page.leave()


async def test_only_the_instances_that_changed_are_told() -> None:
    stage = Stage(instance=None)
    for name in ("support", "billing"):
        stage.world.fake.create_instance(name)
    await stage.world.check(2)
    page = OpenPage(stage.console)
    await settle()
    stage.world.fake.log_out("support")
    await stage.check()
    changes = page.events[-1][1]
    assert set(changes["instances"]) == {"support"}
    assert changes["instances"]["support"]["status"] == "unhealthy"
    assert changes["health"]["status"] == "degraded"
    await stage.world.run(stage.world.client.instances.delete("billing"))
    await stage.check()
    assert page.events[-1][1]["instances"]["billing"] is None
    assert page.events[-1][1]["strips"]["billing"] is None
    await page.leave()


async def test_a_section_is_written_once_for_all_pages() -> None:
    stage = Stage()
    pages = [OpenPage(stage.console) for _ in range(5)]
    await settle()
    await stage.world.read()
    await stage.tick()
    last = [page.parts[-1] for page in pages]
    assert all(part is last[0] or part == last[0] for part in last)
    for page in pages:
        await page.leave()


async def test_nothing_is_computed_while_no_page_is_open() -> None:
    stage = Stage()
    await stage.check()
    assert stage.hub.ticks == 0
    page = OpenPage(stage.console)
    await settle()
    assert stage.hub.ticks == 1
    await page.leave()
    await stage.check()
    assert stage.hub.ticks == 1
    assert stage.console.pages == 0


async def test_a_stuck_page_holds_nobody_up_and_then_gets_everything() -> None:
    stage = Stage()
    stuck, other = OpenPage(stage.console), OpenPage(stage.console)
    await settle()
    stuck.reads.clear()
    for _ in range(5):
        await stage.world.read()
        await stage.tick()
    assert [name for name, _ in other.events] == ["state", *["changes"] * 5]
    assert len(stuck.events) == 1
    stuck.reads.set()
    await settle()
    names = [name for name, _ in stuck.events]
    assert names == ["state", "changes", "state"], "the one under way, then all at once"
    assert stuck.events[-1][1]["calls"] == other.events[-1][1]["calls"]
    for page in (stuck, other):
        await page.leave()


async def test_a_page_that_stays_stuck_is_let_go() -> None:
    hub = Hub(Changes, lambda level: b"{}", lambda: None, lambda: 0.0, send_s=0.0)
    never = asyncio.Event()

    async def send(part: bytes) -> None:
        await never.wait()

    await hub.serve("view", send, never.wait())
    assert (hub.dropped, hub.pages) == (1, 0)


async def test_a_quiet_page_hears_that_all_is_well() -> None:
    hub = Hub(Changes, lambda level: b"{}", lambda: None, lambda: 0.0, alive_s=0.0)
    parts: list[bytes] = []
    enough = asyncio.Event()

    async def send(part: bytes) -> None:
        parts.append(part)
        if len(parts) == 3:
            enough.set()

    await hub.serve("view", send, enough.wait())
    assert parts[-1] == b"event: alive\ndata: {}\n\n"


async def test_pages_are_bounded() -> None:
    stage = Stage()
    stage.hub._most = 2
    pages = [OpenPage(stage.console) for _ in range(3)]
    await settle()
    assert [page.status for page in pages] == [200, 200, 503]
    assert (await ask(stage.console, "GET", "/api/stream", BEARER)).json["error"] == "full"
    for page in pages:
        await page.leave()


@pytest.mark.parametrize("actions", [True, False])
async def test_a_code_that_links_a_phone_is_shown_to_those_who_may_act(actions: bool) -> None:
    stage = Stage()
    stage.console._may_act = actions
    levels: dict[str, Any] = {"view": "view", "act": "act"}
    stage.console._access._check = lambda scope: levels[dict(scope["headers"])[b"x-role"].decode()]
    pages = {role: OpenPage(stage.console, {"x-role": role}) for role in levels}
    await stage.check()
    stage.world.event("qrcode.updated", qrcode={"code": "2@x", "pairingCode": "WZYE-H1YY"})
    await stage.tick()
    told = {role: b"WZYE-H1YY" in b"".join(page.parts) for role, page in pages.items()}
    assert told == {"view": False, "act": actions}
    for page in pages.values():
        await page.leave()
    late = OpenPage(stage.console, {"x-role": "view"})
    await settle()
    assert late.events[0][1]["pairing"] == {}
    await late.leave()
