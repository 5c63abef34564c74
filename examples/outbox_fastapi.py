"""Take orders by POST /orders, and confirm each once: ``uvicorn outbox_fastapi:app``.

The order and its message are written in one transaction of PostgreSQL, and answered at once; the
outbox of this process, or of any other, sends the message afterwards.

Needs PostgreSQL: EVOLUTION_OUTBOX_STORE, else the one on this machine. Settings of the server:
EVOLUTION_API_URL, EVOLUTION_API_KEY, EVOLUTION_INSTANCE.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import psycopg
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from evolution_sdk import AsyncEvolutionClient, RequestValidationError
from evolution_sdk.outbox import AsyncOutbox, RecipientOptedOutError

STORE = os.environ.get("EVOLUTION_OUTBOX_STORE", "postgresql://postgres@127.0.0.1:5432/test")
client = AsyncEvolutionClient()
outbox = AsyncOutbox(STORE, client=client)


class Order(BaseModel):
    """What is ordered."""

    phone: str
    article: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    # In production a migration of its own, with a role that may make tables.
    await outbox.migrate()
    async with await psycopg.AsyncConnection.connect(STORE) as db:
        await db.execute(
            "CREATE TABLE IF NOT EXISTS shop_order (id bigint GENERATED ALWAYS AS IDENTITY "
            "PRIMARY KEY, phone text NOT NULL, article text NOT NULL)"
        )
    async with client, outbox:  # the workers begin here, and finish what they have begun at the end
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/orders", status_code=202)
async def take_order(order: Order) -> dict[str, str]:
    # A connection of the program: of a pool of psycopg's in a larger one.
    async with await psycopg.AsyncConnection.connect(STORE) as db, db.cursor() as cursor:
        await cursor.execute(
            "INSERT INTO shop_order (phone, article) VALUES (%s, %s) RETURNING id",
            (order.phone, order.article),
        )
        row = await cursor.fetchone()
        assert row is not None
        try:
            message = await outbox.using(db).messages.send_text(
                order.phone, f"Thank you! We are packing: {order.article}.", key=f"order-{row[0]}"
            )
        except RequestValidationError as error:
            raise HTTPException(422, str(error)) from None  # which undoes the order, too
        except RecipientOptedOutError as error:
            raise HTTPException(409, str(error)) from None
    return {"key": message.key, "state": message.state}


@app.get("/messages/{key}")
async def tell(key: str) -> dict[str, object]:
    message = await outbox.get(key)
    if message is None:
        raise HTTPException(404, "there is no such message")
    return message.to_dict()
