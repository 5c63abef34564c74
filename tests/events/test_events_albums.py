"""Albums are gathered into one piece, whatever the order, the copies and the losses."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest

import facts
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import AlbumGatherer, GatheredAlbum, MessagesUpsert, parse_event


def recorded(version: str, name: str) -> Any:
    for one in facts.read(f"versions/{version}/baileys_webhooks.json"):
        if one["name"] == name and one["json"]["event"] == "messages.upsert":
            return one["json"]
    raise AssertionError(name)


COVER, CHILD = recorded("2.3.7", "album"), recorded("2.3.7", "album child image")
COVER_ID = COVER["data"]["key"]["id"]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def parsed(body: Any) -> MessagesUpsert:
    event = parse_event(body)
    assert isinstance(event, MessagesUpsert)
    return event


def cover(images: int = 2, **key: Any) -> MessagesUpsert:
    body = copy.deepcopy(COVER)
    body["data"]["message"]["albumMessage"]["expectedImageCount"] = images
    body["data"]["key"].update(key)
    return parsed(body)


def photo(number: int, *, album: str = COVER_ID, instance: str = "", **key: Any) -> MessagesUpsert:
    body = copy.deepcopy(CHILD)
    body["data"]["key"].update({"id": f"3APHOTO{number}", **key})
    body["data"]["messageTimestamp"] += number
    association = body["data"]["message"]["messageContextInfo"]["messageAssociation"]
    association["parentMessageKey"]["id"] = album
    body["instance"] = instance or body["instance"]
    return parsed(body)


def ids(album: GatheredAlbum[Any] | None) -> list[str]:
    assert album is not None
    return [item.id for item in album.items]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def albums(clock: Clock) -> AlbumGatherer[MessagesUpsert]:
    return AlbumGatherer(max_wait_ms=5_000, clock=clock)


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
def test_what_servers_really_send(version: str) -> None:
    albums: AlbumGatherer[MessagesUpsert] = AlbumGatherer()
    one = copy.deepcopy(recorded(version, "album child image"))
    two = copy.deepcopy(one)
    two["data"]["key"]["id"] = "3ASECOND"
    assert albums.take(parsed(recorded(version, "album"))) is None
    assert albums.take(parsed(one)) is None
    album = albums.take(parsed(two))
    assert album is not None
    assert (album.is_complete, album.expected, len(album.items)) == (True, 2, 2)
    assert album.cover is not None
    assert album.cover.id == album.id
    assert all(item.media for item in album.items)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_come_in_any_order(
    albums: AlbumGatherer[MessagesUpsert], order: tuple[int, ...]
) -> None:
    parts = [cover(), photo(1), photo(2)]
    taken = [albums.take(parts[at]) for at in order]
    assert taken[:2] == [None, None]
    assert ids(taken[2]) == ["3APHOTO1", "3APHOTO2"]
    assert (len(albums), albums.next_expiry_ms()) == (0, None)


def test_copies_change_nothing(albums: AlbumGatherer[MessagesUpsert], clock: Clock) -> None:
    for part in (cover(), cover(), photo(1), photo(1)):
        assert albums.take(part) is None
    assert ids(albums.take(photo(2))) == ["3APHOTO1", "3APHOTO2"]
    # Nor do those that come when the album is out.
    for part in (cover(), photo(1), photo(2)):
        assert albums.take(part) is None
    clock.now += 60
    assert (len(albums), albums.expired()) == (0, [])


def test_what_does_not_come_in_time_is_told(
    albums: AlbumGatherer[MessagesUpsert], clock: Clock
) -> None:
    albums.take(cover(3))
    clock.now += 4
    albums.take(photo(1))
    clock.now += 4
    assert albums.expired() == []
    assert albums.next_expiry_ms() == pytest.approx(1_000)
    assert albums.expired(clock.now + 0.9) == []
    (album,) = albums.expired(clock.now + 1)
    assert (ids(album), album.expected, album.is_complete) == (["3APHOTO1"], 3, False)
    # A photo that comes too late is not lost, and still knows its cover.
    assert albums.take(photo(1)) is None
    assert albums.take(photo(2)) is None
    clock.now += 6
    (late,) = albums.expired()
    assert (ids(late), late.expected) == (["3APHOTO2"], 3)
    assert late.cover is not None


def test_without_a_cover_the_photos_are_given_out_in_the_end(
    albums: AlbumGatherer[MessagesUpsert], clock: Clock
) -> None:
    for number in (2, 1):
        assert albums.take(photo(number)) is None
    clock.now += 5
    (album,) = albums.expired()
    assert (ids(album), album.cover, album.expected) == (["3APHOTO1", "3APHOTO2"], None, None)
    # The cover alone is no news any more.
    assert albums.take(cover()) is None
    assert len(albums) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"instance": "another"},
        {"remoteJid": "5511900000003@s.whatsapp.net", "remoteJidAlt": "100000000000003@lid"},
        {"fromMe": True},
        {"album": "3AOTHER"},
    ],
)
def test_ids_alone_prove_nothing(
    albums: AlbumGatherer[MessagesUpsert], clock: Clock, other: dict[str, Any]
) -> None:
    albums.take(cover())
    albums.take(photo(1))
    assert albums.take(photo(9, **other)) is None
    assert ids(albums.take(photo(2))) == ["3APHOTO1", "3APHOTO2"]
    clock.now += 5
    assert [ids(album) for album in albums.expired()] == [["3APHOTO9"]]


def test_in_a_group_the_writer_counts(albums: AlbumGatherer[MessagesUpsert]) -> None:
    group = "120363000000000009@g.us"
    ada = {"remoteJid": group, "remoteJidAlt": None, "participant": "100000000000002@lid"}
    told = {**ada, "participantAlt": "5511900000002@s.whatsapp.net"}
    eve = {**ada, "participant": "100000000000666@lid"}
    assert albums.take(cover(**ada)) is None
    assert albums.take(photo(7, **eve)) is None
    # By either id of hers, once both were told together.
    assert albums.take(photo(1, **told)) is None
    by_phone = {**ada, "participant": "5511900000002@s.whatsapp.net"}
    assert ids(albums.take(photo(2, **by_phone))) == ["3APHOTO1", "3APHOTO2"]
    assert len(albums) == 1


def test_the_chat_counts_too(albums: AlbumGatherer[MessagesUpsert]) -> None:
    """One writer in two groups: a forwarded album, or an id made up."""
    ada = {"remoteJidAlt": None, "participant": "100000000000002@lid"}
    here, there = "120363000000000009@g.us", "120363000000000010@g.us"
    assert albums.take(cover(remoteJid=here, **ada)) is None
    assert albums.take(photo(1, remoteJid=here, **ada)) is None
    assert albums.take(photo(2, remoteJid=there, **ada)) is None
    assert ids(albums.take(photo(3, remoteJid=here, **ada))) == ["3APHOTO1", "3APHOTO3"]


def test_other_messages_are_none_of_its_business(albums: AlbumGatherer[MessagesUpsert]) -> None:
    for message in ({"conversation": "oi"}, {"imageMessage": {}}, {}, None, "x"):
        body = copy.deepcopy(CHILD)
        body["data"]["message"] = message
        assert albums.take(parsed(body)) is None
    assert albums.take(photo(1, id="")) is None
    assert len(albums) == 0


@pytest.mark.parametrize("images", [-5, 0, 2**40])
def test_strange_numbers_give_no_empty_album(
    albums: AlbumGatherer[MessagesUpsert], clock: Clock, images: int
) -> None:
    assert albums.take(cover(images)) is None
    assert albums.take(photo(1)) is None
    clock.now += 5
    assert [ids(album) for album in albums.expired()] == [["3APHOTO1"]]


def test_it_holds_no_more_than_it_may(clock: Clock) -> None:
    albums: AlbumGatherer[MessagesUpsert] = AlbumGatherer(clock=clock, max_albums=3, max_items=2)
    for number in range(10):
        assert albums.take(photo(number, album=f"3A{number}")) is None
    assert len(albums) == 3
    assert albums.next_expiry_ms() == 0
    # Those that had to go are not lost.
    assert [ids(album) for album in albums.expired()] == [[f"3APHOTO{n}"] for n in range(7)]
    albums.take(photo(20, album="3AFULL"))
    assert len(ids(albums.take(photo(21, album="3AFULL")))) == 2


@pytest.mark.parametrize("name", ["max_wait_ms", "max_albums", "max_items"])
def test_numbers_are_checked(name: str) -> None:
    with pytest.raises(RequestValidationError, match=name):
        AlbumGatherer[MessagesUpsert](**{name: 0})  # type: ignore[arg-type]


def test_a_repr_shows_nothing_of_it(albums: AlbumGatherer[MessagesUpsert]) -> None:
    albums.take(cover(1))
    album = albums.take(photo(1))
    assert album is not None
    assert album.caption is None
    assert repr(album) == f"GatheredAlbum(id='{COVER_ID}', expected=1)"
