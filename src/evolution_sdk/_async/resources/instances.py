"""Methods for instances, and waits for operations that the server finishes later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Unpack

from evolution_sdk._async.polling import poll_until
from evolution_sdk._client.linking import NotYet, no_code, not_there
from evolution_sdk._client.options import SEND_KEYS, CallOptions, SendOptions
from evolution_sdk._client.settings import configured_webhook
from evolution_sdk.errors import InstanceNotFoundError, WaitTimeoutError
from evolution_sdk.models.instance import (
    ConnectionState,
    ConnectionStatus,
    ConnectResult,
    CreatedInstance,
    InstanceAck,
    InstanceInfo,
    PresenceAck,
)
from evolution_sdk.models.lazy_list import LazyList, LazyReader
from evolution_sdk.models.requests_chat import PresenceRequest, PresenceState
from evolution_sdk.models.requests_instance import (
    CreateInstanceRequest,
    InstanceSettings,
    IntegrationName,
    check_instance_name,
)
from evolution_sdk.operations.operation import read_as
from evolution_sdk.operations.routes import instance as ops
from evolution_sdk.operations.target import Target

from .base import AsyncResourceApi

# The same operation for a reader of few fields; the client itself learns the owners.
_LIST_INSTANCES = read_as(
    ops.FETCH_INSTANCES, LazyReader(InstanceInfo, "name", "connection_status", "owner_jid")
)


class AsyncInstancesApi(AsyncResourceApi):
    """Instances: create, connect, watch and delete them.

    ``create`` and a fetch of all need the server's global key; an instance's own key does for the
    rest.
    """

    __slots__ = ()

    def _named(self, name: str | None) -> Target:
        if name is None or name == self._target.instance:
            return self._target
        return Target(name)

    async def create(
        self,
        name: str,
        *,
        integration: IntegrationName = "WHATSAPP-BAILEYS",
        token: str | None = None,
        number: str | None = None,
        qrcode: bool | None = None,
        webhook: Mapping[str, Any] | None = None,
        settings: InstanceSettings | None = None,
        unsafe_name: bool = False,
        **options: Unpack[SendOptions],
    ) -> CreatedInstance:
        """Create an instance.

        Args:
            name: Its name; case-sensitive, also the last part of its URLs. Letters A to Z, digits,
                ``_``, ``-`` and ``.``, not beginning with a dot.
            integration: The channel: ``WHATSAPP-BAILEYS``, ``WHATSAPP-BUSINESS`` or ``EVOLUTION``.
            token: Its own key. Default: made by the server. On WHATSAPP-BUSINESS this is Meta's
                access token and mandatory.
            number: Baileys: the phone, for a pairing code. Business: Meta's phone number id.
            qrcode: True to connect at once and wait for a QR code; takes the server more than five
                seconds.
            webhook: ``{"url", "events", "by_events", "base64", "headers"}``; ``events`` is always
                sent, because without it the server removes the instance again. Default: the
                webhook of the settings, if ``EVOLUTION_WEBHOOK_ENABLED`` is on.
            settings: Further settings.
            unsafe_name: True to take any name. Do not, unless you know what the server does with
                it: 2.2.3 with Chatwoot on deletes files by it in a shell.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The instance with its token, and the QR code if requested.

        Raises:
            RequestValidationError: A value breaks a rule.
            InstanceAlreadyExistsError: The name is taken, or its deletion is not finished.
            AuthenticationError: The key is not the server's global key.
            SendOutcomeUnknownError: No answer arrived; check with ``fetch(name)`` before retrying.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = CreateInstanceRequest.check(
            instance_name=name if unsafe_name else check_instance_name(name),
            integration=integration,
            token=token,
            number=number,
            qrcode=qrcode,
            webhook=configured_webhook(self._pipeline.config) if webhook is None else webhook,
            **(settings or {}),
        )
        return await self._pipeline.call(
            ops.CREATE_INSTANCE,
            Target(name),
            request.body(),
            options=options,
            known_options=SEND_KEYS,
        )

    async def fetch(
        self,
        name: str | None = None,
        *,
        instance_id: str | None = None,
        number: str | None = None,
        **options: Unpack[CallOptions],
    ) -> list[InstanceInfo]:
        """List instances, or look up one.

        Args:
            name: Only the instance with this name.
            instance_id: Only the instance with this id.
            number: Only instances with this number; needs the global key.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The instances with their tokens (secret); with an instance's key only that instance.

        Raises:
            InstanceNotFoundError: The instance is unknown, or not loaded yet.
            AuthenticationError: The key is wrong.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.FETCH_INSTANCES,
            self._target,
            query={"instanceName": name, "instanceId": instance_id, "number": number},
            options=options,
        )

    async def _list(self, **options: Unpack[CallOptions]) -> LazyList[InstanceInfo]:
        """List all instances, for the monitor, as :meth:`fetch`; each is built when it is read."""
        return await self._pipeline.call(_LIST_INSTANCES, self._target, options=options)

    async def connect(
        self,
        name: str | None = None,
        *,
        number: str | None = None,
        **options: Unpack[CallOptions],
    ) -> ConnectResult:
        """Start connecting, or read the current QR code.

        The first answer often has no code yet; :meth:`wait_for_qr` polls until there is one.

        Args:
            name: Name of the instance. Default: the client's.
            number: Phone to request a pairing code for instead, as digits with country code.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The code, whose parts are missing until the server has one, or the state if open.

        Raises:
            InstanceNotFoundError: No such instance.
            InstanceNotConnectedError: The server could not start connecting.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.CONNECT_INSTANCE, self._named(name), query={"number": number}, options=options
        )

    async def wait_for_qr(
        self,
        name: str | None = None,
        *,
        wait_ms: float = 60_000,
        poll_ms: float = 2_000,
        **options: Unpack[CallOptions],
    ) -> ConnectResult:
        """Connect, and poll until there is a QR code to scan.

        Args:
            name: Name of the instance. Default: the client's.
            wait_ms: Longest wait in all, in milliseconds.
            poll_ms: Pause between two questions, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            A result whose ``code`` and ``base64`` are set, or whose state is already open.

        Raises:
            WaitTimeoutError: No code arrived in time; WhatsApp may be unreachable.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """

        async def ask() -> ConnectResult | NotYet:
            seen = await self.connect(name, **options)
            return seen if seen.ready or seen.state is ConnectionStatus.OPEN else no_code(seen)

        return await poll_until(self._pipeline, ask, "a QR code", wait_ms, poll_ms)

    async def pairing_code(
        self,
        number: str,
        name: str | None = None,
        *,
        wait_ms: float = 60_000,
        poll_ms: float = 2_000,
        **options: Unpack[CallOptions],
    ) -> str:
        """Request a pairing code, to be typed into the phone instead of scanning a QR code.

        Request it before anything else starts connecting: an instance that is connecting with a QR
        code keeps that, and the server then ignores the number.

        Args:
            number: The phone, as digits with country code.
            name: Name of the instance. Default: the client's.
            wait_ms: Longest wait in all, in milliseconds.
            poll_ms: Pause between two questions, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The code.

        Raises:
            WaitTimeoutError: No code arrived in time, or none can arrive, because the instance is
                open already or is connecting with a QR code.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """

        async def ask() -> str | NotYet:
            result = await self.connect(name, number=number, **options)
            if result.pairing_code is None and result.state is ConnectionStatus.OPEN:
                raise WaitTimeoutError("No pairing code: the instance is open already.")
            if result.pairing_code is None and result.code is not None:
                raise WaitTimeoutError(
                    "No pairing code: the instance is connecting with a QR code already. Scan "
                    "that, or delete and create the instance and ask for the code first."
                )
            return result.pairing_code or no_code(result)

        return await poll_until(self._pipeline, ask, "a pairing code", wait_ms, poll_ms)

    async def connection_state(
        self, name: str | None = None, **options: Unpack[CallOptions]
    ) -> ConnectionState:
        """Read the connection state.

        Args:
            name: Name of the instance. Default: the client's.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The state. ``open`` does not prove that sending works; None means not loaded.

        Raises:
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.CONNECTION_STATE, self._named(name), options=options)

    async def wait_until(
        self,
        state: Literal["open", "connecting", "close"],
        name: str | None = None,
        *,
        wait_ms: float = 60_000,
        poll_ms: float = 1_000,
        **options: Unpack[CallOptions],
    ) -> ConnectionState:
        """Wait for a state.

        Args:
            state: The state to wait for.
            name: Name of the instance. Default: the client's.
            wait_ms: Longest wait in all, in milliseconds.
            poll_ms: Pause between two questions, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The state, once it is reached.

        Raises:
            WaitTimeoutError: It was not reached in time.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """

        async def ask() -> ConnectionState | NotYet:
            seen = await self.connection_state(name, **options)
            return seen if seen.state == state else not_there(state, seen)

        return await poll_until(self._pipeline, ask, f"state {state!r}", wait_ms, poll_ms)

    async def restart(
        self, name: str | None = None, **options: Unpack[CallOptions]
    ) -> ConnectResult:
        """Drop the connection and open it again.

        Args:
            name: Name of the instance. Default: the client's.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The state if still open, else a QR code.

        Raises:
            InstanceNotConnectedError: It is closed; use :meth:`connect`. The server reports this
                with HTTP 200.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.RESTART_INSTANCE, self._named(name), {}, options=options
        )

    async def set_presence(
        self, presence: PresenceState, name: str | None = None, **options: Unpack[CallOptions]
    ) -> PresenceAck:
        """Show the whole account as available or not.

        Args:
            presence: ``available`` or ``unavailable``. The first stops notifications on the phone.
            name: Name of the instance. Default: the client's.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The presence that was set.

        Raises:
            RequestValidationError: No such presence.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS supports it.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = PresenceRequest.check(presence=presence)
        return await self._pipeline.call(
            ops.SET_PRESENCE, self._named(name), request.body(), options=options
        )

    async def logout(self, name: str | None = None, **options: Unpack[CallOptions]) -> InstanceAck:
        """End the WhatsApp session. The answer comes before it is done.

        On 2.3.6 the instance then receives nothing in that server process, even after it has
        connected again; delete and create it instead (`facts/semantics.md` §4).

        Args:
            name: Name of the instance. Default: the client's.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            InstanceNotConnectedError: It is not connected.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.LOGOUT_INSTANCE, self._named(name), options=options)

    async def delete(
        self,
        name: str | None = None,
        *,
        wait: bool = False,
        wait_ms: float = 60_000,
        poll_ms: float = 500,
        **options: Unpack[CallOptions],
    ) -> InstanceAck:
        """Delete an instance with all its data. The answer comes before it is done.

        Args:
            name: Name of the instance. Default: the client's.
            wait: True to wait until the name is free again. Default False.
            wait_ms: Longest wait in all, in milliseconds. A webhook that fails on the instance's
                last event can delay the deletion by twenty minutes
                (`facts/observed.md` "2xx that are not successes" 4).
            poll_ms: Pause between two questions, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            WaitTimeoutError: It is deleted, but the name was not free in time.
            InstanceNotFoundError: No such instance.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        target = self._named(name)
        ack = await self._pipeline.call(ops.DELETE_INSTANCE, target, options=options)
        if wait:
            await self.wait_until_gone(target.instance, wait_ms=wait_ms, poll_ms=poll_ms, **options)
        return ack

    async def wait_until_gone(
        self,
        name: str | None = None,
        *,
        wait_ms: float = 60_000,
        poll_ms: float = 500,
        **options: Unpack[CallOptions],
    ) -> None:
        """Wait until the server no longer knows an instance.

        Args:
            name: Name of the instance. Default: the client's.
            wait_ms: Longest wait in all, in milliseconds.
            poll_ms: Pause between two questions, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Raises:
            WaitTimeoutError: It still exists.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """

        async def ask() -> bool | None:
            try:
                await self.connection_state(name, **options)
            except InstanceNotFoundError:
                return True
            return None

        try:
            await poll_until(self._pipeline, ask, "the deletion to finish", wait_ms, poll_ms)
        except WaitTimeoutError as error:
            error.add_note("A webhook that answers errors can delay a deletion; check it.")
            raise
