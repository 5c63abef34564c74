"""``evolution instances``: states, phones, dead sockets, colours."""

from __future__ import annotations

import sys

import pytest

from cli.command_kit import Evolution
from evolution_sdk._cli.colour import may_colour
from evolution_sdk.testing import FakeEvolution


@pytest.fixture
def three(fake: FakeEvolution) -> FakeEvolution:
    fake.create_instance("sales")
    fake.create_instance("old", state="close")
    fake.create_instance("meta", integration="WHATSAPP-BUSINESS", token="EAAG", number="123")
    return fake


def _break_socket(fake: FakeEvolution, name: str) -> None:
    body = {"status": 500, "error": "Internal Server Error",
            "response": {"message": ["Error: Connection Closed"]}}  # fmt: skip
    fake.faults.add("instance.set_presence", "status", status=500, body=body, instance=name)


def test_they_are_listed_by_name(three: FakeEvolution, evolution: Evolution) -> None:
    told = evolution("instances")
    assert (told.code, told.err) == (0, "")
    rows = [line.split()[:2] for line in told.out.splitlines()[:4]]
    assert rows == [["name", "state"], ["meta", "open"], ["old", "close"], ["sales", "open"]]
    assert "5511*****0099" in told.out
    assert "5511900000099" not in told.out
    assert "--check" in told.out.splitlines()[-1]
    assert not [each for each in three.requests if each.operation == "instance.set_presence"]


def test_json_has_every_field_and_no_token(three: FakeEvolution, evolution: Evolution) -> None:
    told = evolution("instances", "--json", "--show-numbers")
    (meta, old, sales) = told.json()["instances"]
    assert meta["phone"] is None
    assert old["state"] == "close"
    assert sales == {
        "name": "sales",
        "state": "open",
        "dead": None,
        "phone": "5511900000099",
        "profile_name": "Fake Owner",
        "integration": "WHATSAPP-BAILEYS",
    }
    for each in three.instances.values():
        assert each.token not in told.out


def test_check_tells_dead_sockets(three: FakeEvolution, evolution: Evolution) -> None:
    _break_socket(three, "sales")
    told = evolution("instances", "--check")
    assert "open, socket dead" in told.out
    assert "client.instances.restart('sales')" in told.out
    rows = evolution("instances", "--check", "--json").json()["instances"]
    assert {row["name"]: row["dead"] for row in rows} == {
        "meta": None,
        "old": None,
        "sales": True,
    }
    assert "socket morto" in evolution("--lang", "pt", "instances", "--check").out


def test_a_server_without_instances(fake: FakeEvolution, evolution: Evolution) -> None:
    assert "connect NAME" in evolution("instances").out
    assert evolution("instances", "--json").json() == {"instances": []}


def test_states_are_coloured_in_a_terminal(
    three: FakeEvolution, evolution: Evolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b" not in evolution("instances").out
    monkeypatch.setattr("evolution_sdk._cli.output.may_colour", lambda: True)
    told = evolution("instances").out
    assert "\x1b[32mopen \x1b[0m" in told
    assert "\x1b[31mclose\x1b[0m" in told


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_colours_are_for_terminals_that_want_them(
    variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv(*variable)
    assert may_colour() is (variable == ("TERM", "xterm"))
