"""The control routes of FakeEvolution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evolution_sdk.testing.fake.evolution import FakeEvolution

from .routes import ControlRoute, routes_of

ROUTES: Final = routes_of(FakeEvolution)
"""Every route but the listing itself, ``GET /_fake``."""

BY_MEMBER: Final[Mapping[str, ControlRoute]] = {route.member: route for route in ROUTES}
"""The routes by the member they call."""
