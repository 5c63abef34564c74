"""Carrying one message: sending it, or looking whether it was sent; never raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from evolution_sdk._async._seam import run_blocking
from evolution_sdk._async.find_sent import look_for_send
from evolution_sdk._async.pipeline import Pipeline
from evolution_sdk._base.harmless import quiet_logger
from evolution_sdk._base.request import FilePart
from evolution_sdk._client.options import SEND_KEYS, SendOptions
from evolution_sdk.errors import EvolutionError, OutboxStoreError
from evolution_sdk.identity.chat_forms import chat_forms
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.operations.target import Target
from evolution_sdk.outbox.claims import ALL, Claim
from evolution_sdk.outbox.decisions import (
    Rules,
    after_call,
    after_failure,
    after_look,
    after_look_failure,
    failure_of,
)
from evolution_sdk.outbox.look_facts import LookFacts
from evolution_sdk.outbox.payload import Payload, put_back
from evolution_sdk.outbox.records import OutboxFailure, OutboxState
from evolution_sdk.outbox.settling import Done, Lost, Outcome, Pause, Postponed
from evolution_sdk.outbox.store import OutboxStore
from evolution_sdk.outbox.workers import CutOffError
from evolution_sdk.reconcile.server_clock import zone_of

__all__ = ["Courier"]

_log = quiet_logger("evolution_sdk.outbox")
_NEWER_MS = 60_000.0


def named(error: Exception) -> str:
    """Name an error by its class: its text may hold anything."""
    return type(error).__name__


class Courier:
    """Sends messages of the outbox and looks for lost ones, through one client.

    Args:
        pipeline: Makes the calls.
        store: Knows what a look needs.
        tokens: Gives the key of an instance; None for the client's.
        rules: What may be chosen about outcomes.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: OutboxStore,
        tokens: Callable[[str], str | None],
        rules: Rules,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._tokens = tokens
        self._rules = rules

    def make_id(self, operation: str, instance: str) -> str | None:
        """Make an id for a message that is to be sent; None where the server takes none.

        Args:
            operation: Key of the operation.
            instance: The instance.
        """
        known = OPERATIONS.get(operation)
        return None if known is None else self._pipeline.new_message_id(known, instance)

    async def carry(self, claim: Claim, may_call: Callable[[], bool]) -> Outcome:
        """Send a message, or look for it.

        Args:
            claim: The message.
            may_call: Tells, right before the call, if nobody else can have taken it over.

        Returns:
            What came of it.
        """
        try:
            payload = Payload.load(claim.payload, self._store.cipher)
            body, part = dict(payload.body), None
            if claim.file is not None:
                kept = await run_blocking(partial(self._store.file, claim.file))
                if kept is None and claim.kind == "send":
                    failure = OutboxFailure("OutboxStoreError", "its file is gone from the store")
                    return Done(OutboxState.FAILED, error=failure, reason="its file is gone")
                body, part = put_back(payload, kept, self._store.cipher)
            operation = OPERATIONS[payload.operation]
        except OutboxStoreError as error:
            return self._not_begun(claim, "its file cannot be read now", error, 1_000.0)
        except EvolutionError as error:
            # The key of the encryption: nothing can be sent before it is right.
            return self._not_begun(claim, str(error), error, 0, Pause(ALL, type(error).__name__))
        except Exception as error:  # noqa: BLE001 - a row of another version of this package
            return self._not_begun(claim, "this version cannot read it", error, _NEWER_MS)
        try:
            target = Target(claim.instance, self._tokens(claim.instance))
        except Exception as error:  # noqa: BLE001 - a function of the program's
            _log.error("the function that gives the keys of instances failed: %s", named(error))
            paused = Pause(claim.instance, f"its key: {type(error).__name__}")
            return self._not_begun(claim, "its key cannot be had", error, 0, paused)
        if claim.kind == "look":
            return await self._look(claim, payload, operation, target, body)
        if payload.delay_ms:
            await self._pipeline.ports.sleep_ms(payload.delay_ms)
        return await self._send(claim, payload, operation, target, body, part, may_call)

    async def _send(
        self,
        claim: Claim,
        payload: Payload,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any],
        part: FilePart | None,
        may_call: Callable[[], bool],
    ) -> Outcome:
        options: SendOptions = {"retry": False, "on_unknown": "raise"}
        if payload.message_id is not None:
            options["message_id"] = payload.message_id
        try:
            sent = await self._pipeline.call(
                operation,
                target,
                body,
                file=part,
                hold_ms=payload.hold_ms,
                options=options,
                known_options=SEND_KEYS,
                own_id=claim.given_id,
                pace_wait_ms=0,
                check=partial(_check, may_call),
            )
        except CutOffError:
            return Postponed(0, None, "its worker was cut off from the store", called=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is written down
            if not isinstance(error, EvolutionError):
                _log.error("a send of the outbox failed in an unexpected way: %s", named(error))
            return after_failure(error, claim, self._rules)
        return after_call(sent)

    async def _look(
        self,
        claim: Claim,
        payload: Payload,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any],
    ) -> Outcome:
        left_ms = 1.0
        try:
            here = self._pipeline.ports.moment()
            facts = await run_blocking(partial(self._store.look_facts, claim, here))
            left_ms = self._left_ms(facts, payload, operation)
            self._learn_ids(claim, facts)
            search = await look_for_send(
                self._pipeline,
                target,
                operation,
                body,
                zone_of(facts.told, facts.begun, facts.lost),
                (),
                message_id=payload.message_id or claim.given_id,
                id_chosen=payload.message_id is not None,
                rivals=self._rivals(claim, payload, facts),
                known=partial(self._known, claim),
                stored=facts.stored,
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is written down
            if not isinstance(error, EvolutionError):
                _log.error("a look of the outbox failed in an unexpected way: %s", named(error))
            return after_look_failure(error, claim, left_ms)
        return after_look(search, claim, left_ms)

    def _learn_ids(self, claim: Claim, facts: LookFacts) -> None:
        """Let a client that has sent nothing yet know what those before it have learned."""
        ids = self._pipeline.parts.message_ids
        if facts.heeded is not None and ids.heeded(claim.instance, claim.operation) is None:
            ids.learn(claim.instance, claim.operation, facts.heeded)

    def _left_ms(self, facts: LookFacts, payload: Payload, operation: Operation[Any]) -> float:
        """Time during which the server may still be at work on the call."""
        limit_ms = self._pipeline.patience_ms(operation)
        # A worker that was cut off may have begun its call at the very end of its lease, and a
        # call takes up to its limit to leave.
        begin_ms = limit_ms if facts.fenced else 0.0
        return limit_ms + begin_ms + payload.hold_ms - facts.passed_ms

    def _rivals(self, claim: Claim, payload: Payload, facts: LookFacts) -> int:
        """Count the messages of equal content to the same chat that may have been sent, too."""
        forms = self._forms(claim.chat)
        return sum(
            # One that cannot be read may be equal.
            (other is None or not payload.differs(other)) and bool(forms & self._forms(chat))
            for chat, other in facts.rivals
        )

    def _forms(self, chat: str) -> set[str]:
        """The ids under which a chat may be known."""
        names = chat_forms(chat)
        return {*names, *self._pipeline.parts.reconciler.lids.forms(names)}

    async def _known(self, claim: Claim, ids: Sequence[str]) -> set[str]:
        return await run_blocking(partial(self._store.known_ids, claim, ids))

    def _not_begun(
        self,
        claim: Claim,
        reason: str,
        error: Exception,
        wait_ms: float,
        pause: Pause | None = None,
    ) -> Outcome:
        failure = failure_of(error)
        if claim.kind == "look":
            return Lost(max(wait_ms, 1_000.0), reason, failure, pause=pause)
        return Postponed(wait_ms, failure, reason, called=False, pause=pause)


def _check(may_call: Callable[[], bool]) -> None:
    # As late as can be: a process may have been frozen since its claim.
    if not may_call():
        raise CutOffError("its worker was cut off from the store")
