"""``outbox list|show|counts|retry|cancel|resolve|purge|pause|resume|opt-out`` on both stores."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outbox.cli_kit import KEY, MASKED, NUMBER, Command, fill
from outbox.outbox_drill import place

MESSAGE = {
    "id": int,
    "key": str,
    "instance": str,
    "recipient": str,
    "operation": str,
    "state": str,
    "priority": int,
    "created_at": str,
    "not_before": None,
    "expires_at": None,
    "attempts": int,
    "begun_at": None,
    "sent_at": None,
    "delivered_at": None,
    "read_at": None,
    "message_id": None,
    "remote_jid": None,
    "error": None,
    "reason": str,
    "found": bool,
}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder without ``.env``; no settings in the environment: none of these needs a server."""
    import os

    for name in [name for name in os.environ if name.startswith("EVOLUTION_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def outbox(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    with place(request.param, tmp_path) as store:
        fill(store)
        yield Command(store, capsys)


@pytest.fixture
def file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """A store that is a file, for what does not depend on the database."""
    fill(str(tmp_path / "outbox.db"))
    return Command(str(tmp_path / "outbox.db"), capsys)


def test_list_shows_the_oldest_first_and_masks_numbers(outbox: Command) -> None:
    done = outbox("list")
    assert (done.code, done.err) == (0, "")
    title, *rows = done.out.splitlines()
    assert title.split() == ["key", "state", "age", "instance", "to", "calls", "why"]
    states = [row.split()[:2] for row in rows]
    assert states == [[each, each] for each in ("queued", "failed", "unknown", "expired", "sent")]
    assert MASKED in done.out
    assert NUMBER not in done.out
    assert "text of" not in done.out


def test_list_as_json_has_every_field(outbox: Command) -> None:
    told = outbox("list", "--json").json()
    assert told["next_after_id"] is None
    for message in told["messages"]:
        assert list(message) == list(MESSAGE)
        for name, kind in MESSAGE.items():
            assert message[name] is None or kind is None or type(message[name]) is kind, name
    assert {message["recipient"] for message in told["messages"]} == {MASKED, "5511*****0002"}


def test_list_takes_filters_and_pages(outbox: Command) -> None:
    def keys(*arguments: str) -> list[str]:
        return [
            message["key"] for message in outbox("list", "--json", *arguments).json()["messages"]
        ]

    assert keys("--state", "unknown", "--since", "2h") == ["unknown"]
    assert keys("--state", "unknown", "--state", "failed") == ["failed", "unknown"]
    assert keys("--instance", "support") == ["sent"]
    assert keys("--to", NUMBER) == ["queued", "failed", "unknown", "expired"]
    assert keys("--since", "2099-01-01T00:00+00:00") == []
    first = outbox("list", "--json", "--limit", "2").json()
    assert keys("--after-id", str(first["next_after_id"])) == ["unknown", "expired", "sent"]
    assert "--after-id" in outbox("list", "--limit", "2").out
    assert outbox("list", "--state", "read").out == "no messages\n"


def test_numbers_and_metadata_are_shown_when_asked_for(outbox: Command) -> None:
    assert NUMBER in outbox("list", "--show-numbers").out
    told = outbox("show", "queued", "--json", "--show-numbers").json()
    assert (told["recipient"], told["metadata"]) == (NUMBER, {"who": "Ana"})
    hidden = outbox("show", "queued", "--json")
    assert "metadata" not in hidden.json()
    assert "Ana" not in hidden.out + outbox("show", "queued").out
    assert "Ana" in outbox("show", "queued", "--show-numbers").out


def test_show_tells_the_state_its_times_and_what_to_do(outbox: Command) -> None:
    unknown = outbox("show", "unknown").out
    assert unknown.startswith("unknown: unknown\n")
    assert "handed over" in unknown
    assert "it is unknown" in unknown
    assert "outbox resolve unknown --sent" in unknown
    assert "outbox retry failed" in outbox("show", "failed").out
    sent = outbox("show", "sent").out
    assert "\n  sent         2" in sent
    assert "WhatsApp id  ID1" in sent
    assert "outbox run" in outbox("show", "queued").out
    outbox("pause", "--reason", "lunch")
    assert "the whole server is paused by a person until resume: lunch" in (
        outbox("show", "queued").out
    )


def test_what_is_not_there_is_exit_code_1(outbox: Command) -> None:
    for command in (["show"], ["retry"], ["cancel"], ["resolve", "--sent"]):
        done = outbox(*command, "nobody")
        assert (done.code, done.out) == (1, ""), command
        assert "no message with the key 'nobody'" in done.err


def test_counts_tell_depth_ages_and_pauses(outbox: Command) -> None:
    outbox("pause", "--instance", "sales", "--reason", "lunch")
    told = outbox("counts", "--json").json()
    assert told["instances"] == {
        "sales": {"queued": 1, "failed": 1, "unknown": 1, "expired": 1},
        "support": {"sent": 1},
    }
    assert set(told["oldest_ms"]) == {"sales"}
    assert told["pauses"] == [
        {
            "instance": "sales",
            "cause": "person",
            "reason": "lunch",
            "left_ms": None,
            "troubles": 0,
        }
    ]
    words = outbox("counts").out
    assert "1 unknown" in words
    assert "sales is paused by a person until resume: lunch" in words


def test_retry_queues_anew_what_has_ended(outbox: Command) -> None:
    done = outbox("retry", "failed", "expired")
    assert (done.code, done.out) == (0, "failed: queued\nexpired: queued\n")
    refused = outbox("retry", "sent", "unknown")
    assert (refused.code, refused.out) == (1, "")
    assert "'sent' is sent: only what failed" in refused.err
    assert outbox("show", "unknown", "--json").json()["state"] == "unknown"


def test_one_that_cannot_be_changed_leaves_the_others_changed(outbox: Command) -> None:
    done = outbox("retry", "--json", "sent", "failed", "nobody")
    assert done.code == 1
    assert done.json() == {
        "results": [
            {"key": "sent", "done": False, "state": "sent"},
            {"key": "failed", "done": True, "state": "queued"},
            {"key": "nobody", "done": False, "state": None},
        ]
    }


def test_cancel_takes_back_what_is_queued(outbox: Command) -> None:
    assert outbox("cancel", "queued", "--reason", "paid").out == "queued: cancelled\n"
    assert outbox("show", "queued", "--json").json()["reason"] == "paid"
    again = outbox("cancel", "queued")
    assert again.code == 1
    assert "only what is queued" in again.err


@pytest.mark.parametrize(("decision", "state"), [("--sent", "sent"), ("--not-sent", "queued")])
def test_resolve_decides_about_an_unknown_one(outbox: Command, decision: str, state: str) -> None:
    assert outbox("resolve", "unknown", decision).out == f"unknown: {state}\n"
    again = outbox("resolve", "unknown", decision)
    assert again.code == 1
    assert "only what is unknown" in again.err


def test_purge_deletes_what_is_over_and_old(outbox: Command) -> None:
    assert outbox("purge", "--older-than", "1d", "--json").json() == {"deleted": 0}
    assert outbox("purge", "--older-than", "0s").out == "3 deleted\n"
    left = [message["key"] for message in outbox("list", "--json").json()["messages"]]
    assert left == ["queued", "unknown"]


@pytest.mark.parametrize(("said", "left"), [("n\n", 5), ("\n", 5), ("", 5), ("y\n", 2)])
def test_purge_asks_where_a_person_is_there(
    file: Command, monkeypatch: pytest.MonkeyPatch, said: str, left: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return said

    monkeypatch.setattr(sys, "stdin", Terminal())
    done = file("purge", "--older-than", "0s")
    assert "[y/N]" in done.err
    assert done.code == (0 if left == 2 else 1)
    assert len(file("list", "--json").json()["messages"]) == left
    assert "[y/N]" not in file("purge", "--older-than", "0s", "--yes").err


def test_pause_and_resume(outbox: Command) -> None:
    assert outbox("pause", "--instance", "sales").out == "sales paused\n"
    assert outbox("resume").code == 1, "the whole was not paused"
    assert outbox("resume", "--instance", "sales", "--json").json() == {
        "instance": "sales",
        "done": True,
    }
    assert outbox("pause").out == "the whole outbox paused\n"
    assert outbox("resume").out == "the whole outbox goes on\n"


def test_opt_outs(outbox: Command) -> None:
    assert outbox("opt-out").out == "nobody opted out\n"
    done = outbox("opt-out", NUMBER, "--reason", "STOP")
    assert (done.code, done.out) == (0, f"{MASKED} is not written to any more\n")
    (told,) = outbox("opt-out", "--json").json()["opt_outs"]
    assert (told["instance"], told["reason"]) == (None, "STOP")
    assert "*" in told["recipient"]
    assert "*" not in outbox("opt-out", "--show-numbers").out
    assert "STOP" in outbox("opt-out").out
    assert outbox("opt-out", NUMBER, "--remove").code == 0
    assert outbox("opt-out", NUMBER, "--remove").code == 1
    assert outbox("opt-out", "--remove").code == 2


def test_migrate_tells_the_versions(outbox: Command) -> None:
    told = outbox("migrate", "--json").json()
    assert told["before"] == told["now"] >= 1
    assert outbox("migrate").out == f"the tables are of version {told['now']} already\n"


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_migrate_makes_the_tables(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with place(kind, tmp_path) as store:
        outbox = Command(store, capsys)
        missing = outbox("list")
        assert (missing.code, missing.out) == (3, "")
        assert "outbox migrate" in missing.err
        assert len(missing.err.splitlines()) == 1
        assert outbox("migrate").out.endswith("(before: none)\n")
        assert outbox("list").out == "no messages\n"
        assert outbox("counts").out == "no messages\n"


def test_a_file_that_is_no_database_is_exit_code_3(file: Command, tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("no database, but long enough to be read as a header" * 9)
    done = file("list", store=str(tmp_path / "notes.db"))
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    assert "Traceback" not in done.err


def test_a_database_that_is_away_is_exit_code_3_and_shows_no_password(file: Command) -> None:
    done = file("counts", store="postgresql://bot:hidden-word@127.0.0.1:1/x")
    assert (done.code, len(done.err.splitlines())) == (3, 1)
    assert "hidden-word" not in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "outbox --help"),
        (["frob"], "invalid choice: 'frob'"),
        (["list", "--bogus"], "unrecognized arguments: --bogus"),
        (["list", "--state", "odd"], "invalid choice: 'odd'"),
        (["list", "--sta", "sent"], "unrecognized arguments"),
        (["list", "--since", "soon"], "2h for two hours ago"),
        (["list", "--since", "2026-01-01"], "'2026-01-01' is no time"),
        (["list", "--since", "999999999w"], "too long"),
        (["list", "--limit", "0"], "whole number"),
        (["list", "--to", "12"], "8 to 15 digits"),
        (["list", "--env-file", "nowhere.env"], "nowhere.env"),
        (["show"], "KEY"),
        (["resolve", "k"], "--sent --not-sent"),
        (["resolve", "k", "--sent", "--not-sent"], "not allowed with"),
        (["purge"], "--older-than"),
        (["purge", "--older-than", "-1d"], "--older-than"),
        (["purge", "--older-than", "1 month"], "write 45s, 10m, 2h, 30d or 4w"),
        (["purge", "--older-than", "999999999s", "--api-key-file", "nowhere"], "nowhere"),
        (["purge", "--older-than", "9999999w"], "--older-than"),
        (["opt-out", "12"], "8 to 15 digits"),
        (["run", "--workers", "0"], "whole number"),
        (["run", "--engine", "magic"], "invalid choice: 'magic'"),
        (["run"], "EVOLUTION_API_URL is missing"),
        (["run", "--url", "nonsense"], "EVOLUTION_API_URL must begin with"),
    ],
)
def test_what_is_wrong_is_exit_code_2_and_one_line(
    file: Command, arguments: list[str], words: str
) -> None:
    done = file(*arguments)
    assert (done.code, done.out) == (2, ""), done
    (line,) = done.err.splitlines()
    assert words in line


def test_the_store_of_the_settings_is_used(
    file: Command,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    from evolution_sdk.__main__ import main

    monkeypatch.setenv("EVOLUTION_OUTBOX_STORE", file.store)
    monkeypatch.chdir("/")
    assert main(["outbox", "show", "sent"]) == 0
    monkeypatch.delenv("EVOLUTION_OUTBOX_STORE")
    (tmp_path / "bot.env").write_text(f"EVOLUTION_OUTBOX_STORE={file.store}\n")
    assert main(["outbox", "show", "sent", "--env-file", str(tmp_path / "bot.env")]) == 0
    assert capsys.readouterr().out.count("sent: sent") == 2


def test_nothing_shows_the_key(file: Command, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    for arguments in (["list", "--json"], ["show", "sent"], ["counts"], ["show", "nobody"]):
        done = file(*arguments, "--api-key-file", str(tmp_path / "key"))
        assert KEY not in done.out + done.err


@pytest.mark.parametrize("content", ["", "two\nlines", b"\xff\xfe"])
def test_a_key_file_holds_one_line(file: Command, tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = file("list", "--api-key-file", str(path))
    assert done.code == 2
    assert "--api-key-file" in done.err


def test_control_characters_of_a_key_do_not_reach_the_terminal(file: Command) -> None:
    done = file("show", "\x1b[31mred")
    assert done.code == 1
    assert "\x1b" not in done.err
