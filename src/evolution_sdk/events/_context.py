"""Where the context of a message (quotation, mentions, ad) is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evolution_sdk._base.json_types import is_object

__all__ = ["is_context_known"]

# The fields of ``messageContextInfo``, a record about encryption and devices, which 2.4 puts where
# earlier versions put the context. No field of the context has one of these names (WAProto).
_ABOUT_DEVICES: Final = frozenset(
    {
        "deviceListMetadata",
        "deviceListMetadataVersion",
        "messageSecret",
        "paddingBytes",
        "messageAddOnDurationInSecs",
        "botMessageSecret",
        "botMetadata",
        "reportingTokenVersion",
        "messageAddOnExpiryType",
        "messageAssociation",
        "capiCreatedGroup",
        "supportPayload",
        "limitSharing",
        "limitSharingV2",
        "threadId",
        "weblinkRenderConfig",
    }
)


def is_context_known(content: Mapping[str, Any] | None, raw: Mapping[str, Any]) -> bool:
    """Tell whether quotation, mentions and ad data would be in a message if it had any.

    Server 2.4 turns every text with a context into a plain one, and puts ``messageContextInfo``, or
    null where there is none, in its place (`facts/versions/baileys.md`, "reply / mention / forward
    / ad in a text"). Earlier versions write null, too, for some texts that never had a context.

    Args:
        content: The content of the message.
        raw: Its whole record.

    Returns:
        False for a plain text that may come from such a server.
    """
    if not is_object(content) or not isinstance(content.get("conversation"), str):
        return True
    # Rows of the store have the field in every version, and an id of their own.
    if "contextInfo" not in raw or ("id" in raw and raw["contextInfo"] is None):
        return True
    context = raw["contextInfo"]
    if context is None:
        # Had 2.4 written it, ``messageContextInfo`` would stand there as well.
        return content.get("messageContextInfo") is not None
    return not (is_object(context) and context and _ABOUT_DEVICES.issuperset(context))
