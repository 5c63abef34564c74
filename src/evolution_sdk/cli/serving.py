"""Serving an ASGI app of a command until it is interrupted."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from evolution_sdk._cli.language import t
from evolution_sdk._cli.listening import cannot_listen
from evolution_sdk.errors import ConfigurationError

__all__ = ["serve"]


def serve(app: Any, host: str, port: int, *, ready: Callable[[str], None]) -> None:
    """Serve an app until SIGINT or SIGTERM; the app sees ``lifespan`` events.

    Args:
        app: The ASGI app.
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        ready: Called with the URL once it listens.

    Raises:
        ConfigurationError: uvicorn is not installed, or nothing can listen there.
    """
    try:
        import uvicorn
    except ImportError:
        raise ConfigurationError(
            t(
                "uvicorn is missing; install it by: pip install 'evolutionapi-sdk[cli]'",
                "falta o uvicorn; instale com: pip install 'evolutionapi-sdk[cli]'",
            )
        ) from None
    try:
        # Bound here, so that the port is known before anything is served, and a taken one is
        # told in one line.
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise cannot_listen(host, port, error) from None
    url = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="auto")
    )
    start = server.startup

    async def start_and_tell(sockets: list[socket.socket] | None = None) -> None:
        await start(sockets=sockets)
        if server.started:
            ready(url)

    server.startup = start_and_tell  # type: ignore[method-assign]
    try:
        server.run(sockets=[listening])
    finally:
        listening.close()
