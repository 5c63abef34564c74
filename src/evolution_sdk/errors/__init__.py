"""Every exception of the SDK.

::

    EvolutionError
    ├── ArchiveError                  the local backup cannot be read
    ├── ConfigurationError            a setting is missing or wrong
    ├── RequestValidationError        rejected before sending: names the field and the rule
    ├── ClientClosedError             the client was used after close()
    ├── CircuitOpenError              not tried: the server or the instance has been failing
    ├── UnsupportedByServerError      the server's version lacks it: says which one has it
    ├── SendLimitError                not tried: a limit of the settings would be exceeded
    ├── BulkheadFullError             not tried: too many calls in flight
    ├── WaitTimeoutError              a wait_* helper ran out of time
    ├── NewContactsPausedError        not sent: new chats wait after WhatsApp refused several
    ├── OutboxStoreError              the outbox's database fails: nothing was taken over
    ├── OutboxConflictError           the key belongs to another message: nothing was written
    ├── OutboxEndedError              a message that was waited for failed, or is unknown
    ├── RecipientOptedOutError        the recipient asked not to be written to
    ├── DeliveryFailedError           accepted, but WhatsApp reported a failure later
    │   └── DeliveryRefusedError      refused by WhatsApp: code, meaning, advice
    ├── TransportError                no answer arrived
    │   ├── ConnectionFailedError     refused, unreachable, or cut off
    │   └── EvolutionTimeoutError     no answer in time
    ├── SendOutcomeUnknownError       a send may or may not have happened
    ├── UnexpectedResponseError       something answered, but not the Evolution API
    │   └── ResponseTooLargeError     larger than allowed, so not read to the end
    └── EvolutionAPIError             the server answered with an error
        ├── BadRequestError               400, and anything the server will refuse again
        │   └── ServerVersionError        it demands the bodies of version 1
        ├── AuthenticationError           401
        ├── PermissionDeniedError         403
        ├── NotFoundError                 404 about anything but these two
        │   ├── InstanceNotFoundError
        │   └── RouteNotFoundError        wrong URL or server version
        ├── InstanceAlreadyExistsError
        ├── RecipientNotFoundError        the number is not on WhatsApp
        ├── InstanceNotConnectedError     the instance has no working WhatsApp session
        ├── LicenseRequiredError          503: a server of 2.4 or newer that is not activated
        ├── RateLimitError
        ├── PayloadTooLargeError          413
        ├── ChannelNotSupportedError      this channel cannot do that
        ├── FeatureDisabledError          switched off on the server
        ├── MetaAPIError                  Meta refused (WHATSAPP-BUSINESS)
        └── ServerError                   5xx

Every error pickles and copies, carries ``phase`` and ``retryable``, and never shows a key, a QR
code or a message body in ``str`` or ``repr``. ``raw`` and ``messages`` hold the server's answer.
"""

from evolution_sdk._base.effect import Effect as Effect
from evolution_sdk._base.effect import Phase as Phase
from evolution_sdk._base.public import publish

from ._api import (
    AuthenticationError,
    BadRequestError,
    ChannelNotSupportedError,
    EvolutionAPIError,
    FeatureDisabledError,
    InstanceAlreadyExistsError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    LicenseRequiredError,
    MetaAPIError,
    NotFoundError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RateLimitError,
    RecipientNotFoundError,
    RouteNotFoundError,
    ServerError,
    ServerVersionError,
)
from ._api import Concerns as Concerns
from ._base import (
    ArchiveError,
    BulkheadFullError,
    CircuitOpenError,
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    DeliveryFailedError,
    DeliveryRefusedError,
    EvolutionError,
    EvolutionTimeoutError,
    NewContactsPausedError,
    OutboxConflictError,
    OutboxEndedError,
    OutboxStoreError,
    RecipientOptedOutError,
    RequestValidationError,
    ResponseTooLargeError,
    SendLimitError,
    SendOutcomeUnknownError,
    TransportError,
    UnexpectedResponseError,
    UnsupportedByServerError,
    WaitTimeoutError,
)

__all__ = [
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
    "OutboxConflictError",
    "OutboxEndedError",
    "OutboxStoreError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "RecipientNotFoundError",
    "RecipientOptedOutError",
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
]

# Tracebacks and pickles must name the module that users import from.
for _name in __all__:
    globals()[_name].__module__ = __name__

publish(__name__, __all__)
