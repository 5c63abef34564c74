"""Look-ups shared by the parts of the fake that a test arranges."""

from __future__ import annotations

from .arrange_errors import NotArrangedError
from .message_table import MessageRow
from .state import Instance, ServerState


def find_instance(server: ServerState, name: str) -> Instance:
    """Find an instance by name.

    Raises:
        NotArrangedError: The fake has no such instance; the message lists those it has.
    """
    instance = server.known(name)
    if instance is None:
        known = ", ".join(repr(row.name) for row in server.rows()) or "none"
        raise NotArrangedError(
            f"instance: the fake has no instance {name!r} (it has {known}). "
            "Add it with create_instance() first.",
            variable="instance",
        )
    return instance


def find_message(server: ServerState, key_id: str) -> tuple[Instance, MessageRow]:
    """Find a stored message by its WhatsApp id, with the instance that stored it.

    Raises:
        NotArrangedError: No instance has stored a message with this id.
    """
    for instance in server.rows():
        row = instance.message(key_id)
        if row is not None:
            return instance, row
    raise NotArrangedError(
        f"key_id: no instance has stored a message with the id {key_id!r}. Take the id from "
        "fake.sent or from the answer of the send; store_messages=False stores none.",
        variable="key_id",
    )
