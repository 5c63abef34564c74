"""``evolution events replay``: recorded events shown again, or posted to a receiver."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from event_kit import KEY, NUMBER, isolate, qrcode, run, upsert

from evolution_sdk.cli.events import main
from evolution_sdk.cli.recording import Recorder
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import EventRouter, MessagesUpsert, parse_event
from evolution_sdk.webhooks import WebhookReceiver

SECRETS = ("token-secret", "url-secret", "qr-secret")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


def recorded(path: Path, *bodies: Any) -> str:
    path.write_text("".join(f"{json.dumps(body)}\n" for body in bodies), "utf-8")
    return str(path)


@pytest.fixture
def receiver() -> Iterator[Any]:
    """A server that keeps what is posted, and answers as it is told."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            server.posts.append((dict(self.headers), body))  # type: ignore[attr-defined]
            self.send_response(server.status)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.posts, server.status = [], 200  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_lines_are_shown_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "events.jsonl", upsert(1, text="bom dia"), qrcode())
    answer = run(capsys, "events", "replay", file)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        f"15:35:02  sales  messages.upsert  Ana ({NUMBER}): bom dia",
        "--:--:--  sales  qrcode.updated  a new QR code to scan",
    ]


@pytest.mark.parametrize("shape", [[], ["--json"], ["--lang", "pt"]])
def test_no_secret_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shape: list[str]
) -> None:
    file = recorded(tmp_path / "events.jsonl", upsert(), qrcode())
    answer = run(capsys, "events", "replay", file, *shape)
    assert answer.code == 0
    for secret in SECRETS:
        assert secret not in answer.out + answer.err


def test_a_text_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path / "events.jsonl", upsert(text="a\x1b[2Jb\nc"))
    assert "\x1b" not in run(capsys, "events", "replay", file).out


@pytest.mark.parametrize("form", ["one", "list", "lines"])
def test_one_json_a_list_and_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    path = tmp_path / "events.json"
    if form == "one":
        path.write_text(json.dumps(upsert(), indent=2), "utf-8")
    elif form == "list":
        path.write_text(json.dumps([upsert(1), upsert(2)]), "utf-8")
    else:
        recorded(path, upsert(1), upsert(2))
    answer = run(capsys, "events", "replay", str(path), "--json")
    ids = [each["id"] for each in answer.json]
    assert ids == (["M1"] if form == "one" else ["M1", "M2"])


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--event", "MESSAGES_UPSERT"], ["M1", "M2"]),
        (["--event", "qrcode-updated"], [None]),
        (["--instance", "shop"], ["M2"]),
        (["--from", "+55 11 99999-0001"], ["M1", "M2"]),
        (["--from", f"{NUMBER}@s.whatsapp.net"], ["M1", "M2"]),
        (["--from", "5511999990002"], []),
        (["--text", "DIA"], ["M1"]),
    ],
)
def test_filters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], found: list[Any]
) -> None:
    bodies = (upsert(1, text="Bom dia"), upsert(2, instance="shop"), qrcode())
    file = recorded(tmp_path / "events.jsonl", *bodies)
    answer = run(capsys, "events", "replay", file, "--json", *options)
    assert [each.get("id") for each in answer.json] == found


def test_what_is_no_event_is_told_by_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(f"{json.dumps(upsert(1))}\n{{broken\n{json.dumps(upsert(2))}\n", "utf-8")
    answer = run(capsys, "events", "replay", str(path), "--json")
    assert answer.code == 1
    assert [each["id"] for each in answer.json] == ["M1", "M2"]
    assert answer.one_error.startswith("2: no event: ")


@pytest.mark.parametrize(
    "options",
    [
        ["nowhere.jsonl"],
        ["x", "--event", "foo"],
        ["x", "--rate", "0"],
        ["x", "--to", "ftp://x"],
        ["x", "--from", "Ana"],
    ],
)
def test_a_wrong_option_is_one_line(capsys: pytest.CaptureFixture[str], options: list[str]) -> None:
    answer = run(capsys, "events", "replay", *options)
    assert answer.code == 2
    assert answer.one_error


def test_events_are_posted_in_their_order_at_a_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], receiver: Any
) -> None:
    file = recorded(tmp_path / "events.jsonl", *(upsert(each) for each in (1, 2, 3)))
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    waits: list[float] = []
    code = main(["replay", file, "--to", url, "--rate", "4", "--json"], sleep=waits.append)
    assert code == 0
    assert [json.loads(body)["data"]["key"]["id"] for _, body in receiver.posts] == [
        "M1", "M2", "M3",
    ]  # fmt: skip
    assert waits == [0.25, 0.25]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["http_status"] for each in lines] == [200, 200, 200]


def test_a_refused_post_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], receiver: Any
) -> None:
    receiver.status = 412
    file = recorded(tmp_path / "events.jsonl", upsert())
    url = f"http://127.0.0.1:{receiver.server_port}/"
    answer = run(capsys, "events", "replay", file, "--to", url)
    assert answer.code == 1
    assert answer.out.startswith("412  15:35:02  sales")


def test_no_receiver_is_exit_code_3_and_its_token_is_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path / "events.jsonl", upsert())
    answer = run(capsys, "events", "replay", file, "--to", "http://127.0.0.1:1/?token=hush")
    assert answer.code == 3
    assert "did not answer event 1" in answer.one_error
    assert "hush" not in answer.err


def test_signed_posts_pass_a_receiver_that_verifies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], receiver: Any
) -> None:
    key = f"{KEY}-of-32-bytes"
    (tmp_path / "key").write_text(f"{key}\n", "utf-8")
    file = recorded(tmp_path / "events.jsonl", upsert())
    url = f"http://127.0.0.1:{receiver.server_port}/"
    assert run(capsys, "events", "replay", file, "--to", url, "--secret-file", "key").code == 0
    ((headers, body),) = receiver.posts
    seen: list[str] = []
    router = EventRouter()
    router.add(lambda event: seen.append(event.id), MessagesUpsert)
    with_key = WebhookReceiver(router, jwt_key=key)
    assert with_key.handle("POST", "/", headers, body)[0] == 200
    assert with_key.drain()
    with_key.close()
    assert seen == ["M1"]


def test_a_secret_file_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "events.jsonl", upsert())
    words = ("events", "replay", file, "--to", "http://127.0.0.1:1/", "--secret-file", "none")
    answer = run(capsys, *words)
    assert answer.code == 2
    assert answer.one_error.endswith("--secret-file: none cannot be read (FileNotFoundError).")


def test_what_was_saved_can_be_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "saved.jsonl"
    recorder = Recorder(path)
    with_bytes = upsert(2, text="dois")
    with_bytes["data"]["message"]["imageMessage"] = {"jpegThumbnail": b"\x01\x02"}
    for body in (upsert(1, text="um"), qrcode(), with_bytes):
        recorder.take(parse_event(body))
    saved = path.read_text("utf-8")
    assert not any(secret in saved for secret in SECRETS)
    assert '"jpegThumbnail": {"0": 1, "1": 2}' in saved
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    answer = run(capsys, "events", "replay", str(path), "--json")
    assert [each["text"] for each in answer.json] == ["um", "dois"]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"--save: .* cannot be written"):
        Recorder(tmp_path / "none" / "saved.jsonl")
