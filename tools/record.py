r"""Ask a running server once, and write the exchange in the form of facts/exchanges/.

    export EVOLUTION_LIVE_URL=http://localhost:8080 EVOLUTION_LIVE_API_KEY=…
    python tools/record.py label.findLabels GET /label/findLabels/bot
    python tools/record.py label.findLabels GET /label/findLabels/bot \
        --operation label.find_labels --into facts/versions/2.3.7/label.json

The global key is written as ``global`` wherever it occurs, and long texts are cut. Everything else
stays as it came: read it before you commit it, and use numbers and texts of a test instance.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import httpx

KEEP = 2_000
HEADERS = ("content-type", "retry-after")


def exchange(name: str, method: str, path: str, body: Any, channel: str | None) -> dict[str, Any]:
    """Ask the server, and return what was asked and answered."""
    url, key = os.environ["EVOLUTION_LIVE_URL"], os.environ["EVOLUTION_LIVE_API_KEY"]
    begun = time.monotonic()
    answer = httpx.request(
        method, url.rstrip("/") + path, headers={"apikey": key}, json=body, timeout=120
    )
    took_ms = round((time.monotonic() - begun) * 1000)
    request: dict[str, Any] = {"method": method, "path": path, "headers": {"apikey": "global"}}
    if body is not None:
        request["json"] = body
    response: dict[str, Any] = {
        "status": answer.status_code,
        "headers": {each: answer.headers[each] for each in HEADERS if each in answer.headers},
    }
    try:
        response["json"] = answer.json()
    except ValueError:
        response["text"] = answer.text
    return {
        "name": name,
        "channel": channel,
        "request": tidy(request, key),
        "response": tidy(response, key),
        "elapsed_ms": took_ms,
    }


def tidy(value: Any, key: str) -> Any:
    """Replace the key and cut long texts, at any depth."""
    if isinstance(value, dict):
        return {name: tidy(each, key) for name, each in value.items()}
    if isinstance(value, list):
        return [tidy(each, key) for each in value]
    if not isinstance(value, str):
        return value
    text = value.replace(key, "global")
    return text if len(text) <= KEEP else f"{text[:KEEP]}...<{len(text)} chars>"


def main() -> int:
    """Record, and print or add."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("name", help="the route as the server's table has it: label.findLabels")
    parser.add_argument("method")
    parser.add_argument("path", help="with the instance's name: /label/findLabels/bot")
    parser.add_argument("--json", type=json.loads, help="the body")
    parser.add_argument("--channel", choices=["EVOLUTION", "WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS"])
    parser.add_argument("--operation", help="our operation for it, if there is one")
    parser.add_argument("--into", type=Path, help="file of exchanges to add this one to")
    given = parser.parse_args()
    for variable in ("EVOLUTION_LIVE_URL", "EVOLUTION_LIVE_API_KEY"):
        if not os.environ.get(variable):
            print(f"{variable} is not set: the server to ask, and its global key", file=sys.stderr)
            return 2
    try:
        made = exchange(given.name, given.method, given.path, given.json, given.channel)
        made["operation"] = given.operation
    except httpx.HTTPError as error:
        print(f"The server did not answer ({type(error).__name__}).", file=sys.stderr)
        return 1
    if given.into is None:
        print(json.dumps(made, indent=1, ensure_ascii=False))
        return 0
    known = json.loads(given.into.read_text("utf-8")) if given.into.exists() else []
    text = json.dumps([*known, made], indent=1, ensure_ascii=False)
    given.into.write_text(text + "\n", "utf-8")
    print(f"{made['response']['status']}; {len(known) + 1} exchanges in {given.into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
