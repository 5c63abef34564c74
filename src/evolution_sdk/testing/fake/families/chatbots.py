"""Routes of the seven chatbots, ``/typebot`` to ``/evolutionBot``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from evolution_sdk.testing.fake.chatbots import bots, openai, sessions, settings, typebot
from evolution_sdk.testing.fake.chatbots.kinds import KINDS, Kind
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import chatbots as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE


def _routes(kind: Kind) -> list[Route]:
    group, noun = kind.group, kind.noun

    # The server checks bodies of reads with the schema of instance/create, which lets nearly all
    # pass.
    def route(
        operation: str,
        handler: Callable[[Kind, RouteCall], Any],
        schema: Schema = CREATE,
        *,
        status: int = 200,
    ) -> Route:
        handle = partial(handler, kind)
        return Route(f"{group}.{operation}", handle, status=status, schema=schema)

    return [
        route(f"create_{noun}_bot", bots.create, kind.create, status=201),
        route(f"find_{noun}_bots", bots.find),
        route(f"fetch_{noun}_bot", bots.fetch),
        route(f"update_{noun}_bot", bots.update, kind.create),
        route(f"delete_{noun}_bot", bots.delete),
        route(f"set_{noun}_settings", settings.set_settings, kind.settings),
        route(f"fetch_{noun}_settings", settings.fetch_settings),
        route(f"change_{noun}_status", sessions.change_status, schemas.STATUS),
        route(f"fetch_{noun}_sessions", sessions.fetch_sessions),
        route(f"{noun}_ignore_jid", settings.ignore_jid, schemas.IGNORE_JID),
    ]


ROUTES = [
    *(route for kind in KINDS for route in _routes(kind)),
    Route("typebot.start_typebot", typebot.start, schema=schemas.START),
    Route("openai.create_openai_creds", openai.create_creds, status=201, schema=schemas.CREDS),
    Route("openai.find_openai_creds", openai.find_creds, schema=CREATE),
    Route("openai.delete_openai_creds", openai.delete_creds, schema=CREATE),
    Route("openai.get_openai_models", openai.get_models, schema=CREATE),
]
