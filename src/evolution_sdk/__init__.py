"""Typed Python SDK for the Evolution API, the open-source WhatsApp REST server.

Start with :class:`EvolutionClient` or :class:`AsyncEvolutionClient`; every error is in
:mod:`evolution_sdk.errors`, every answer in :mod:`evolution_sdk.models`.
"""

from ._async.client import AsyncEvolutionClient
from ._async.families import AsyncInstance
from ._core.effect import Effect, Phase
from ._core.operation import Operation
from ._core.operations import OPERATIONS
from ._core.options import CallOptions, ComposeOptions, SendOptions
from ._sync.client import EvolutionClient
from ._sync.families import Instance
from ._version import __version__
from .config import EvolutionConfig
from .errors import (
    AuthenticationError,
    BadRequestError,
    ChannelNotSupportedError,
    CircuitOpenError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    EvolutionAPIError,
    EvolutionError,
    EvolutionTimeoutError,
    FeatureDisabledError,
    InstanceAlreadyExistsError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    MetaAPIError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    RecipientNotFoundError,
    RequestValidationError,
    RouteNotFoundError,
    SendOutcomeUnknownError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)
from .identity import Jid, PhoneNumber
from .media import Media
from .models import (
    Button,
    ConnectionStatus,
    ContactCard,
    Integration,
    ListRow,
    ListSection,
    MessageKey,
    MessageStatus,
    SentMessage,
    StoredMessage,
)
from .retry import EvolutionRetryService, RetryPolicy

__all__ = [
    "OPERATIONS",
    "AsyncEvolutionClient",
    "AsyncInstance",
    "AuthenticationError",
    "BadRequestError",
    "Button",
    "CallOptions",
    "ChannelNotSupportedError",
    "CircuitOpenError",
    "ClientClosedError",
    "ComposeOptions",
    "ConfigurationError",
    "ConnectionFailedError",
    "ConnectionStatus",
    "ContactCard",
    "Effect",
    "EvolutionAPIError",
    "EvolutionClient",
    "EvolutionConfig",
    "EvolutionError",
    "EvolutionRetryService",
    "EvolutionTimeoutError",
    "FeatureDisabledError",
    "Instance",
    "InstanceAlreadyExistsError",
    "InstanceNotConnectedError",
    "InstanceNotFoundError",
    "Integration",
    "Jid",
    "ListRow",
    "ListSection",
    "Media",
    "MessageKey",
    "MessageStatus",
    "MetaAPIError",
    "NotFoundError",
    "Operation",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Phase",
    "PhoneNumber",
    "RateLimitError",
    "RecipientNotFoundError",
    "RequestValidationError",
    "RetryPolicy",
    "RouteNotFoundError",
    "SendOptions",
    "SendOutcomeUnknownError",
    "SentMessage",
    "ServerError",
    "StoredMessage",
    "TransportError",
    "UnexpectedResponseError",
    "WaitTimeoutError",
    "__version__",
]
