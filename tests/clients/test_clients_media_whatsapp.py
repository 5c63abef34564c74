"""The file of a message: WhatsApp's encrypted copy as the last way, and files on the disk."""

from __future__ import annotations

import base64
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from encrypted_files import Encrypted, encrypt
from evolution_sdk import EvolutionConfig
from evolution_sdk._base.request import Response
from evolution_sdk.errors import (
    BadRequestError,
    ClientClosedError,
    ConfigurationError,
    EvolutionError,
    RequestValidationError,
)
from evolution_sdk.events import parse_event
from evolution_sdk.media import SavedMedia

from .conftest import KEY, URL, Kit

JID = "5511900000002@s.whatsapp.net"
PLAIN = b"%PDF-1.4 a contract, with more than one block of text"
COPY = encrypt(PLAIN, "Document")
NO_CONTENT = "TypeError: Cannot read properties of undefined (reading 'ephemeralMessage')"


class Cdn:
    """A server of encrypted files on this machine, in the place of WhatsApp's."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, bytes, str]] = {}
        self.asked: list[str] = []
        cdn = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                cdn.asked.append(self.path)
                status, body, location = cdn.files.get(self.path, (410, b"gone", ""))
                self.send_response(status)
                if location:
                    self.send_header("location", location)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def cdn() -> Iterator[Cdn]:
    with Cdn() as made:
        made.files["/v/file.enc?ccb=1"] = (200, COPY.body, "")
        yield made


def numbered(data: bytes) -> dict[str, int]:
    """Bytes as webhooks of 2.3 and 2.4 carry them (recorded)."""
    return {str(at): byte for at, byte in enumerate(data)}


def document(host: str, copy: Encrypted = COPY, **changes: Any) -> dict[str, Any]:
    return {
        "url": f"http://{host}/expired.enc",
        "mimetype": "application/pdf",
        "fileName": "contrato.pdf",
        "fileLength": {"low": len(PLAIN), "high": 0, "unsigned": True},
        "mediaKey": numbered(copy.key),
        "fileSha256": numbered(copy.sha256),
        "fileEncSha256": numbered(copy.enc_sha256),
        "directPath": "/v/file.enc?ccb=1",
        **changes,
    }


def told(client: Any, part: dict[str, Any], kind: str = "documentMessage", **beside: Any) -> Any:
    key = {"id": "3A1", "remoteJid": JID, "fromMe": False}
    data = {"key": key, "message": {kind: part, **beside}, "messageType": kind}
    event = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    return event.bind(client)


def client_of(kit: Kit, *hosts: str) -> Any:
    config = EvolutionConfig(URL, KEY, media={"fetch_hosts": list(hosts)})
    kit.stub.default = (400, _refusal(NO_CONTENT))
    return kit.client(config=config)


def _refusal(*words: str) -> dict[str, Any]:
    return {"status": 400, "error": "Bad Request", "response": {"message": list(words)}}


def notes_of(error: BaseException) -> list[str]:
    """The notes about WhatsApp's copy."""
    return [note for note in getattr(error, "__notes__", ()) if "encrypted copy" in note]


def _in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _contents(folder: Path) -> set[bytes]:
    return {path.read_bytes() for path in folder.iterdir()}


async def test_a_file_that_the_server_cannot_read_is_one_call_and_no_dead_session(kit: Kit) -> None:
    """Case 79: issue 2550 of the server; retried for ever, and told as a lost connection."""
    client = client_of(kit)
    part = {"mimetype": "audio/ogg; codecs=opus", "url": "https://mmg.whatsapp.net/a.enc"}
    for _ in range(12):  # a breaker would have opened
        with pytest.raises(BadRequestError) as caught:
            await kit.run(told(client, part, "audioMessage").download_media())
        assert not caught.value.retryable
    assert len(kit.stub.requests) == 12


async def test_a_file_is_asked_for_by_the_id_alone(kit: Kit) -> None:
    """Case 95: the docstring allows the message, its key and its id."""
    kit.stub.default = (201, {"base64": base64.b64encode(PLAIN).decode(), "mediaType": "x"})
    client = kit.client()
    key = {"id": "3A1", "remoteJid": JID, "fromMe": False}
    event = parse_event({"event": "messages.upsert", "instance": "sales", "data": {"key": key}})
    for message in ("3A1", event.message, event.message.key):
        got = await kit.run(client.instance("sales").chats.get_base64_from_media_message(message))
        assert got.content == PLAIN
        assert kit.stub.last_json == {"message": {"key": {"id": "3A1"}}}


async def test_whatsapps_copy_is_decrypted_when_the_server_has_none(kit: Kit, cdn: Cdn) -> None:
    client = client_of(kit, cdn.host)
    event = told(client, document(cdn.host))
    assert await kit.run(event.download_media()) == PLAIN
    # By the path, which lives longer, on the host of the address; and only after the server.
    assert cdn.asked == ["/v/file.enc?ccb=1"]
    assert len(kit.stub.requests) == 1
    assert await kit.run(event.download_media(use_server=False)) == PLAIN
    assert len(kit.stub.requests) == 1


async def test_keys_come_as_base64_from_the_older_servers(kit: Kit, cdn: Cdn) -> None:
    texts = {
        name: base64.b64encode(value).decode()
        for name, value in {
            "mediaKey": COPY.key,
            "fileSha256": COPY.sha256,
            "fileEncSha256": COPY.enc_sha256,
        }.items()
    }
    event = told(client_of(kit, cdn.host), document(cdn.host, **texts, fileLength=str(len(PLAIN))))
    assert await kit.run(event.download_media()) == PLAIN


async def test_the_servers_answer_is_the_error_and_the_rest_is_in_its_notes(
    kit: Kit, cdn: Cdn
) -> None:
    cdn.files.clear()
    event = told(client_of(kit, cdn.host), document(cdn.host))
    with pytest.raises(BadRequestError, match="ephemeralMessage") as caught:
        await kit.run(event.download_media())
    (note,) = notes_of(caught.value)
    assert "HTTP 410" in note
    assert "/v/file" not in note
    with pytest.raises(RequestValidationError, match="HTTP 410"):
        await kit.run(event.download_media(use_server=False))
    with pytest.raises(BadRequestError) as alone:
        await kit.run(event.download_media(use_whatsapp=False))
    assert not notes_of(alone.value)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        (COPY.body[:-1] + b"\x00", {}),
        (COPY.body[:30], {}),
        (b"", {}),
        (COPY.body, {"fileSha256": numbered(bytes(32))}),
        (COPY.body, {"fileSha256": {"0": 1, "1": 2}}),
        (COPY.body, {"mediaKey": numbered(bytes(32))}),
    ],
    ids=["mac", "cut", "empty", "hash", "short-hash", "key"],
)
async def test_nothing_unverified_reaches_the_caller(
    kit: Kit, cdn: Cdn, tmp_path: Path, body: bytes, changes: dict[str, Any]
) -> None:
    cdn.files["/v/file.enc?ccb=1"] = (200, body, "")
    event = told(client_of(kit, cdn.host), document(cdn.host, **changes))
    for call in (event.download_media, lambda: event.download_to(tmp_path)):
        with pytest.raises(BadRequestError) as caught:
            await kit.run(call())
        assert "damaged" in notes_of(caught.value)[0]
    assert _in_folder(tmp_path) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaKey": None},
        {"mediaKey": {"0": 9}},
        {"mediaKey": [], "url": {}},
        {"url": "http://169.254.169.254/x", "directPath": None},
        {"url": "https://mmg.whatsapp.net.evil.example/x", "directPath": ""},
        {"url": "https://evil.example/#.whatsapp.net", "directPath": {}},
        {"url": "https://whatsapp.net@evil.example/", "directPath": 7},
        {"url": "http://mmg.whatsapp.net/x", "directPath": None},
        {"url": "https://mmg.whatsapp.net:8443/x", "directPath": "x"},
        {"url": "file:///etc/passwd", "directPath": "//evil.example/x"},
    ],
)
async def test_only_whatsapps_hosts_are_asked_for_it(kit: Kit, changes: dict[str, Any]) -> None:
    client = client_of(kit)
    client._pipeline.fetching.fetcher = Forbidden()
    with pytest.raises(BadRequestError) as caught:
        await kit.run(told(client, document("mmg.whatsapp.net", **changes)).download_media())
    assert not notes_of(caught.value)


class Forbidden:
    """A fetcher that nobody may ask."""

    def __getattr__(self, name: str) -> Any:
        pytest.fail(f"{name} was asked")


class Web:
    """Answers a stream of its own, and remembers who was asked."""

    def __init__(self, colour: str, *answers: Response) -> None:
        self.colour = colour
        self.answers = list(answers)
        self.asked: list[Any] = []

    def stream(self, fetch: Any, sink: Any) -> Any:
        self.asked.append(fetch)
        answer = self.answers.pop(0)
        if self.colour == "async":
            return self._later(answer, sink)
        if answer.status == 200:
            sink(answer.body)
        return Response(answer.status, answer.headers, b"")

    async def _later(self, answer: Response, sink: Any) -> Response:
        if answer.status == 200:
            await sink(answer.body)
        return Response(answer.status, answer.headers, b"")


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"url": None}, "https://mmg.whatsapp.net/v/file.enc?ccb=1"),
        ({"url": "https://mmg-fna.whatsapp.net/d/old.enc"},
         "https://mmg-fna.whatsapp.net/v/file.enc?ccb=1"),
        ({"url": "https://evil.example/x"}, "https://mmg.whatsapp.net/v/file.enc?ccb=1"),
        ({"url": "https://mmg.whatsapp.net/o.enc?a=1", "directPath": None},
         "https://mmg.whatsapp.net/o.enc?a=1"),
        ({"url": "https://mmg.whatsapp.net/o.enc", "directPath": "/a b\\c"},
         "https://mmg.whatsapp.net/o.enc"),
    ],
)  # fmt: skip
async def test_where_whatsapps_copy_is(kit: Kit, changes: dict[str, Any], url: str) -> None:
    client = client_of(kit)
    web = client._pipeline.fetching.fetcher = Web(kit.colour, Response(200, {}, COPY.body))
    assert await kit.run(told(client, document("x", **changes)).download_media()) == PLAIN
    (fetch,) = web.asked
    # Not trusted: an address inside our network is refused, whatever the name resolves to.
    assert (fetch.url, fetch.trusted) == (url, False)
    assert fetch.limit_bytes > len(COPY.body)


async def test_a_redirect_does_not_lead_elsewhere(kit: Kit) -> None:
    client = client_of(kit)
    away = Response(302, {"location": "https://evil.example/x"}, b"")
    web = client._pipeline.fetching.fetcher = Web(kit.colour, away)
    with pytest.raises(BadRequestError) as caught:
        await kit.run(told(client, document("x")).download_media())
    assert "not asked" in notes_of(caught.value)[0]
    within = Response(302, {"location": "https://media.whatsapp.net/x"}, b"")
    web = client._pipeline.fetching.fetcher = Web(kit.colour, within, Response(200, {}, COPY.body))
    assert await kit.run(told(client, document("x")).download_media()) == PLAIN
    assert len(web.asked) == 2


async def test_the_bound_holds_for_whatsapps_copy(kit: Kit, cdn: Cdn, tmp_path: Path) -> None:
    part = document(cdn.host, fileLength=None)
    event = told(client_of(kit, cdn.host), part)
    for limit in (1, len(PLAIN) - 1):
        with pytest.raises(EvolutionError):
            await kit.run(event.download_to(tmp_path, max_bytes=limit))
    assert _in_folder(tmp_path) == []
    assert await kit.run(event.download_media(max_bytes=len(PLAIN))) == PLAIN
    for limit in (0, -1, True, 1.5, "9"):
        with pytest.raises(RequestValidationError, match="max_bytes"):
            await kit.run(event.download_media(max_bytes=limit))


async def test_without_the_extra_the_servers_error_says_what_would_help(
    kit: Kit, cdn: Cdn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives.ciphers", None)
    event = told(client_of(kit, cdn.host), document(cdn.host))
    with pytest.raises(BadRequestError) as caught:
        await kit.run(event.download_media())
    assert "pip install 'evolutionapi-sdk[media]'" in notes_of(caught.value)[0]
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[media\]"):
        await kit.run(event.download_media(use_server=False))
    assert cdn.asked == []


async def test_a_wrong_option_and_a_closed_client_end_the_search(kit: Kit, cdn: Cdn) -> None:
    client = client_of(kit, cdn.host)
    event = told(client, document(cdn.host))
    with pytest.raises(RequestValidationError, match="timeout_ms"):
        await kit.run(event.download_media(timeout_ms=-1))
    await kit.run(client.close())
    with pytest.raises(ClientClosedError):
        await kit.run(event.download_media())
    with pytest.raises(ClientClosedError):
        await kit.run(event.download_media(use_server=False))
    assert cdn.asked == []


async def test_no_way_at_all(kit: Kit) -> None:
    event = told(client_of(kit), {"mimetype": "image/jpeg"}, "imageMessage")
    with pytest.raises(RequestValidationError, match="no way"):
        await kit.run(event.download_media(use_server=False))


# Files


async def test_a_file_is_saved_under_its_name(kit: Kit, cdn: Cdn, tmp_path: Path) -> None:
    event = told(client_of(kit, cdn.host), document(cdn.host))
    saved = await kit.run(event.download_to(tmp_path))
    assert saved == SavedMedia(
        tmp_path / "contrato.pdf", len(PLAIN), "application/pdf", "contrato.pdf", "whatsapp"
    )
    assert saved.path.read_bytes() == PLAIN
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    assert "contrato" not in repr(saved)
    # A second one does not replace the first, which another person may have sent.
    again = await kit.run(event.download_to(str(tmp_path)))
    assert _in_folder(tmp_path) == ["contrato (1).pdf", "contrato.pdf"]
    assert again.path.name == "contrato (1).pdf"


async def test_a_path_of_its_own_is_replaced_at_once(kit: Kit, cdn: Cdn, tmp_path: Path) -> None:
    target = tmp_path / "here.bin"
    target.write_bytes(b"before")
    event = told(client_of(kit, cdn.host), document(cdn.host))
    saved = await kit.run(event.download_to(target))
    assert (saved.path, target.read_bytes()) == (target, PLAIN)
    cdn.files.clear()
    with pytest.raises(BadRequestError):
        await kit.run(event.download_to(target))
    assert (_in_folder(tmp_path), target.read_bytes()) == (["here.bin"], PLAIN)


async def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(
    kit: Kit, tmp_path: Path
) -> None:
    client = client_of(kit)
    client._pipeline.fetching.fetcher = Forbidden()
    event = told(client, document("mmg.whatsapp.net"))
    for path in (tmp_path / "no" / "x.pdf", f"{tmp_path}/no/", 7, None, "a\0b"):
        with pytest.raises(RequestValidationError, match="path"):
            await kit.run(event.download_to(path))
    assert kit.stub.requests == []


async def test_the_source_is_told(kit: Kit, cdn: Cdn, tmp_path: Path) -> None:
    cdn.files["/s3"] = (200, PLAIN, "")
    client = client_of(kit, cdn.host)
    inlined = {"base64": base64.b64encode(PLAIN).decode()}
    part, url = document(cdn.host), {"mediaUrl": f"http://{cdn.host}/s3"}
    saved = await kit.run(told(client, part, **inlined).download_to(tmp_path))
    assert saved.source == "event"
    assert (await kit.run(told(client, part, **url).download_to(tmp_path))).source == "url"
    kit.stub.default = (201, {**inlined, "mimetype": "application/x"})
    assert (await kit.run(told(client, part).download_to(tmp_path))).source == "server"
    assert _contents(tmp_path) == {PLAIN}


async def test_a_file_that_was_cut_short_is_the_second_choice(
    kit: Kit, cdn: Cdn, tmp_path: Path
) -> None:
    cdn.files["/s3"] = (200, PLAIN[:9], "")
    url = {"mediaUrl": f"http://{cdn.host}/s3"}
    event = told(client_of(kit, cdn.host), document(cdn.host), **url)
    saved = await kit.run(event.download_to(tmp_path))
    assert (saved.source, saved.size_bytes) == ("whatsapp", len(PLAIN))
    del cdn.files["/v/file.enc?ccb=1"]
    saved = await kit.run(event.download_to(tmp_path))
    assert (saved.source, saved.path.read_bytes()) == ("url", PLAIN[:9])
    assert await kit.run(event.download_media()) == PLAIN[:9]
    assert _in_folder(tmp_path) == ["contrato (1).pdf", "contrato.pdf"]


async def test_a_large_file_arrives_in_pieces(kit: Kit, cdn: Cdn, tmp_path: Path) -> None:
    large = bytes(range(256)) * 4096 * 3
    copy = encrypt(large, "Video")
    cdn.files["/v/file.enc?ccb=1"] = (200, copy.body, "")
    part = {**document(cdn.host, copy), "fileLength": str(len(large)), "mimetype": "video/mp4"}
    del part["fileName"]
    saved = await kit.run(
        told(client_of(kit, cdn.host), part, "videoMessage").download_to(tmp_path)
    )
    assert saved.path.name == "video-3A1.mp4"
    assert (saved.size_bytes, saved.path.read_bytes() == large) == (len(large), True)


async def test_a_disk_that_fails_leaves_nothing_and_says_so(
    kit: Kit, cdn: Cdn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evolution_sdk.media.saving.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        await kit.run(told(client_of(kit, cdn.host), document(cdn.host)).download_to(tmp_path))
    assert _in_folder(tmp_path) == []


async def test_business_is_given_the_message_itself(kit: Kit) -> None:
    """It looks nothing up: with the id alone it trips over ``includes`` (recorded)."""
    kit.stub.default = (201, {"base64": base64.b64encode(PLAIN).decode(), "mediaType": "image"})
    part = {"mime_type": "image/jpeg", "id": "1157", "sha256": "x"}
    data = {
        "key": {"id": "wamid.A", "remoteJid": JID, "fromMe": False},
        "message": {"imageMessage": part},
        "messageType": "imageMessage",
    }
    event = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    assert await kit.run(event.bind(kit.client()).download_media()) == PLAIN
    assert kit.stub.last_json["message"] == {
        "key": {"id": "wamid.A"},
        "messageType": "imageMessage",
        "message": {"imageMessage": part},
    }


def test_what_was_sent_to_the_server_is_the_key_alone() -> None:
    """The file's key goes to nobody: it is not part of the question to the server."""
    kit = Kit("sync")
    client = client_of(kit)
    with pytest.raises(EvolutionError):
        told(client, document("mmg.whatsapp.net")).download_media(use_whatsapp=False)
    assert json.loads(kit.stub.last.content or b"") == {"message": {"key": {"id": "3A1"}}}
