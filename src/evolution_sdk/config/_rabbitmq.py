"""The RabbitMQ section of the configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import SecretStr, field_validator

from ._base import SWITCH_RULE, Positive, Section, Switch, Variable
from ._urls import split_url

_URI_EXAMPLE = "amqp://user:password@rabbitmq.example.com:5672/"


class RabbitmqConfig(Section):
    """Events by RabbitMQ, from the broker that the server writes to.

    Attributes:
        uri: URI of the broker; secret, since it contains a password. None: no events are taken
            from it.
        global_enabled: Whether the server writes to its global queues
            (``RABBITMQ_GLOBAL_ENABLED=true``). If not, the queues of the default instance are read.
        exchange_name: The server's ``RABBITMQ_EXCHANGE_NAME``.
        prefix_key: The server's ``RABBITMQ_PREFIX_KEY``, or None.
        prefetch: Limit of events that one consumer holds at once.
    """

    uri: Annotated[
        SecretStr | None,
        Variable("EVOLUTION_RABBITMQ_URI", "an amqp(s) URL", _URI_EXAMPLE, secret=True),
    ] = None
    global_enabled: Annotated[
        Switch, Variable("EVOLUTION_RABBITMQ_GLOBAL_ENABLED", SWITCH_RULE, "true")
    ] = False
    exchange_name: Annotated[
        str, Variable("EVOLUTION_RABBITMQ_EXCHANGE_NAME", "a name", "evolution_exchange")
    ] = "evolution_exchange"
    prefix_key: Annotated[
        str | None, Variable("EVOLUTION_RABBITMQ_PREFIX_KEY", "a name", "evolution")
    ] = None
    prefetch: Annotated[
        Positive, Variable("EVOLUTION_RABBITMQ_PREFETCH", "a whole number of 1 or more", "32")
    ] = 32

    @field_validator("uri")
    @classmethod
    def _uri(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        url = value.get_secret_value().strip()
        split_url(url, "EVOLUTION_RABBITMQ_URI", example=_URI_EXAMPLE, schemes=("amqp", "amqps"))
        return SecretStr(url)
