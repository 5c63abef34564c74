"""Public test kit: a stateful fake of the Evolution API server, with faults on demand.

::

    fake = FakeEvolution(api_key="secret")
    fake.create_instance("sales")
    client = fake.http_client()          # in-process; or: with fake.serve() as fake: fake.url
    fake.faults.add("message.send_text", FaultKind.ANSWER_THEN_DROP, count=1)
    ...
    fake.assert_sent("5511999999999", text="Olá!")

The pytest plugin offers the fixtures ``fake_evolution`` and ``fake_evolution_server``.
"""

from __future__ import annotations

from .fake.clock import Clock, FakeClock, SystemClock
from .fake.evolution import FakeEvolution
from .fake.faults import Fault, FaultKind, Faults
from .fake.records import SeenRequest, SentMessage

__all__ = [
    "Clock",
    "FakeClock",
    "FakeEvolution",
    "Fault",
    "FaultKind",
    "Faults",
    "SeenRequest",
    "SentMessage",
    "SystemClock",
]
