"""The recorded exchanges of the families that the fake covers, as requests for its kernel."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from facts import FACTS, read

FAMILIES = (
    "root", "instance", "message", "chat", "settings", "webhook", "other",
    "websocket", "rabbitmq", "sqs", "nats", "kafka", "pusher", "chatwoot",
    "typebot", "openai", "dify", "n8n", "evoai", "flowise", "evolutionBot",
    "group", "label", "call", "proxy", "template", "business", "s3", "baileys",
)  # fmt: skip

BASE = "2.3.6"
FOLDERS = {"2.2.3": "2.2.3", "2.3.7": "2.3.7", "2.4-pre": "2.4-pre", "2.4.0": "2.4.0-rc2"}
"""Folder of the recordings by version; those of 2.3.6 are in `facts/exchanges`."""

_OF_OTHERS = ("new_routes", "baileys_exchanges", "unlicensed")

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_FILES = {
    "image/png": PNG,
    "audio/mpeg": b"ID3\x04" + bytes(8582),
    "video/mp4": b"\x00\x00\x00\x20ftypisom" + bytes(2721),
    "application/pdf": b"%PDF-1.4 fake",
}
_BOUNDARY = "fake-boundary"


@dataclass(frozen=True)
class Exchange:
    family: str
    index: int
    raw: dict[str, Any]
    version: str = BASE

    @property
    def id(self) -> str:
        return f"{self.version}-{self.family}-{self.index}-{self.raw['name']}"

    @property
    def name(self) -> str:
        return self.raw["name"]

    @property
    def channel(self) -> str:
        return self.raw["channel"] or ""

    @property
    def unlicensed(self) -> bool:
        return self.family == "unlicensed"

    @property
    def case(self) -> str:
        """Name an exchange by route and place, which stays when a recording is added before it."""
        return f"{self.name} on {self.channel}"

    @property
    def simulated(self) -> bool:
        return "simulated" in self.channel

    @property
    def operation(self) -> str | None:
        return self.raw["operation"]

    @property
    def request(self) -> dict[str, Any]:
        return self.raw["request"]

    @property
    def response(self) -> dict[str, Any]:
        return self.raw["response"]

    @property
    def body(self) -> Any:
        return self.request.get("json")

    def encoded(self) -> tuple[dict[str, str], bytes]:
        """Content type and bytes of the request, with cut values filled up again."""
        request = self.request
        headers = {k: v for k, v in request["headers"].items() if k != "apikey"}
        # A simulated exchange without a body says null.
        bare = self.family == "baileys_exchanges" and request.get("json") is None
        if "json" in request and not bare:
            data = json.dumps(_refill(request["json"])).encode()
            return {"content-type": "application/json", **headers}, data
        if "form" in request:
            kind = "application/x-www-form-urlencoded"
            return {"content-type": kind, **headers}, urlencode(request["form"]).encode()
        if "raw" in request:
            if self.unlicensed:
                headers = {"content-type": "application/json", **headers}
            size = re.fullmatch(r"<(\d+) bytes>", request["raw"])
            return headers, bytes(int(size.group(1))) if size else request["raw"].encode()
        if "multipart" in request:
            kind = f"multipart/form-data; boundary={_BOUNDARY}"
            return {"content-type": kind, **headers}, _multipart(request["multipart"])
        return headers, b""


def _refill(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _refill(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_refill(v) for v in value]
    if isinstance(value, str) and (cut := re.fullmatch(r"(?s)(.*)\.\.\.<(\d+) chars>", value)):
        kept = cut.group(1)[: len(cut.group(1)) // 4 * 4]
        return kept + "A" * (int(cut.group(2)) // 4 * 4 - len(kept))
    return value


def _multipart(parts: dict[str, Any]) -> bytes:
    chunks: list[bytes] = []
    for name, value in parts["fields"].items():
        chunks.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode())
    for name, file in parts["file"].items():
        content = _FILES[file["content_type"]]
        head = (
            f'Content-Disposition: form-data; name="{name}"; filename="{file["filename"]}"\r\n'
            f"Content-Type: {file['content_type']}\r\n\r\n"
        )
        chunks.append(head.encode() + content)
    edge = f"--{_BOUNDARY}".encode()
    return b"".join(edge + b"\r\n" + chunk + b"\r\n" for chunk in chunks) + edge + b"--\r\n"


@cache
def load(family: str, version: str = BASE) -> list[Exchange]:
    folder = "exchanges" if version == BASE else f"versions/{FOLDERS[version]}"
    path = f"{folder}/{family}.json"
    rows = read(path) if (FACTS / path).is_file() else []
    return [Exchange(family, index, row, version) for index, row in enumerate(rows)]


ALL = [exchange for family in FAMILIES for exchange in load(family)]
"""Those of 2.3.6, which the recordings of the other versions are held against."""

OTHERS = [
    exchange
    for version in FOLDERS
    for family in (*FAMILIES, *_OF_OTHERS)
    for exchange in load(family, version)
]
