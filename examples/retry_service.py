"""The retry service, alone and inside a client: sync, then async.

It tries again what may help and cannot harm, counts, and tells its listeners. The waits come from
EVOLUTION_RETRY_… and are kept short here.

Run: python examples/retry_service.py [number]
"""

from __future__ import annotations

import asyncio

from _server import Place, server

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionRetryService
from evolution_sdk.retry import FailureEvent, RetryEvent


class PaymentService:
    """Any service of yours that fails now and then: here, its first two calls."""

    def __init__(self) -> None:
        self.calls = 0

    def book(self) -> str:
        self.calls += 1
        if self.calls < 3:
            raise ConnectionError("the bank does not answer")
        return f"booked with call {self.calls}"

    async def book_async(self) -> str:
        return self.book()


def listen(retry: EvolutionRetryService) -> None:
    """Print what happens; a listener that raises would harm nothing."""

    @retry.on("retry")
    def again(event: RetryEvent) -> None:
        print(f"   {event.operation}: attempt {event.attempt} failed, again")

    @retry.once("failure")  # one word to the operators is enough
    def failed(event: FailureEvent) -> None:
        print(f"   {event.operation}: gave up after {event.attempts}, {event.reason}")


def blocking(place: Place) -> None:
    """The same service for functions of your own and for the client."""
    retry = EvolutionRetryService(max_attempts=3, delay_ms=20, backoff_factor=2)
    listen(retry)

    payments = PaymentService()
    print("sync  ", retry.execute_with_retry_sync(payments.book, "book"))

    @retry.retryable("report", retry_on=OSError)  # every call of it, and only for this error
    def report() -> str:
        raise OSError("the disk is full")

    try:
        report()
    except OSError as error:  # the error itself comes out, never a wrapper
        print("sync  ", error)

    with EvolutionClient(config=place.config, retry=retry) as client:
        if place.fake:
            place.fake.faults.add("instance.connection_state", "drop", count=1)
        print("sync   the phone is", client.instances.connection_state().state)
        client.messages.send_text(place.number, "Your payment was booked.")

    print("sync   operations:", ", ".join(retry.operations()))
    sends = retry.get_metrics("send")  # all sends, whatever their kind
    print(f"sync   sends: {sends.successful_operations} in {sends.attempts} attempts")


async def awaiting(place: Place) -> None:
    """The same, awaited."""
    retry = EvolutionRetryService(max_attempts=3, delay_ms=20, backoff_factor=2)
    listen(retry)

    payments = PaymentService()
    print("async ", await retry.execute_with_retry(payments.book_async, "book"))
    async with AsyncEvolutionClient(config=place.config, retry=retry) as client:
        await client.messages.send_text(place.number, "Your payment was booked.")
    total = retry.get_metrics()
    print(f"async  {total.success_rate:.0%} of {total.total_operations} operations succeeded")


def main() -> None:
    """Both colours, one after the other."""
    with server() as place:
        blocking(place)
        asyncio.run(awaiting(place))


if __name__ == "__main__":
    main()
