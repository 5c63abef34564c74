"""EvolutionConsole: one page about the health of everything, as an ASGI app to mount anywhere."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor.service import EvolutionMonitorService
from evolution_sdk.monitor.words import both

from .access import COOKIE, SESSION_S, Access, AccessCheck, Level, Scope, address_of, headers_of
from .actions import Actions
from .book import StateBook
from .figures import ConsoleOutbox, ConsoleReceiver, Figures
from .http import (
    ACT_HEADER,
    NOT_FOUND,
    SECURITY,
    BodyTooLargeError,
    GoneError,
    Receive,
    Reply,
    Send,
    failure,
    is_same_origin,
    json_reply,
    path_of,
    read_body,
    reply,
)
from .hub import Hub
from .pages import INDEX, page
from .recorder import Recorder
from .source import MonitorSource

__all__ = ["EvolutionConsole"]

_STREAM: Final = {
    **SECURITY,
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    # Proxies such as nginx would hold events back.
    "x-accel-buffering": "no",
}
_LOGIN: Final = failure(401, "login", both("a token is needed", "é preciso um token"))
_FORBIDDEN: Final = failure(
    403, "forbidden", both("you may not see this console", "você não pode ver este painel")
)
_NO_ACTIONS: Final = failure(
    403, "forbidden", both("you may look, and not act", "você pode ver, mas não agir")
)
_ORIGIN: Final = failure(
    403, "origin",
    both("this was not asked by the console's own page", "o pedido não veio da página do painel"),
)  # fmt: skip
_METHOD: Final = failure(405, "method", both("wrong method", "método errado"))
_FULL: Final = failure(503, "full", both("too many pages are open", "há páginas demais abertas"))
_TOO_LARGE: Final = failure(413, "value", both("too large", "grande demais"))
_REFUSED: Final = both("the token is wrong", "o token está errado")
_SLOWLY: Final = both("too many wrong tokens; wait a little", "tokens errados demais; espere")


@checked()
class EvolutionConsole:
    """Live console of a monitor: one page, as an ASGI 3 app.

    Mount it in FastAPI, Starlette or Django, or serve it alone: ``uvicorn.run(console)``. It loads
    nothing from elsewhere, and it is read-only unless ``actions`` is true. The monitor must be
    started by the program. See ``docs/en/console.md``.

    Args:
        monitor: The monitor, which is neither started nor stopped.
        outbox: An outbox to show, and to settle if actions are allowed. Default: none.
        receiver: A webhook receiver to show, with its dead letters. Default: none.
        token: Opens the page; 16 characters or more. Default: ``EVOLUTION_CONSOLE_TOKEN``.
        access: Decides instead of a token: takes the ASGI scope of a request, and returns
            ``view``, ``act`` or None for nobody; may be async.
        actions: Whether those who may act are let: replay, discard, resolve, cancel, retry, pause,
            resume and linking a phone. They also see QR codes.
        title: Title of the page. Default: ``Evolution console``.
        language: ``en`` or ``pt``. Default: that of each reader's browser.
        show_numbers: Whether phone numbers in the keys of messages are shown.

    Raises:
        ConfigurationError: There is neither a token nor an access callable, or both, or the token
            is too short.
    """

    def __init__(
        self,
        monitor: EvolutionMonitorService,
        *,
        outbox: Any = None,
        receiver: Any = None,
        token: str | None = None,
        access: AccessCheck | None = None,
        actions: bool = False,
        title: str = "Evolution console",
        language: Literal["en", "pt"] | None = None,
        show_numbers: bool = False,
    ) -> None:
        if token is None and access is None:
            setting = monitor.config.console.token
            token = None if setting is None else setting.get_secret_value()
        try:
            title.encode()
        except UnicodeEncodeError:
            raise ConfigurationError(
                "title: must not hold half a character.", variable="title"
            ) from None
        source = MonitorSource(monitor)
        self._access = Access(token, access, lambda: source.now, lambda: source.at)
        self._may_act = actions
        self._recorder = Recorder(source)
        shown_outbox: ConsoleOutbox | None = outbox
        shown_receiver: ConsoleReceiver | None = receiver
        self._figures = Figures(shown_outbox, shown_receiver, lambda: source.now, lambda: source.at)
        self._actions = Actions(self._recorder, self._figures, shown_outbox, shown_receiver)
        features = {
            "outbox": outbox is not None,
            "receiver": receiver is not None,
            "history": self._recorder.history,
            "actions": actions,
            # The file of another process's receiver can be looked at only.
            "replay": receiver is not None and not getattr(receiver, "read_only", False),
            "login": self._access.has_login,
        }
        fixed = {"title": title, "language": language, "features": features}
        book = self._book = StateBook(
            self._recorder, self._figures, fixed, show_numbers=show_numbers
        )
        self._hub = Hub(book.refresh, self._whole, self._figures.poll, lambda: source.at)

    @property
    def asgi(self) -> EvolutionConsole:
        """The app itself, for symmetry with ``receiver.asgi``."""
        return self

    @property
    def pages(self) -> int:
        """Number of pages that are open."""
        return self._hub.pages

    def close(self) -> None:
        """Stop listening to the monitor, which goes on."""
        self._recorder.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1003})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], path_of(scope)
        if method == "GET" and path == "api/stream":
            await self._stream(scope, receive, send)
            return
        try:
            answer = await self._route(method, path, scope, receive)
        except BodyTooLargeError:
            answer = _TOO_LARGE
        except GoneError:
            return
        await reply(send, answer, head=method == "HEAD")

    async def _route(self, method: str, path: str | None, scope: Scope, receive: Receive) -> Reply:
        if path in ("login", "logout", "api/actions"):
            if method != "POST":
                return _METHOD
            if not is_same_origin(scope):
                return _ORIGIN
            if path == "login":
                return await self._login(scope, receive)
            return _logout(scope) if path == "logout" else await self._act(scope, receive)
        if method not in ("GET", "HEAD"):
            return _METHOD
        if path is None:
            # Relative addresses of the page need the slash.
            return Reply(307, b"", {"location": f"{scope.get('root_path', '')}/"})
        if path in ("", INDEX):
            return page(INDEX, scope)
        if path.startswith("static/"):
            return page(path.removeprefix("static/"), scope)
        if path == "api/state":
            return await self._state(scope)
        return NOT_FOUND

    async def _state(self, scope: Scope) -> Reply:
        level = await self._access.level(scope)
        if level is None:
            return self._refusal()
        await self._figures.read_once()
        self._hub.tick()
        return json_reply(200, self._whole(level))

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        level = await self._access.level(scope)
        refused = self._refusal() if level is None else _FULL if self._hub.is_full else None
        if level is None or refused is not None:
            await reply(send, refused or _LOGIN)
            return
        headers = [(name.encode(), value.encode()) for name, value in _STREAM.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

        def give(part: bytes) -> Awaitable[None]:
            return send({"type": "http.response.body", "body": part, "more_body": True})

        await self._figures.read_once()
        await self._hub.serve(self._shown(level), give, _gone(receive))

    async def _login(self, scope: Scope, receive: Receive) -> Reply:
        sessions, address = self._access.sessions, address_of(scope)
        if sessions is None:
            return NOT_FOUND
        body = await read_body(receive)
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        by_page = ACT_HEADER in headers_of(scope)
        if self._access.opens(given.strip(), address):
            cookie = _cookie(scope, sessions.make(), int(SESSION_S))
            if not by_page:
                return Reply(303, b"", {"location": "./", "set-cookie": cookie})
            level: Level = "act" if self._may_act else "view"
            return json_reply(200, {"ok": True, "level": level}, {"set-cookie": cookie})
        if not by_page:
            return Reply(303, b"", {"location": "./?refused=1"})
        if (left := self._access.throttle.left_s(address)) > 0:
            seconds = int(left) + 1
            told = failure(429, "throttled", _SLOWLY, retry_after_s=seconds)
            return Reply(429, told.body, {**told.headers, "retry-after": str(seconds)})
        return failure(401, "refused", _REFUSED)

    async def _act(self, scope: Scope, receive: Receive) -> Reply:
        level = await self._access.level(scope)
        if level is None:
            return self._refusal()
        if ACT_HEADER not in headers_of(scope):
            return _ORIGIN
        if level != "act" or not self._may_act:
            return _NO_ACTIONS
        return await self._actions.perform(await read_body(receive))

    def _refusal(self) -> Reply:
        return _LOGIN if self._access.has_login else _FORBIDDEN

    def _whole(self, level: Level) -> bytes:
        return self._book.whole(self._shown(level), may_act=self._may_act)

    def _shown(self, level: Level) -> Level:
        return level if self._may_act else "view"


def _logout(scope: Scope) -> Reply:
    return json_reply(200, {"ok": True}, {"set-cookie": _cookie(scope, "", 0)})


def _cookie(scope: Scope, value: str, age_s: int) -> str:
    path = str(scope.get("root_path", "")).rstrip("/") or "/"
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={value}; Path={path}; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
