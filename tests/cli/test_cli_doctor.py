"""``evolution doctor``: each finding judged without I/O, and whole examinations of a server."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from event_kit import KEY, NUMBER, isolate, point_at, run

from databases import NOBODY, fresh_postgres
from evolution_sdk import EvolutionClient
from evolution_sdk._cli.language import use
from evolution_sdk.cli.doctor import (
    address_findings,
    instance_findings,
    server_findings,
    services,
    webhook_findings,
)
from evolution_sdk.cli.doctor.address_findings import ReachSeen, TlsSeen
from evolution_sdk.cli.doctor.findings import Finding
from evolution_sdk.cli.doctor.instance_findings import InstanceSeen
from evolution_sdk.cli.doctor.webhook_findings import WebhookSeen
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.events import Event, EventRouter
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver
from services import require_service

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PUBLIC = "https://evolution.example.com"
HOOK = "https://hooks.example.com/evo"
HOOK_KEY = "key-of-the-webhook-32-bytes-long"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    isolate(monkeypatch, tmp_path)
    use("en")
    yield
    use("en")


def days(count: int) -> TlsSeen:
    return TlsSeen(expires=NOW + timedelta(days=count, hours=1))


def reached(**seen: Any) -> Finding:
    return address_findings.reach(PUBLIC, ReachSeen(**seen))


def hook(**seen: Any) -> WebhookSeen:
    return WebhookSeen(**{"instance": "sales", "url": HOOK, "enabled": True, "status": 405, **seen})


@pytest.mark.parametrize(
    ("finding", "status", "words", "remedy"),
    [
        (address_findings.url(PUBLIC), "ok", PUBLIC, ""),
        (address_findings.url("http://evolution.example.com"), "warning", "not encrypted", "TLS"),
        (address_findings.url("http://8.8.8.8:8080"), "warning", "not encrypted", "TLS"),
        (address_findings.url("http://192.168.0.7:8080"), "ok", "192", ""),
        (address_findings.url("http://evolution-api:8080"), "ok", "evolution-api", ""),
        (address_findings.url(f"{PUBLIC}/v2"), "warning", "the path /v2", "leave it out"),
        (address_findings.tls("http://x", None, NOW), "skipped", "no TLS", ""),
        (address_findings.tls(PUBLIC, None, NOW), "skipped", "not reached", ""),
        (address_findings.tls(PUBLIC, TlsSeen(proxied=True), NOW), "skipped", "proxy", ""),
        (address_findings.tls(PUBLIC, TlsSeen("expired"), NOW), "failed", "expired", "renew"),
        (address_findings.tls(PUBLIC, TlsSeen(verified=False), NOW), "warning", "verified", "give"),
        (address_findings.tls(PUBLIC, TlsSeen(), NOW), "ok", "trusted", ""),
        (address_findings.tls(PUBLIC, days(60), NOW), "ok", "(60 days)", ""),
        (address_findings.tls(PUBLIC, days(5), NOW), "warning", "(5 days)", "renewed"),
        (reached(problem="connection refused"), "failed", "refused", "is it running"),
        (reached(status=301, redirect="https://x/"), "failed", "https://x/", "EVOLUTION_API_URL"),
        (reached(status=502), "failed", "HTTP 502, and not", "another program"),
        (reached(status=200, is_server=True, elapsed_ms=7.4), "ok", "after 7 ms", ""),
        (server_findings.version("2.3.7"), "ok", "2.3.7", ""),
        (server_findings.version("1.8.6"), "failed", "too old", "2.2.3"),
        (server_findings.version("2.9.0"), "warning", "newer than 2.4", "newer"),
        (server_findings.version(""), "warning", "cannot be read", "EVOLUTION_SERVER_VERSION"),
        (server_findings.licence("active"), "ok", "active", ""),
        (server_findings.licence("not needed"), "ok", "needs none", ""),
        (server_findings.licence("inactive", "http://x/login"), "failed", "every call", "x/login"),
        (server_findings.licence("inactive"), "failed", "every call", "/manager/login"),
        (server_findings.licence("unknown"), "skipped", "not tell", ""),
        (server_findings.key("global"), "ok", "global", ""),
        (server_findings.key("instance"), "ok", "one instance", ""),
        (server_findings.key("wrong"), "failed", "refuses", "AUTHENTICATION_API_KEY"),
        (server_findings.key("unknown"), "skipped", "not be tried", ""),
        (server_findings.clock(None), "skipped", "Date", ""),
        (server_findings.clock(-3.0), "ok", "3 s", ""),
        (server_findings.clock(90.0), "warning", "90 s ahead of", "NTP"),
        (server_findings.clock(-90.0), "warning", "90 s behind", "NTP"),
        (server_findings.server_url("", None, PUBLIC), "skipped", "/metrics", ""),
        (server_findings.server_url(PUBLIC, PUBLIC, PUBLIC), "ok", PUBLIC, ""),
        (server_findings.server_url("http://a", PUBLIC, PUBLIC), "failed", "left out", "equal"),
        (server_findings.server_url("http://localhost:8080", None, PUBLIC), "warning", "nobody",
         "public"),
        (server_findings.server_url("http://localhost:8080", None, "http://127.0.0.1:8080"), "ok",
         "localhost", ""),
    ],
)  # fmt: skip
def test_findings_about_the_server(finding: Finding, status: str, words: str, remedy: str) -> None:
    assert finding.status == status
    assert words in finding.words
    assert remedy in finding.remedy
    assert bool(finding.remedy) == (status in ("warning", "failed"))


def judged(**seen: Any) -> Finding:
    return instance_findings.instance(InstanceSeen("sales", **seen))


def code(**seen: Any) -> Finding:
    finding = instance_findings.qr(InstanceSeen("sales", "connecting", **seen))
    assert finding is not None
    return finding


def stored(**seen: Any) -> Finding:
    return instance_findings.store(InstanceSeen("sales", **seen))


def arrives(base_url: str = PUBLIC, **seen: Any) -> Finding:
    return webhook_findings.webhook(hook(**seen), base_url)


def signs(**seen: Any) -> Finding:
    finding = webhook_findings.jwt(hook(**seen))
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    ("finding", "status", "words", "remedy"),
    [
        (judged(state="open"), "ok", "open", ""),
        (judged(state="open", dead=False), "ok", "its socket works", ""),
        (judged(state="open", dead=True), "failed", "dead", "instances.restart"),
        (judged(state="connecting"), "warning", "no phone", "connect sales"),
        (judged(state="close"), "failed", "close", "connect sales"),
        (judged(state=None), "warning", "not loaded", "again"),
        (code(codes=1, has_code=True), "ok", "a code", ""),
        (code(codes=0), "failed", '{"count": 0}', "CONFIG_SESSION_PHONE_VERSION to one"),
        (code(codes=0, web_version="2.3000.1"), "failed", "WhatsApp",
         "CONFIG_SESSION_PHONE_VERSION=2.3000.1"),
        (code(codes=30), "warning", "30 codes", "begin anew"),
        (stored(state="open", stored=7), "ok", "7 messages", ""),
        (stored(state="open", stored=0), "warning", "stores none", "DATABASE_SAVE_DATA"),
        (stored(state="close", stored=0), "skipped", "yet", ""),
        (stored(state="open"), "skipped", "not tell", ""),
        (arrives(), "ok", "answers (HTTP 405)", ""),
        (arrives(url=""), "ok", "none of its own", ""),
        (arrives(enabled=False), "ok", "switched off", ""),
        (arrives(url="", wanted=HOOK), "warning", "none of its own", "webhook.sync()"),
        (arrives(wanted="https://x/y?token=hush"), "warning", "https://x/y?…", "webhook.sync()"),
        (arrives(url="http://localhost:9/"), "failed", "the server itself", "register"),
        (arrives("http://127.0.0.1:8080", url="http://localhost:9/"), "ok", "405", ""),
        (arrives(status=None, unreached="refused"), "warning", "(refused)", "running"),
        (arrives(status=308), "failed", "redirects", "register"),
        (arrives(status=404), "warning", "404", "--post"),
        (arrives(status=502), "failed", "HTTP 502", "start the program"),
        (signs(), "warning", "no jwt_key", "webhook.sync(jwt_key"),
        (signs(jwt_key="short"), "warning", "guessed", "16 bytes"),
        (signs(jwt_key=HOOK_KEY), "ok", "--post", ""),
        (signs(jwt_key=HOOK_KEY, signed=412, unsigned=412), "failed", "refuses", "another one"),
        (signs(jwt_key=HOOK_KEY, signed=200, unsigned=200), "warning", "without a token", "give"),
        (signs(jwt_key=HOOK_KEY, signed=415, unsigned=412), "ok", "signed posts only", ""),
    ],
)  # fmt: skip
def test_findings_about_instances(finding: Finding, status: str, words: str, remedy: str) -> None:
    assert finding.about == "sales"
    assert finding.status == status
    assert words in finding.words
    assert remedy in finding.remedy
    assert bool(finding.remedy) == (status in ("warning", "failed"))


def test_no_finding_where_there_is_no_question() -> None:
    assert instance_findings.qr(InstanceSeen("sales", "open")) is None
    assert webhook_findings.jwt(hook(url="")) is None
    assert HOOK_KEY not in repr(hook(jwt_key=HOOK_KEY))


@pytest.fixture
def fake() -> Iterator[FakeEvolution]:
    with FakeEvolution(api_key=KEY).serve() as served:
        served.create_instance("sales")
        yield served


def examine(
    capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, dict[tuple[str, str], dict[str, str]]]:
    answer = run(capsys, "doctor", "--json", *words)
    assert answer.err == ""
    (told,) = answer.json
    assert told["ok"] == (answer.code == 0)
    return answer.code, {(each["name"], each["about"]): each for each in told["findings"]}


def test_a_server_that_is_well(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    fake.receive_text("sales", from_=NUMBER, text="oi")
    exit_code, found = examine(capsys)
    assert exit_code == 0
    assert {name: each["status"] for (name, _), each in found.items()} == {
        "url": "ok",
        "tls": "skipped",
        "server": "ok",
        "version": "ok",
        "clock": "ok",
        "licence": "ok",
        "key": "ok",
        "server_url": "ok",
        "instance": "ok",
        "store": "ok",
        "webhook": "ok",
    }
    assert found["instance", "sales"]["words"] == "open, and its socket works"


def test_lines_for_people_in_two_languages(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    fake.set_state("sales", "close")
    english = run(capsys, "doctor").out.splitlines()
    assert "FAILED   instance sales: close: it sends and receives nothing" in english
    assert any(line.endswith("connect sales") and "-> link it:" in line for line in english)
    assert english[-1].startswith("failed: 1, ")
    portuguese = run(capsys, "doctor", "--lang", "pt").out.splitlines()
    assert "FALHA    instance sales: close: não envia nem recebe" in portuguese
    assert portuguese[-1].startswith("falhas: 1, ")


def test_a_wrong_key(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url, "wrong-secret-key")
    exit_code, found = examine(capsys)
    assert exit_code == 1
    assert found["key", ""]["status"] == "failed"
    assert found["instance", ""]["status"] == "skipped"
    assert "wrong-secret-key" not in str(found)


def test_the_key_of_an_instance(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.create_instance("other")
    token = fake.instances["sales"].token
    point_at(monkeypatch, fake.url, token)
    exit_code, found = examine(capsys)
    assert exit_code == 0
    assert "one instance" in found["key", ""]["words"]
    assert ("instance", "sales") in found
    assert ("instance", "other") not in found
    assert token not in str(found)


def test_an_unlicensed_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FakeEvolution(api_key=KEY, version="2.4.0", licensed=False).serve() as server:
        point_at(monkeypatch, server.url)
        exit_code, found = examine(capsys)
        assert exit_code == 1
        assert f"{server.url}/manager/login" in found["licence", ""]["remedy"]
        assert found["key", ""]["status"] == "skipped"


def test_a_server_that_is_down(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, "http://127.0.0.1:1")
    exit_code, found = examine(capsys)
    assert exit_code == 1
    assert found["server", ""]["words"] == "no answer: connection refused"
    assert found["key", ""]["status"] == "skipped"


class Quiet(BaseHTTPRequestHandler):
    """Prints no log."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A plain server, and its URL."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(status: int, **headers: str) -> Iterator[str]:
    """A program that is no Evolution API."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b'{"message": "welcome"}')

    with listening(Handler) as url:
        yield url


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (200, {}, "HTTP 200, and not from an Evolution API"),
        (502, {}, "HTTP 502"),
        (301, {"location": "https://api.example.com/?token=hush"}, "https://api.example.com/?…"),
    ],
)
def test_another_program_answers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    status: int, headers: dict[str, str], words: str,
) -> None:  # fmt: skip
    with answering(status, **headers) as url:
        point_at(monkeypatch, url)
        exit_code, found = examine(capsys)
    assert exit_code == 1
    assert words in found["server", ""]["words"]


def test_an_open_instance_whose_socket_is_dead(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    body = {
        "status": 400,
        "error": "Bad Request",
        "response": {"message": ["Error: Connection Closed"]},
    }
    fake.faults.add("instance.set_presence", "status", status=400, body=body)
    exit_code, found = examine(capsys)
    assert exit_code == 1
    assert "dead" in found["instance", "sales"]["words"]


def test_no_qr_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with FakeEvolution(api_key=KEY, qr_after=1_000).serve() as server:
        server.create_instance("sales", state="close")
        with EvolutionClient(server.url, KEY) as client:
            client.instances.connect("sales")
        point_at(monkeypatch, server.url)
        exit_code, found = examine(capsys)
    assert exit_code == 1
    assert "CONFIG_SESSION_PHONE_VERSION=2." in found["qr", "sales"]["remedy"]


def test_an_instance_that_is_closed_is_not_begun_to_connect(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    fake.set_state("sales", "close")
    examine(capsys)
    assert not [each for each in fake.requests if each.operation == "instance.connect_instance"]


def test_an_unknown_instance(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    point_at(monkeypatch, fake.url)
    exit_code, found = examine(capsys, "--instance", "nobody")
    assert exit_code == 1
    assert "does not exist" in found["instance", "nobody"]["words"]


@contextmanager
def receiving(jwt_key: str | None) -> Iterator[tuple[str, list[str]]]:
    """A receiver of ours behind a plain server, and what its handlers saw."""
    seen: list[str] = []
    router = EventRouter()

    def take(event: Any) -> None:
        seen.append(event.event)

    router.add(take, Event)

    receiver = WebhookReceiver(router, jwt_key=jwt_key)

    class Handler(Quiet):
        def answer(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            status, headers, words = receiver.handle(
                self.command, self.path, dict(self.headers), body
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(words)

        do_POST = do_HEAD = answer  # noqa: N815

    try:
        with listening(Handler) as url:
            yield f"{url}/evolution?token=hush", seen
    finally:
        receiver.close()


@pytest.mark.parametrize(
    ("key", "options", "status", "words"),
    [
        (HOOK_KEY, [], "ok", "--post tries"),
        (HOOK_KEY, ["--post"], "ok", "signed posts only (HTTP 412"),
        ("another-key-of-the-receiver", ["--post"], "failed", "refuses what the server signs"),
        (None, ["--post"], "warning", "takes posts without a token"),
    ],
)
def test_the_webhook_is_tried_and_handles_nothing(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    key: str | None, options: list[str], status: str, words: str,
) -> None:  # fmt: skip
    point_at(monkeypatch, fake.url)
    with receiving(key) as (url, seen):
        with EvolutionClient(fake.url, KEY, instance="sales") as client:
            client.webhook.set(url, events=["CALL"], headers={"jwt_key": HOOK_KEY})
        _, found = examine(capsys, *options)
        assert found["webhook", "sales"]["status"] == "ok"
        assert found["webhook", "sales"]["words"].endswith("?… answers (HTTP 405)")
        assert found["jwt", "sales"]["status"] == status
        assert words in found["jwt", "sales"]["words"]
        assert seen == []
    assert HOOK_KEY not in str(found)
    assert "hush" not in str(found)


def config(**values: Any) -> EvolutionConfig:
    return EvolutionConfig("http://127.0.0.1:1", KEY, **values)


def test_services_of_the_settings_each_once() -> None:
    assert services.services_of(config()) == []
    found = services.services_of(
        config(
            lid_store="redis://:hush@127.0.0.1:6379/0",
            rate_limit={"store": "redis://:hush@127.0.0.1:6379/0"},
            outbox={"store": NOBODY},
            store={"path": "archive.db"},
            rabbitmq={"uri": "amqp://user:hush@127.0.0.1:5672/"},
        )
    )
    assert [(each.kind, each.variable) for each in found] == [
        ("redis", "EVOLUTION_LID_STORE"),
        ("postgresql", "EVOLUTION_OUTBOX_STORE"),
        ("rabbitmq", "EVOLUTION_RABBITMQ_URI"),
    ]
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    ("kind", "name", "port", "address"),
    [
        ("redis", "Redis", 6379, "redis://127.0.0.1:6379/0"),
        ("rabbitmq", "RabbitMQ", 5672, "amqp://guest:guest@127.0.0.1:5672/"),
    ],
)
def test_services_that_answer(kind: str, name: str, port: int, address: str) -> None:
    require_service(name, port)
    named = services.Service(kind, "EVOLUTION_X", address)
    assert services.service(named, services.look(named)).status == "ok"


def test_postgres_answers() -> None:
    with fresh_postgres() as url:
        named = services.Service("postgresql", "EVOLUTION_X", url)
        assert services.look(named) == ""


@pytest.mark.parametrize(
    ("kind", "module", "address"),
    [
        ("redis", "redis", "redis://:hush@127.0.0.1:1/0"),
        ("postgresql", "psycopg", "postgresql://user:hush@127.0.0.1:1/x"),
        ("rabbitmq", "aio_pika", "amqp://user:hush@127.0.0.1:1/"),
    ],
)
def test_services_that_are_gone_or_whose_library_is(
    monkeypatch: pytest.MonkeyPatch, kind: str, module: str, address: str
) -> None:
    named = services.Service(kind, "EVOLUTION_X", address)
    finding = services.service(named, services.look(named))
    assert finding.status == "failed"
    assert finding.words.endswith("does not answer: connection refused")
    assert "EVOLUTION_X" in finding.remedy
    assert "hush" not in str(finding)
    monkeypatch.setitem(sys.modules, module, None)
    finding = services.service(named, services.look(named))
    assert finding.remedy.startswith("pip install 'evolutionapi-sdk[")


@pytest.mark.parametrize(
    ("name", "port", "kind", "address"),
    [
        ("RabbitMQ", 5672, "rabbitmq", "amqp://nobody:hush@127.0.0.1:5672/"),
        ("Redis", 6379, "redis", "redis://nobody:hush@127.0.0.1:6379/0"),
    ],
)
def test_a_refused_password(name: str, port: int, kind: str, address: str) -> None:
    require_service(name, port)
    problem = services.look(services.Service(kind, "EVOLUTION_X", address))
    assert problem == "user or password are refused"


def test_missing_settings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, "doctor")
    assert answer.code == 2
    assert "EVOLUTION_API_URL" in answer.one_error
