"""Public test kit: a stateful fake of the Evolution API server, with faults on demand.

::

    fake = FakeEvolution(api_key="secret")
    fake.create_instance("sales")
    client = fake.http_client()          # in-process; or: with fake.serve() as fake: fake.url
    fake.faults.add("message.send_text", FaultKind.ANSWER_THEN_DROP, count=1)
    ...
    fake.assert_sent("5511999999999", text="Olá!")

Phones act by ``fake.receive_text``, ``vote``, ``choose``, ``react``, ``edit``, ``revoke`` and the
like, told and stored as by the server of the fake's version.

An instance with a webhook gets its events: by itself while the fake is served, or by
``fake.webhooks.deliver()``. ``FakeControl(url, key)`` arranges a served fake from another process.

``FaultProxy(target_url)`` puts the same faults in front of any server; ``FakeClock`` and
``no_retry_delays()`` take the waiting out of tests. The pytest plugin offers the fixtures
``fake_evolution``, ``fake_evolution_server`` and ``no_retry_delays``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .delays import NoRetryDelays, no_retry_delays
    from .fake.arrange_groups import FakeGroups
    from .fake.arrange_labels import FakeLabels
    from .fake.arrange_meta import FakeMeta
    from .fake.arrange_services import FakeServices
    from .fake.clock import Clock, FakeClock, SystemClock
    from .fake.control.client import (
        ControlledClock,
        ControlledFaults,
        ControlledWebhooks,
        FakeControl,
    )
    from .fake.delivery.outbox import WebhookAttempt
    from .fake.delivery.posting import FakeWebhooks
    from .fake.delivery.rules import WebhookOptions
    from .fake.delivery.sockets import SocketOptions
    from .fake.evolution import FakeEvolution
    from .fake.faults import Fault, FaultKind, Faults
    from .fake.records import RecordedSend, SeenRequest
    from .fake.routes import fake_routes
    from .proxy.proxy import FaultProxy

__all__ = [
    "Clock",
    "ControlledClock",
    "ControlledFaults",
    "ControlledWebhooks",
    "FakeClock",
    "FakeControl",
    "FakeEvolution",
    "FakeGroups",
    "FakeLabels",
    "FakeMeta",
    "FakeServices",
    "FakeWebhooks",
    "Fault",
    "FaultKind",
    "FaultProxy",
    "Faults",
    "NoRetryDelays",
    "RecordedSend",
    "SeenRequest",
    "SocketOptions",
    "SystemClock",
    "WebhookAttempt",
    "WebhookOptions",
    "fake_routes",
    "no_retry_delays",
]

_HOMES = {
    "delays": ("NoRetryDelays", "no_retry_delays"),
    "fake.arrange_groups": ("FakeGroups",),
    "fake.arrange_labels": ("FakeLabels",),
    "fake.arrange_meta": ("FakeMeta",),
    "fake.arrange_services": ("FakeServices",),
    "fake.clock": ("Clock", "FakeClock", "SystemClock"),
    "fake.control.client": (
        "ControlledClock",
        "ControlledFaults",
        "ControlledWebhooks",
        "FakeControl",
    ),
    "fake.delivery.outbox": ("WebhookAttempt",),
    "fake.delivery.posting": ("FakeWebhooks",),
    "fake.delivery.rules": ("WebhookOptions",),
    "fake.delivery.sockets": ("SocketOptions",),
    "fake.evolution": ("FakeEvolution",),
    "fake.faults": ("Fault", "FaultKind", "Faults"),
    "fake.records": ("RecordedSend", "SeenRequest"),
    "fake.routes": ("fake_routes",),
    "proxy.proxy": ("FaultProxy",),
}


def __getattr__(name: str) -> object:
    """Import on first use: pytest loads this package in every run, for its fixtures."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
