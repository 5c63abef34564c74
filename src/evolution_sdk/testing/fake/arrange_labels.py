"""Labels of the simulated phones, arranged by a test."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from .arrange import find_instance
from .js import JsonObject, iso
from .state import ServerState


@checked()
class FakeLabels:
    """Labels that come from a phone, at ``fake.labels``.

    Args:
        server: The state of the fake.
    """

    def __init__(self, server: ServerState) -> None:
        self._server = server

    def add(
        self,
        instance: str,
        label_id: str,
        name: str,
        *,
        color: int = 0,
        predefined_id: str | None = None,
    ) -> None:
        """Let a label come from the phone: it is stored and announced (``labels.edit``).

        Args:
            instance: Name of the instance that owns the label.
            label_id: Its id.
            name: Its name; the server keeps printable ASCII only.
            color: Number of its colour.
            predefined_id: Id of WhatsApp's own label that it stands for; None for a new one.

        Raises:
            KeyError: The fake has no such instance.
        """
        server = self._server
        with server.lock:
            owner = find_instance(server, instance)
            now = iso(server.now_ms())
            row: JsonObject = {
                "id": server.ids.row(),
                "labelId": label_id,
                # The server strips everything else before it stores a label.
                "name": "".join(mark for mark in name if " " <= mark <= "~"),
                "color": str(color),
                "predefinedId": predefined_id,
                "createdAt": now,
                "updatedAt": now,
                "instanceId": owner.id,
            }
            # A label that comes again replaces its row: phones send the whole list.
            rows = owner.tables.setdefault("Label", [])
            rows[:] = [kept for kept in rows if kept["labelId"] != label_id] + [row]
            data = {"id": label_id, "name": name, "color": color, "deleted": False}
            extra = {"predefinedId": predefined_id, "instance": owner.name}
            server.emit(owner, "labels.edit", {**data, **extra})

    def set_bookkeeping(self, works: bool) -> None:
        """Choose whether the database can note the labels of chats.

        It cannot on a server migrated as shipped: ``handleLabel`` then answers 400 although
        WhatsApp has the label.

        Args:
            works: True for a database with the missing index, False for one as shipped.
        """
        self._server.label_bookkeeping = works
