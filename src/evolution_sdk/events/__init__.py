"""Events of the server: one typed class per event, and ``parse_event``, which never raises.

This package does no input or output: bytes or decoded JSON go in and events come out, whatever the
transport.

Names are loaded on first use: a program that only sends needs the events about messages, but not
those about groups, labels, calls and instances.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.lazy import homes_of, load_name

if TYPE_CHECKING:
    from evolution_sdk.models.message_types import MessageKind

    from . import filters
    from ._base import (
        Event,
        Source,
    )
    from ._binding import (
        EventBinder,
    )
    from ._handling import (
        ContinueHandling,
        Handling,
        StopHandling,
    )
    from .albums import (
        AlbumGatherer,
        GatheredAlbum,
    )
    from .changes import (
        ChangeJoiner,
        MessageChange,
    )
    from .contacts_chats_groups import (
        Call,
        ChatsDelete,
        ChatsSet,
        ChatsUpdate,
        ChatsUpsert,
        ContactsSet,
        ContactsUpdate,
        ContactsUpsert,
        GroupJoinRequest,
        GroupParticipantsUpdate,
        GroupsUpdate,
        GroupsUpsert,
        LabelsAssociation,
        LabelsEdit,
        PresenceUpdate,
    )
    from .content import (
        AdReferral,
        Album,
        CalendarEvent,
        CallLog,
        CallOutcome,
        ChannelInvite,
        EncryptedMedia,
        GroupInvite,
        LinkPreview,
        Location,
        MediaInfo,
        Quoted,
        Reaction,
        ScheduledCall,
        Selection,
        SharedContact,
    )
    from .filters import (
        Filter,
    )
    from .history import (
        HistoryProgress,
        HistoryState,
    )
    from .interactive import (
        Button,
        Interactive,
        Order,
        OrderItem,
        Payment,
        Pix,
        Product,
    )
    from .lifecycle import (
        ApplicationStartup,
        ConnectionUpdate,
        CredsUpdate,
        InstanceCreate,
        InstanceDelete,
        LogoutInstance,
        MessagingHistorySet,
        QrcodeUpdated,
        RemoveInstance,
        StatusInstance,
        TypebotChangeStatus,
        TypebotStart,
    )
    from .message import (
        EventMessage,
        MessageStatusChange,
        ProtocolNotice,
    )
    from .message_event import (
        MessageEvent,
    )
    from .messages import (
        MessagesDelete,
        MessagesEdited,
        MessagesSet,
        MessagesUpdate,
        MessagesUpsert,
        SendMessage,
        SendMessageUpdate,
    )
    from .notices import (
        Notice,
        NoticeKind,
        notice_of,
    )
    from .parse import (
        EVENT_CLASSES,
        parse_event,
    )
    from .polls import (
        Poll,
        PollCount,
        PollResult,
        PollVote,
    )
    from .records import (
        CallChange,
        CallStatus,
        ChatChange,
        ConnectionChange,
        ContactChange,
        ErrorReport,
        HistorySummary,
        InstanceClosed,
        InstanceRef,
        JoinAction,
        JoinMethod,
        JoinRequest,
        LabelAction,
        LabelChange,
        LabelLink,
        ParticipantAction,
        ParticipantDetails,
        ParticipantsChange,
        PresenceChange,
        PresenceOf,
        PresenceState,
        QrcodeChange,
        TemplateStatusChange,
        TypebotSession,
        TypebotStatus,
    )
    from .router import (
        EventRouter,
        UnsubscribableEventWarning,
    )
    from .unknown import (
        MalformedEvent,
        ServerErrorReport,
        TemplateStatusUpdate,
        UnknownEvent,
    )

_HOMES = homes_of(
    {
        "._base": (
            "Event",
            "Source",
        ),
        "._binding": ("EventBinder",),
        ".changes": (
            "ChangeJoiner",
            "MessageChange",
        ),
        ".albums": (
            "AlbumGatherer",
            "GatheredAlbum",
        ),
        ".contacts_chats_groups": (
            "Call",
            "ChatsDelete",
            "ChatsSet",
            "ChatsUpdate",
            "ChatsUpsert",
            "ContactsSet",
            "ContactsUpdate",
            "ContactsUpsert",
            "GroupJoinRequest",
            "GroupParticipantsUpdate",
            "GroupsUpdate",
            "GroupsUpsert",
            "LabelsAssociation",
            "LabelsEdit",
            "PresenceUpdate",
        ),
        ".content": (
            "AdReferral",
            "Album",
            "CalendarEvent",
            "CallLog",
            "CallOutcome",
            "ChannelInvite",
            "EncryptedMedia",
            "GroupInvite",
            "LinkPreview",
            "Location",
            "MediaInfo",
            "Quoted",
            "Reaction",
            "ScheduledCall",
            "Selection",
            "SharedContact",
        ),
        ".filters": ("Filter",),
        ".history": (
            "HistoryProgress",
            "HistoryState",
        ),
        "..models.message_types": ("MessageKind",),
        "._handling": (
            "ContinueHandling",
            "Handling",
            "StopHandling",
        ),
        ".interactive": (
            "Button",
            "Interactive",
            "Order",
            "OrderItem",
            "Payment",
            "Pix",
            "Product",
        ),
        ".lifecycle": (
            "ApplicationStartup",
            "ConnectionUpdate",
            "CredsUpdate",
            "InstanceCreate",
            "InstanceDelete",
            "LogoutInstance",
            "MessagingHistorySet",
            "QrcodeUpdated",
            "RemoveInstance",
            "StatusInstance",
            "TypebotChangeStatus",
            "TypebotStart",
        ),
        ".message": (
            "EventMessage",
            "MessageStatusChange",
            "ProtocolNotice",
        ),
        ".message_event": ("MessageEvent",),
        ".messages": (
            "MessagesDelete",
            "MessagesEdited",
            "MessagesSet",
            "MessagesUpdate",
            "MessagesUpsert",
            "SendMessage",
            "SendMessageUpdate",
        ),
        ".notices": (
            "Notice",
            "NoticeKind",
            "notice_of",
        ),
        ".parse": (
            "EVENT_CLASSES",
            "parse_event",
        ),
        ".records": (
            "CallChange",
            "CallStatus",
            "ChatChange",
            "ConnectionChange",
            "ContactChange",
            "ErrorReport",
            "HistorySummary",
            "InstanceClosed",
            "InstanceRef",
            "JoinAction",
            "JoinMethod",
            "JoinRequest",
            "LabelAction",
            "LabelChange",
            "LabelLink",
            "ParticipantAction",
            "ParticipantDetails",
            "ParticipantsChange",
            "PresenceChange",
            "PresenceOf",
            "PresenceState",
            "QrcodeChange",
            "TemplateStatusChange",
            "TypebotSession",
            "TypebotStatus",
        ),
        ".polls": (
            "Poll",
            "PollCount",
            "PollResult",
            "PollVote",
        ),
        ".router": (
            "EventRouter",
            "UnsubscribableEventWarning",
        ),
        ".unknown": (
            "MalformedEvent",
            "ServerErrorReport",
            "TemplateStatusUpdate",
            "UnknownEvent",
        ),
    }
)

__all__ = [
    "EVENT_CLASSES",
    "AdReferral",
    "Album",
    "AlbumGatherer",
    "ApplicationStartup",
    "Button",
    "CalendarEvent",
    "Call",
    "CallChange",
    "CallLog",
    "CallOutcome",
    "CallStatus",
    "ChangeJoiner",
    "ChannelInvite",
    "ChatChange",
    "ChatsDelete",
    "ChatsSet",
    "ChatsUpdate",
    "ChatsUpsert",
    "ConnectionChange",
    "ConnectionUpdate",
    "ContactChange",
    "ContactsSet",
    "ContactsUpdate",
    "ContactsUpsert",
    "ContinueHandling",
    "CredsUpdate",
    "EncryptedMedia",
    "ErrorReport",
    "Event",
    "EventBinder",
    "EventMessage",
    "EventRouter",
    "Filter",
    "GatheredAlbum",
    "GroupInvite",
    "GroupJoinRequest",
    "GroupParticipantsUpdate",
    "GroupsUpdate",
    "GroupsUpsert",
    "Handling",
    "HistoryProgress",
    "HistoryState",
    "HistorySummary",
    "InstanceClosed",
    "InstanceCreate",
    "InstanceDelete",
    "InstanceRef",
    "Interactive",
    "JoinAction",
    "JoinMethod",
    "JoinRequest",
    "LabelAction",
    "LabelChange",
    "LabelLink",
    "LabelsAssociation",
    "LabelsEdit",
    "LinkPreview",
    "Location",
    "LogoutInstance",
    "MalformedEvent",
    "MediaInfo",
    "MessageChange",
    "MessageEvent",
    "MessageKind",
    "MessageStatusChange",
    "MessagesDelete",
    "MessagesEdited",
    "MessagesSet",
    "MessagesUpdate",
    "MessagesUpsert",
    "MessagingHistorySet",
    "Notice",
    "NoticeKind",
    "Order",
    "OrderItem",
    "ParticipantAction",
    "ParticipantDetails",
    "ParticipantsChange",
    "Payment",
    "Pix",
    "Poll",
    "PollCount",
    "PollResult",
    "PollVote",
    "PresenceChange",
    "PresenceOf",
    "PresenceState",
    "PresenceUpdate",
    "Product",
    "ProtocolNotice",
    "QrcodeChange",
    "QrcodeUpdated",
    "Quoted",
    "Reaction",
    "RemoveInstance",
    "ScheduledCall",
    "Selection",
    "SendMessage",
    "SendMessageUpdate",
    "ServerErrorReport",
    "SharedContact",
    "Source",
    "StatusInstance",
    "StopHandling",
    "TemplateStatusChange",
    "TemplateStatusUpdate",
    "TypebotChangeStatus",
    "TypebotSession",
    "TypebotStart",
    "TypebotStatus",
    "UnknownEvent",
    "UnsubscribableEventWarning",
    "filters",
    "notice_of",
    "parse_event",
]


def __getattr__(name: str) -> Any:
    if name == "filters":
        return import_module(".filters", __name__)
    return load_name(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return __all__
