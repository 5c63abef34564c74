"""The settings of streams and of the archive come from their variables."""

from __future__ import annotations

import pytest

from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import ConfigurationError

URI = "amqp://user:secret-password@rabbit:5672/vhost"


def from_env(**variables: str) -> EvolutionConfig:
    base = {"EVOLUTION_API_URL": "http://x", "EVOLUTION_API_KEY": "k"}
    return EvolutionConfig.from_env(None, environ={**base, **variables})


def test_every_variable_sets_its_field() -> None:
    config = from_env(
        EVOLUTION_RABBITMQ_URI=URI,
        EVOLUTION_RABBITMQ_GLOBAL_ENABLED="yes",
        EVOLUTION_RABBITMQ_EXCHANGE_NAME="ex",
        EVOLUTION_RABBITMQ_PREFIX_KEY="pre",
        EVOLUTION_RABBITMQ_PREFETCH="7",
        EVOLUTION_WEBSOCKET_GLOBAL_EVENTS="on",
        EVOLUTION_STORE_PATH="/tmp/x.db",
    )
    rabbit = config.rabbitmq
    assert rabbit.uri is not None
    assert rabbit.uri.get_secret_value() == URI
    assert (rabbit.global_enabled, rabbit.exchange_name) == (True, "ex")
    assert (rabbit.prefix_key, rabbit.prefetch) == ("pre", 7)
    assert config.websocket.global_events
    assert config.store.path == "/tmp/x.db"
    assert "secret-password" not in repr(config)


def test_defaults_are_the_servers() -> None:
    config = from_env()
    assert config.rabbitmq.uri is None
    assert not config.rabbitmq.global_enabled
    assert config.rabbitmq.exchange_name == "evolution_exchange"
    assert config.rabbitmq.prefix_key is None
    assert config.rabbitmq.prefetch == 32
    assert not config.websocket.global_events
    assert config.store.path == "evolution_archive.db"


@pytest.mark.parametrize("wrong", ["http://my-rabbit", "my-rabbit:5672"])
def test_a_wrong_broker_is_named_without_its_password(wrong: str) -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_RABBITMQ_URI") as caught:
        from_env(EVOLUTION_RABBITMQ_URI=wrong)
    assert wrong not in str(caught.value)


@pytest.mark.parametrize("name", ["EVOLUTION_RABBITMQ_PREFETCH", "EVOLUTION_WEBSOCKET_ENABLED"])
def test_a_wrong_value_is_named(name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        from_env(**{name: "-1"})
