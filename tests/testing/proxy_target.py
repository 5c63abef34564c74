"""A plain server behind the proxy, that remembers what it was asked."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BIG = bytes(range(256)) * 8_192  # 2 MiB


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Target:
    """A target server: its address, and the requests it has got."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0


def handler_for(target: Target) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            target.connections += 1

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            target.asked.append(Asked(self.command, self.path, headers, body))
            if "cut" in self.path:
                self.close_connection = True
                return
            if "chunked" in self.path:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in (b"one", b"two" * 1_000):
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
                return
            if "nothing" in self.path:
                self.send_response(204)
                self.end_headers()
                return
            answer = BIG if "big" in self.path else body or b"hello"
            self.send_response(302 if "moved" in self.path else 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("X-Twice", "1")
            self.send_header("X-Twice", "2")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    for method in ("GET", "POST", "HEAD", "DELETE", "PUT", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


@contextmanager
def serving_target(tls: ssl.SSLContext | None = None) -> Iterator[Target]:
    """Serve while the context lasts."""
    target = Target()
    server = _Server(("127.0.0.1", 0), handler_for(target))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    target.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield target
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
