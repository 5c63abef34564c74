"""``/s3/*``: reads the media table, of every instance unless the query names one by id."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake import storage
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, or_undefined, truthy
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schemas import account as schemas

_COLUMNS = ("id", "fileName", "type", "mimetype", "createdAt", "messageId", "instanceId")
_REFUSED = {"name": "PrismaClientValidationError", "clientVersion": "6.16.2"}


def _find(call: Call, wanted: JsonObject) -> list[JsonObject]:
    """The rows that have every value asked for.

    Raises:
        HttpThrown: There is none, or the database cannot be asked so (400).
    """
    where = {"instanceId": get(call.params, "instanceId"), **wanted}
    where = {name: value for name, value in where.items() if value is not UNDEFINED}
    if any(name not in _COLUMNS or not isinstance(value, str) for name, value in where.items()):
        # The caught error itself is the message, as JSON.
        raise bad_request(_REFUSED)
    found = [
        storage.shown(instance, media)
        for instance in call.world.rows()
        for media in instance.tables.get(storage.TABLE, ())
        if all(media[name] == value for name, value in where.items())
    ]
    if not found:
        raise bad_request("Media not found")
    return found


def _media(call: Call) -> Any:
    return _find(call, call.body)


def _media_url(call: Call) -> Any:
    media = _find(call, {"id": call.body["id"]})[0]
    url = storage.url_of(call.world, media["fileName"])
    if url is not None and truthy(get(call.body, "expiry")):
        # The schema wants text where the storage client wants a number.
        raise bad_request('expires should be of type "number"')
    return {"mediaUrl": or_undefined(url), **media}


ROUTES = [
    Route("s3.get_media", "POST", "/s3/getMedia/{instance}", _media, status=201,
          schema=schemas.MEDIA),
    Route("s3.get_media_url", "POST", "/s3/getMediaUrl/{instance}", _media_url,
          schema=schemas.MEDIA_URL),
]  # fmt: skip
