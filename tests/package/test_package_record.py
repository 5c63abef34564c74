"""tools/record.py writes what a server answered, in the form of the recordings, without the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from evolution_sdk.testing import FakeEvolution
from facts import ROOT, read

KEY = "s3cret-key"


def record(*arguments: object, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "record.py"), *map(str, arguments)],
        env={**os.environ, "EVOLUTION_LIVE_URL": url, "EVOLUTION_LIVE_API_KEY": KEY},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_an_exchange_has_the_form_of_the_recorded_ones(tmp_path: Path) -> None:
    into = tmp_path / "label.json"
    with FakeEvolution(api_key=KEY).serve() as fake:
        fake.create_instance("bot")
        asked = (
            "label.findLabels",
            "GET",
            "/label/findLabels/bot",
            "--channel",
            "EVOLUTION",
            "--operation",
            "label.find_labels",
        )
        for _ in range(2):
            done = record(*asked, "--into", into, url=fake.url)
            assert done.returncode == 0, done.stderr
        shown = record(*asked, url=fake.url)
    one, _ = json.loads(into.read_text("utf-8"))
    model = next(each for each in read("exchanges/label.json") if each["name"] == one["name"])
    assert one.keys() == model.keys()
    assert one["request"].keys() == model["request"].keys()
    assert one["response"].keys() == model["response"].keys()
    assert one["request"]["headers"] == {"apikey": "global"}
    assert KEY not in into.read_text("utf-8") + shown.stdout


def test_the_key_goes_wherever_it_occurs() -> None:
    with FakeEvolution(api_key=KEY).serve() as fake:
        body = json.dumps({"instanceName": f"of-{KEY}", "integration": "EVOLUTION"})
        done = record("instance.create", "POST", "/instance/create", "--json", body, url=fake.url)
    assert "of-global" in done.stdout
    assert KEY not in done.stdout


def test_a_silent_server_and_missing_settings_are_one_line() -> None:
    silent = record("root.info", "GET", "/", url="http://127.0.0.1:9")
    assert (silent.returncode, len(silent.stderr.splitlines())) == (1, 1)
    unset = record("root.info", "GET", "/", url="")
    assert (unset.returncode, len(unset.stderr.splitlines())) == (2, 1)
