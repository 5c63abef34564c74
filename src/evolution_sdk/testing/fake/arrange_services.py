"""The other services that an Evolution server uses, arranged by a test."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from . import object_storage
from .arrange import find_message
from .state import ServerState


@checked()
class FakeServices:
    """Proxies, chatbot back-ends, web servers and object storage, at ``fake.services``.

    Args:
        server: The state of the fake.
    """

    def __init__(self, server: ServerState) -> None:
        self._server = server

    def accept_proxy(self, host: str | None = None, port: str | int | None = None) -> None:
        """Let a proxy pass the server's test; as on the recorded server, none does at first.

        Args:
            host: Its host; None lets every host pass.
            port: Its port; None lets every port pass.
        """
        with self._server.lock:
            self._server.proxies.accept(host, None if port is None else str(port))

    def set_typebot_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to Typebot, which answers at first.

        While it is cut, ``typebot/start`` opens no session, and answers with an empty body unless
        ``startSession`` is set.

        Args:
            reachable: False cuts it, True restores it.
        """
        self._server.typebot_reachable = reachable

    def set_openai_models(self, *models: str) -> None:
        """Make OpenAI reachable with these models; at first it cannot be reached.

        Args:
            *models: Their ids, such as ``gpt-4o``.
        """
        self._server.openai_models = [
            {"id": name, "object": "model", "created": 1_715_367_049, "owned_by": "system"}
            for name in models
        ]

    def put_on_web(self, url: str, content: bytes) -> None:
        """Put a file behind a media URL; an unknown URL holds no bytes, and is accepted as well.

        Args:
            url: The URL that a send names.
            content: The bytes that the server downloads from it.
        """
        self._server.network.web[url] = content

    def store_media(
        self,
        key_id: str,
        *,
        kind: str = "image",
        file_name: str | None = None,
        mimetype: str = "image/png",
    ) -> str:
        """Note the media of a stored message in the media table, as an upload does.

        With the feature ``s3`` on, media of WHATSAPP-BAILEYS get there without this.

        Args:
            key_id: WhatsApp id of the message.
            kind: Media type that ``getMedia`` filters by.
            file_name: Name of the object; made up when None.
            mimetype: Its MIME type.

        Returns:
            The id of the media row.

        Raises:
            KeyError: No instance has stored this message.
        """
        with self._server.lock:
            instance, row = find_message(self._server, key_id)
            # The server's own layout in the bucket: instance, chat, kind, then the message.
            jid = row.key["remoteJid"]
            extension = mimetype.rpartition("/")[2]
            name = file_name or f"{instance.id}/{jid}/{kind}/{key_id}.{extension}"
            media = object_storage.add(
                self._server, instance, row, kind=kind, file_name=name, mimetype=mimetype
            )
            return str(media["id"])
