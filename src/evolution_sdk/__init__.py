"""Typed Python SDK for the Evolution API, the open-source WhatsApp REST server.

Start with :class:`EvolutionClient` or :class:`AsyncEvolutionClient`; every error is in
:mod:`evolution_sdk.errors`, every answer in :mod:`evolution_sdk.models`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._base.lazy import homes_of
from ._base.public import published
from ._version import __version__

if TYPE_CHECKING:
    from ._async.bound import (
        AsyncMessageEvent,
        AsyncMessagesDelete,
        AsyncMessagesEdited,
        AsyncMessagesUpdate,
        AsyncMessagesUpsert,
        AsyncSendMessage,
        AsyncSendMessageUpdate,
        AsyncSentMessage,
    )
    from ._async.client import AsyncEvolutionClient
    from ._async.namespaces import AsyncInstance
    from ._base.effect import Effect, Phase
    from ._client.compose import ComposeOptions
    from ._client.observers import AttemptFinished, CallFinished
    from ._client.options import CacheOptions, CallOptions, SendOptions
    from ._common.phone_numbers import show_phone_numbers
    from ._sync.bound import (
        SyncMessageEvent,
        SyncMessagesDelete,
        SyncMessagesEdited,
        SyncMessagesUpdate,
        SyncMessagesUpsert,
        SyncSendMessage,
        SyncSendMessageUpdate,
        SyncSentMessage,
    )
    from ._sync.client import EvolutionClient
    from ._sync.namespaces import Instance
    from .config import EvolutionConfig
    from .errors import (
        ArchiveError,
        AuthenticationError,
        BadRequestError,
        BulkheadFullError,
        ChannelNotSupportedError,
        CircuitOpenError,
        ClientClosedError,
        ConfigurationError,
        ConnectionFailedError,
        DeliveryFailedError,
        DeliveryRefusedError,
        EvolutionAPIError,
        EvolutionError,
        EvolutionTimeoutError,
        FeatureDisabledError,
        InstanceAlreadyExistsError,
        InstanceNotConnectedError,
        InstanceNotFoundError,
        LicenseRequiredError,
        MetaAPIError,
        NewContactsPausedError,
        NotFoundError,
        PayloadTooLargeError,
        PermissionDeniedError,
        RateLimitError,
        RecipientNotFoundError,
        RequestValidationError,
        ResponseTooLargeError,
        RouteNotFoundError,
        SendLimitError,
        SendOutcomeUnknownError,
        ServerError,
        ServerVersionError,
        TransportError,
        UnexpectedResponseError,
        UnsupportedByServerError,
        WaitTimeoutError,
    )
    from .identity import Jid, PhoneNumber
    from .media import Media
    from .models import (
        Button,
        CarouselCard,
        ConnectionStatus,
        ContactCard,
        Integration,
        ListRow,
        ListSection,
        MessageKey,
        MessageStatus,
        SentMessage,
        SentSearch,
        StoredMessage,
    )
    from .monitor import EvolutionMonitorService
    from .operations.operation import Operation
    from .operations.routes import OPERATIONS
    from .retry import EvolutionRetryService, RetryPolicy
    from .tracking.polls import PollTally

# Loaded on first use: pytest imports this package in every run of whoever has it installed.
_HOMES = homes_of(
    {
        "._async.bound": (
            "AsyncMessageEvent",
            "AsyncMessagesDelete",
            "AsyncMessagesEdited",
            "AsyncMessagesUpdate",
            "AsyncMessagesUpsert",
            "AsyncSendMessage",
            "AsyncSendMessageUpdate",
            "AsyncSentMessage",
        ),
        "._async.client": ("AsyncEvolutionClient",),
        "._async.namespaces": ("AsyncInstance",),
        "._base.effect": (
            "Effect",
            "Phase",
        ),
        "._client.observers": ("AttemptFinished", "CallFinished"),
        ".operations.operation": ("Operation",),
        ".operations.routes": ("OPERATIONS",),
        "._client.options": (
            "CacheOptions",
            "CallOptions",
            "SendOptions",
        ),
        "._client.compose": ("ComposeOptions",),
        "._common.phone_numbers": ("show_phone_numbers",),
        "._sync.bound": (
            "SyncMessageEvent",
            "SyncMessagesDelete",
            "SyncMessagesEdited",
            "SyncMessagesUpdate",
            "SyncMessagesUpsert",
            "SyncSendMessage",
            "SyncSendMessageUpdate",
            "SyncSentMessage",
        ),
        "._sync.client": ("EvolutionClient",),
        "._sync.namespaces": ("Instance",),
        ".config": ("EvolutionConfig",),
        ".errors": (
            "ArchiveError",
            "AuthenticationError",
            "BadRequestError",
            "BulkheadFullError",
            "ChannelNotSupportedError",
            "CircuitOpenError",
            "ClientClosedError",
            "ConfigurationError",
            "ConnectionFailedError",
            "DeliveryFailedError",
            "DeliveryRefusedError",
            "EvolutionAPIError",
            "EvolutionError",
            "EvolutionTimeoutError",
            "FeatureDisabledError",
            "InstanceAlreadyExistsError",
            "InstanceNotConnectedError",
            "InstanceNotFoundError",
            "LicenseRequiredError",
            "MetaAPIError",
            "NewContactsPausedError",
            "NotFoundError",
            "PayloadTooLargeError",
            "PermissionDeniedError",
            "RateLimitError",
            "RecipientNotFoundError",
            "RequestValidationError",
            "ResponseTooLargeError",
            "RouteNotFoundError",
            "SendLimitError",
            "SendOutcomeUnknownError",
            "ServerError",
            "ServerVersionError",
            "TransportError",
            "UnexpectedResponseError",
            "UnsupportedByServerError",
            "WaitTimeoutError",
        ),
        ".identity": (
            "Jid",
            "PhoneNumber",
        ),
        ".media": ("Media",),
        ".models": (
            "Button",
            "CarouselCard",
            "ConnectionStatus",
            "ContactCard",
            "Integration",
            "ListRow",
            "ListSection",
            "MessageKey",
            "MessageStatus",
            "SentMessage",
            "SentSearch",
            "StoredMessage",
        ),
        ".monitor": ("EvolutionMonitorService",),
        ".retry": (
            "EvolutionRetryService",
            "RetryPolicy",
        ),
        ".tracking.polls": ("PollTally",),
    }
)
# Clients open what stands above them through a door that is filled here.
_CLIENTS = frozenset({"AsyncEvolutionClient", "EvolutionClient"})
_SUBPACKAGES = (
    "config",
    "errors",
    "events",
    "identity",
    "media",
    "models",
    "monitor",
    "resilience",
    "retry",
    "testing",
    "transport",
)

__all__ = [
    "OPERATIONS",
    "ArchiveError",
    "AsyncEvolutionClient",
    "AsyncInstance",
    "AsyncMessageEvent",
    "AsyncMessagesDelete",
    "AsyncMessagesEdited",
    "AsyncMessagesUpdate",
    "AsyncMessagesUpsert",
    "AsyncSendMessage",
    "AsyncSendMessageUpdate",
    "AsyncSentMessage",
    "AttemptFinished",
    "AuthenticationError",
    "BadRequestError",
    "BulkheadFullError",
    "Button",
    "CacheOptions",
    "CallFinished",
    "CallOptions",
    "CarouselCard",
    "ChannelNotSupportedError",
    "CircuitOpenError",
    "ClientClosedError",
    "ComposeOptions",
    "ConfigurationError",
    "ConnectionFailedError",
    "ConnectionStatus",
    "ContactCard",
    "DeliveryFailedError",
    "DeliveryRefusedError",
    "Effect",
    "EvolutionAPIError",
    "EvolutionClient",
    "EvolutionConfig",
    "EvolutionError",
    "EvolutionMonitorService",
    "EvolutionRetryService",
    "EvolutionTimeoutError",
    "FeatureDisabledError",
    "Instance",
    "InstanceAlreadyExistsError",
    "InstanceNotConnectedError",
    "InstanceNotFoundError",
    "Integration",
    "Jid",
    "LicenseRequiredError",
    "ListRow",
    "ListSection",
    "Media",
    "MessageKey",
    "MessageStatus",
    "MetaAPIError",
    "NewContactsPausedError",
    "NotFoundError",
    "Operation",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Phase",
    "PhoneNumber",
    "PollTally",
    "RateLimitError",
    "RecipientNotFoundError",
    "RequestValidationError",
    "ResponseTooLargeError",
    "RetryPolicy",
    "RouteNotFoundError",
    "SendLimitError",
    "SendOptions",
    "SendOutcomeUnknownError",
    "SentMessage",
    "SentSearch",
    "ServerError",
    "ServerVersionError",
    "StoredMessage",
    "SyncMessageEvent",
    "SyncMessagesDelete",
    "SyncMessagesEdited",
    "SyncMessagesUpdate",
    "SyncMessagesUpsert",
    "SyncSendMessage",
    "SyncSendMessageUpdate",
    "SyncSentMessage",
    "TransportError",
    "UnexpectedResponseError",
    "UnsupportedByServerError",
    "WaitTimeoutError",
    "__version__",
    "show_phone_numbers",
]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _CLIENTS:
        door = import_module("._client.services_door", __name__)
        door.load_services(lambda: import_module(".services", __name__))
    value = getattr(import_module(_HOMES[name], __name__), name)
    if _HOMES[name].startswith("._"):  # what a public subpackage has is that one's
        published(__name__, value)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBPACKAGES})
