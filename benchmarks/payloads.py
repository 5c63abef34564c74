"""What a file costs as base64 and as multipart: bytes on the wire, CPU and memory, in one run."""

from __future__ import annotations

import sys
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import httpx

from evolution_sdk import EvolutionClient, Media
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.transport import Request, Response
from evolution_sdk.transport._body import ChunkedBody, encode_body
from evolution_sdk.transport.httpx_client import HttpxClientSyncTransport

SIZES = (1_000, 10_000, 64 * 1024, 256 * 1024, 1_000_000, 16_000_000)
NUMBER = "5511999999999"


def measured(client: EvolutionClient, media: Media, prefer: str, times: int) -> tuple[float, int]:
    """CPU of one send in milliseconds, and the most memory it took, in bytes."""
    options = {"prefer": prefer}
    client.messages.send_media(NUMBER, media, **options)  # type: ignore[arg-type]
    begun = time.process_time()
    for _ in range(times):
        client.messages.send_media(NUMBER, media, **options)  # type: ignore[arg-type]
    cpu_ms = (time.process_time() - begun) * 1_000 / times
    tracemalloc.start()
    client.messages.send_media(NUMBER, media, **options)  # type: ignore[arg-type]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return cpu_ms, most


class Wire:
    """Fetches one answer, gives it to every later request, and counts the last body's bytes."""

    def __init__(self) -> None:
        self.real = HttpxClientSyncTransport(httpx.Client())
        self.bytes = 0
        self.answer: Response | None = None

    def send(self, request: Request) -> Response:
        if self.answer is None:
            self.answer = self.real.send(request)
        body = encode_body(request, {})
        self.bytes = body.length if isinstance(body, ChunkedBody) else len(body or b"")
        return self.answer

    def close(self) -> None:
        self.real.close()


def main() -> None:
    with FakeEvolution(api_key="k").serve() as fake:
        fake.create_instance("bench")
        wire = Wire()
        with EvolutionClient(fake.url, "k", instance="bench", transport=wire) as client:
            # One real answer, given again and again: what the server does is not ours.
            client.messages.send_media(NUMBER, Media.from_bytes(b"%PDF-1.7 x", file_name="a.pdf"))
            print("document as base64 (1.00) and as multipart; our side only")
            print(f"{'bytes':>10} {'wire':>6} {'CPU':>6} {'memory':>7}   base64: wire, CPU, memory")
            for size in SIZES:
                media = Media.from_bytes(b"%PDF-1.7" + b"x" * (size - 8), file_name="a.pdf")
                times = max(3, min(200, 20_000_000 // size))
                base_cpu, base_most = measured(client, media, "base64", times)
                base_wire = wire.bytes
                cpu, most = measured(client, media, "multipart", times)
                print(
                    f"{size:>10} {wire.bytes / base_wire:>6.2f} {cpu / base_cpu:>6.2f} "
                    f"{most / base_most:>7.2f}   {base_wire} B, {base_cpu:.2f} ms, "
                    f"{base_most / 1_000:.0f} kB"
                )


if __name__ == "__main__":
    main()
