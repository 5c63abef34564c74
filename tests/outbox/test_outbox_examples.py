"""The examples of the outbox: killed anywhere nothing doubles; an order and its message are one."""

from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import httpx
import outbox_drill as drill
import pytest

from databases import fresh_postgres
from evolution_sdk.testing import FakeEvolution
from webhooks.test_webhooks_apps import serving

EXAMPLES = Path(__file__).parents[2] / "examples"
INVOICES, KILLS = 120, 6


def _customers(folder: Path) -> Path:
    file = folder / "invoices.csv"
    lines = [f"{n},55119{n:08},Customer {n},R$ 1" for n in range(INVOICES)]
    file.write_text("number,phone,name,amount\n" + "\n".join(lines), encoding="utf-8")
    return file


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4.0"] if drill.big() else ["2.3.7"])
def test_billing_survives_kills_at_random_points(version: str, tmp_path: Path) -> None:
    """Counted at the server, which loses a fifth of its answers besides."""
    chance = random.Random(version)
    file = _customers(tmp_path)
    with FakeEvolution(api_key="key", version=version).serve() as fake:
        fake.create_instance("sales")
        fake.faults.add("message.send_text", "answer_then_drop", probability=0.2)
        environ = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
        environ |= {
            "EVOLUTION_API_URL": fake.url,
            "EVOLUTION_API_KEY": "key",
            "EVOLUTION_INSTANCE": "sales",
            "EVOLUTION_TIMEOUT_SEND_MS": "2000",
        }
        command = [sys.executable, str(EXAMPLES / "outbox_billing.py"), str(file)]
        ever = threading.Event()
        for goal in sorted(chance.choices(range(INVOICES - 20), k=KILLS)):
            process = subprocess.Popen(
                command, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL
            )
            while process.poll() is None and len(fake.sent) < goal:
                ever.wait(0.001)
            process.kill()
            process.wait()
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        told = Counter(line.split()[1] for line in done.stdout.splitlines())
        times = Counter(sent.number for sent in fake.sent)
    assert told == {"sent": INVOICES}
    assert len(times) == INVOICES
    assert set(times.values()) == {1}


def test_the_fastapi_example_confirms_each_order_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("fastapi")
    with fresh_postgres() as place, FakeEvolution(api_key="key").serve() as fake:
        fake.create_instance("sales")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("EVOLUTION_API_URL", fake.url)
        monkeypatch.setenv("EVOLUTION_API_KEY", "key")
        monkeypatch.setenv("EVOLUTION_INSTANCE", "sales")
        monkeypatch.setenv("EVOLUTION_OUTBOX_STORE", place)
        spec = importlib.util.spec_from_file_location(
            "outbox_fastapi", EXAMPLES / "outbox_fastapi.py"
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "outbox_fastapi", module)
        spec.loader.exec_module(module)
        with serving(module.app, asgi=True) as url, httpx.Client(base_url=url, timeout=10) as http:
            for phone in ("5511999990001", "5511999990002"):
                answer = http.post("/orders", json={"phone": phone, "article": "a lamp"})
                assert answer.status_code == 202, answer.text
            refused = http.post("/orders", json={"phone": "nobody", "article": "a lamp"})
            assert refused.status_code == 422
            assert http.get("/messages/none").status_code == 404
            assert http.get("/messages/order-1").json()["recipient"] == "5511999990001"
        # The end of the server is the end of the workers, who finish what is due.
        assert {sent.number for sent in fake.sent} <= {"5511999990001", "5511999990002"}
        import psycopg

        with psycopg.connect(place) as db:
            orders = db.execute("SELECT count(*) FROM shop_order").fetchone()
            messages = db.execute("SELECT count(*) FROM evolution_outbox").fetchone()
        assert orders == messages == (2,)
