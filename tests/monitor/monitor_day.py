"""Days of normal traffic: daily rhythm, noise, a few errors; and a client that answers for them."""

from __future__ import annotations

import math
import random
from types import SimpleNamespace
from typing import Any

from monitor_kit import START, StillProcess, Time, envelope

from evolution_sdk import AttemptFinished, CallFinished, EvolutionConfig
from evolution_sdk._base.effect import Effect
from evolution_sdk.errors import ServerError
from evolution_sdk.monitor import EvolutionMonitorService, MonitorPorts

DAY_S = 86_400.0


class QuietClient:
    """Answers every question after a plausible time, on the fake clock."""

    def __init__(self, time: Time, dice: random.Random) -> None:
        self._time, self._dice = time, dice
        self.server = self.instances = self
        self.config = EvolutionConfig("http://fake.test", "key", instance="sales")

    def close(self) -> None:
        """Nothing is open."""

    def observe(self, observer: Any) -> Any:
        self.tell = observer
        return self.close

    def observe_events(self, listener: Any) -> Any:
        self.feed = listener
        return self.close

    def info(self, **_: Any) -> Any:
        self._time.advance(self._dice.lognormvariate(math.log(30), 0.4))
        return SimpleNamespace(version="2.3.6")

    def connection_state(self, name: str, **_: Any) -> Any:
        self._time.advance(self._dice.lognormvariate(math.log(40), 0.4))
        return SimpleNamespace(name=name, state="open")


class WanderingProcess(StillProcess):
    """Memory that breathes and CPU that wobbles."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def memory_bytes(self) -> int:
        return int(120e6 + self._dice.gauss(0, 2e6))

    def cpu_percent(self) -> float:
        return max(0.0, self._dice.gauss(6, 2))


class Day:
    """Traffic between checks, from a seed."""

    def __init__(
        self, seed: int, interval_s: float = 5.0, *, slow: float = 0.0, **options: Any
    ) -> None:
        self.slow = slow
        self.dice = random.Random(seed)
        self.time = Time()
        self.interval = interval_s
        self.client: Any = QuietClient(self.time, self.dice)
        self.monitor = EvolutionMonitorService(
            self.client,
            ports=MonitorPorts(clock=self.time, process=WanderingProcess(self.dice)),
            sinks=(),
            **options,
        )
        self.monitor._version.begin = lambda work: work()  # no threads beside a fake clock
        self.acks: list[tuple[float, str]] = []
        self.sent = 0

    def per_second(self) -> float:
        """Events per second: busy at noon, nearly nothing at night (UTC)."""
        phase = (self.time.now % DAY_S) / DAY_S
        return 0.02 + 0.5 * max(0.0, math.sin(math.pi * phase)) ** 2

    def run(self, seconds: float) -> None:
        """Let time pass, with traffic and checks."""
        end = self.time.now + seconds
        due = self.time.now
        while self.time.now < end:
            due += self.interval
            self._traffic()
            self.time.now = max(self.time.now, due)
            self._deliver()
            self.monitor.check_health_sync()

    def _traffic(self) -> None:
        rate = self.per_second() * self.interval
        for _ in range(self._poisson(rate)):
            self.client.feed(envelope("messages.upsert", "sales", {}))
        for _ in range(self._poisson(rate)):
            self._call("chat.find_messages", Effect.READ, None)
        for _ in range(self._poisson(rate / 2)):
            self.sent += 1
            self._call("message.send_text", Effect.SEND, f"id{self.sent}")

    def _call(self, operation: str, effect: Effect, key_id: str | None) -> None:
        dice = self.dice
        error = ServerError(500) if dice.random() < 0.005 else None
        ms = dice.lognormvariate(math.log(90), 0.5)
        if self.slow and dice.random() < self.slow:
            ms += dice.uniform(1_500, 5_000)  # now and then one takes long
        tell: Any = self.client.tell
        tell(AttemptFinished(operation, effect, "sales", START, ms, error))
        result = None if error else SimpleNamespace(id=key_id)
        tell(CallFinished(operation, effect, "sales", START, ms, 1, error, result))
        if key_id and error is None and dice.random() < 0.99:
            self.acks.append((self.time.now + dice.expovariate(1 / 4), key_id))

    def _deliver(self) -> None:
        ready = [ack for ack in self.acks if ack[0] <= self.time.now]
        self.acks = [ack for ack in self.acks if ack[0] > self.time.now]
        for _, key_id in ready:
            data = {"keyId": key_id, "status": "SERVER_ACK"}
            self.client.feed(envelope("messages.update", "sales", data))

    def _poisson(self, mean: float) -> int:
        count, chance, limit = 0, self.dice.random(), math.exp(-mean)
        while chance > limit:
            chance *= self.dice.random()
            count += 1
        return count
