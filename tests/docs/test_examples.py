"""Every example runs without arguments, and does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services import require_service

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

# What the output must contain, as patterns; every program of the folder is listed here.
SAYS = {
    "quickstart.py": [
        r"faults +[1-9]\d* calls refused, [1-9]\d* answers lost",
        r"result +30 sent, 0 lost, 0 sent twice",
    ],
    "send_async.py": [
        r"^sent +197$",
        r"^found in the store +3$",
        r"^attempts +202$",
        r"^on the server +200$",
    ],
    "send_media.py": [
        r"documentMessage: Invoice 4711",
        r"imageMessage",
        r"locationMessage: MASP",
        r"contactMessage",
        r"answer +Please pay by Friday",
        r"refused +media: ",
    ],
    "ask_by_poll.py": [
        r"^vote +large$",
        r"^tally +\{'small': 0, 'large': 1\}$",
    ],
    "read_messages.py": [
        r"Ana: 2 message\(s\), last: Where is my order\?",
        r"Bruno: 1 message\(s\), last: Oi",
        r"answered; status READ",
    ],
    "rabbit_workers.py": [
        r"killed +one of 3 workers after \d+ events",
        r"handled +90 of 90 events, lost 0",
    ],
    "retry_service.py": [
        r"sync +booked with call 3",
        r"report: gave up after 3, exhausted",
        r"sync +the disk is full",
        r"instance\.connection_state: attempt 1 failed, again",
        r"sync +operations: book, instance\.connection_state, message\.send_text, report",
        r"sync +sends: 1 in 1 attempts",
        r"async +booked with call 3",
        r"async +100% of 2 operations succeeded",
    ],
    "monitor_alerts.py": [
        r"sync +unknown -> healthy",
        r"sync +healthy -> unhealthy .*closed",
        r"alert +\[critical\] ",
        r"sync +unhealthy, open connections: 0",
        r"async +unhealthy: ",
        r"async +memory: True",
    ],
    "archive_backup.py": [
        r"sync +found: Invoice 4711 is due on Friday\.",
        r"async +found: 2 invoices",
        r"export +3 messages to whatsapp\.jsonl",
    ],
    "outbox_billing.py": [
        r"^killed +after \d+ messages$",
        r"^invoice-4711 +sent +3EB0",
        r"^invoice-4771 +refused +number: ",
        r"^on the server +60 of 60 customers, 0 got it twice$",
    ],
    "outbox_django.py": [
        r"^rolled back +nothing: there is no such article$",
        r"^order-1 +sent$",
        r"^orders +2, messages 2$",
        r"We are packing: a chair\.",
    ],
    "connect_phone.py": [
        r"created +support",
        r"scan +\S+qr\.png",
        r"state +open",
        r"deleted +support",
    ],
}


# What they need besides; skipped without, unless the environment demands it.
NEEDS = {
    "rabbit_workers.py": ("RabbitMQ", 5672),
    "outbox_django.py": ("PostgreSQL", 5432),
}


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run in a folder without .env, and without the settings of whoever runs the tests."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("EVOLUTION_", "WEBHOOK_"))}
    environ["TMPDIR"] = str(folder)
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("program", SAYS)
def test_example_runs(program: str, tmp_path: Path) -> None:
    if program in NEEDS:
        require_service(*NEEDS[program])
    done = _run(tmp_path, "-W", "error", str(EXAMPLES / program))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for pattern in SAYS[program]:
        assert re.search(pattern, done.stdout, re.MULTILINE), (pattern, done.stdout)


def test_example_test_file_passes(tmp_path: Path) -> None:
    file = EXAMPLES / "test_with_fake.py"
    count = len(re.findall(r"^def test_", file.read_text(encoding="utf-8"), re.MULTILINE))
    options = ["-q", "-W", "error", "-o", "asyncio_default_fixture_loop_scope=function"]
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(tmp_path)]
    done = _run(tmp_path, "-m", "pytest", *options, *plugins, "-c", os.devnull, str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= count


def test_every_example_is_tested() -> None:
    programs = {path.name for path in EXAMPLES.glob("*.py") if not path.name.startswith("_")}
    # The webhook examples are started and called in tests/webhooks/test_webhooks_apps.py.
    webhooks = {f"webhook_{name}.py" for name in ("fastapi", "starlette", "flask", "django")}
    # This one is started and called in tests/outbox/test_outbox_examples.py.
    assert programs == {*SAYS, *webhooks, "outbox_fastapi.py", "test_with_fake.py"}
