"""Where values come from: file, environment, references, quotes, comments."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from evolution_sdk.config import EvolutionConfig, normalize_base_url
from evolution_sdk.errors import ConfigurationError

MINIMUM = "EVOLUTION_API_URL=http://file:8080\nEVOLUTION_API_KEY=k\n"


def from_file(tmp_path: Path, text: str, **environ: str) -> EvolutionConfig:
    path = tmp_path / "settings.env"
    path.write_text(MINIMUM + text, encoding="utf-8")
    return EvolutionConfig.from_env(path, environ=environ)


def test_the_process_wins_over_the_file(tmp_path: Path) -> None:
    text = "EVOLUTION_INSTANCE=file\n"
    assert from_file(tmp_path, text).instance == "file"
    assert from_file(tmp_path, text, EVOLUTION_INSTANCE="process").instance == "process"
    assert from_file(tmp_path, text, EVOLUTION_INSTANCE="").instance == "file"


def test_the_default_file_is_optional_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("EVOLUTION_API_URL", "EVOLUTION_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="EVOLUTION_API_URL is missing"):
        EvolutionConfig.from_env()
    (tmp_path / ".env").write_text("\ufeff" + MINIMUM, encoding="utf-8")
    assert EvolutionConfig.from_env().base_url == "http://file:8080"
    monkeypatch.setenv("EVOLUTION_API_URL", "http://process")
    assert EvolutionConfig.from_env().base_url == "http://process"
    with pytest.raises(ConfigurationError, match="EVOLUTION_API_KEY"):
        EvolutionConfig.from_env(None)


def test_a_file_that_was_asked_for_must_be_readable(tmp_path: Path) -> None:
    binary = tmp_path / "binary.env"
    binary.write_bytes(b"EVOLUTION_INSTANCE=\xff\xfe")
    for path, problem in (
        (tmp_path / "absent.env", "does not exist"),
        (tmp_path / ".env", "does not exist"),
        (tmp_path, "cannot be read"),
        (binary, "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=problem) as caught:
            EvolutionConfig.from_env(path, environ={})
        assert caught.value.variable == "env_file"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("sales", "sales"),
        ("sales # comment", "sales"),
        ("sales\t#comment", "sales"),
        ("sales#1", "sales#1"),
        ('"sales # 1" # comment', "sales # 1"),
        ("'sales # 1'", "sales # 1"),
        ('"sales"', "sales"),
        ("  sales  ", "sales"),
        ("", None),
        ('""', None),
        (" # comment", None),
        ("# comment", None),
    ],
)
def test_quotes_and_comments_in_file_and_process(
    tmp_path: Path, written: str, expected: str | None
) -> None:
    in_file = from_file(tmp_path, f"EVOLUTION_INSTANCE={written}\n")
    in_process = from_file(tmp_path, "", EVOLUTION_INSTANCE=written)
    assert in_file.instance == in_process.instance == expected


def test_references_resolve_against_file_and_process(tmp_path: Path) -> None:
    text = (
        "EVOLUTION_WEBHOOK_GLOBAL_URL=${WEBHOOK_BASE_URL}/${TAIL}  # declared below\n"
        "WEBHOOK_BASE_URL=https://${HOST}\n"
        "TAIL=file\nHOST=file.example\n"
    )
    assert from_file(tmp_path, text).webhook.global_url == "https://file.example/file"
    config = from_file(tmp_path, text, HOST="process.example")
    assert config.webhook.global_url == "https://process.example/file"
    config = from_file(tmp_path, "HOST=file.example\n", EVOLUTION_API_URL="http://${HOST}:1")
    assert config.base_url == "http://file.example:1"


def test_references_work_for_events_and_numbers(tmp_path: Path) -> None:
    text = (
        "ALL=yes\nEVOLUTION_WEBHOOK_EVENTS_CALL=${ALL}\nN=4\nEVOLUTION_RETRY_MAX_ATTEMPTS=1${N}\n"
    )
    config = from_file(tmp_path, text)
    assert config.webhook.events == ("CALL",)
    assert config.retry.max_attempts == 14


def test_reference_with_default(tmp_path: Path) -> None:
    text = "EVOLUTION_INSTANCE=${NAME:-sales}-${EMPTY:-}x\nEMPTY=\n"
    assert from_file(tmp_path, text).instance == "sales-x"
    assert from_file(tmp_path, text, NAME="shop").instance == "shop-x"


@pytest.mark.parametrize("extra", ["", "NOPE=\n", "NOPE=  # nothing\n"])
def test_a_reference_to_nothing_is_an_error(tmp_path: Path, extra: str) -> None:
    with pytest.raises(ConfigurationError, match="NOPE") as caught:
        from_file(tmp_path, f"{extra}EVOLUTION_INSTANCE=${{NOPE}}\n")
    assert caught.value.variable == "EVOLUTION_INSTANCE"


def test_a_circle_is_an_error(tmp_path: Path) -> None:
    text = "EVOLUTION_INSTANCE=${A}\nA=${B}\nB=${A}\n"
    with pytest.raises(ConfigurationError, match="A → B → A") as caught:
        from_file(tmp_path, text)
    assert caught.value.variable == "EVOLUTION_INSTANCE"
    with pytest.raises(ConfigurationError, match="refers to itself"):
        from_file(tmp_path, "EVOLUTION_INSTANCE=${EVOLUTION_INSTANCE}\n")


def test_foreign_variables_may_be_broken(tmp_path: Path) -> None:
    assert from_file(tmp_path, "OTHER=${NOPE}\nLOOP=${LOOP}\n").instance is None


def test_misspelt_names_are_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "evolution_sdk.config"):
        from_file(
            tmp_path,
            "EVOLUTION_RETRY_MAX_ATTEMPT=5\n",
            EVOLUTION_LIVE_API_KEY="x",
            EVOLUTION_RETRY_DELAY_MS="5",
            EVOLUTION_SOMETHING_ELSE="x",
            EVOLUTION_WEBHOOK_EVENTS_CALL="true",
        )
    assert [record.getMessage() for record in caplog.records] == [
        "EVOLUTION_RETRY_MAX_ATTEMPT is not a setting; did you mean EVOLUTION_RETRY_MAX_ATTEMPTS?"
    ]


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("EVOLUTION_API_ULR", "EVOLUTION_API_URL"),
        ("EVOLUTION_BASE_URL", "EVOLUTION_API_URL"),
        ("EVOLUTION_URL", "EVOLUTION_API_URL"),
        ("EVOLUTON_API_URL", "EVOLUTION_API_URL"),
        ("EVOLUTIONAPI_URL", "EVOLUTION_API_URL"),
        ("EVO_API_URL", "EVOLUTION_API_URL"),
        ("evolution_api_url", "EVOLUTION_API_URL"),
        ("EVOLUTION_APIKEY", "EVOLUTION_API_KEY"),
        ("EVOLUTION_API_TOKEN", "EVOLUTION_API_KEY"),
    ],
)
def test_what_is_missing_is_found_under_its_misspelt_name(
    name: str, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"EVOLUTION_API_URL": "http://h", "EVOLUTION_API_KEY": "k"}
    del environ[setting]
    environ[name] = "s3cret"
    with pytest.raises(ConfigurationError, match="is missing") as caught:
        EvolutionConfig.from_env(None, environ=environ)
    hint = f"{name} is not a setting; did you mean {setting}?"
    assert str(caught.value).startswith(hint)
    assert caught.value.variable == setting
    assert [record.getMessage() for record in caplog.records] == [hint]
    assert "s3cret" not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("EVOLUTION_RATE_LIMIT_STOR", "EVOLUTION_RATE_LIMIT_STORE"),
        ("EVOLUTION_RATE_LIMIT", "EVOLUTION_RATE_LIMIT_ENABLED"),
        ("EVOLUTION_INSTANCE_NAME", "EVOLUTION_INSTANCE"),
        ("EVOLUTION_RETRY_ATTEMPTS", "EVOLUTION_RETRY_MAX_ATTEMPTS"),
        (
            "EVOLUTION_WEBHOOK_EVENT_MESSAGES_UPSERT",
            "EVOLUTION_WEBHOOK_EVENTS_MESSAGES_UPSERT",
        ),
    ],
)
def test_near_misses_of_what_has_a_default_are_warned_about(
    name: str, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {"EVOLUTION_API_URL": "http://h", "EVOLUTION_API_KEY": "k", name: "true"}
    EvolutionConfig.from_env(None, environ=environ)
    assert [record.getMessage() for record in caplog.records] == [
        f"{name} is not a setting; did you mean {setting}?"
    ]


def test_the_servers_own_variables_may_stand_in_the_same_file(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servers = (
        "SERVER_URL AUTHENTICATION_API_KEY WEBHOOK_GLOBAL_URL WEBHOOK_EVENTS_CALL EVOAI_ENABLED"
    )
    servers += " RABBITMQ_ENABLED RABBITMQ_URI QRCODE_LIMIT EVENT_EMITTER_MAX_LISTENERS"
    environ = dict.fromkeys(servers.split(), "x")
    environ |= {"EVOLUTION_API_URL": "http://h", "EVOLUTION_API_KEY": "k"}
    EvolutionConfig.from_env(None, environ=environ)
    assert caplog.records == []


def test_reading_files_costs_nothing_until_one_is_read() -> None:
    code = (
        "import sys, evolution_sdk.config as c;"
        "c.EvolutionConfig('http://h', 'k'); c.EvolutionConfig.from_env(None, base_url='http://h',"
        "api_key='k', environ={});"
        "sys.exit(bool({'dotenv', 'pydantic_settings'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("  http://localhost:8080/ \n", "http://localhost:8080"),
        ("https://h.example/evo/v2//", "https://h.example/evo/v2"),
        ("HTTPS://H.Example/Evo", "https://h.example/Evo"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://h/managers", "http://h/managers"),
    ],
)
def test_base_url(url: str, expected: str) -> None:
    assert normalize_base_url(url, "X") == expected
    assert normalize_base_url(expected, "X") == expected


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "is missing"),
        ("  ", "is missing"),
        ("localhost:8080", "http://"),
        ("//localhost", "http://"),
        ("ftp://h", "begin with one of http, https"),
        ("http://", "no host"),
        ("http://:8080", "no host"),
        ("http://h:99999", "port"),
        ("http://h:x", "port"),
        ("http://[::1", "host"),
        ("http://h/a b", "blanks"),
        ("http://h\n.example", "blanks"),
        ("http://u:p@h", "password"),
        ("http://h?a=1", "query"),
        ("http://h/?", "query"),
        ("http://h/#x", "fragment"),
        ("http://h/manager", "leave out /manager"),
        ("http://h/evo/Manager/", "leave out /manager"),
        ("http://h/manager/login", "leave out /manager"),
    ],
)
def test_base_url_refused(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem) as caught:
        normalize_base_url(url, "MY_URL")
    assert caught.value.variable == "MY_URL"
    assert "MY_URL=http://localhost:8080" in str(caught.value)


def test_the_outbox_is_set_up_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVOLUTION_API_URL", "http://localhost:9")
    monkeypatch.setenv("EVOLUTION_API_KEY", "k")
    monkeypatch.setenv("EVOLUTION_OUTBOX_STORE", "messages.db")
    monkeypatch.setenv("EVOLUTION_OUTBOX_WORKERS", "9")
    outbox = EvolutionConfig.from_env(None).outbox
    assert (outbox.store.get_secret_value(), outbox.workers) == ("messages.db", 9)
