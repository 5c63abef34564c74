"""A story of many events in no order, and processes that tell it to one archive at once.

Run as a program it tells the part of one of several processes.
"""

from __future__ import annotations

import random
import sys
from typing import Any

from archive_stage import ANA, BOB, T0, Clock, contact, edited, event, record, status

from evolution_sdk.archive import Archive
from evolution_sdk.events import Event, parse_event

WRITERS = 3
INSTANCES = ("sales", "support")
_MESSAGES = 25
# Of each instance its own: what one has stored twice is not joined by a pair that another learned.
_PEOPLE = {
    "sales": {ANA: "100000000000009@lid", BOB: "100000000000008@lid"},
    "support": {
        "5531988887777@s.whatsapp.net": "100000000000007@lid",
        "5541977776666@s.whatsapp.net": "100000000000006@lid",
    },
}


def _of(instance: str, told: Event[Any]) -> Event[Any]:
    return parse_event({**told.raw, "instance": instance})


def story() -> list[Event[Any]]:
    """Messages of two instances, told by phone and by hidden id, and all that happens to them."""
    everything: list[Event[Any]] = []
    for instance in INSTANCES:
        told: list[Event[Any]] = []
        for number in range(_MESSAGES):
            chat, lid = list(_PEOPLE[instance].items())[number % 2]
            own = number % 5 == 0
            for where in (chat, lid) if number % 3 == 0 else (chat,):
                key = {"remoteJid": where, "fromMe": own}
                told.append(event("messages.upsert", record(number, f"texto {number}", key=key)))
            # A status of a message by its other name counts only where the pair is known before.
            if number % 4 == 0 and number % 3:
                said = {"keyId": f"M{number}", "remoteJid": chat, "fromMe": own}
                for word in ("DELIVERY_ACK", "READ", "SERVER_ACK"):
                    told.append(event("messages.update", said | {"status": word}))
            if number % 4 == 1:
                told += [edited(where, f"mudou {number}", from_me=own, number=number)
                         for where in (chat, lid)]  # fmt: skip
            if number % 4 == 2:
                gone = {"id": f"M{number}", "remoteJid": lid, "fromMe": own}
                told.append(event("messages.delete", gone))
        for chat, lid in _PEOPLE[instance].items():
            paired = {"remoteJid": lid, "remoteJidAlt": chat}
            told.append(event("messages.upsert", record(int(lid[14]) + 900, "par", key=paired)))
            told.append(event("contacts.upsert", [contact(chat, pushName=chat[:6])]))
        told.append(status("PLAYED", 1))
        everything += [_of(instance, each) for each in told]
    return everything


def part(seed: int, number: int) -> list[Event[Any]]:
    """The part of a process: most events come to several of them, some twice, in any order.

    All have nearly the same order, so that copies come at the same moment.
    """
    everything = story()
    shares = random.Random(seed)
    shares.shuffle(everything)
    own = random.Random(seed * 100 + number)
    mine = []
    for place, each in enumerate(everything):
        if number in shares.sample(range(WRITERS), shares.choice((1, 2, 3, 3))):
            times = own.choice((1, 1, 2))
            mine += [(place + own.uniform(0, 4), copy, each) for copy in range(times)]
    return [each for _, _, each in sorted(mine, key=lambda one: one[:2])]


def summary(archive: Archive) -> dict[str, Any]:
    """All that does not depend on which of several names or copies came first."""
    phones = {lid: chat for people in _PEOPLE.values() for chat, lid in people.items()}
    messages = sorted(
        (m.instance, m.id, phones.get(m.chat, m.chat), m.from_me, m.text, str(m.status),
         m.edited_at, m.deleted_at, m.push_name)
        for m in archive.messages()
    )  # fmt: skip
    ids = sorted({(m[0], m[1]) for m in messages})
    return {
        "messages": messages,
        "updates": [
            sorted((u.kind, str(u.status), u.text or "", u.chat or "", u.applied)
                   for u in archive.updates(message_id, instance=instance))
            for instance, message_id in ids
        ],
        "contacts": archive.contacts(),
        "found": sorted((m.instance, m.id) for m in archive.search("mudou")),
        "not found": sorted((m.instance, m.id) for m in archive.search("texto")),
    }  # fmt: skip


def main(place: str, seed: int, number: int) -> None:
    events = part(seed, number)
    with Archive(place, clock=Clock(T0), busy_ms=20_000) as archive:
        archive.messages(limit=1)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        for each in events:
            if not archive.record(each):
                raise SystemExit("not stored")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
