"""The routes of the seven chatbots, ``/typebot`` to ``/evolutionBot``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from evolution_sdk.testing.fake.chatbots import bots, openai, sessions, settings, typebot
from evolution_sdk.testing.fake.chatbots.kinds import KINDS, Kind
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import chatbots as schemas
from evolution_sdk.testing.fake.schemas.instance import CREATE


def _routes(kind: Kind) -> list[Route]:
    group, noun = kind.group, kind.noun

    def route(
        operation: str,
        method: str,
        action: str,
        handler: Callable[[Kind, Call], Any],
        schema: Schema = CREATE,
        *,
        one: bool = False,
        status: int = 200,
    ) -> Route:
        bot = f"/{{{kind.parameter}}}" if one else ""
        path = f"/{group}/{action}{bot}/{{instance}}"
        handle = partial(handler, kind)
        return Route(f"{group}.{operation}", method, path, handle, status=status, schema=schema)

    return [
        route(f"create_{noun}_bot", "POST", "create", bots.create, kind.create, status=201),
        route(f"find_{noun}_bots", "GET", "find", bots.find),
        route(f"fetch_{noun}_bot", "GET", "fetch", bots.fetch, one=True),
        route(f"update_{noun}_bot", "PUT", "update", bots.update, kind.create, one=True),
        route(f"delete_{noun}_bot", "DELETE", "delete", bots.delete, one=True),
        route(f"set_{noun}_settings", "POST", "settings", settings.set_settings, kind.settings),
        route(f"fetch_{noun}_settings", "GET", "fetchSettings", settings.fetch_settings),
        route(f"change_{noun}_status", "POST", "changeStatus", sessions.change_status,
              schemas.STATUS),
        route(f"fetch_{noun}_sessions", "GET", "fetchSessions", sessions.fetch_sessions, one=True),
        route(f"{noun}_ignore_jid", "POST", "ignoreJid", settings.ignore_jid, schemas.IGNORE_JID),
    ]  # fmt: skip


ROUTES = [
    *(route for kind in KINDS for route in _routes(kind)),
    Route("typebot.start_typebot", "POST", "/typebot/start/{instance}", typebot.start,
          schema=schemas.START),
    Route("openai.create_openai_creds", "POST", "/openai/creds/{instance}", openai.create_creds,
          status=201, schema=schemas.CREDS),
    Route("openai.find_openai_creds", "GET", "/openai/creds/{instance}", openai.find_creds,
          schema=CREATE),
    Route("openai.delete_openai_creds", "DELETE", "/openai/creds/{openaiCredsId}/{instance}",
          openai.delete_creds, schema=CREATE),
    Route("openai.get_openai_models", "GET", "/openai/getModels/{instance}", openai.get_models,
          schema=CREATE),
]  # fmt: skip
