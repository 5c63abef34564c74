"""A worker process of the drills: works on an outbox, and dies or freezes where it is told to.

``python outbox_worker.py STORE URL PLAN``: the plan is JSON, such as
``{"point": "after", "pass": 3, "act": "kill"}``. Points: ``before`` the call, ``during`` it,
``after`` it, in a ``look``, in a ``commit``; or none.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk._sql.postgres import PostgresSession
from evolution_sdk._sql.sqlite import SqliteSession
from evolution_sdk._sync.pipeline import Pipeline
from evolution_sdk.outbox import Outbox
from evolution_sdk.outbox._sync import courier
from evolution_sdk.outbox.store import OutboxStore

DURING_S = 0.006  # the fake holds each answer a little longer


class Plan:
    """Where this process ends."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.point = plan.get("point")
        self.left = plan.get("pass", 1)
        self.sign = signal.SIGSTOP if plan.get("act") == "freeze" else signal.SIGKILL
        self.lock = threading.Lock()

    def here(self, point: str) -> None:
        """Be at a point."""
        if point != self.point:
            return
        with self.lock:
            self.left -= 1
            if self.left:
                return
        if point == "during":
            threading.Timer(DURING_S, self._end).start()
        else:
            self._end()

    def _end(self) -> None:
        tell(f"at {self.point}")
        os.kill(os.getpid(), self.sign)


def tell(words: str) -> None:
    """Tell the parent something."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def patch(plan: Plan) -> None:
    """Announce the points; everything else stays as it is."""
    call, look = Pipeline.call, courier.look_for_send
    visit = OutboxStore._write

    def calling(*args: Any, **kwargs: Any) -> Any:
        if "own_id" not in kwargs:
            return call(*args, **kwargs)
        plan.here("before")
        plan.here("during")
        try:
            return call(*args, **kwargs)
        finally:
            plan.here("after")

    def looking(*args: Any, **kwargs: Any) -> Any:
        plan.here("look")
        return look(*args, **kwargs)

    def writing(self: OutboxStore, *args: Any) -> Any:
        state.at_commit = True
        try:
            return visit(self, *args)
        finally:
            state.at_commit = False

    state = threading.local()
    Pipeline.call = calling  # type: ignore[method-assign]
    courier.look_for_send = looking  # type: ignore[assignment]
    OutboxStore._write = writing  # type: ignore[method-assign]
    if plan.point == "commit":
        # In the middle of the transaction that writes down and claims.
        for session in (SqliteSession, PostgresSession):
            run = session.run

            def running(self: Any, sql: str, values: Any = (), run: Any = run) -> Any:
                found = run(self, sql, values)
                if getattr(state, "at_commit", False) and "evolution_outbox SET state" in sql:
                    plan.here("commit")
                return found

            session.run = running  # type: ignore[method-assign]


def main() -> None:
    """Work until the end is told on stdin."""
    store, url, plan = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    patch(Plan(plan))
    more: dict[str, Any] = {"clock": _Clock(plan["clock_s"])} if plan.get("clock_s") else {}
    settings: dict[str, Any] = plan.get("settings", {})
    config = EvolutionConfig(base_url=url, api_key="k", instance="sales", **settings)
    with EvolutionClient(config=config, **more) as client:
        options: dict[str, Any] = {"poll_ms": 50, "workers": 3, "lease_ms": 1_000}
        if plan.get("engine"):
            run_engine(store, client, options | plan.get("outbox", {}))
            return
        outbox = Outbox(store, client=client, **options | plan.get("outbox", {}))
        with outbox:
            tell("works")
            sys.stdin.readline()


def run_engine(store: str, client: Any, options: dict[str, Any]) -> None:
    """Work with Procrastinate until the end is told on stdin, or by a signal."""
    import asyncio

    from evolution_sdk.outbox import ProcrastinateEngine

    engine = ProcrastinateEngine(recover_every_s=1)
    outbox = Outbox(store, client=client, engine=engine, **options)

    def listen() -> None:
        sys.stdin.readline()
        engine.stop()

    threading.Thread(target=listen, daemon=True).start()
    asyncio.run(engine.run(concurrency=3))
    outbox.close()


class _Clock:
    """The clocks of a machine whose time of day is wrong."""

    def __init__(self, off_s: float) -> None:
        self._off_s = off_s

    def time(self) -> float:
        return time.time() + self._off_s

    def monotonic(self) -> float:
        return time.monotonic()


if __name__ == "__main__":
    main()
