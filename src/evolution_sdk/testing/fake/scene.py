"""What a test says about the world before and between requests."""

from __future__ import annotations

from typing import Any

from evolution_sdk._common.arguments import checked
from evolution_sdk.models.base import json_of

from . import lifecycle, progress
from .arranging import ArrangementError
from .families.settings import save_settings
from .js import JsonObject, defined, or_undefined
from .network import Profile
from .numbers import create_jid
from .scene_groups import GroupScene
from .scene_services import ServiceScene
from .state import BAILEYS, CHANNELS, DEFAULT_SETTINGS, Instance, QrCode, State
from .world import MetaRefusal

_OWNER = "5511900000099"


@checked()
class Scene(GroupScene, ServiceScene):
    """The arranging half of :class:`FakeEvolution`."""

    def create_instance(
        self,
        name: str,
        *,
        integration: str = BAILEYS,
        state: State = "open",
        token: str | None = None,
        number: str | None = None,
        owner: str = _OWNER,
    ) -> Instance:
        """Add an instance without a request.

        Args:
            name: Its name.
            integration: ``WHATSAPP-BAILEYS``, ``WHATSAPP-BUSINESS`` or ``EVOLUTION``.
            state: ``open`` has a phone connected; ``close`` was never connected.
            token: Its key; made up when None.
            number: Its number column (Business: the phone number id).
            owner: The phone's number, once connected (Baileys).

        Returns:
            The instance, with its ``token``.

        Raises:
            ValueError: The name is taken or the integration is unknown.
        """
        if integration not in CHANNELS:
            raise ArrangementError(
                f"integration must be one of {', '.join(CHANNELS)}", variable="integration"
            )
        with self._kernel.lock:
            world = self._world
            if world.known(name) is not None:
                raise ArrangementError(
                    f"the fake already has an instance {name!r}", variable="name"
                )
            baileys = integration == BAILEYS
            made = Instance(
                name=name,
                id=world.ids.uuid(),
                integration=integration,
                token=token or world.ids.uuid().upper(),
                created_ms=world.now_ms(),
                number=number,
                state="close" if baileys else state,
                connection_status="close" if baileys else "open",
            )
            world.instances[name] = made
            save_settings(world, made, DEFAULT_SETTINGS)
            if baileys and state == "open":
                self.scan_qr(name, owner=owner)
            elif baileys and state == "connecting":
                lifecycle.connect(world, made)
            return made

    def scan_qr(self, name: str, *, owner: str = _OWNER, profile_name: str = "Fake Owner") -> None:
        """Let a phone scan the QR code: the instance opens.

        Args:
            name: The instance.
            owner: The phone's number.
            profile_name: The name of its account.
        """
        with self._kernel.lock:
            instance = self._instance(name)
            instance.owner_jid = create_jid(owner)
            instance.profile_name = profile_name
            instance.profile_pic_url = lifecycle.OWNER_PICTURE
            instance.qr = instance.qr or QrCode()
            lifecycle.open_session(self._world, instance)

    def set_state(self, name: str, state: State) -> None:
        """Move an instance: ``open``, ``connecting`` (lost connection) or ``close``.

        A closed instance keeps its session and may be connected again without a QR code; use
        :meth:`log_out` for one that the phone has thrown out.
        """
        with self._kernel.lock:
            instance = self._instance(name)
            if instance.integration != BAILEYS:
                instance.state = state
            elif state == "open" and instance.owner_jid is None:
                self.scan_qr(name)
            elif state == "open":
                lifecycle.open_session(self._world, instance)
            elif state == "close":
                instance.has_client = True
                instance.state = instance.connection_status = "close"
            elif instance.logged_in:
                lifecycle.lose_connection(self._world, instance)
            else:
                lifecycle.connect(self._world, instance)

    def log_out(self, name: str) -> None:
        """Let the phone log the session out (401): the instance closes and needs a new QR."""
        with self._kernel.lock:
            lifecycle.close_session(self._world, self._instance(name))

    def set_whatsapp_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to WhatsApp: without it, connecting ends in ``close``."""
        self._world.network.reachable = reachable

    def not_on_whatsapp(self, *numbers: str) -> None:
        """Take numbers off WhatsApp: sends to them answer ``exists: false``."""
        for number in numbers:
            self._world.network.remove(number)

    def resolve(self, number: str, jid: str) -> None:
        """Let a number be known under another JID.

        Args:
            number: The number that callers write.
            jid: Another spelling of it, or a ``…@lid``; a LID comes from the server's cache,
                because its look-up cannot return one.
        """
        with self._kernel.lock:
            target = jid if "@" in jid else create_jid(jid)
            if target.endswith("@lid"):
                self._world.network.lids.set(create_jid(number), target)
                self._world.network.cache(target, self._world.now_ms(), aka=create_jid(number))
            else:
                self._world.network.alias(number, target)

    def cache_number(self, number: str) -> None:
        """Put a number into the server's IsOnWhatsapp cache, as any send to it does."""
        self._world.network.cache(create_jid(number), self._world.now_ms())

    def set_profile(
        self,
        number: str,
        *,
        picture: str | None = None,
        about: str | None = "Hey there! I am using WhatsApp.",
        business: JsonObject | None = None,
    ) -> None:
        """Say what WhatsApp shows about a number: picture, status text, business profile."""
        self._world.network.profiles[create_jid(number)] = Profile(picture, about, business)

    def put_on_web(self, url: str, content: bytes) -> None:
        """Say what a media URL holds; an unknown URL holds nothing, and is accepted as well."""
        self._world.network.web[url] = content

    def meta_refuses(
        self,
        number: str,
        *,
        code: int = 131_026,
        message: str = "(#131026) Message undeliverable",
        kind: str = "OAuthException",
        details: str | None = None,
        error_subcode: int | None = None,
    ) -> None:
        """Let Meta refuse sends to a number (Business): HTTP 201 with Meta's error.

        Args:
            number: The recipient.
            code: Meta's error code.
            message: Its text.
            kind: Its type.
            details: ``error_data.details``; without it there is no ``error_data``.
            error_subcode: Meta's subcode.
        """
        data = {"messaging_product": "whatsapp", "details": details}
        error = defined(
            message=message,
            type=kind,
            code=code,
            fbtrace_id="AfakeTRACE000000000001",
            error_data=or_undefined(data if details is not None else None),
            error_subcode=or_undefined(error_subcode),
        )
        self._refuse(number, MetaRefusal(error))

    def meta_is_silent(self, number: str) -> None:
        """Let Meta give no usable answer for a number: 400 with a TypeError, ambiguous."""
        self._refuse(number, MetaRefusal(None))

    def _refuse(self, number: str, refusal: MetaRefusal) -> None:
        self._world.refusals["".join(c for c in number if c.isdigit())] = refusal

    def receive_text(
        self,
        instance: str,
        *,
        from_: str,
        text: str,
        push_name: str | None = None,
        key_id: str | None = None,
        participant: str | None = None,
    ) -> str:
        """Let a text arrive: stored, announced, with its contact and chat.

        Args:
            instance: Who receives it.
            from_: The sender's number, or the JID of the chat (a group, a LID).
            text: What it says.
            push_name: The sender's own name.
            key_id: Its WhatsApp id; made up when None.
            participant: The author's JID in a group.

        Returns:
            Its WhatsApp id.
        """
        return self.receive(
            instance,
            from_=from_,
            message={"conversation": text},
            kind="conversation",
            push_name=push_name,
            key_id=key_id,
            participant=participant,
        )

    def receive(
        self,
        instance: str,
        *,
        from_: str,
        message: dict[str, Any],
        kind: str,
        push_name: str | None = None,
        key_id: str | None = None,
        participant: str | None = None,
    ) -> str:
        """Let any message arrive; ``message`` and ``kind`` are stored as they are.

        Returns:
            Its WhatsApp id.
        """
        json_of("message", message)
        with self._kernel.lock:
            return progress.receive(
                self._world,
                self._instance(instance),
                create_jid(from_),
                message,
                kind,
                push_name=push_name,
                key_id=key_id,
                participant=participant,
            )

    def add_contact(self, instance: str, number: str, name: str | None = None) -> None:
        """Store a contact, as a phone's address book brings it."""
        with self._kernel.lock:
            owner = self._instance(instance)
            progress.add_contact(self._world, owner, create_jid(number), name, None)

    def deliver(self, key_id: str, status: str) -> None:
        """Report a status of a sent message.

        Args:
            key_id: Its WhatsApp id.
            status: ``SERVER_ACK``, ``DELIVERY_ACK``, ``READ``, ``PLAYED`` or ``ERROR`` on Baileys;
                ``SENT``, ``DELIVERED``, ``READ`` or ``FAILED`` on Business.

        Raises:
            KeyError: No instance has stored this message.
            ValueError: The channel has no such status.
        """
        with self._kernel.lock:
            instance, row = self._message(key_id)
            progress.deliver(self._world, instance, row, status)

    def advance(self, instance: str | None = None) -> int:
        """Move every sent message one status further.

        Args:
            instance: Only of this instance; None means all.

        Returns:
            How many moved.
        """
        with self._kernel.lock:
            chosen = [self._instance(instance)] if instance else self._world.rows()
            return sum(progress.advance(self._world, each) for each in chosen)
