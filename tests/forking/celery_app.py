"""A Celery application whose client is made, and used, before the workers are forked."""

from __future__ import annotations

import os
import threading
import time

from celery import Celery
from celery.signals import worker_init

from evolution_sdk import EvolutionClient

queue = os.environ["FORK_TEST_QUEUE"]
broker = os.environ["FORK_TEST_BROKER"]
app = Celery(queue, broker=broker, backend=broker)
app.conf.update(
    task_default_queue=queue,
    result_backend_transport_options={"global_keyprefix": queue},
    broker_connection_retry_on_startup=False,
    broker_transport_options={"global_keyprefix": queue},
    worker_prefetch_multiplier=1,
)
client = EvolutionClient()


@worker_init.connect
def keep_in_use(**_: object) -> None:
    """The parent goes on calling, so that its connection is alive when the workers are forked."""

    def call() -> None:
        while True:
            client.instances.fetch()
            time.sleep(0.05)

    client.instances.fetch()
    threading.Thread(target=call, daemon=True).start()


@app.task(name="send")  # type: ignore[untyped-decorator]
def send(text: str) -> tuple[int, str]:
    sent = client.messages.send_text("5511987654321", text)
    return os.getpid(), sent.text or ""
