"""Catalogues and collections of business numbers on WHATSAPP-BAILEYS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from evolution_sdk.testing.fake.channels.base import Method, to_jid
from evolution_sdk.testing.fake.errors import Thrown, bad_request
from evolution_sdk.testing.fake.js import JsonObject, defined, get, truthy
from evolution_sdk.testing.fake.network import Shop
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from . import socket
from .numbers import check_numbers
from .profile import business_profile, own_id

_PAGES = 5
_PAGE_SIZE = 10
_MOST_COLLECTIONS = 20

_Contents: TypeAlias = Callable[[Shop, Any], JsonObject]


def _shop(member: str, contents: _Contents, *, named: bool) -> Method:
    """Make a method that looks a shop up; failures after the number check are hidden (200)."""

    def method(call: RouteCall, instance: Instance) -> JsonObject:
        number = get(call.body, "number")
        # Without a number the server looks at its own account.
        jid: Any = to_jid(number) if truthy(number) else own_id(instance)
        found = check_numbers(call.server, instance, [jid])[0]
        if not found["exists"]:
            raise bad_request(found)
        try:
            business = business_profile(call, instance, found["jid"])
            socket.query(instance, member)
        except Thrown:
            # The catch block answers as if the number were no business
            # (`facts/observed.md` "2xx that are not successes" 5).
            return {"wuid": jid, "name": None, "isBusiness": False}
        shop = call.server.network.shops.get(found["jid"]) or Shop()
        return defined(
            wuid=found["jid"],
            **({"name": get(found, "name")} if named else {}),
            numberExists=True,
            isBusiness=business["isBusiness"],
            **contents(shop, get(call.body, "limit")),
        )

    return method


def _products(shop: Shop, limit: Any) -> JsonObject:
    """List as many products as five pages hold: the server follows the cursor that often."""
    size = limit if truthy(limit) else _PAGE_SIZE
    products = shop.products[: max(0, int(size * _PAGES))]
    return {"catalogLength": len(products), "catalog": products}


def _collections(shop: Shop, limit: Any) -> JsonObject:
    size = limit if isinstance(limit, (int, float)) else _MOST_COLLECTIONS
    collections = shop.collections[: max(0, int(min(size, _MOST_COLLECTIONS)))]
    return {"collectionsLength": len(collections), "collections": collections}


METHODS: dict[str, Method] = {
    "fetchCatalog": _shop("getCatalog", _products, named=False),
    "fetchCollections": _shop("getCollections", _collections, named=True),
}
