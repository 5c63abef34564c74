"""A stand-in for Meta's Graph API, so that a real server can send from WHATSAPP-BUSINESS instances.

Its answers are made up after the forms that the server reads; nothing here is a fact about Meta.
"""

from __future__ import annotations

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import httpx


class Graph:
    """Listens where the server under test looks for Meta (its WA_BUSINESS_URL).

    Args:
        url: That address, on this machine.
    """

    def __init__(self, url: str) -> None:
        self.url = httpx.URL(url)
        self._sent: list[str] = []
        self._lock = threading.Lock()

    def sent_by(self, phone_number_id: str) -> int:
        """Count the messages that Meta would have delivered for a number."""
        with self._lock:
            return self._sent.count(phone_number_id)

    def answer(self, method: str, path: str, body: Any) -> Any:
        *_, owner, last = ["", "", *path.rstrip("/").split("/")]
        if path.startswith("/file/"):
            return b"file"
        if last == "messages" and method == "POST":
            with self._lock:
                self._sent.append(owner)
            to = str((body or {}).get("to", ""))
            return {
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": to}],
                "messages": [{"id": f"wamid.{secrets.token_urlsafe(30)}"}],
            }
        if last == "media" and method == "POST":
            return {"id": str(secrets.randbelow(10**15))}
        if last == "message_templates" and method == "GET":
            return {"data": [], "paging": {}}
        if last == "message_templates" and method == "POST":
            category = (body or {}).get("category", "UTILITY")
            return {"id": str(secrets.randbelow(10**15)), "status": "PENDING", "category": category}
        if method == "GET":
            return {"id": last, "url": f"{self.url}/file/{last}", "mime_type": "image/png"}
        return {"success": True}

    def __enter__(self) -> Self:
        graph = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def _body(self) -> bytes:
                if self.headers.get("transfer-encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                parts: list[bytes] = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def _serve(self) -> None:
                raw = self._body()
                try:
                    body = json.loads(raw) if raw else None
                except ValueError:
                    body = None  # an upload
                found = graph.answer(self.command, self.path.partition("?")[0], body)
                data = found if isinstance(found, bytes) else json.dumps(found).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - named by http.server

        self._server = ThreadingHTTPServer((self.url.host, self.url.port or 80), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
