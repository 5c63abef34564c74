"""The families of methods, as attributes of a client and of an instance handle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from evolution_sdk._base.effect import Effect
from evolution_sdk._client.options import CallOptions
from evolution_sdk._common.arguments import checked_method
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.operations.target import Target
from evolution_sdk.operations.unlisted import unlisted

from .pipeline import Pipeline

if TYPE_CHECKING:
    from evolution_sdk.events import (
        Event,
        MessagesDelete,
        MessagesEdited,
        MessagesUpdate,
        MessagesUpsert,
        SendMessage,
        SendMessageUpdate,
    )
    from evolution_sdk.tracking.consumption import ClaimedEvent

    from .bound import (
        AsyncMessagesDelete,
        AsyncMessagesEdited,
        AsyncMessagesUpdate,
        AsyncMessagesUpsert,
        AsyncSendMessage,
        AsyncSendMessageUpdate,
    )
    from .event_actions import EventBinding
    from .resources.baileys import AsyncBaileysApi
    from .resources.bots import (
        AsyncDifyApi,
        AsyncEvoaiApi,
        AsyncEvolutionBotApi,
        AsyncFlowiseApi,
        AsyncN8nApi,
        AsyncOpenaiApi,
        AsyncTypebotApi,
    )
    from .resources.business import AsyncBusinessApi
    from .resources.calls import AsyncCallsApi
    from .resources.chats import AsyncChatsApi
    from .resources.chatwoot import AsyncChatwootApi
    from .resources.event_channels import (
        AsyncKafkaApi,
        AsyncNatsApi,
        AsyncPusherApi,
        AsyncRabbitmqApi,
        AsyncSqsApi,
        AsyncWebsocketApi,
    )
    from .resources.groups import AsyncGroupsApi
    from .resources.labels import AsyncLabelsApi
    from .resources.messages import AsyncMessagesApi
    from .resources.proxy import AsyncProxyApi
    from .resources.s3 import AsyncS3Api
    from .resources.settings import AsyncSettingsApi
    from .resources.templates import AsyncTemplatesApi
    from .resources.webhook import AsyncWebhookApi

E = TypeVar("E", bound="Event")


class AsyncFamilies:
    """Everything that can be done with one instance.

    Each family, with its routes and models, is loaded when it is first used: most programs need
    two or three of them.
    """

    def __init__(self, pipeline: Pipeline, target: Target) -> None:
        self._pipeline = pipeline
        self._target = target

    @overload
    def bind_event(self, event: MessagesUpsert, /) -> AsyncMessagesUpsert: ...
    @overload
    def bind_event(self, event: SendMessage, /) -> AsyncSendMessage: ...
    @overload
    def bind_event(self, event: MessagesEdited, /) -> AsyncMessagesEdited: ...
    @overload
    def bind_event(self, event: SendMessageUpdate, /) -> AsyncSendMessageUpdate: ...
    @overload
    def bind_event(self, event: MessagesDelete, /) -> AsyncMessagesDelete: ...
    @overload
    def bind_event(self, event: MessagesUpdate, /) -> AsyncMessagesUpdate: ...
    @overload
    def bind_event(self, event: E, /) -> E: ...
    def bind_event(self, event: Event, /) -> Event:
        """Return an event with this client attached; the same as ``event.bind(client)``.

        Args:
            event: The event; it stays as it is.

        Returns:
            An event that can be answered; one that is about no message as it is. A client acts for
            the instance that the event names, a handle for its own.
        """
        acting = self._acting_for(event.instance)
        made = self._binding.bind(event, lambda: acting.messages, lambda: acting.chats)
        # Here, because who handles no events should not pay for loading them.
        from evolution_sdk.events._base import known_by, recognise

        recognise(made, *known_by(event), self._pipeline.event_intake.identities)
        return made

    @checked_method
    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        effect: Effect,
        query: Mapping[str, str | None] | None = None,
        **options: Unpack[CallOptions],
    ) -> Any:
        """Call a route that has no method here: one that is newer than this SDK, or your own.

        With key, time limits, guards, metrics, errors and retries as every call. What may be
        repeated is decided by the effect that you state.

        Args:
            method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
            path: Path below the base URL, percent-encoded, such as ``/chat/newRoute/{instance}``;
                ``{instance}`` is filled in.
            body: JSON body. Default: none.
            effect: What an accepted call does: ``Effect.READ`` and ``Effect.IDEMPOTENT`` are
                repeated freely; ``Effect.SEND`` and ``Effect.DESTRUCTIVE`` only when they surely
                did not happen, and are looked up by nobody.
            query: Query values by key.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The answer as it came: decoded JSON, or text; None where it was empty.

        Raises:
            RequestValidationError: Method, path or query cannot be part of a request.
            RouteNotFoundError: The server has no such route.
            SendOutcomeUnknownError: No answer tells if it happened (``Effect.SEND``).
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            unlisted(method, path, effect, query),
            self._target,
            body,
            query=query,
            options=options,
        )

    @cached_property
    def _binding(self) -> EventBinding:
        # Here, because who handles no events should not pay for loading them.
        from .event_actions import EventBinding

        return EventBinding(self._pipeline, self._pipeline.event_intake.proven)

    def _acting_for(self, instance: str) -> AsyncFamilies:
        """Return the families of the instance that acts for events of an instance."""
        return self

    def _bind_reply(self, event: MessagesUpsert) -> AsyncMessagesUpsert:
        """Attach the instance that waited, even where the event names another or none."""
        return AsyncInstance(self._pipeline, self._target).bind_event(event)

    def _bind_votes(self, event: MessagesUpdate) -> AsyncMessagesUpdate:
        """Attach the instance that waited for a vote; see ``_bind_reply``."""
        return AsyncInstance(self._pipeline, self._target).bind_event(event)

    def backfill(
        self,
        *,
        since: datetime,
        until: datetime | None = None,
        instance: str | None = None,
        seen: Callable[[str], bool] | None = None,
        statuses: bool = True,
    ) -> AsyncIterator[Event]:
        """Go through missed events, oldest first, made from the server's store.

        Messages come as ``MessagesUpsert`` and ``SendMessage``, statuses as ``MessagesUpdate``, all
        with ``source == "backfill"`` and this client attached; give them to the same router. Their
        ``dedupe_key`` is that of the event itself. The server must store messages
        (``DATABASE_SAVE_DATA_NEW_MESSAGE=true``); edits, deletions and all other events are not in
        its store.

        Args:
            since: Beginning of the gap (aware), such as ``StreamConnected.missing_since``.
            until: End of the gap (aware). Default: now; later events are not among them.
            instance: Name of the instance. Default: this one.
            seen: Tells by ``dedupe_key`` if an event is known, such as ``stream.has_handled``; a
                known one is left out.
            statuses: True to include statuses.

        Returns:
            An iterator of the events.

        Raises:
            RequestValidationError: A time is naive, or no instance is known.
            EvolutionError: The store could not be read.
        """
        from .backfill import backfill

        target = self._target if instance is None else Target(instance, self._target.token)
        if target.instance is None:
            raise RequestValidationError("instance", "name one, or set EVOLUTION_INSTANCE")
        owner = self if instance is None else AsyncInstance(self._pipeline, target)
        return backfill(owner.bind_event, self._pipeline, target, since, until, seen, statuses)

    def feed(self, event: Event | Mapping[str, Any], *, verified: bool = False) -> None:
        """Hand an event to the client: the one door for events; never raises.

        It serves ``wait_until``, ``wait_for_reply`` and all who observe events; a verified
        ``send.message`` also settles a send whose answer was lost. Streams and receivers with a
        client call it themselves; an event of a receiver is verified when it checks who posts. Any
        thread may call it.

        Args:
            event: The event, or its envelope as it came.
            verified: True when it is surely the server's: with an unverified one, a stranger could
                make a lost message count as sent.
        """
        self._pipeline.event_intake.take(event, verified=verified is True)

    def claim_on(self, event: Event, /) -> ClaimedEvent | None:
        """Return the claim that waits have laid on an event; None if handlers may have it.

        Receivers and streams with a client ask it before handlers get an event, and leave out what
        ``wait_for_reply(…, consume=True)`` and ``wait_for_vote(…, consume=True)`` took. Ask it
        yourself only where you dispatch events by hand, after ``feed``. Never blocks.

        Args:
            event: The event, which was fed before.

        Returns:
            The claim: ``is_settled``, then ``is_consumed``; ``wait`` waits for the first.
        """
        return self._pipeline.event_bus.claims.on(event)

    @cached_property
    def messages(self) -> AsyncMessagesApi:
        """Sending messages."""
        from .resources.messages import AsyncMessagesApi

        return AsyncMessagesApi(self._pipeline, self._target, self._bind_reply, self._bind_votes)

    @cached_property
    def chats(self) -> AsyncChatsApi:
        """Chats, contacts, stored messages, profiles."""
        from .resources.chats import AsyncChatsApi

        return AsyncChatsApi(self._pipeline, self._target)

    @cached_property
    def groups(self) -> AsyncGroupsApi:
        """Groups, their participants and invitations."""
        from .resources.groups import AsyncGroupsApi

        return AsyncGroupsApi(self._pipeline, self._target)

    @cached_property
    def labels(self) -> AsyncLabelsApi:
        """Labels of chats."""
        from .resources.labels import AsyncLabelsApi

        return AsyncLabelsApi(self._pipeline, self._target)

    @cached_property
    def calls(self) -> AsyncCallsApi:
        """Calls."""
        from .resources.calls import AsyncCallsApi

        return AsyncCallsApi(self._pipeline, self._target)

    @cached_property
    def settings(self) -> AsyncSettingsApi:
        """Behaviour settings."""
        from .resources.settings import AsyncSettingsApi

        return AsyncSettingsApi(self._pipeline, self._target)

    @cached_property
    def proxy(self) -> AsyncProxyApi:
        """The proxy."""
        from .resources.proxy import AsyncProxyApi

        return AsyncProxyApi(self._pipeline, self._target)

    @cached_property
    def templates(self) -> AsyncTemplatesApi:
        """Meta's message templates."""
        from .resources.templates import AsyncTemplatesApi

        return AsyncTemplatesApi(self._pipeline, self._target)

    @cached_property
    def business(self) -> AsyncBusinessApi:
        """The catalogue of a business."""
        from .resources.business import AsyncBusinessApi

        return AsyncBusinessApi(self._pipeline, self._target)

    @cached_property
    def webhook(self) -> AsyncWebhookApi:
        """The webhook."""
        from .resources.webhook import AsyncWebhookApi

        return AsyncWebhookApi(self._pipeline, self._target)

    @cached_property
    def websocket(self) -> AsyncWebsocketApi:
        """Events by websocket."""
        from .resources.event_channels import AsyncWebsocketApi

        return AsyncWebsocketApi(self._pipeline, self._target)

    @cached_property
    def rabbitmq(self) -> AsyncRabbitmqApi:
        """Events by RabbitMQ."""
        from .resources.event_channels import AsyncRabbitmqApi

        return AsyncRabbitmqApi(self._pipeline, self._target)

    @cached_property
    def nats(self) -> AsyncNatsApi:
        """Events by NATS."""
        from .resources.event_channels import AsyncNatsApi

        return AsyncNatsApi(self._pipeline, self._target)

    @cached_property
    def sqs(self) -> AsyncSqsApi:
        """Events by SQS."""
        from .resources.event_channels import AsyncSqsApi

        return AsyncSqsApi(self._pipeline, self._target)

    @cached_property
    def kafka(self) -> AsyncKafkaApi:
        """Events by Kafka."""
        from .resources.event_channels import AsyncKafkaApi

        return AsyncKafkaApi(self._pipeline, self._target)

    @cached_property
    def pusher(self) -> AsyncPusherApi:
        """Events by Pusher."""
        from .resources.event_channels import AsyncPusherApi

        return AsyncPusherApi(self._pipeline, self._target)

    @cached_property
    def chatwoot(self) -> AsyncChatwootApi:
        """The link to Chatwoot."""
        from .resources.chatwoot import AsyncChatwootApi

        return AsyncChatwootApi(self._pipeline, self._target)

    @cached_property
    def typebot(self) -> AsyncTypebotApi:
        """Bots of Typebot."""
        from .resources.bots import AsyncTypebotApi

        return AsyncTypebotApi(self._pipeline, self._target)

    @cached_property
    def openai(self) -> AsyncOpenaiApi:
        """Bots of OpenAI."""
        from .resources.bots import AsyncOpenaiApi

        return AsyncOpenaiApi(self._pipeline, self._target)

    @cached_property
    def dify(self) -> AsyncDifyApi:
        """Bots of Dify."""
        from .resources.bots import AsyncDifyApi

        return AsyncDifyApi(self._pipeline, self._target)

    @cached_property
    def n8n(self) -> AsyncN8nApi:
        """Workflows of n8n."""
        from .resources.bots import AsyncN8nApi

        return AsyncN8nApi(self._pipeline, self._target)

    @cached_property
    def evoai(self) -> AsyncEvoaiApi:
        """Agents of Evo AI."""
        from .resources.bots import AsyncEvoaiApi

        return AsyncEvoaiApi(self._pipeline, self._target)

    @cached_property
    def flowise(self) -> AsyncFlowiseApi:
        """Flows of Flowise."""
        from .resources.bots import AsyncFlowiseApi

        return AsyncFlowiseApi(self._pipeline, self._target)

    @cached_property
    def evolution_bot(self) -> AsyncEvolutionBotApi:
        """Services of one's own that answer."""
        from .resources.bots import AsyncEvolutionBotApi

        return AsyncEvolutionBotApi(self._pipeline, self._target)

    @cached_property
    def s3(self) -> AsyncS3Api:
        """Media that the server keeps in S3."""
        from .resources.s3 import AsyncS3Api

        return AsyncS3Api(self._pipeline, self._target)

    @cached_property
    def baileys(self) -> AsyncBaileysApi:
        """Low-level parts of WhatsApp's own protocol."""
        from .resources.baileys import AsyncBaileysApi

        return AsyncBaileysApi(self._pipeline, self._target)


class AsyncInstance(AsyncFamilies):
    """A light handle of one instance; it shares the client's connections and metrics."""

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._target.instance or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"
