"""Low-level routes; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import baileys as req
from evolution_sdk.models.baileys import AuthState, JidCheck, ParticipantNodes, UsyncDevice
from evolution_sdk.operations.routes import baileys as ops

from .base import AsyncResourceApi


class AsyncBaileysApi(AsyncResourceApi):
    """WhatsApp's own protocol, meant for integrations of voice calls.

    The server checks no arguments of these routes. An instance of another channel answers
    ``ChannelNotSupportedError``, one without a connection ``InstanceNotConnectedError``.
    """

    __slots__ = ()

    async def on_whatsapp(
        self, jid: str | PhoneNumber | Jid, **options: Unpack[CallOptions]
    ) -> list[JidCheck]:
        """Ask WhatsApp if it knows an account.

        Args:
            jid: JID or number of the account.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            WhatsApp's answers; empty if there was none.

        Raises:
            RequestValidationError: It is not a JID.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.JidRequest.check(jid=jid)
        return await self._call(ops.ON_WHATSAPP, request, options)

    async def profile_picture_url(
        self,
        jid: str | PhoneNumber | Jid,
        *,
        type: Literal["image", "preview"] | None = None,  # noqa: A002 - the server's name
        wait_ms: int | None = None,
        **options: Unpack[CallOptions],
    ) -> str | None:
        """Look up a profile picture.

        Args:
            jid: JID or number of the person, or JID of the group.
            type: ``image`` for the whole picture, ``preview`` for a small one.
            wait_ms: Longest wait of the server for WhatsApp, in milliseconds.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Its URL, which expires, or None.

        Raises:
            RequestValidationError: A value breaks a rule.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.PictureUrlRequest.check(jid=jid, type=type, timeout_ms=wait_ms)
        return await self._pipeline.call(
            ops.PROFILE_PICTURE_URL,
            self._target,
            request.body(),
            hold_ms=wait_ms or 0,
            options=options,
        )

    async def assert_sessions(
        self, jids: Sequence[str | PhoneNumber | Jid], **options: Unpack[CallOptions]
    ) -> bool:
        """Make sure that there are encryption sessions with devices.

        Args:
            jids: JIDs of the devices.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            True if new sessions were fetched.

        Raises:
            RequestValidationError: One is not a JID.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.JidsRequest.check(jids=tuple(jids))
        return await self._call(ops.ASSERT_SESSIONS, request, options)

    async def create_participant_nodes(
        self,
        jids: Sequence[str | PhoneNumber | Jid],
        message: Mapping[str, Any],
        *,
        extra_attrs: Mapping[str, Any] | None = None,
        **options: Unpack[SendOptions],
    ) -> ParticipantNodes:
        """Encrypt a message for devices, without sending it.

        Args:
            jids: JIDs of the devices.
            message: WhatsApp's message, as JSON.
            extra_attrs: Attributes for every node.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`: each call
                advances the encryption keys.

        Returns:
            The encrypted nodes.

        Raises:
            RequestValidationError: One is not a JID.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            SendOutcomeUnknownError: No answer arrived; it may have been done.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ParticipantNodesRequest.check(
            jids=tuple(jids),
            message=dict(message),
            extra_attrs=None if extra_attrs is None else dict(extra_attrs),
        )
        return await self._act(ops.CREATE_PARTICIPANT_NODES, request.body(), options)

    async def get_usync_devices(
        self,
        jids: Sequence[str | PhoneNumber | Jid],
        *,
        use_cache: bool | None = None,
        ignore_zero_devices: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> list[UsyncDevice]:
        """List the devices of accounts.

        Args:
            jids: JIDs of the accounts.
            use_cache: True to accept the server's cached list.
            ignore_zero_devices: True to leave out the phones themselves.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The devices.

        Raises:
            RequestValidationError: One is not a JID.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.DevicesRequest.check(
            jids=tuple(jids), use_cache=use_cache, ignore_zero_devices=ignore_zero_devices
        )
        return await self._call(ops.GET_USYNC_DEVICES, request, options)

    async def generate_message_tag(self, **options: Unpack[CallOptions]) -> str:
        """Make an id for a node; works without a connection.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The id.

        Raises:
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.GENERATE_MESSAGE_TAG, self._target, {}, options=options
        )

    async def send_node(self, stanza: Mapping[str, Any], **options: Unpack[SendOptions]) -> Any:
        """Send a raw node to WhatsApp.

        Args:
            stanza: The node: ``tag``, ``attrs`` and ``content``.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            None, because version 2.3.6 answers nothing.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            SendOutcomeUnknownError: It is not known if it was sent.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.NodeRequest.check(stanza=dict(stanza))
        return await self._act(ops.SEND_NODE, request.body(), options)

    async def signal_decrypt(
        self,
        jid: str | PhoneNumber | Jid,
        type: Literal["pkmsg", "msg"],  # noqa: A002 - the server's name
        ciphertext: bytes | str,
        **options: Unpack[SendOptions],
    ) -> bytes:
        """Decrypt a message of the Signal protocol.

        Args:
            jid: The device it came from.
            type: ``pkmsg`` for the first message of a session, else ``msg``.
            ciphertext: The message, as bytes or base64.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`: a message can
                be decrypted only once.

        Returns:
            The content.

        Raises:
            RequestValidationError: A value breaks a rule.
            ServerError: It could not be decrypted.
            ChannelNotSupportedError: The instance has another channel.
            SendOutcomeUnknownError: No answer arrived; it may have been done.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.DecryptRequest.check(jid=jid, type=type, ciphertext=ciphertext)
        return await self._act(ops.SIGNAL_DECRYPT, request.body(), options)

    async def get_auth_state(self, **options: Unpack[CallOptions]) -> AuthState:
        """Read the account of the session with its keys, which are **secret**.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The credentials of the session; ``repr`` hides them, ``raw`` holds them.

        Raises:
            InstanceNotConnectedError: The instance has no session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.GET_AUTH_STATE, self._target, {}, options=options)

    async def generate_message_id(self, **options: Unpack[CallOptions]) -> str:
        """Let the server make an id for a message (server 2.4).

        Sends make an id of their own; see ``message_id`` of :class:`~evolution_sdk.SendOptions`.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The id, such as ``3EB0…``.

        Raises:
            UnsupportedByServerError: The server is older than 2.4.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance has another channel.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        found = await self._pipeline.call(ops.GENERATE_MESSAGE_ID, self._target, options=options)
        return found.id
