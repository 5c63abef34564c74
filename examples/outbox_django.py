"""An order and the message about it, in one transaction of Django: both are there, or neither.

Run: python examples/outbox_django.py

Needs PostgreSQL: EVOLUTION_OUTBOX_STORE, else the one on this machine. The demonstration works in
a schema of its own, which it drops in the end. In a project the settings are in settings.py, the
model in models.py, and the worker is a process: python -m evolution_sdk outbox run.
"""

from __future__ import annotations

import os
import uuid
from typing import Any

import django
from _server import server
from django.conf import settings
from django.db import connection, models, transaction
from psycopg.conninfo import conninfo_to_dict

from evolution_sdk import EvolutionClient
from evolution_sdk.outbox import Outbox, OutboxMessage

STORE = os.environ.get("EVOLUTION_OUTBOX_STORE", "postgresql://postgres@127.0.0.1:5432/test")
SCHEMA = f"shop_{uuid.uuid4().hex[:12]}"
PLACE = f"{STORE}{'&' if '?' in STORE else '?'}options=-csearch_path%3D{SCHEMA}"


def database(place: str) -> dict[str, Any]:
    """The settings with which Django uses the database of the outbox."""
    parts = conninfo_to_dict(place)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
    found = {theirs: parts.pop(ours, "") for theirs, ours in {**names, "PORT": "port"}.items()}
    return {"ENGINE": "django.db.backends.postgresql", **found, "OPTIONS": parts}


settings.configure(DATABASES={"default": database(PLACE)}, USE_TZ=True)
django.setup()


class Order(models.Model):
    """An order of the shop."""

    id = models.BigAutoField(primary_key=True)
    phone = models.CharField(max_length=40)
    article = models.CharField(max_length=80)

    class Meta:
        app_label = "shop"


def place_order(outbox: Outbox, phone: str, article: str) -> OutboxMessage:
    """Take an order, and hand over its confirmation: they commit or vanish together."""
    with transaction.atomic():
        order = Order.objects.create(phone=phone, article=article)
        message = outbox.using(connection).messages.send_text(
            phone, f"Thank you! We are packing: {article}.", key=f"order-{order.pk}"
        )
        if article == "nothing":
            raise ValueError("there is no such article")
        return message


def main() -> None:
    """Take three orders, of which one fails, and send what was taken."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
    try:
        with connection.schema_editor() as editor:
            editor.create_model(Order)
        with server() as place, EvolutionClient(config=place.config) as client:
            outbox = Outbox(PLACE, client=client)
            outbox.migrate()  # once, as with `manage.py migrate`
            keys: list[str] = []
            for article in ("a lamp", "nothing", "a chair"):
                try:
                    keys.append(place_order(outbox, place.number, article).key)
                except ValueError as error:
                    print(f"rolled back  {article}: {error}")
            with outbox:  # a worker; elsewhere, it is a process of its own
                for key in keys:
                    print(f"{key:<12} {outbox.wait(key).state}")
            print(f"orders       {Order.objects.count()}, messages {sum(outbox.counts().values())}")
            outbox.close()
            if place.fake is not None:
                print("on the server", *(sent.text for sent in place.fake.sent), sep="\n  ")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
        connection.close()


if __name__ == "__main__":
    main()
