"""An outage drill on the fake server and clock: what happens to it, and what the monitor tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monitor_kit import NUMBER, World

from evolution_sdk.monitor import ProbeOptions

DOWN_S = 60.0
"""How long each trouble lasts, in seconds."""
AFTER_S = 150.0
"""How long is watched after it, in seconds: the window, six good checks of 5 s, and some more."""

Trouble = Callable[[World], Callable[[], None]]


def _fault(*arguments: Any, **options: Any) -> Trouble:
    return lambda world: world.fake.faults.add(*arguments, **options).remove


def _logged_out(world: World) -> Callable[[], None]:
    world.fake.set_state("sales", "close")
    return lambda: world.fake.set_state("sales", "open")


def _restart(world: World) -> Callable[[], None]:
    """Ten seconds gone, then back with its instances not yet loaded."""
    end = world.fake.faults.add("*", "refuse").remove
    begun = world.time.now
    loading: list[Callable[[], None]] = []

    def step() -> None:
        if not loading and world.time.now - begun >= 10:
            end()
            body = {"instance": {"instanceName": "sales"}}
            fault = world.fake.faults.add(
                "instance.connection_state", "status", status=200, body=body
            )
            loading.append(fault.remove)
        if loading and world.time.now - begun >= 20:
            loading[0]()

    world.steps.append(step)  # type: ignore[attr-defined]  # set by the drill
    return lambda: None


def _slow_root(world: World) -> Callable[[], None]:
    """As on 2.3.6 and newer when WhatsApp's page is slow; asked whenever it may be."""
    world.monitor._version._due = float("-inf")
    return world.fake.faults.add("root.get_information", "delay", delay_ms=4_000).remove


def _stalls(world: World) -> Callable[[], None]:
    """For 25 seconds every answer takes 1.8 seconds."""
    end = world.fake.faults.add("*", "delay", delay_ms=1_800).remove
    begun = world.time.now
    world.steps.append(lambda: end() if world.time.now - begun >= 25 else None)  # type: ignore[attr-defined]
    return lambda: None


def _errors(world: World) -> Callable[[], None]:
    """Sends are refused before they are sent, since nobody here waits for a lost one."""
    faults = [
        world.fake.faults.add("message.*", "refuse", probability=0.35),
        world.fake.faults.add("[!m]*", "status", status=500, probability=0.35),
    ]

    def end() -> None:
        for fault in faults:
            fault.remove()

    return end


TROUBLES: dict[str, Trouble] = {
    "kill": _fault("*", "refuse"),
    "stop": _fault("*", "delay", delay_ms=2_500),  # longer than anybody waits here
    "restart": _restart,
    "logout": _logged_out,
    "slow GET /": _slow_root,
    "stalls": _stalls,
    "slow everything": _fault("*", "delay", delay_ms=1_800),
    "35 % errors": _errors,
}


async def run(trouble: str, interval_s: float, colour: str) -> tuple[World, list[tuple[Any, ...]]]:
    """Let one trouble come and go, with traffic.

    Returns:
        The world, and each change of health: seconds since the trouble began, old, new, reasons.
    """
    world = World(colour, probes=ProbeOptions(timeout_ms=2_000))
    world.steps = []  # type: ignore[attr-defined]  # for troubles that change by themselves
    begun = [world.time.now]
    changes: list[tuple[Any, ...]] = []

    def changed(event: Any) -> None:
        at = round(world.time.now - begun[0])
        changes.append((at, event.previous, event.current, event.reasons))

    world.monitor.on("healthStatusChanged", changed)
    await _pass(world, 70, interval_s)
    begun[0] = world.time.now
    end = TROUBLES[trouble](world)
    await _pass(world, DOWN_S, interval_s)
    end()
    await _pass(world, AFTER_S, interval_s)
    return world, changes


async def _pass(world: World, seconds: float, interval_s: float) -> None:
    end = world.time.now + seconds
    second, check = world.time.now, world.time.now
    while world.time.now < end:
        second += 1
        for step in world.steps:  # type: ignore[attr-defined]  # set above
            step()
        if world.time.now <= second:  # a call that waits holds up the next ones
            await world.call(lambda: world.client.chats.find(timeout_ms=1_900, retry=False))
            await world.call(
                lambda: world.client.messages.send_text(NUMBER, "oi", timeout_ms=1_900, retry=False)
            )
        world.time.now = max(world.time.now, second)
        if world.time.now >= check:
            check += interval_s
            await world.check(every_ms=0)
