"""One call, from left to right: request → guards → retry(transport) → decode → observe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from evolution_sdk._base.context import BYPASS_GUARDS
from evolution_sdk._base.forking import check
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.request import FilePart, Request, Response
from evolution_sdk._client.known_server import KnownServer, fixed_profile
from evolution_sdk._client.observers import Fact, Observers, Watch
from evolution_sdk._client.options import (
    CACHE_KEYS,
    CALL_KEYS,
    ONCE,
    CacheOptions,
    CallOptions,
    check_options,
    check_timeout,
    on_unknown_of,
    policy_of,
)
from evolution_sdk._client.settings import stored_lids
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.config._switched_on import SwitchedOn
from evolution_sdk.errors import (
    AuthenticationError,
    ClientClosedError,
    EvolutionError,
    FeatureDisabledError,
    RateLimitError,
    RequestValidationError,
    RouteNotFoundError,
    ServerError,
    TransportError,
    UnsupportedByServerError,
)
from evolution_sdk.identity import LidMap
from evolution_sdk.identity.chat_forms import CHANNEL
from evolution_sdk.identity.own_accounts import OwnAccounts
from evolution_sdk.operations.answers import retry_after_ms
from evolution_sdk.operations.echo import hide_echo
from evolution_sdk.operations.operation import Operation, SentKind
from evolution_sdk.operations.oversized import refuse_oversized
from evolution_sdk.operations.request_builder import RequestBuilder, with_message_id
from evolution_sdk.operations.server_version import BEHAVIOURS, OLDEST_MAJOR, ServerProfile
from evolution_sdk.operations.target import Target
from evolution_sdk.reconcile.message_ids import MessageIds, checked_message_id
from evolution_sdk.reconcile.search import LostSend
from evolution_sdk.reconcile.send_ledger import Send
from evolution_sdk.retry import EvolutionRetryService, RetryPolicy
from evolution_sdk.retry.service import runner_of
from evolution_sdk.tracking.contacts import KnownContacts
from evolution_sdk.tracking.event_bus import EventBus
from evolution_sdk.tracking.event_intake import EventIntake

from ._seam import Later, Transport, run_blocking
from .guards import Guards
from .ports import Ports
from .reconciler import Reconciler
from .send_lock import KeyedSendLock
from .server_probe import ServerProbe
from .store_reads import StoreReads

if TYPE_CHECKING:
    from evolution_sdk.resilience.states import Ticket

    from .fetching import Fetching
    from .single_flight import CachedReads

T = TypeVar("T")

_NOT_FOUND = 404
_log = quiet_logger("evolution_sdk")


@dataclass(frozen=True, slots=True)
class CallPlan(Generic[T]):
    """One call as it was asked for.

    Attributes:
        operation: What is called.
        target: For which instance.
        request: What goes out with every attempt.
        body: Its body before it was written down.
        options: The caller's options.
        policy: How it is retried.
        hold_ms: How long the server holds the answer on purpose, in milliseconds.
        watch: Tells the observers of the call; None where there are none.
        direct: Past breaker, limiter and bulkhead.
        own_id: An id of ours that was made for this send beforehand. Default: one is made.
        pace_wait_ms: Longest wait for a place in the rate limits, in milliseconds. Default: by the
            settings.
        check: Called right before the request goes out, to raise where it must not.
    """

    operation: Operation[T]
    target: Target
    request: Request
    body: Mapping[str, Any]
    options: CallOptions
    policy: RetryPolicy
    hold_ms: float
    watch: Watch | None
    direct: bool
    own_id: str | None = None
    pace_wait_ms: float | None = None
    check: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Parts that the attempts of all calls share."""

    ports: Ports
    transport: Transport
    requests: RequestBuilder
    guards: Guards
    reconciler: Reconciler
    send_lock: KeyedSendLock
    unknown_shapes: QuietLog
    known_server: KnownServer
    message_ids: MessageIds
    accounts: OwnAccounts


class Execution(Generic[T]):
    """One call under way: makes its attempts, each past the guards and over the wire.

    Args:
        plan: The call.
        parts: What all calls share.
    """

    __slots__ = ("_parts", "_plan")

    def __init__(self, plan: CallPlan[T], parts: Parts) -> None:
        self._plan = plan
        self._parts = parts

    async def attempt(self, _number: int) -> T:
        """Make one attempt; a place that it took in a limit and did not use is given back."""
        plan, guards = self._plan, self._parts.guards
        # The usual way, as the limiter is off by default: no place to take or give back.
        if not guards.paces or plan.direct:
            return await self.exchange(None)
        return await _paced(plan, guards, self.exchange)

    async def exchange(self, ticket: Ticket | None) -> T:
        """Send and read one answer; name the call in whatever is raised.

        Args:
            ticket: The place taken in a limit; None where nothing is limited.
        """
        plan, parts = self._plan, self._parts
        if plan.watch is not None:
            plan.watch.attempt_begins()
        try:
            if plan.direct:
                result = self._decoded(await parts.transport.send(plan.request))
            else:
                result = await self._guarded(ticket)
        except EvolutionError as error:
            # Transports know no operations: the error is named here, once for all of them.
            error.operation, error.instance = plan.operation.name, plan.target.instance
            if isinstance(error, AuthenticationError):
                parts.requests.name_key(error, plan.operation, plan.target.token)
            # A server or a proxy may repeat the request in its error: keys and texts stay out of
            # it.
            harmless(hide_echo, error, plan.operation, plan.request, parts.requests.keys)
            # A server that was away may have come back as another version.
            if not plan.direct and _was_away(error):
                parts.known_server.doubt()
            if plan.watch is not None:
                plan.watch.attempt_ends(error)
            raise
        if plan.watch is not None:
            plan.watch.attempt_ends(None)
        return result

    async def _guarded(self, ticket: Ticket | None) -> T:
        plan, guards = self._plan, self._parts.guards
        instance = plan.target.instance
        # The place first: the breaker is asked right before the request goes out.
        if guards.bulkhead is not None:
            await guards.bulkhead.enter(instance)
        entry = guards.enter(plan.operation, instance)
        if ticket is not None:
            # From here on only the failure tells if the place was used.
            ticket.handed_over = True
        try:
            if plan.check is not None:
                plan.check()
            result = self._decoded(await self._parts.transport.send(plan.request))
        except BaseException as error:
            await guards.failed(entry, plan.operation, instance, error)
            raise
        guards.left(entry, instance)
        return result

    def _decoded(self, response: Response) -> T:
        """Read the answer. A shape that is not known is logged: a completed call never fails."""
        operation, parts = self._plan.operation, self._parts
        # Errors count, too: the Date of any answer widens what is possible.
        harmless(parts.reconciler.clock.dated, response.headers, parts.ports.moment())
        try:
            if response.oversized:
                refuse_oversized(operation, response)
            decoded = operation.decode(response.status, response.body)
        except (RateLimitError, ServerError) as error:
            # Retry-After stands in the headers, which decode() does not see.
            error.retry_after_ms = retry_after_ms(response.headers, parts.ports.wall())
            raise
        if decoded.drift:
            parts.unknown_shapes.trouble(
                (operation.name, decoded.drift),
                "%s answered HTTP %s with a shape this SDK does not know: %s. "
                "The result keeps the raw data.",
                operation.name,
                response.status,
                ", ".join(decoded.drift),
            )
        # Learned in passing, and harmless: a completed call must not fail because of it.
        if operation.teaches_lids:
            own = parts.accounts.of(self._plan.target.instance or "").phone
            harmless(parts.reconciler.learn, decoded.value, own)
        if operation.teaches_accounts:
            # Of a list that builds its models when they are read, the rows.
            harmless(parts.accounts.learn, getattr(decoded.value, "rows", decoded.value))
        if operation.teaches_version:
            harmless(self._learn_version, decoded.value)
        return decoded.value

    def _learn_version(self, info: Any) -> None:
        self._parts.known_server.told(info.version)


class SendExecution(Generic[T]):
    """A send under way: claims the message it made, and looks for it when no answer tells.

    Args:
        plan: The call.
        parts: What all calls share.
        kind: The kind of message that it leaves in the store.
        message_id: The id that the caller chose for it. Default: one of our own, where the server
            may take it.
    """

    __slots__ = ("_calls", "_parts", "_plan", "send")

    def __init__(
        self, plan: CallPlan[T], parts: Parts, kind: SentKind, message_id: str | None = None
    ) -> None:
        request, target = plan.request, plan.target
        content = (request.content, request.fields, request.file)
        # Equal key, equal request: the store cannot tell such sends apart (facts/semantics.md
        # §7).
        key = hash((target.instance, plan.operation.name, *content))
        chosen = message_id is not None
        if message_id is None and _may_take_id(plan.operation, target.instance, parts):
            message_id = plan.own_id or parts.message_ids.make()
        if message_id is not None:
            plan = replace(plan, request=with_message_id(request, message_id))
        self.send = Send(
            target.instance,
            kind,
            plan.body,
            key,
            plan.operation.channels,
            operation=plan.operation.name,
            message_id=message_id,
            id_chosen=chosen,
        )
        self._calls = Execution(plan, parts)
        self._parts = parts
        self._plan = plan

    async def attempt(self, _number: int) -> T:
        """Make one attempt, which waits while an equal send is looked for."""
        guards = self._parts.guards
        if not guards.paces:
            return await self._claimed(None)
        return await _paced(self._plan, guards, self._claimed)

    async def _claimed(self, ticket: Ticket | None) -> T:
        parts, send = self._parts, self.send
        # The place in the limit is taken before: waiting for it must not hold up a look-up.
        await parts.send_lock.begin(send.key)
        try:
            asked = parts.reconciler.begin(send)
            try:
                result = await self._calls.exchange(ticket)
            except BaseException as error:
                # A cancellation passes here as well: the server works on without us.
                limit_ms = self._plan.hold_ms + self._patience_ms()
                harmless(parts.reconciler.failed, send, error, limit_ms)
                raise
            # Claimed before the lock opens: no look-up of an equal send may take this message.
            harmless(parts.reconciler.answered, send, result, asked)
            harmless(self._learn_id, result)
            return result
        finally:
            parts.send_lock.end(send.key)

    def _learn_id(self, result: Any) -> None:
        """Note if the server took our id; an answer without one tells nothing."""
        given, got = self.send.message_id, getattr(result, "id", None)
        if given is not None and got:
            self._parts.message_ids.learn(
                self.send.instance, self._plan.operation.name, given if given == got else None
            )

    async def resolve(self, error: EvolutionError) -> Any:
        """Look for the message after an attempt of unknown outcome.

        Args:
            error: Why its outcome is unknown.
        """
        plan = self._plan
        lost = LostSend(
            send=self.send,
            operation=plan.operation,
            target=plan.target,
            error=error,
            hold_ms=plan.hold_ms,
            limit_ms=self._patience_ms(),
            resend=on_unknown_of(plan.options) == "resend",
        )
        # An equal send during the look-up could be taken for the lost one.
        async with self._parts.send_lock.looking(self.send.key):
            return await self._parts.reconciler.resolve(lost)

    def _patience_ms(self) -> float:
        return self._parts.requests.patience_ms(self._plan.operation)


def _to_channel(body: Mapping[str, Any] | None) -> bool:
    number = (body or {}).get("number")
    return isinstance(number, str) and number.endswith(CHANNEL)


def _refuses(
    profile: ServerProfile, operation: Operation[Any], body: Mapping[str, Any] | None
) -> bool:
    """Tell if a server would refuse a call for its version."""
    newer = operation.newer or profile.version.major < OLDEST_MAJOR
    if newer and profile.lacks(operation) is not None:
        return True
    return bool(body) and operation.takes_events and profile.refused(body or {}) is not None


def message_id_of(options: Mapping[str, Any], operation: Operation[Any]) -> str | None:
    """Find the id that a caller chose for a message.

    Raises:
        RequestValidationError: It cannot be one, or the server takes none for this kind.
    """
    chosen = options.get("message_id")
    if chosen is None:
        return None
    if not operation.message_id_on:
        raise RequestValidationError(
            "message_id", f"no server takes one for {operation.name}: leave it out"
        )
    return checked_message_id(chosen)


def _was_away(error: EvolutionError) -> bool:
    """Tell if the server did not answer, or somebody in its place said so."""
    return isinstance(error, TransportError) or (
        isinstance(error, ServerError) and not error.by_server
    )


def _may_take_id(operation: Operation[Any], instance: str | None, parts: Parts) -> bool:
    """Tell if an id of ours may become the message's own; where it is ignored, none is sent."""
    if not operation.message_id_on:
        return False
    heeded = parts.message_ids.heeded(instance, operation.name)
    if heeded is not None:
        return heeded
    profile = parts.known_server.profile
    # 2.3.7 may be a build of 2.4; its first answer tells.
    unsure = profile is None or (profile.ambiguous and not parts.known_server.fixed)
    return unsure or (profile is not None and profile.has("message_ids"))


async def _paced(plan: CallPlan[T], guards: Guards, go: Callable[[Ticket | None], Later[T]]) -> T:
    """Take a place in the limit and go on with it; one that was not used is given back."""
    ticket = await guards.pace(plan.operation, plan.target.instance, plan.body, plan.pace_wait_ms)
    try:
        # Asked again: a pause may have begun while this one waited for its turn.
        guards.check_contact(plan.operation, plan.target.instance, plan.body)
        return await go(ticket)
    except BaseException as error:
        await guards.unused(ticket, error)
        raise


class Pipeline:
    """Everything a resource needs to make calls; shared by all handles of one client.

    Args:
        config: The settings.
        transport: Carries requests.
        retry: Repeats what may be repeated.
        ports: Time and sleep.
        timeout_ms: Longest time of one attempt, in milliseconds. Default: by kind of operation.
        key_source: Where the client's key came from, for errors.
        lids: The map of hidden ids. Default: by the settings.
        known_contacts: Chats that are known beside those seen.
    """

    def __init__(
        self,
        config: EvolutionConfig,
        transport: Transport,
        retry: EvolutionRetryService,
        ports: Ports,
        *,
        timeout_ms: float | None = None,
        key_source: str = "EVOLUTION_API_KEY",
        lids: LidMap | None = None,
        known_contacts: KnownContacts | None = None,
    ) -> None:
        if timeout_ms is not None:
            check_timeout(timeout_ms)
        self.config = config
        self.retry = retry
        self.ports = ports
        self.closed: bool = False
        self.observers: Observers[Fact] = Observers()
        self.event_bus: EventBus = EventBus()
        ids = MessageIds()
        # Of another version, earlier answers tell nothing about ids any more.
        fixed = fixed_profile(config.server_version)
        known = KnownServer(fixed, ports.monotonic, ids.forget)
        self.probe: ServerProbe = ServerProbe(known, self._once)
        self._own_lids: LidMap | None = stored_lids(config) if lids is None else None
        reconciler = Reconciler(
            ports,
            StoreReads(self._look_up),
            config.retry.reconcile_wait_ms,
            ids,
            self.probe,
            self._own_lids if lids is None else lids,
        )
        guards = Guards(config, ports)
        self.event_intake: EventIntake = EventIntake(
            reconciler.witness,
            reconciler.lids,
            self.event_bus,
            ports.wall,
            guards.pause,
            known_contacts,
        )
        guards.watch(self.event_intake.contacts)
        self.parts: Parts = Parts(
            ports=ports,
            transport=transport,
            requests=RequestBuilder(config, key_source),
            guards=guards,
            reconciler=reconciler,
            send_lock=KeyedSendLock(),
            unknown_shapes=QuietLog(_log, ports.monotonic),
            known_server=known,
            message_ids=ids,
            accounts=self.event_intake.identities.accounts,
        )
        self._timeout_ms = timeout_ms
        self._runner = runner_of(retry)
        self.switched_on: SwitchedOn | None = SwitchedOn(config, ports.monotonic()) or None

    @property
    def fetching(self) -> Fetching:
        """Files from elsewhere; loaded with the first one."""
        # A property: type checkers do not take a cached one for an attribute of a protocol.
        return self._fetching

    @cached_property
    def _fetching(self) -> Fetching:
        from .fetching import Fetching

        return Fetching(self.config, self.ports)

    async def call(
        self,
        operation: Operation[T],
        target: Target,
        body: Mapping[str, Any] | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        file: FilePart | None = None,
        hold_ms: float = 0,
        options: CallOptions | None = None,
        known_options: frozenset[str] = CALL_KEYS,
        direct: bool = False,
        own_id: str | None = None,
        pace_wait_ms: float | None = None,
        check: Callable[[], object] | None = None,
    ) -> T:
        """Make one call of the API, with retries.

        Args:
            operation: What to call.
            target: For which instance.
            body: JSON body, or the text fields next to ``file``.
            path: Values of the route's placeholders beside the instance.
            query: Query values by key.
            headers: Further headers, with lower-case names.
            file: The file part of a multipart request.
            hold_ms: How long the server will hold the answer on purpose, in milliseconds.
            options: The caller's options.
            known_options: The options that have an effect on this call.
            direct: Past breaker, limiter and bulkhead: for look-ups and probes, which must be
                able to find out whether the server is back.
            own_id: An id that :meth:`new_message_id` made for this one send; sent where the server
                may heed it, unless the caller chose a ``message_id``. Default: one is made.
            pace_wait_ms: Longest wait for a place in the rate limits, in milliseconds; with 0 a
                send that would have to wait is refused. Default: by the settings.
            check: Called right before the request goes out, behind all that may take time; what it
                raises is raised. Default: nothing is asked.

        Returns:
            The typed result.

        Raises:
            EvolutionError: Any of the errors of :mod:`evolution_sdk.errors`.
        """
        self._check_open()
        if self.switched_on is not None and self.switched_on.look(self.ports.monotonic()):
            self.switched_on = None
        given: CallOptions = options or {}
        if given:
            check_options(given, known_options, operation.name)
        chosen_id = message_id_of(given, operation)
        policy = policy_of(given) or self._runner.policy
        renamed = operation.fields_renamed
        if body and renamed and not renamed.keys().isdisjoint(body):
            profile = await self.probe.profile()
            body = body if profile is None else profile.spelled(operation, body)
        request = self.parts.requests.request(
            operation,
            target,
            body,
            path=path,
            query=query,
            headers=headers,
            file=file,
            hold_ms=hold_ms,
            timeout_ms=given.get("timeout_ms", self._timeout_ms),
            most_ms=policy.attempt_timeout_ms,
        )
        watch: Watch | None = None
        if self.observers.listening:
            watch = Watch(
                self.observers, operation, target.instance, self.ports.wall(), self.ports.monotonic
            )
        direct = direct or BYPASS_GUARDS.get()
        plan = CallPlan(
            operation, target, request, body or {}, given, policy, hold_ms, watch, direct,
            own_id, pace_wait_ms, check,
        )  # fmt: skip
        try:
            if self.parts.known_server.profile is not None:
                await self._check_supported(operation, target, body)
            if operation.recognised_as is not None and _to_channel(body):
                await self._check_channels(operation, target)
            result = await self._run(plan, chosen_id)
        except BaseException as error:
            if watch is not None:
                watch.finished(error, None)
            raise
        finally:
            cache = self.parts.guards.cache
            if cache is not None and operation.invalidates:
                # Also after a failure: it may have changed the group all the same.
                harmless(cache.changed, operation, target.instance, body, query)
        if watch is not None:
            watch.finished(None, result)
        return result

    def patience_ms(self, operation: Operation[Any]) -> float:
        """Return how long an attempt may last by the settings and the client, in milliseconds.

        Args:
            operation: What is called.
        """
        return max(self.parts.requests.patience_ms(operation), self._timeout_ms or 0.0)

    def new_message_id(self, operation: Operation[Any], instance: str | None) -> str | None:
        """Make an id for one send that is made later, with :meth:`call` and ``own_id``.

        Args:
            operation: What will be sent.
            instance: Through which instance.

        Returns:
            The id; None where the server surely makes none the message's own.
        """
        may = _may_take_id(operation, instance, self.parts)
        return self.parts.message_ids.make() if may else None

    async def _check_supported(
        self, operation: Operation[Any], target: Target, body: Mapping[str, Any] | None
    ) -> None:
        """Refuse what the server's version lacks, before anything is sent.

        Raises:
            UnsupportedByServerError: It lacks the operation, or an event that the body names.
        """
        profile = self.parts.known_server.profile
        if profile is None:
            return
        if _refuses(profile, operation, body):
            # The server may have been upgraded, or be a build of 2.4 that calls itself 2.3.7.
            profile = await self.probe.certain(target)
            if profile is None:
                return
            needs, version = profile.lacks(operation), profile.version.text
            if needs is not None:
                raise UnsupportedByServerError(operation.name, needs, version)
            event = profile.refused(body or {}) if operation.takes_events else None
            if event is not None:
                what = f"the event {event[0]}"
                raise UnsupportedByServerError(operation.name, event[1], version, what)
        # Only said: no call waits for it.
        for name, since in profile.ignored(operation, body or {}):
            self.parts.unknown_shapes.trouble(
                (operation.name, name),
                "%s: the server is version %s and ignores %s, which needs %s",
                operation.name, profile.version.text, name, since,
            )  # fmt: skip

    async def _check_channels(self, operation: Operation[Any], target: Target) -> None:
        """Refuse a send to a channel unless the server surely knows channels.

        Others would make the number of a person of it.

        Raises:
            UnsupportedByServerError: It does not, or does not tell its version.
        """
        profile = await self.probe.certain(target)
        if profile is None or not profile.has("channel_recipients"):
            version = None if profile is None else profile.version.text
            needs = BEHAVIOURS["channel_recipients"].since
            raise UnsupportedByServerError(
                operation.name, needs, version, "a channel (@newsletter) as recipient"
            )

    async def _lacking(
        self, error: RouteNotFoundError | FeatureDisabledError, plan: CallPlan[Any]
    ) -> UnsupportedByServerError | None:
        """Say which version has a route that the server says it does not have."""
        operation = plan.operation
        if not error.by_server:
            return None
        if isinstance(error, FeatureDisabledError):
            # A route that can be switched off is missing then, too: that tells of no version.
            off = error.status != _NOT_FOUND or not operation.newer
            profile = None if off else await self.probe.profile()
            needs = None if profile is None else profile.lacks(operation)
            if profile is None or needs is None:
                return None
            return UnsupportedByServerError(operation.name, needs, profile.version.text)
        # A route that its version should have: it is not the version that we believe it to be.
        profile = self.parts.known_server.profile
        if profile is not None and profile.lacks(operation) is None:
            self.parts.known_server.doubt()
        profile = await self.probe.certain(plan.target)
        if profile is not None:
            needs = profile.lacks(operation)
            version: str | None = profile.version.text
        else:
            needs, version = (operation.since if operation.newer else None), None
        if needs is None:
            return None
        return UnsupportedByServerError(operation.name, needs, version)

    async def _run(self, plan: CallPlan[T], chosen_id: str | None) -> T:
        try:
            return await self._attempts(plan, chosen_id)
        except (RouteNotFoundError, FeatureDisabledError) as error:
            lacking = await self._lacking(error, plan)
            if lacking is None:
                raise
            lacking.instance, lacking.attempts = plan.target.instance, error.attempts
            lacking.effect = plan.operation.effect
            raise lacking from error

    async def _attempts(self, plan: CallPlan[T], chosen_id: str | None) -> T:
        operation, runner = plan.operation, self._runner
        kind = operation.recognised_as
        if kind is None:
            return await runner.run_async(
                Execution(plan, self.parts).attempt,
                operation.name,
                effect=operation.effect,
                policy=plan.policy,
                on_unknown=on_unknown_of(plan.options),
                instance=plan.target.instance,
            )
        # A send always keeps to the limits, whatever the context says of guards.
        if plan.direct:
            plan = replace(plan, direct=False)
        sending = SendExecution(plan, self.parts, kind, chosen_id)
        try:
            result: T = await runner.run_async(
                sending.attempt,
                operation.name,
                effect=operation.effect,
                policy=plan.policy,
                on_unknown=on_unknown_of(plan.options),
                resolve=sending.resolve,
                instance=plan.target.instance,
            )
        except EvolutionError as error:
            error.message_id = sending.send.message_id
            raise
        finally:
            harmless(self.parts.reconciler.ledger.close, sending.send)
        # Here and not with the answer: a lost message that was found may be refused as well.
        harmless(self.event_intake.contacts.sent, plan.target.instance, result)
        return result

    def cache_for(self, what: str, options: CacheOptions) -> tuple[CachedReads, bool] | None:
        """Find out how a look-up is answered.

        Args:
            what: What is looked up, in words, for errors.
            options: The caller's options; a wrong one is refused even when the answer is kept.

        Returns:
            The cache, and True if the answer must be fresh; None when nothing is kept.
        """
        cache = self.parts.guards.cache
        if cache is None:
            return None
        self._check_open()
        check_options(options, CACHE_KEYS, what)
        return cache, not options.get("cache", True)

    async def download(self, url: str, limit_bytes: int) -> tuple[bytes, str | None]:
        """Fetch a file from elsewhere; without our key, and not from inside our own network.

        Args:
            url: Where it is.
            limit_bytes: Most bytes of content.

        Raises:
            RequestValidationError: It could not be fetched, or is larger than allowed.
            TransportError: No answer came; no message had gone out.
        """
        self._check_open()
        return await self.fetching.get(url, limit_bytes)

    async def stream_file(
        self,
        url: str,
        limit_bytes: int,
        sink: Callable[[bytes], Later[None]],
        allowed: Callable[[str], bool] | None = None,
    ) -> str | None:
        """Fetch a file from elsewhere piece by piece, by the same rules; return its type.

        Args:
            url: Where it is.
            limit_bytes: Most bytes of content.
            sink: Takes the pieces.
            allowed: Tells if a URL may be asked, also one that an answer redirects to. None: all.

        Raises:
            RequestValidationError: It could not be fetched, or is larger than allowed.
            TransportError: No answer came, or it broke off.
        """
        self._check_open()
        return await self.fetching.stream(url, limit_bytes, sink, allowed)

    @property
    def fetch_hosts(self) -> tuple[str, ...]:
        """The hosts that the settings name for files."""
        return self.fetching.hosts

    async def close(self) -> None:
        """Close the connections; calls afterwards raise ClientClosedError."""
        if not self.closed:
            self.closed = True
            if self.switched_on is not None:
                self.switched_on.tell()
            try:
                await self.parts.guards.close()
                await self.parts.transport.close()
            finally:
                # Only the map that was opened here: another one is its owner's to close.
                if self._own_lids is not None:
                    await run_blocking(self._own_lids.close)

    def _check_open(self) -> None:
        if self.closed:
            raise ClientClosedError
        check()  # in a forked process, connections and locks begin anew

    async def _once(self, operation: Operation[T], target: Target, limit_ms: float) -> T:
        """Make one attempt past guards, retries and metrics: what the client asks for itself."""
        self._check_open()
        request = self.parts.requests.request(
            operation, target, None, timeout_ms=limit_ms, most_ms=limit_ms
        )
        plan = CallPlan(operation, target, request, {}, {}, ONCE, 0, None, direct=True)
        return await Execution(plan, self.parts).attempt(1)

    async def _look_up(
        self,
        operation: Operation[T],
        target: Target,
        body: Mapping[str, Any],
        once_ms: float | None = None,
    ) -> T:
        """Make a read of the reconciler's: the one way by which it asks the server.

        Args:
            operation: What to ask.
            target: The instance.
            body: The JSON body.
            once_ms: Longest time of its one attempt, in milliseconds, if it is to have only one.
                Default: with the client's own retries.
        """
        if once_ms is None:
            return await self.call(operation, target, body, direct=True)
        usual = self._runner.policy.attempt_timeout_ms
        most_ms = once_ms if usual is None else min(once_ms, usual)
        policy = ONCE.with_(attempt_timeout_ms=most_ms if isfinite(most_ms) else None)
        return await self.call(operation, target, body, options={"retry": policy}, direct=True)
