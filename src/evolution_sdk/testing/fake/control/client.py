"""The client of the control routes: a fake in another process, arranged as if it were here."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote, urlsplit

import httpx

from evolution_sdk._base.network import check_host
from evolution_sdk._common.arguments import checked
from evolution_sdk.config import normalize_base_url
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing.fake.arrange_errors import ArrangementError, NotArrangedError
from evolution_sdk.testing.fake.delivery.outbox import WebhookAttempt
from evolution_sdk.testing.fake.faults import Fault, FaultKind
from evolution_sdk.testing.fake.js import JsonObject, as_object
from evolution_sdk.testing.fake.phone.acts import PhoneActs
from evolution_sdk.testing.fake.records import RecordedSend, SeenRequest
from evolution_sdk.testing.fake.sent_checks import SentChecks
from evolution_sdk.testing.fake.state import BAILEYS, ConnectionState

from .table import BY_MEMBER

_OWNER = "5511900000099"


class _Line:
    """The way to the fake: one request for one member."""

    def __init__(self, url: str, api_key: str, timeout_ms: float) -> None:
        self._url = normalize_base_url(url, "url")
        self._http = httpx.Client(
            headers={"apikey": api_key}, timeout=timeout_ms / 1_000, trust_env=False
        )

    def close(self) -> None:
        self._http.close()

    def ask(self, member: str, **arguments: Any) -> Any:
        """Call a member of the fake; arguments that have their default are left out.

        Raises:
            ConfigurationError: No fake answers, or it refuses.
        """
        route = BY_MEMBER[member]
        path, body = route.full_path, dict[str, Any]()
        for field in route.fields:
            value = arguments[field.argument]
            if field.in_path:
                path = path.replace(f"{{{field.argument}}}", quote(value, safe=""))
            elif isinstance(value, bytes):
                body[field.name] = base64.b64encode(value).decode()
            elif field.several:
                body[field.name] = list(value)
            elif value != field.default:
                body[field.name] = value
        check_host(urlsplit(self._url).hostname or "")
        try:
            answer = self._http.request(
                route.method, self._url + path, json=body if route.fields else None
            )
        except httpx.TransportError as error:
            raise ConfigurationError(
                f"url: no fake answers at {self._url} ({type(error).__name__}). Start one with "
                "fake.serve(), or with: python -m evolution_sdk fake-server --api-key KEY",
                variable="url",
            ) from None
        return self._read(answer)

    def _read(self, answer: httpx.Response) -> Any:
        try:
            told = as_object(answer.json()) or {}
        except ValueError:
            told = {}
        if answer.is_success and "result" in told:
            return told["result"]
        message, field = told.get("message"), told.get("field")
        if not isinstance(message, str):
            raise ConfigurationError(
                f"url: {self._url} answers {answer.status_code}, but not as a FakeEvolution that "
                "is served. A real server has no control routes: give the address of the fake.",
                variable="url",
            )
        if answer.status_code == 401:
            raise ConfigurationError(f"api_key: {message}", variable="api_key")
        kind = NotArrangedError if answer.status_code == 404 else ArrangementError
        raise kind(message, variable=str(field))


class ControlledFaults:
    """The faults of a fake in another process."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    @property
    def armed(self) -> list[Fault]:
        """The faults that are armed, with their hits; removing one here changes nothing there."""
        return [_fault(each) for each in self._line.ask("faults.armed")]

    def add(
        self,
        operation: str,
        kind: FaultKind | str,
        *,
        probability: float = 1.0,
        count: int | None = None,
        instance: str | None = None,
        status: int | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        delay_ms: float = 0.0,
    ) -> Fault:
        """Arm a fault, as :meth:`Faults.add`.

        Args:
            operation: Key of an operation or a pattern.
            kind: A :class:`FaultKind` or its value.
            probability: Chance of each matching request to be hit, 0 to 1.
            count: Most times that it strikes; None means for ever.
            instance: Strike only requests for this instance; None means all.
            status: Status of ``status`` and ``status_after``.
            body: Their body: text, or anything that JSON has.
            headers: Their further headers.
            delay_ms: Time that ``delay`` keeps the answer back, in milliseconds.

        Returns:
            The fault as it is now.

        Raises:
            ValueError: The kind is unknown, a needed value is missing, or one is out of range.
            ConfigurationError: No fake answers.
        """
        return _fault(
            self._line.ask(
                "faults.add",
                operation=operation,
                kind=str(kind),
                probability=probability,
                count=count,
                instance=instance,
                status=status,
                body=body,
                headers=headers,
                delay_ms=delay_ms,
            )
        )

    def clear(self) -> None:
        """Disarm all.

        Raises:
            ConfigurationError: No fake answers.
        """
        self._line.ask("faults.clear")


class ControlledClock:
    """The clock of a fake in another process."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def now_ms(self) -> float:
        """Milliseconds since the epoch.

        Raises:
            ConfigurationError: No fake answers.
        """
        return float(self._line.ask("clock.now_ms"))

    def advance(self, ms: float) -> None:
        """Move time forward.

        Args:
            ms: Distance, in milliseconds; not negative.

        Raises:
            ValueError: It would go back.
            ConfigurationError: No fake answers.
        """
        self._line.ask("clock.advance", ms=ms)


class ControlledWebhooks:
    """Delivery of the webhooks of a fake in another process."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def deliver(self, *, for_ms: float = 0.0, shuffle: bool = False) -> list[WebhookAttempt]:
        """Let the fake make the attempts that are due, as :meth:`FakeWebhooks.deliver`.

        Args:
            for_ms: Time to move its clock by, in milliseconds.
            shuffle: Make those that are due in any order.

        Returns:
            The attempts made.

        Raises:
            ConfigurationError: No fake answers.
        """
        made = self._line.ask("webhooks.deliver", for_ms=for_ms, shuffle=shuffle)
        return [WebhookAttempt(**each) for each in made]


@checked()
class FakeControl(PhoneActs, SentChecks):
    """Arranges a served fake from another process, over its routes under ``/_fake/``.

    Members have the names that they have at :class:`FakeEvolution`; each call is a request.

    Args:
        url: Address of the fake.
        api_key: Its global key.
        timeout_ms: Longest time of a request, in milliseconds. Default: 30 s.

    Attributes:
        faults: Failures to inject.
        clock: The fake's time.
        webhooks: Delivery of its webhooks.

    Raises:
        ConfigurationError: The address is none.
    """

    def __init__(self, url: str, api_key: str, *, timeout_ms: float = 30_000) -> None:
        self._line = _Line(url, api_key, timeout_ms)
        self.faults: ControlledFaults = ControlledFaults(self._line)
        self.clock: ControlledClock = ControlledClock(self._line)
        self.webhooks: ControlledWebhooks = ControlledWebhooks(self._line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    @property
    def instances(self) -> dict[str, JsonObject]:
        """The instances by name: id, integration, state, token, number, owner."""
        return dict(self._line.ask("instances"))

    def create_instance(
        self,
        name: str,
        *,
        integration: str = BAILEYS,
        state: ConnectionState = "open",
        token: str | None = None,
        number: str | None = None,
        owner: str = _OWNER,
    ) -> JsonObject:
        """Add an instance without a request to the API.

        Args:
            name: Its name.
            integration: ``WHATSAPP-BAILEYS``, ``WHATSAPP-BUSINESS`` or ``EVOLUTION``.
            state: ``open`` has a phone connected; ``close`` was never connected.
            token: Its key; made up when None.
            number: Its number column (Business: the phone number id).
            owner: Number of the connected phone (Baileys).

        Returns:
            The instance, with its ``token``.

        Raises:
            ValueError: The name is taken or the integration is unknown.
            ConfigurationError: No fake answers.
        """
        made: JsonObject = self._line.ask(
            "create_instance",
            name=name,
            integration=integration,
            state=state,
            token=token,
            number=number,
            owner=owner,
        )
        return made

    def scan_qr(self, name: str, *, owner: str = _OWNER, profile_name: str = "Fake Owner") -> None:
        """Let a phone scan the QR code: the instance opens.

        Args:
            name: The instance.
            owner: The phone's number.
            profile_name: The name of its account.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        self._line.ask("scan_qr", name=name, owner=owner, profile_name=profile_name)

    def set_state(self, name: str, state: ConnectionState) -> None:
        """Move an instance: ``open``, ``connecting`` (lost connection) or ``close``.

        Args:
            name: The instance.
            state: Its new state.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        self._line.ask("set_state", name=name, state=state)

    def log_out(self, name: str) -> None:
        """Let the phone log the session out (401): the instance closes and needs a new QR.

        Args:
            name: The instance.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        self._line.ask("log_out", name=name)

    def set_whatsapp_reachable(self, reachable: bool) -> None:
        """Cut or restore the way to WhatsApp.

        Args:
            reachable: False cuts it, True restores it.

        Raises:
            ConfigurationError: No fake answers.
        """
        self._line.ask("set_whatsapp_reachable", reachable=reachable)

    def not_on_whatsapp(self, *numbers: str) -> None:
        """Take numbers off WhatsApp: sends to them answer ``exists: false``.

        Args:
            *numbers: The numbers, in any spelling.

        Raises:
            ConfigurationError: No fake answers.
        """
        self._line.ask("not_on_whatsapp", numbers=numbers)

    def set_profile(
        self,
        number: str,
        *,
        picture: str | None = None,
        about: str | None = "Hey there! I am using WhatsApp.",
        business: JsonObject | None = None,
    ) -> None:
        """Set the profile that WhatsApp shows for a number.

        Args:
            number: The number, in any spelling.
            picture: URL of its picture; None for no picture.
            about: Its status text.
            business: Its business profile; None for a private number.

        Raises:
            ConfigurationError: No fake answers.
        """
        self._line.ask(
            "set_profile", number=number, picture=picture, about=about, business=business
        )

    def _act(self, act: str, instance: str, /, **arguments: Any) -> Any:
        return self._line.ask(act, instance=instance, **arguments)

    def add_contact(self, instance: str, number: str, name: str | None = None) -> None:
        """Store a contact, as it comes from a phone's address book.

        Args:
            instance: Name of the instance.
            number: The contact's number, in any spelling.
            name: The contact's name.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        self._line.ask("add_contact", instance=instance, number=number, name=name)

    def deliver(self, key_id: str, status: str) -> None:
        """Report a status of a sent message.

        Args:
            key_id: Its WhatsApp id.
            status: Such as ``DELIVERY_ACK`` or ``READ``.

        Raises:
            KeyError: No instance has stored this message.
            ValueError: The channel has no such status.
            ConfigurationError: No fake answers.
        """
        self._line.ask("deliver", key_id=key_id, status=status)

    def refuse_delivery(
        self, instance: str, number: str | None = None, code: int | None = 463
    ) -> None:
        """Let WhatsApp refuse messages after a 201, as :meth:`FakeEvolution.refuse_delivery`.

        Args:
            instance: Name of the instance.
            number: The recipient, in any spelling. Default: everybody who has not written.
            code: The code of WhatsApp; None to let messages through again.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        self._line.ask("refuse_delivery", instance=instance, number=number, code=code)

    def advance(self, instance: str | None = None) -> int:
        """Move every sent message one status further.

        Args:
            instance: Name of the only instance to move; None means all.

        Returns:
            The number of messages that moved.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: No fake answers.
        """
        return int(self._line.ask("advance", instance=instance))

    def reset(self) -> None:
        """Forget instances, messages, records and faults, and start the seed again.

        Raises:
            ConfigurationError: No fake answers.
        """
        self._line.ask("reset")

    @property
    def sent(self) -> list[RecordedSend]:
        """The sends that were really acted upon, oldest first."""
        return [RecordedSend(**each) for each in self._line.ask("sent")]

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request to the API, faults included, oldest first."""
        return [SeenRequest(**each) for each in self._line.ask("requests")]

    @property
    def events(self) -> list[JsonObject]:
        """Every event, in the envelope that webhooks carry, subscribed to or not."""
        return list(self._line.ask("events"))

    @property
    def deliveries(self) -> list[WebhookAttempt]:
        """Every attempt to deliver a webhook, and the events that were dropped, oldest first."""
        return [WebhookAttempt(**each) for each in self._line.ask("deliveries")]


def _fault(told: JsonObject) -> Fault:
    rest = {name: value for name, value in told.items() if name != "kind"}
    return Fault(kind=FaultKind(told["kind"]), **rest)
