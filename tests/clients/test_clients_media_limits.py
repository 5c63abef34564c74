"""Files that are refused, that only we can reach, that are large, and that are sent again."""

from __future__ import annotations

import base64
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from evolution_sdk import Media, RetryPolicy
from evolution_sdk.errors import RequestValidationError, SendOutcomeUnknownError, ServerError
from evolution_sdk.media import MEDIA_LIMITS, MediaKind
from evolution_sdk.media._plan import MULTIPART_THRESHOLD_BYTES

from .conftest import KEY
from .fake_stage import NUMBER, Stage

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
PDF = b"%PDF-1.7 " + bytes(range(256))
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256))


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


# Refused before anything travels


@pytest.mark.parametrize(
    ("call", "field", "rule"),
    [
        (lambda m: m.send_media(NUMBER, b""), "media", "must not be empty"),
        (lambda m: m.send_media(NUMBER, "not base64!"), "media", "for a file pass a Path"),
        (lambda m: m.send_media(NUMBER, Path("/no/such/file")), "media", "existing file"),
        (lambda m: m.send_media(NUMBER, PNG, mediatype="video"), "media", "must be video"),
        (lambda m: m.send_media(NUMBER, PNG, file_name="a/b.png"), "file_name", "directories"),
        (lambda m: m.send_ptv(NUMBER, PNG), "video", "must be video"),
        (lambda m: m.send_sticker(NUMBER, MP4), "sticker", "must be image"),
        (lambda m: m.send_whatsapp_audio(NUMBER, PNG), "audio", "must be audio"),
        (lambda m: m.send_media("x", PNG), "number", "phone number"),
        (lambda m: m.send_media(NUMBER, PNG, delay_ms=-1), "delay", "greater than or equal"),
    ],
    ids=["empty", "text", "no-file", "kind", "name", "ptv", "sticker", "audio", "number", "delay"],
)  # fmt: skip
async def test_what_cannot_work_is_refused_here(
    stage: Stage, call: Any, field: str, rule: str
) -> None:
    stage.open_instance()
    with pytest.raises(RequestValidationError, match=rule) as caught:
        await stage.kit.run(call(stage.client().messages))
    assert caught.value.field.startswith(field)
    assert stage.arrived == []


@pytest.mark.parametrize("kind", [MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO])
async def test_too_large_a_file_is_refused_before_it_is_read(
    stage: Stage, tmp_path: Path, kind: MediaKind
) -> None:
    stage.open_instance()
    name = {"image": "a.png", "video": "a.mp4", "audio": "a.mp3"}[kind]
    with (tmp_path / name).open("wb") as file:
        file.truncate(MEDIA_LIMITS[kind] + 1)
    with pytest.raises(RequestValidationError, match=f"at most {MEDIA_LIMITS[kind]} bytes"):
        await stage.kit.run(stage.client().messages.send_media(NUMBER, tmp_path / name))
    assert stage.arrived == []


# What only we can reach


class FileServer(http.server.BaseHTTPRequestHandler):
    """Serves one small picture, and remembers who asked how."""

    asked: ClassVar[list[tuple[str, dict[str, str]]]] = []
    sizes: ClassVar[dict[str, int]] = {"/foto": 0, "/large.png": 2_000}

    def do_GET(self) -> None:
        self.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        known = self.path in self.sizes
        content = PNG + bytes(self.sizes.get(self.path, 0))
        self.send_response(200 if known else 404)
        self.send_header("content-type", "image/png")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Stay silent."""


@pytest.fixture
def files() -> Iterator[str]:
    FileServer.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FileServer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
async def test_a_url_only_we_can_reach_is_fetched_here_without_our_key(
    stage: Stage, files: str, backend: Any
) -> None:
    if backend == "aiohttp" and stage.kit.colour == "sync":
        pytest.skip("aiohttp is async only")
    stage.open_instance()
    async with stage.served(http_backend=backend, media={"fetch_hosts": ("localhost",)}) as client:
        await stage.kit.run(client.messages.send_media(NUMBER, f"{files}/foto"))
    ((path, headers),) = FileServer.asked
    assert path == "/foto"
    assert "apikey" not in headers
    assert KEY not in str(headers)
    body = stage.last.json
    assert body["media"] == b64(PNG)
    assert (body["mediatype"], body["mimetype"], body["fileName"]) == (
        "image", "image/png", "foto.png"
    )  # fmt: skip


async def test_a_download_can_be_asked_for_and_refused(stage: Stage, files: str) -> None:
    stage.open_instance()
    url = f"{files}/foto".replace("localhost", "127.0.0.1")
    async with stage.served(media={"fetch_hosts": ("127.0.0.1",)}) as client:
        left = Media.from_url(url, mime_type="image/png", fetch="server")
        await stage.kit.run(client.messages.send_media(NUMBER, left))
        assert stage.last.json["media"] == url
        assert FileServer.asked == []
        asked = Media.from_url(url, fetch="local")
        await stage.kit.run(client.messages.send_media(NUMBER, asked))
        assert stage.last.json["media"] == b64(PNG)


@pytest.mark.parametrize(
    ("path", "rule"), [("/gone.png", "HTTP 404"), ("/large.png", "at most 1000")]
)
async def test_a_download_that_fails_or_is_too_large_sends_nothing(
    stage: Stage, files: str, path: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MEDIA_LIMITS, MediaKind.IMAGE, 1_000)  # type: ignore[misc]  # a dict
    stage.open_instance()
    async with stage.served(media={"fetch_hosts": ("localhost",)}) as client:
        with pytest.raises(RequestValidationError, match=rule):
            await stage.kit.run(client.messages.send_media(NUMBER, f"{files}{path}"))
    assert stage.arrived == []


# Large files, and trying again


@pytest.mark.parametrize("backend", ["httpx", "httpx2", "aiohttp"])
async def test_a_large_file_goes_whole_over_the_wire_again_after_a_refusal(
    stage: Stage, tmp_path: Path, backend: Any
) -> None:
    if backend == "aiohttp" and stage.kit.colour == "sync":
        pytest.skip("aiohttp is async only")
    content = PDF + hashlib.sha256(b"x").digest() * 100_000
    (tmp_path / "livro.pdf").write_bytes(content)
    stage.open_instance()
    stage.fake.faults.add("message.send_media", "status", status=429, body={}, count=1)
    async with stage.served(http_backend=backend) as client:
        await stage.kit.run(client.messages.send_media(NUMBER, tmp_path / "livro.pdf"))
    assert [hashlib.sha256(seen.form[1].content).hexdigest() for seen in stage.sends()] == [
        hashlib.sha256(content).hexdigest()
    ] * 2
    stage.fake.assert_sent_times(1, NUMBER, kind="documentMessage")


async def test_a_refused_connection_is_tried_again_with_the_whole_file(
    stage: Stage, tmp_path: Path
) -> None:
    content = PDF + bytes(MULTIPART_THRESHOLD_BYTES)
    (tmp_path / "livro.pdf").write_bytes(content)
    stage.open_instance()
    fault = stage.fake.faults.add("message.send_media", "refuse", count=2)
    await stage.kit.run(
        stage.client().messages.send_media(
            NUMBER, tmp_path / "livro.pdf", retry=RetryPolicy(max_attempts=3, jitter="none")
        )
    )
    assert fault.hits == 2
    assert [seen.form[1].content for seen in stage.sends()] == [content] * 3
    stage.fake.assert_sent_times(1)


async def test_a_file_whose_answer_was_lost_is_found_and_not_sent_again(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_media", "answer_then_drop", count=1)
    sent = await stage.kit.run(
        stage.client().messages.send_media(
            NUMBER, PDF, file_name="conta.pdf", caption="a conta", prefer="multipart"
        )
    )
    assert sent.reconciled
    assert [message.key_id for message in stage.fake.sent] == [sent.id]


async def test_a_server_error_after_upload_is_not_retried_blindly(stage: Stage) -> None:
    stage.open_instance()
    stage.fake.faults.add("message.send_media", "status_after", status=502, body="", count=1)
    sent = await stage.kit.run(stage.client().messages.send_media(NUMBER, PNG, caption="uma vez"))
    assert sent.reconciled
    stage.fake.assert_sent_times(1, text="uma vez")
    stage.fake.faults.add("message.send_media", "status", status=500, body="boom", count=1)
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await stage.kit.run(
            stage.client().messages.send_media(NUMBER, PNG, caption="nunca", on_unknown="raise")
        )
    assert isinstance(caught.value.__cause__, ServerError)
    stage.fake.assert_sent_times(0, text="nunca")
