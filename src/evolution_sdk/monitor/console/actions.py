"""Actions of a person on the page: each is asked for as data, and answered as data."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.errors import EvolutionError
from evolution_sdk.monitor.words import Words, both

from .figures import ConsoleOutbox, ConsoleReceiver, Figures, run_call
from .http import Reply, failure, json_reply
from .recorder import Recorder

__all__ = ["Actions"]

_MOST_IDS: Final = 1_000
_LONGEST: Final = 500

_NOTHING: Final = both(
    "nothing changed: its state does not allow it any more",
    "nada mudou: o estado já não permite",
)


class _WrongError(Exception):
    """The request itself is wrong; its words say how."""

    def __init__(self, words: Words, error: str = "value") -> None:
        super().__init__()
        self.words = words
        self.error = error


@dataclass(frozen=True, slots=True)
class _Done:
    count: int
    words: Words
    more: Mapping[str, Any] | None = None


class Actions:
    """Does what pages ask for.

    Args:
        recorder: Keeps the codes that link a phone.
        figures: Is read anew after each action.
        outbox: The outbox, or None.
        receiver: The receiver, or None.
    """

    def __init__(
        self,
        recorder: Recorder,
        figures: Figures,
        outbox: ConsoleOutbox | None,
        receiver: ConsoleReceiver | None,
    ) -> None:
        self._recorder = recorder
        self._figures = figures
        self._outbox = outbox
        self._receiver = receiver
        self._known: dict[str, Callable[[Mapping[str, Any]], Awaitable[_Done]]] = {
            "replay": self._replay,
            "discard": self._discard,
            "resolve": self._resolve,
            "cancel": self._cancel,
            "retry": self._retry,
            "pause": self._pause,
            "resume": self._resume,
            "connect": self._connect,
        }

    async def perform(self, body: bytes) -> Reply:
        """Do one action.

        Args:
            body: The request, as JSON.

        Returns:
            The answer.
        """
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not is_object(asked):
            words = both("the body is no JSON object", "o corpo não é um objeto JSON")
            return failure(400, "value", words)
        name = asked.get("action")
        do = self._known.get(name) if isinstance(name, str) else None
        if do is None:
            words = both("there is no such action", "não existe tal ação")
            return failure(400, "action", words, known=list(self._known))
        try:
            done = await do(asked)
        except _WrongError as wrong:
            return failure(404 if wrong.error == "missing" else 400, wrong.error, wrong.words)
        except EvolutionError as error:
            kind = type(error).__name__
            words = both(f"it failed: {kind}", f"falhou: {kind}")
            return failure(502, "failed", words, kind=kind)
        finally:
            self._figures.poll(at_once=True)
        shown = done.words if done.count else _NOTHING
        more = done.more or {}
        return json_reply(
            200, {"ok": True, "action": name, "done": done.count, "words": shown, **more}
        )

    async def _replay(self, asked: Mapping[str, Any]) -> _Done:
        receiver, ids = self._inbox(), _ids(asked)
        count = int(await run_call(lambda: receiver.replay(ids), receiver.replay))
        words = both(f"queued again: {count}", f"de volta à fila: {count}")
        return _Done(count, words)

    async def _discard(self, asked: Mapping[str, Any]) -> _Done:
        receiver, ids = self._inbox(), _ids(asked)
        count = int(await run_call(lambda: receiver.discard(ids), receiver.discard))
        return _Done(count, both(f"deleted: {count}", f"apagadas: {count}"))

    async def _resolve(self, asked: Mapping[str, Any]) -> _Done:
        outbox, key, sent = self._store(), self._key(asked), asked.get("sent")
        if not isinstance(sent, bool):
            raise _WrongError(both("sent must be true or false", "sent deve ser true ou false"))
        done = await run_call(lambda: outbox.resolve(key, sent=sent), outbox.resolve)
        words = (
            both("marked as sent", "marcada como enviada")
            if sent
            else both("it is sent again", "será enviada de novo")
        )
        return _Done(int(done), words)

    async def _cancel(self, asked: Mapping[str, Any]) -> _Done:
        outbox, key = self._store(), self._key(asked)
        done = await run_call(lambda: outbox.cancel(key), outbox.cancel)
        return _Done(int(done), both("taken back", "retirada"))

    async def _retry(self, asked: Mapping[str, Any]) -> _Done:
        outbox, key = self._store(), self._key(asked)
        done = await run_call(lambda: outbox.retry(key), outbox.retry)
        return _Done(int(done), both("queued again", "de volta à fila"))

    async def _pause(self, asked: Mapping[str, Any]) -> _Done:
        outbox, name = self._store(), _instance(asked, or_all=True)
        await run_call(lambda: outbox.pause(name), outbox.pause)
        return _Done(1, both("paused", "pausada"))

    async def _resume(self, asked: Mapping[str, Any]) -> _Done:
        outbox, name = self._store(), _instance(asked, or_all=True)
        done = await run_call(lambda: outbox.resume(name), outbox.resume)
        return _Done(int(done), both("goes on", "retomada"))

    async def _connect(self, asked: Mapping[str, Any]) -> _Done:
        name = cast("str", _instance(asked, or_all=False))
        source = self._recorder.source
        # Only what is watched: the key of the client may open more than this page shows.
        if name not in source.monitor.get_health_status().instances:
            words = both("there is no such instance", "não existe tal instância")
            raise _WrongError(words, "missing")
        code = await source.connect(name)
        shown = self._recorder.pairings.shown(name, code, source.at)
        if shown is None:
            words = both(
                "the server has no code yet; it comes in a moment, or the phone is linked already",
                "o servidor ainda não tem código; ele vem em instantes, ou o telefone já está "
                "conectado",
            )
            return _Done(1, words, {"pairing": None})
        return _Done(1, both("scan the code", "leia o código"), {"pairing": shown})

    def _store(self) -> ConsoleOutbox:
        if self._outbox is None:
            words = both("this console has no outbox", "este painel não tem outbox")
            raise _WrongError(words, "missing")
        return self._outbox

    def _inbox(self) -> ConsoleReceiver:
        if self._receiver is None:
            words = both("this console has no receiver", "este painel não tem receptor")
            raise _WrongError(words, "missing")
        return self._receiver

    def _key(self, asked: Mapping[str, Any]) -> str:
        number, key = asked.get("id"), asked.get("key")
        if isinstance(key, str) and 0 < len(key) <= _LONGEST and number is None:
            return key
        # Pages know keys by their numbers: a key may hold a phone number, which is not shown.
        outbox = self._figures.outbox
        for row in () if outbox is None else outbox.rows:
            if row.id == number:
                return row.key
        words = both("this message is not listed any more", "esta mensagem não está mais na lista")
        raise _WrongError(words, "missing")


def _ids(asked: Mapping[str, Any]) -> list[int] | None:
    ids = asked.get("ids", 0)
    if ids is None:
        return None
    if not is_array(ids) or not ids or len(ids) > _MOST_IDS or not all(map(_is_number, ids)):
        raise _WrongError(
            both("ids must be a list of numbers, or null", "ids deve ser uma lista de números")
        )
    return [int(cast("int", one)) for one in ids]


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _instance(asked: Mapping[str, Any], *, or_all: bool) -> str | None:
    name = asked.get("instance", "")
    if name is None and or_all:
        return None
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST:
        raise _WrongError(both("name an instance", "informe uma instância"))
    return name
