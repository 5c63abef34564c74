"""Routes of ``/s3/*``: they read the media of every instance unless the query names one by id."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import object_storage
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, or_undefined, truthy
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schemas import account as schemas

_COLUMNS = ("id", "fileName", "type", "mimetype", "createdAt", "messageId", "instanceId")
_REFUSED = {"name": "PrismaClientValidationError", "clientVersion": "6.16.2"}


def _find(call: RouteCall, wanted: JsonObject) -> list[JsonObject]:
    """Find the rows that have every value asked for.

    Raises:
        HttpThrown: There is none, or the database cannot be asked so (400).
    """
    # The instance in the path is a name, and no filter: a server hole.
    where = {"instanceId": get(call.params, "instanceId"), **wanted}
    where = {name: value for name, value in where.items() if value is not UNDEFINED}
    if any(name not in _COLUMNS or not isinstance(value, str) for name, value in where.items()):
        # The caught error itself is the message, as JSON.
        raise bad_request(_REFUSED)
    found = [
        object_storage.shown(instance, media)
        for instance in call.server.rows()
        for media in instance.tables.get(object_storage.TABLE, ())
        if all(media[name] == value for name, value in where.items())
    ]
    if not found:
        raise bad_request("Media not found")
    return found


def _media(call: RouteCall) -> Any:
    return _find(call, call.body)


def _media_url(call: RouteCall) -> Any:
    media = _find(call, {"id": call.body["id"]})[0]
    url = object_storage.url_of(call.server, media["fileName"])
    if url is not None and truthy(get(call.body, "expiry")):
        # The schema wants text where the storage client wants a number.
        raise bad_request('expires should be of type "number"')
    return {"mediaUrl": or_undefined(url), **media}


ROUTES = [
    Route("s3.get_media", _media, status=201, schema=schemas.MEDIA),
    Route("s3.get_media_url", _media_url, schema=schemas.MEDIA_URL),
]
