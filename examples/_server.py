"""Where the examples go: the server of the environment, or a fake one when there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from evolution_sdk import ConfigurationError, EvolutionConfig
from evolution_sdk.testing import FakeEvolution

FAKE_NUMBER = "5511999999999"


@dataclass(frozen=True)
class Place:
    """Settings with an instance, a number to write to, and the fake server if it is one."""

    config: EvolutionConfig
    number: str
    fake: FakeEvolution | None


@contextmanager
def server() -> Iterator[Place]:
    """Settings of the environment or of .env; without EVOLUTION_API_URL, those of a fake server.

    On a real server EVOLUTION_INSTANCE names a connected instance, and the first argument of the
    program is the number to write to.
    """
    try:
        config = EvolutionConfig.from_env()
    except ConfigurationError as error:
        if error.variable != "EVOLUTION_API_URL":
            raise
    else:
        if config.instance is None or len(sys.argv) != 2:
            raise SystemExit("Set EVOLUTION_INSTANCE, and give the number to write to.")
        yield Place(config, sys.argv[1], None)
        return
    print("EVOLUTION_API_URL is not set: using the fake server of evolution_sdk.testing")
    with FakeEvolution(api_key="demo-key").serve() as fake:
        fake.create_instance("sales")
        config = EvolutionConfig(fake.url, "demo-key", instance="sales", retry={"delay_ms": 50})
        yield Place(config, FAKE_NUMBER, fake)
