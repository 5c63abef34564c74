"""EvolutionConfig: every variable arrives, wrong values are explained, secrets stay hidden."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from config_table import ARRIVES
from pydantic import SecretStr

from evolution_sdk.config import (
    WEBHOOK_EVENTS,
    EvolutionConfig,
    MonitoringConfig,
    RetryConfig,
    WebhookConfig,
    variable_paths,
)
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.event_names import LATER_EVENTS
from facts import read

ROOT = Path(__file__).parents[2]
MINIMUM = {"EVOLUTION_API_URL": "http://localhost:8080", "EVOLUTION_API_KEY": "k3y"}
EVENTS = "EVOLUTION_WEBHOOK_EVENTS_"


def load(**environ: str) -> EvolutionConfig:
    return EvolutionConfig.from_env(None, environ={**MINIMUM, **environ})


def value_at(config: EvolutionConfig, path: tuple[str, ...]) -> Any:
    value: Any = config
    for name in path:
        value = getattr(value, name)
    return value


def test_the_table_above_is_complete() -> None:
    assert set(ARRIVES) | {f"{EVENTS}<NAME>"} == set(variable_paths())


@pytest.mark.parametrize("name", ARRIVES)
def test_every_variable_arrives(name: str) -> None:
    text, expected = ARRIVES[name]
    path = variable_paths()[name]
    found = value_at(load(**{name: text}), path)
    assert found == expected
    assert type(found) is type(expected)
    if name not in (*MINIMUM, "EVOLUTION_AUTHENTICATION_TYPE"):
        assert value_at(load(), path) != expected


@pytest.mark.parametrize("name", WEBHOOK_EVENTS)
def test_every_event_arrives(name: str) -> None:
    assert load(**{EVENTS + name: "true"}).webhook.events == (name,)
    assert load(**{EVENTS + name: "false"}).webhook.events == ()


def test_defaults_are_the_documented_ones() -> None:
    config = load()
    assert config.retry == RetryConfig(
        max_attempts=3, delay_ms=1000, backoff_factor=2, max_delay_ms=30_000
    )
    assert config.monitoring == MonitoringConfig(enabled=True, interval_ms=5000, max_history=1000)
    assert not config.webhook.enabled
    assert not config.websocket.enabled
    assert config.instance is None


def test_events_are_in_the_servers_order_and_read_in_both_spellings() -> None:
    config = load(**{EVENTS + "CALL": "on", EVENTS + "MESSAGES_UPSERT": "1"})
    assert config.webhook.events == ("MESSAGES_UPSERT", "CALL")
    given = WebhookConfig(events=("group-participants.update", "messages.upsert", "CALL", "CALL"))
    assert given.events == ("MESSAGES_UPSERT", "GROUP_PARTICIPANTS_UPDATE", "CALL")


def test_the_events_are_the_servers() -> None:
    endpoints = read("endpoints.json")
    body = next(e for e in endpoints if (e["group"], e["name"]) == ("webhook", "set_webhook"))[
        "body"
    ]
    enum = next(field["enum"] for field in body if field["name"] == "webhook.events[]")
    # The table is of 2.3.6; 2.4 knows one more (`facts/versions/2.4-pre/webhook.json`).
    assert enum == [name for name in WEBHOOK_EVENTS if name not in LATER_EVENTS]


def test_webhook_url_follows_the_base() -> None:
    assert load(WEBHOOK_BASE_URL="https://a.example/").webhook.global_url == (
        "https://a.example/evolution"
    )
    given = {
        "WEBHOOK_BASE_URL": "https://a.example/",
        "EVOLUTION_WEBHOOK_GLOBAL_URL": "${WEBHOOK_BASE_URL}/x",
    }
    assert load(**given).webhook.global_url == "https://a.example/x"
    assert load().webhook.global_url is None


def test_a_bundle_path_for_tls(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    assert load(EVOLUTION_TLS_VERIFY=str(bundle)).http.tls_verify == str(bundle)
    with pytest.raises(ConfigurationError, match="CA bundle that exists"):
        load(EVOLUTION_TLS_VERIFY=str(tmp_path / "absent.pem"))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("EVOLUTION_AUTHENTICATION_TYPE", "jwt", "apikey, the only type"),
        ("EVOLUTION_RETRY_MAX_ATTEMPTS", "0", "1 or more"),
        ("EVOLUTION_RETRY_MAX_ATTEMPTS", "three", "whole number"),
        ("EVOLUTION_RETRY_DELAY_MS", "-1", "0 or more"),
        ("EVOLUTION_RETRY_DELAY_MS", "1.5", "whole number"),
        ("EVOLUTION_RETRY_JITTER", "half", "equal, full, decorrelated or none"),
        ("EVOLUTION_RETRY_ATTEMPT_TIMEOUT_MS", "0", "1 or more"),
        ("EVOLUTION_RETRY_BUDGET_CAPACITY", "0", "1 or more"),
        ("EVOLUTION_RETRY_BUDGET_EARNED", "-1", "0 or more"),
        ("EVOLUTION_RETRY_BACKOFF_FACTOR", "0.5", "1 or more"),
        ("EVOLUTION_RETRY_BACKOFF_FACTOR", "inf", "1 or more"),
        ("EVOLUTION_RETRY_BACKOFF_FACTOR", "nan", "1 or more"),
        ("EVOLUTION_MONITORING_ENABLED", "maybe", "true or false"),
        ("EVOLUTION_MONITORING_INTERVAL_MS", "0", "1 or more"),
        ("EVOLUTION_MONITORING_MAX_HISTORY", "0", "1 or more"),
        ("EVOLUTION_TIMEOUT_READ_MS", "0", "1 or more"),
        ("EVOLUTION_BREAKER_FAILURE_RATE", "0", "above 0"),
        ("EVOLUTION_RATE_LIMIT_JITTER", "1.5", "0 to 1"),
        ("EVOLUTION_RATE_LIMIT_WARMUP_SINCE", "31/01/2026", "YYYY-MM-DD"),
        ("EVOLUTION_RATE_LIMIT_STORE", "http://h", "redis://"),
        ("EVOLUTION_HTTP_BACKEND", "curl", "httpx, httpx2 or aiohttp"),
        ("EVOLUTION_HTTP_PROXY", "proxy:3128", "http://"),
        ("EVOLUTION_HTTP_PROXY", "ftp://proxy", "socks5"),
        ("EVOLUTION_WEBHOOK_GLOBAL_URL", "hooks.example.com", "http://"),
        ("EVOLUTION_SERVER_URL", "wa.example.com", "http://"),
        ("WEBHOOK_BASE_URL", "https://u:p@h", "password"),
        (EVENTS + "MESSAGES_UPSERT", "perhaps", "true or false"),
    ],
)
def test_wrong_values_name_variable_problem_and_example(name: str, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(**{name: text})
    message = str(caught.value)
    assert caught.value.variable == name
    assert message.startswith(name)
    assert problem in message
    assert f"Example: {name}=" in message
    example = message.rsplit(f"{name}=", 1)[1]
    assert load(**{name: example})


@pytest.mark.parametrize(
    ("name", "closest"),
    [("GROUPS_UPDATE", "GROUP_UPDATE"), ("MESSAGE_UPSERT", "MESSAGES_UPSERT"), ("X", "")],
)
def test_an_unknown_event_names_the_closest(name: str, closest: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(**{EVENTS + name: "true"})
    assert caught.value.variable == EVENTS + name
    assert f"Did you mean {EVENTS}{closest}" in str(caught.value)
    with pytest.raises(ConfigurationError, match="Did you mean"):
        EvolutionConfig("http://h", "k", webhook={"events": [name]})


def test_missing_url_and_key_are_told_together_and_at_once() -> None:
    for make in (EvolutionConfig, lambda: EvolutionConfig.from_env(None, environ={})):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert "EVOLUTION_API_URL is missing" in str(caught.value)
        assert "http://localhost:8080" in str(caught.value)
        assert "EVOLUTION_API_KEY is missing" in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"^EVOLUTION_API_KEY is missing"):
        EvolutionConfig("http://h", "  ")


def test_arguments_are_checked_like_variables() -> None:
    config = EvolutionConfig(
        " http://h/evo/ ", "k", instance="sales", retry={"max_attempts": 5}, webhook=WebhookConfig()
    )
    assert (config.base_url, config.instance, config.retry.max_attempts) == (
        "http://h/evo",
        "sales",
        5,
    )
    for wrong in (
        {"retry": {"max_attempts": 0}},
        {"retry": {"attempts": 1}},
        {"retry": "fast"},
        {"retri": {}},
        {"webhook": {"events": "MESSAGES_UPSERT"}},
    ):
        with pytest.raises(ConfigurationError):
            EvolutionConfig("http://h", "k", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="EVOLUTION_RETRY_MAX_ATTEMPTS"):
        RetryConfig(max_attempts=0)


def test_an_unknown_argument_names_the_closest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean timeout"):
        EvolutionConfig("http://h", "k", timeouts={})


def test_arguments_of_from_env_win() -> None:
    config = EvolutionConfig.from_env(
        None,
        environ={"EVOLUTION_INSTANCE": "a", "EVOLUTION_API_KEY": "env"},
        base_url="http://arg",
        instance="b",
    )
    assert (config.base_url, config.instance) == ("http://arg", "b")
    assert config.api_key.get_secret_value() == "env"
    assert EvolutionConfig.from_env(None, environ=MINIMUM, api_key="arg").api_key == SecretStr(
        "arg"
    )


def test_server_key() -> None:
    assert load().server_key == SecretStr("k3y")
    assert load(EVOLUTION_AUTHENTICATION_API_KEY="glob").server_key == SecretStr("glob")


def test_secrets_are_never_shown() -> None:
    config = load(
        EVOLUTION_API_KEY="s3cret-a",
        EVOLUTION_AUTHENTICATION_API_KEY="s3cret-b",
        EVOLUTION_HTTP_PROXY="http://u:s3cret-c@proxy:1",
    )
    shown = f"{config!r} {config} {config.http!r} {config.model_dump()} {config.model_dump_json()}"
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"EVOLUTION_API_KEY": "s3cret with blank"},
        {"EVOLUTION_API_KEY": "s3cr\u00e9t s3cret"},
        {"EVOLUTION_AUTHENTICATION_API_KEY": "s3cret\x00"},
        {"EVOLUTION_API_URL": "http://u:s3cret@host"},
        {"EVOLUTION_API_URL": "http://host?key=s3cret"},
        {"EVOLUTION_HTTP_PROXY": "u:s3cret@proxy"},
        {"EVOLUTION_WEBHOOK_GLOBAL_URL": "s3cret"},
    ],
)
def test_an_error_about_a_secret_does_not_tell_it(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(**wrong)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in f"{error!s} {error!r} {error.args}"
        error = error.__cause__ or error.__context__


def test_it_is_frozen_and_pickles() -> None:
    config = load(EVOLUTION_RETRY_MAX_ATTEMPTS="9")
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(AttributeError, match="frozen") as caught:
        config.api_key = "s3cret"  # type: ignore[assignment,misc]
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ValueError, match="EvolutionConfig") as refused:
        EvolutionConfig.model_validate("s3cret")
    assert "s3cret" not in str(refused.value)


def test_replace_keeps_the_rest_and_checks() -> None:
    config = load(EVOLUTION_RETRY_MAX_ATTEMPTS="9", WEBHOOK_BASE_URL="https://a.example")
    other = config.replace(
        instance="b", retry={"delay_ms": 5}, webhook={"base_url": "https://b.example"}
    )
    assert (other.retry.max_attempts, other.retry.delay_ms, other.instance) == (9, 5, "b")
    assert other.webhook.global_url == "https://b.example/evolution"  # the default moves along
    assert config.retry.delay_ms == 1000
    assert other.replace(instance=None).instance is None
    assert other.replace(retry=RetryConfig()).retry.max_attempts == 3
    for wrong in ({"retry": {"delay_ms": -1}}, {"nothing": 1}, {"base_url": "nope"}):
        with pytest.raises(ConfigurationError):
            config.replace(**wrong)


def test_the_example_file_loads_and_says_the_defaults() -> None:
    path = ROOT / ".env.example"
    example = EvolutionConfig.from_env(path, environ={})
    assert example == EvolutionConfig(
        "http://localhost:8080", "change-me", webhook={"base_url": "https://hooks.example.com"}
    )
    text = path.read_text()
    names = {n for n in variable_paths() if "<" not in n} | {EVENTS + n for n in WEBHOOK_EVENTS}
    assert set(re.findall(r"^([A-Z0-9_]+)=", text, re.MULTILINE)) == names


def test_the_documentation_has_every_variable_with_field_and_default() -> None:
    rows = {}
    for line in (ROOT / "docs" / "en" / "configuration.md").read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.split("|")[1:-1]]
        if (len(cells) == 4 and cells[0].isupper()) or line.startswith(f"| `{EVENTS}"):
            rows[cells[0]] = (cells[1], cells[3])
    assert {name: tuple(field.split(".")) for name, (field, _) in rows.items()} == variable_paths()
    for name, (_, default) in rows.items():
        value = value_at(load(), variable_paths()[name])
        if default not in ("required", "none") and "<" not in default + name:
            assert value == type(value)({"true": 1, "false": 0}.get(default, default))
        elif default == "none":
            assert value is None
    documented = (ROOT / "docs" / "en" / "configuration.md").read_text()
    assert all(f"`{name}`" in documented for name in WEBHOOK_EVENTS)
