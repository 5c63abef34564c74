"""Content with buttons, products, orders and payments, of every type that has some.

Facts: `facts/versions/baileys.md` "SDK misreadings"; the fields are those of WhatsApp's protobuf
and of its native flows, whose parameters come as JSON in a string.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from evolution_sdk._base.json_types import is_object
from evolution_sdk.identity import Jid
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.content import Content, objects_at
from evolution_sdk.models.message import MessageKey
from evolution_sdk.models.message_types import MessageKind
from evolution_sdk.models.wire import decode_long

from ._json import NOTHING, object_at, text_at, time_at

# Parameters come from strangers: what a button needs is far shorter.
_MOST_JSON = 65_536
_THOUSAND = 1000
_MOST_EXPONENT = 40


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press: a button, a row of a list, an option of a native flow.

    Attributes:
        type: ``reply``, ``row``, ``url``, ``call``, ``copy``, or WhatsApp's name of the native flow
            (``payment_info``, ``single_select``, ``send_location`` …).
        id: The id that the answer names.
        text: The label.
        description: The second line of a row.
        url: The address that it opens.
        phone_number: The number that it calls.
        copy_code: The text that it copies.
        params: All parameters of a native flow, decoded.
    """

    type: str
    id: str | None = field(default=None, repr=False)
    text: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    phone_number: str | None = field(default=None, repr=False)
    copy_code: str | None = field(default=None, repr=False)
    params: Mapping[str, object] = field(default_factory=dict[str, object], repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class Interactive:
    """A message with buttons, a list, a template or a carousel.

    Attributes:
        title: The title in the header.
        subtitle: The second line of the header.
        body: The text.
        footer: The line below.
        buttons: Everything that can be pressed, rows of lists included.
        cards: The cards of a carousel.
    """

    title: str | None = field(default=None, repr=False)
    subtitle: str | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)
    buttons: tuple[Button, ...] = ()
    cards: tuple[Interactive, ...] = ()


@dataclass(frozen=True, slots=True)
class Pix:
    """The data of a payment by PIX.

    Attributes:
        key: The PIX key.
        key_type: ``CPF``, ``CNPJ``, ``EMAIL``, ``PHONE``, ``EVP``.
        merchant_name: Name of the receiver.
        code: The code to copy and paste, of a dynamic PIX.
    """

    key: str | None = field(default=None, repr=False)
    key_type: str | None = None
    merchant_name: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment, a request for one, or an order to be paid.

    Attributes:
        amount: The amount in units of the currency, such as ``Decimal("10.00")``.
        currency: Code of the currency, such as ``BRL``.
        reference: The reference that the business gave it.
        note: Words that came with it.
        pix: The data of a payment by PIX.
        requested_from: The person who is asked to pay.
        expires_at: End of the request (aware).
        request: The request that a payment answers.
        status: State of the order to be paid, such as ``pending``, ``processing``, ``shipped``.
        items: The items of the order to be paid.
    """

    amount: Decimal | None = field(default=None, repr=False)
    currency: str | None = None
    reference: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    pix: Pix | None = None
    requested_from: Jid | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    request: MessageKey | None = None
    status: str | None = None
    items: tuple[OrderItem, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderItem:
    """One item of an order.

    Attributes:
        retailer_id: The seller's own id of the product.
        quantity: Number of pieces.
        price: Price of one piece.
        currency: Code of the currency.
        name: Name of the product, where it is told.
    """

    retailer_id: str | None = field(default=None, repr=False)
    quantity: int | None = None
    price: Decimal | None = field(default=None, repr=False)
    currency: str | None = None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """An order from a catalogue.

    Attributes:
        id: Id of the order; None on BUSINESS.
        item_count: Number of items.
        total: The sum, in units of the currency.
        currency: Code of the currency, such as ``BRL``.
        title: Title of the order, usually the seller's name.
        message: Words that came with it.
        status: ``INQUIRY``, ``ACCEPTED`` or ``DECLINED``.
        seller: The seller.
        token: The token by which WhatsApp tells the details.
        catalog_id: Id of the catalogue (BUSINESS).
        items: The items, where they are told (BUSINESS); on Baileys only their number is.
    """

    id: str | None
    item_count: int | None = None
    total: Decimal | None = field(default=None, repr=False)
    currency: str | None = None
    title: str | None = field(default=None, repr=False)
    message: str | None = field(default=None, repr=False)
    status: str | None = None
    seller: Jid | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    catalog_id: str | None = None
    items: tuple[OrderItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product of a catalogue.

    Attributes:
        id: WhatsApp's id of the product.
        title: Its name.
        description: Its description.
        price: Price, in units of the currency.
        sale_price: Reduced price.
        currency: Code of the currency.
        retailer_id: The seller's own id of it.
        url: Its page.
        business: The seller.
        body: Words that came with it.
        footer: The line below.
    """

    id: str | None
    title: str | None = field(default=None, repr=False)
    description: str | None = field(default=None, repr=False)
    price: Decimal | None = field(default=None, repr=False)
    sale_price: Decimal | None = field(default=None, repr=False)
    currency: str | None = None
    retailer_id: str | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    business: Jid | None = field(default=None, repr=False)
    body: str | None = field(default=None, repr=False)
    footer: str | None = field(default=None, repr=False)


def decoded(text: object) -> Mapping[str, object]:
    """Decode the parameters of a native flow; empty where they cannot be read."""
    if is_object(text):
        return text
    if not isinstance(text, str) or len(text) > _MOST_JSON:
        return NOTHING
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING
    return found if is_object(found) else NOTHING


def written(params: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these parameters that is text or a number."""
    for name in names:
        value = params.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def interactive_of(content: Content) -> Interactive | None:
    """Read what a message with buttons, a list, a template or a carousel shows."""
    read = _READERS.get(content.kind)
    if read is None or content.row is None:
        return None
    return read(content.part)


def payment_of(content: Content) -> Payment | None:
    """Read a payment, a request for one, or the payment that a button offers."""
    part = content.part
    if content.name in ("sendPaymentMessage", "requestPaymentMessage"):
        request = object_at(part, "requestMessageKey")
        amount, currency = _money(part)
        return Payment(
            amount,
            currency,
            note=content.text,
            requested_from=jid_or_none(part.get("requestFrom")),
            expires_at=time_at(part, "expiryTimestamp"),
            request=MessageKey.from_wire(request) if request else None,
        )
    # Templates and plain buttons hold native flows, too.
    shown = interactive_of(content)
    if shown is None:
        return None
    every = (shown, *shown.cards)
    offers = (_offer(button) for each in every for button in each.buttons)
    return next((offer for offer in offers if offer is not None), None)


def order_of(part: Mapping[str, object]) -> Order:
    """Read an order."""
    items = tuple(_item(item) for item in objects_at(part, "product_items"))
    return Order(
        written(part, "orderId"),
        decode_long(part.get("itemCount")) if not items else len(items),
        _thousandth(part, "totalAmount1000") if not items else _sum(items),
        text_at(part, "totalCurrencyCode") or (items[0].currency if items else None),
        text_at(part, "orderTitle"),
        text_at(part, "message", "text"),
        word_of(part.get("status"), _ORDER_STATES),
        jid_or_none(part.get("sellerJid")),
        text_at(part, "token"),
        text_at(part, "catalog_id"),
        items,
    )


def product_of(part: Mapping[str, object]) -> Product:
    """Read a product."""
    node = object_at(part, "product")
    return Product(
        written(node, "productId"),
        text_at(node, "title") or text_at(object_at(part, "catalog"), "title"),
        text_at(node, "description") or text_at(object_at(part, "catalog"), "description"),
        _thousandth(node, "priceAmount1000"),
        _thousandth(node, "salePriceAmount1000"),
        text_at(node, "currencyCode"),
        written(node, "retailerId"),
        text_at(node, "url"),
        jid_or_none(part.get("businessOwnerJid")),
        text_at(part, "body"),
        text_at(part, "footer"),
    )


_ORDER_STATES = {1: "INQUIRY", 2: "ACCEPTED", 3: "DECLINED"}


def word_of(value: object, words: Mapping[int, str]) -> str | None:
    """Read an enum of the protobuf, which comes as its word or its number."""
    if isinstance(value, str) and not value.isdigit():
        return value
    number = decode_long(value)
    return None if number is None else words.get(number, str(number))


def _item(item: Mapping[str, object]) -> OrderItem:
    return OrderItem(
        written(item, "product_retailer_id"),
        decode_long(item.get("quantity")),
        _decimal(item.get("item_price")),
        text_at(item, "currency"),
    )


def _sum(items: tuple[OrderItem, ...]) -> Decimal | None:
    if any(item.price is None for item in items):
        return None
    return sum(((item.price or Decimal()) * (item.quantity or 1) for item in items), Decimal())


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value)[:40])
    except ArithmeticError:
        return None
    # Sums of greater exponents would overflow.
    return found if found.is_finite() and abs(found.adjusted()) <= _MOST_EXPONENT else None


def _thousandth(node: Mapping[str, object], name: str) -> Decimal | None:
    thousandths = decode_long(node.get(name))
    return None if thousandths is None else _scaled(thousandths, _THOUSAND)


def _scaled(value: int, offset: int) -> Decimal:
    return Decimal(value) / offset


def _money(part: Mapping[str, object]) -> tuple[Decimal | None, str | None]:
    currency = text_at(part, "currencyCodeIso4217")
    thousandths = _thousandth(part, "amount1000")
    amount = object_at(part, "amount")
    if thousandths is not None or not amount:
        return thousandths, currency
    return _with_offset(amount), text_at(amount, "currencyCode") or currency


def _with_offset(amount: Mapping[str, object]) -> Decimal | None:
    """Read ``{value: 1000, offset: 100}``, which is 10.00."""
    value, offset = decode_long(amount.get("value")), decode_long(amount.get("offset"))
    if value is None:
        return None
    return _scaled(value, offset if offset and offset > 0 else 1)


def _offer(button: Button) -> Payment | None:
    """Read the payment that a button of a native flow offers (PIX, order details)."""
    params = button.params
    if not any(name in params for name in _OFFERED):
        return None
    order = object_at(params, "order")
    currency = text_at(params, "currency")
    return Payment(
        _with_offset(object_at(params, "total_amount") or object_at(order, "subtotal")),
        currency,
        written(params, "reference_id"),
        text_at(params, "additional_note"),
        _pix(params),
        expires_at=time_at(object_at(order, "expiration"), "timestamp"),
        status=text_at(order, "status") or text_at(params, "payment_status"),
        items=tuple(
            OrderItem(
                written(item, "retailer_id"),
                decode_long(item.get("quantity")),
                _with_offset(object_at(item, "amount")),
                currency,
                text_at(item, "name"),
            )
            for item in objects_at(order, "items")
        ),
    )


def _pix(params: Mapping[str, object]) -> Pix | None:
    settings = objects_at(params, "payment_settings")
    for node in (*settings, params):
        for name in ("pix_static_code", "pix_dynamic_code"):
            found = object_at(node, name)
            if found:
                return Pix(
                    written(found, "key"),
                    text_at(found, "key_type"),
                    text_at(found, "merchant_name"),
                    text_at(found, "code"),
                )
    return None


_OFFERED = ("payment_settings", "total_amount", "pix_static_code", "order")
_FLOW_TYPES = {
    "quick_reply": "reply",
    "cta_url": "url",
    "cta_call": "call",
    "cta_copy": "copy",
}


def _flow_button(name: str, params: Mapping[str, object]) -> Iterator[Button]:
    yield Button(
        _FLOW_TYPES.get(name, name),
        written(params, "id"),
        text_at(params, "display_text", "title", "button_text"),
        None,
        text_at(params, "url", "merchant_url"),
        written(params, "phone_number"),
        written(params, "copy_code"),
        params,
    )
    # The options of a list within a button are what people choose.
    for row in objects_at(params, "sections.rows"):
        yield Button("row", written(row, "id"), text_at(row, "title"), text_at(row, "description"))


def _flow_buttons(node: Mapping[str, object]) -> tuple[Button, ...]:
    return tuple(
        made
        for button in objects_at(node, "nativeFlowMessage.buttons")
        for made in _flow_button(
            text_at(button, "name") or "", decoded(button.get("buttonParamsJson"))
        )
    )


def _interactive(node: Mapping[str, object], *, cards: bool = True) -> Interactive:
    header = object_at(node, "header")
    return Interactive(
        text_at(header, "title"),
        text_at(header, "subtitle") or None,
        text_at(object_at(node, "body"), "text"),
        text_at(object_at(node, "footer"), "text"),
        _flow_buttons(node),
        # Cards hold no cards.
        tuple(_interactive(card, cards=False) for card in objects_at(node, "carouselMessage.cards"))
        if cards
        else (),
    )


def _listed(node: Mapping[str, object]) -> Interactive:
    rows = tuple(
        Button("row", written(row, "rowId"), text_at(row, "title"), text_at(row, "description"))
        for row in objects_at(node, "sections.rows")
    )
    products = tuple(
        Button("product", written(product, "productId"))
        for product in objects_at(node, "productListInfo.productSections.products")
    )
    return Interactive(
        text_at(node, "title"),
        None,
        text_at(node, "description"),
        text_at(node, "footerText", "footer"),
        rows + products,
    )


def _buttons(node: Mapping[str, object]) -> Interactive:
    found: list[Button] = []
    for button in objects_at(node, "buttons"):
        flow = object_at(button, "nativeFlowInfo")
        if flow:
            found.extend(_flow_button(text_at(flow, "name") or "", decoded(flow.get("paramsJson"))))
        else:
            found.append(_plain_button(button))
    return Interactive(
        text_at(node, "text", "title"),
        None,
        text_at(node, "contentText", "description"),
        text_at(node, "footerText", "footer"),
        tuple(found),
    )


def _plain_button(button: Mapping[str, object]) -> Button:
    # EVOLUTION stores {"0": {type, displayText, id …}} (`facts/webhooks.json`).
    inner = next(filter(is_object, button.values()), NOTHING) if "0" in button else button
    label = object_at(inner, "buttonText")
    kind = text_at(inner, "type")
    return Button(
        # WhatsApp's word for it on 2.2.3, where later versions write a number.
        "reply" if kind in (None, "RESPONSE") else kind,
        written(inner, "buttonId", "id"),
        text_at(label, "displayText") or text_at(inner, "displayText"),
        None,
        text_at(inner, "url"),
        written(inner, "phoneNumber"),
        written(inner, "copyCode"),
    )


def _template(node: Mapping[str, object]) -> Interactive:
    flow = object_at(node, "interactiveMessageTemplate")
    if flow:
        return _interactive(flow)
    if is_object(node.get("hydratedHsm")):
        node = object_at(node, "hydratedHsm")
    form = object_at(node, "hydratedTemplate") or object_at(node, "hydratedFourRowTemplate")
    return Interactive(
        text_at(form, "hydratedTitleText"),
        None,
        text_at(form, "hydratedContentText"),
        text_at(form, "hydratedFooterText"),
        tuple(
            made
            for button in objects_at(form, "hydratedButtons")
            if (made := _hydrated(button)) is not None
        ),
    )


def _hydrated(button: Mapping[str, object]) -> Button | None:
    for name, kind in (("quickReplyButton", "reply"), ("urlButton", "url"), ("callButton", "call")):
        found = object_at(button, name)
        if found:
            return Button(
                kind,
                written(found, "id"),
                text_at(found, "displayText"),
                None,
                text_at(found, "url"),
                written(found, "phoneNumber"),
            )
    return None


_READERS: Mapping[MessageKind, Callable[[Mapping[str, object]], Interactive]] = MappingProxyType(
    {
        MessageKind.INTERACTIVE: _interactive,
        MessageKind.LIST: _listed,
        MessageKind.BUTTONS: _buttons,
        MessageKind.TEMPLATE: _template,
    }
)
