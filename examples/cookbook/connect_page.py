"""Your customer connects a phone on your own web page, which shows the QR code.

Run: python examples/cookbook/connect_page.py, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import os
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from evolution_sdk import AsyncEvolutionClient

PAGE = """<!doctype html><meta charset="utf-8"><title>Connect</title>
<h1>Connect your phone</h1><p id="words">One moment …</p><img id="code" alt="QR code" width="300">
<script>
async function look() {
  const told = await (await fetch(location.pathname + "/state", {method: "POST"})).json();
  document.getElementById("words").textContent =
    told.open ? "Connected." : "WhatsApp → Linked devices → Link a device";
  document.getElementById("code").src = told.code || "";
  if (!told.open) setTimeout(look, 3000);
}
look();
</script>"""


def make_app(client: AsyncEvolutionClient) -> Starlette:
    """Whoever can open /connect/{name} can link a phone to it: put your own login in front."""

    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE)

    async def state(request: Request) -> JSONResponse:
        name = request.path_params["name"]
        told: dict[str, Any] = {"open": False, "code": None}
        found = await client.instances.connection_state(name)
        if found.state == "open":
            told["open"] = True
        else:
            # Asking again renews an expired code, and leaves a valid one alone.
            told["code"] = (await client.instances.connect(name)).base64
        return JSONResponse(told, headers={"cache-control": "no-store"})

    return Starlette(
        routes=[
            Route("/connect/{name}", page),
            Route("/connect/{name}/state", state, methods=["POST"]),
        ]
    )


def main() -> None:
    """Serve the page until Ctrl-C."""
    import uvicorn

    uvicorn.run(
        make_app(AsyncEvolutionClient()), host=os.environ.get("HOST", "127.0.0.1"), port=8000
    )


if __name__ == "__main__":
    main()
