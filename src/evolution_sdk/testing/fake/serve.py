"""Real HTTP on 127.0.0.1: uvicorn in a thread for tests, or in the foreground for a shell."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Generator
from importlib.util import find_spec
from typing import Any

from evolution_sdk.errors import ConfigurationError

from .asgi import KEEP_ALIVE_S, FakeApp

_SHUTDOWN_S = 5.0


def _uvicorn() -> Any:
    try:
        import uvicorn
    except ImportError:
        raise ConfigurationError(
            "Serving FakeEvolution over HTTP needs uvicorn: "
            "pip install 'evolutionapi-sdk[testing]'. The in-process clients work without it.",
            variable="evolutionapi-sdk[testing]",
        ) from None
    return uvicorn


def _config(app: FakeApp, **more: Any) -> Any:
    # h11, so that the extra needs no compiled parser; wsproto comes with the extra socketio, and
    # without it socket.io has no websockets, but still its polling.
    websockets = "wsproto" if find_spec("wsproto") is not None else "none"
    return _uvicorn().Config(
        app,
        lifespan="off",
        http="h11",
        ws=websockets,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
        **more,
    )


@contextlib.contextmanager
def serving(app: FakeApp, port: int) -> Generator[str]:
    """Serve in a thread while the context lasts, and give the URL.

    Args:
        app: The application.
        port: 0 takes a free one.

    Raises:
        ConfigurationError: uvicorn is not installed.
    """
    config = _config(app, log_level="critical")
    ready = threading.Event()
    server = _uvicorn().Server(config)
    # uvicorn tells nobody when it listens, except by a flag that would have to be polled.
    startup = server.startup

    async def announced(sockets: Any = None) -> None:
        await startup(sockets=sockets)
        ready.set()

    server.startup = announced
    # The protocol is named so that asyncio switches Nagle's algorithm off (40 ms per answer).
    # This thread binds, so that the port is known before the server starts.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        thread = threading.Thread(
            target=lambda: server.run(sockets=[listener]), name="fake-evolution", daemon=True
        )
        thread.start()
        try:
            if not ready.wait(_SHUTDOWN_S):
                raise RuntimeError("the fake server did not start")
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            # Requests that are still held get a second (timeout_graceful_shutdown) before they are
            # cut.
            server.should_exit = True
            thread.join(_SHUTDOWN_S)


def serve_forever(app: FakeApp, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve in the foreground until interrupted.

    Args:
        app: The application.
        host: Address to listen on.
        port: 0 takes a free one.
        ready: Called with the URL once it listens.

    Raises:
        ConfigurationError: uvicorn is not installed.
        OSError: Nothing can listen there.
    """
    server = _uvicorn().Server(_config(app, log_level="warning"))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # From here on clients wait in the queue of the socket: it listens.
        listener.listen()
        named = f"[{host}]" if family is socket.AF_INET6 else host
        ready(f"http://{named}:{listener.getsockname()[1]}")
        server.run(sockets=[listener])
