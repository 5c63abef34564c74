"""A Celery application whose client is made, and used, before the workers are forked."""

from __future__ import annotations

import os

from celery import Celery

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
client.instances.fetch()


@app.task(name="send")  # type: ignore[untyped-decorator]
def send(text: str) -> tuple[int, str]:
    sent = client.messages.send_text("5511987654321", text)
    return os.getpid(), sent.text or ""
