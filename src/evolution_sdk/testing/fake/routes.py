"""The routes of the fake."""

from __future__ import annotations

from typing import Final

from . import families
from .router import Router

ROUTER: Final = Router(families.ALL)


def fake_routes() -> tuple[tuple[str, str], ...]:
    """List the routes that the fake serves.

    Every operation's route is among them; beside those are the pages of the web manager, which no
    client calls.

    Returns:
        Pairs of HTTP method and path template, such as ``("GET", "/chat/findChats/{instance}")``,
        in the order in which they are matched.
    """
    return tuple((route.method, route.path) for route in ROUTER.routes)
