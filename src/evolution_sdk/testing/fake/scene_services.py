"""What a test says about proxies, Meta and object storage."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from . import storage
from .js import JsonObject, defined, or_undefined
from .scene_base import SceneBase


@checked()
class ServiceScene(SceneBase):
    """The services that the server itself uses."""

    def accept_proxy(self, host: str | None = None, port: str | int | None = None) -> None:
        """Let a proxy pass the server's test; as recorded offline, none does.

        Args:
            host: Its host; None lets every host pass.
            port: Its port; None lets every port pass.
        """
        with self._kernel.lock:
            self._world.proxies.accept(host, None if port is None else str(port))

    def set_meta_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to Meta (Business sends, and templates on every channel)."""
        self._world.meta.reachable = reachable

    def meta_refuses_template(
        self,
        name: str | None = None,
        *,
        message: str = "Invalid parameter",
        code: int = 100,
        kind: str = "OAuthException",
        error_subcode: int | None = 2_388_024,
        title: str | None = "Content in This Language Already Exists",
        text: str | None = "There is already en_US content for this template.",
    ) -> None:
        """Let Meta refuse templates: 400 in Meta's shape; listing answers an empty body.

        Args:
            name: Which template; None refuses every request, listing included.
            message: Meta's text for developers.
            code: Meta's error code.
            kind: Its type.
            error_subcode: Its subcode.
            title: ``error_user_title``: what the answer's ``message`` then says.
            text: ``error_user_msg``.
        """
        with self._kernel.lock:
            self._world.meta.refusals[name] = defined(
                message=message,
                type=kind,
                code=code,
                error_subcode=or_undefined(error_subcode),
                error_user_title=or_undefined(title),
                error_user_msg=or_undefined(text),
                fbtrace_id="AfakeTRACE000000000001",
            )

    def templates(self, instance: str) -> list[JsonObject]:
        """The templates that Meta keeps for an instance's business account."""
        with self._kernel.lock:
            return list(self._world.meta.of(self._instance(instance).business_id))

    def store_media(
        self, key_id: str, *, kind: str = "image", file_name: str | None = None,
        mimetype: str = "image/png",
    ) -> str:  # fmt: skip
        """Note a stored message's media in the media table, as an upload does.

        With the feature ``s3`` on, media of WHATSAPP-BAILEYS get there by themselves.

        Args:
            key_id: The message's WhatsApp id.
            kind: The media type that ``getMedia`` filters by.
            file_name: The object's name; made up when None.
            mimetype: Its MIME type.

        Returns:
            The media row's id.

        Raises:
            KeyError: No instance has stored this message.
        """
        with self._kernel.lock:
            instance, row = self._message(key_id)
            jid = row.key["remoteJid"]
            extension = mimetype.rpartition("/")[2]
            name = file_name or f"{instance.id}/{jid}/{kind}/{key_id}.{extension}"
            media = storage.add(
                self._world, instance, row, kind=kind, file_name=name, mimetype=mimetype
            )
            return str(media["id"])
