"""The commands about events and health, run in this process or in one of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evolution_sdk.__main__ import main

SRC = Path(__file__).parents[2] / "src"
KEY = "cli-global-key"
NUMBER = "5511999990001"
PATIENCE_S = 30.0


class Answer(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """Each line, read."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def one_error(self) -> str:
        """The one line on stderr."""
        (line,) = self.err.splitlines()
        return line


def isolate(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Keep the developer's settings, language and state away from the commands."""
    for name in [name for name in os.environ if name.startswith(("EVOLUTION_", "WEBHOOK_"))]:
        patch.delenv(name)
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        patch.delenv(name, raising=False)
    patch.setenv("LANG", "C")
    patch.setenv("XDG_STATE_HOME", str(folder / "state"))
    patch.chdir(folder)


def point_at(patch: pytest.MonkeyPatch, url: str, key: str = KEY) -> None:
    """Make a server that of the environment."""
    patch.setenv("EVOLUTION_API_URL", url)
    patch.setenv("EVOLUTION_API_KEY", key)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> Answer:
    """Run the program in this process."""
    capsys.readouterr()
    try:
        code = main(words)
    except SystemExit as ended:  # of argparse
        code = int(ended.code or 0)
    return Answer(code, *capsys.readouterr())


def started(*words: str, folder: Path, **environ: str) -> subprocess.Popen[str]:
    """Begin the program in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVOLUTION_")}
    made = {"PYTHONPATH": str(SRC), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "evolution_sdk", *words],
        env={**kept, **made, "XDG_STATE_HOME": str(folder / "state"), "LANG": "C", **environ},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def ended(process: subprocess.Popen[str]) -> Answer:
    """Wait for its end."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return Answer(process.returncode, out, err)


def upsert(number: int = 1, *, instance: str = "sales", text: str = "oi") -> dict[str, Any]:
    """An event as the server writes it (recorded: `facts/webhooks.json`), with its secrets."""
    return {
        "event": "messages.upsert",
        "instance": instance,
        "data": {
            "key": {
                "id": f"M{number}",
                "remoteJid": f"{NUMBER}@s.whatsapp.net",
                "fromMe": False,
            },
            "pushName": "Ana",
            "message": {"conversation": text},
            "messageType": "conversation",
            "messageTimestamp": 1795448101 + number,
            "source": "unknown",
            "instanceId": "a97f048a-c65f-45a8-80f1-17050b160d3f",
        },
        "destination": "https://hooks.example.com/evolution?token=url-secret",
        "date_time": "2026-11-23T12:35:00.986Z",
        "sender": "5511999990009@s.whatsapp.net",
        "server_url": "http://127.0.0.1:8085",
        "apikey": "token-secret",
    }


def qrcode(instance: str = "sales") -> dict[str, Any]:
    """A QR code as the server tells it."""
    code = {"instance": instance, "pairingCode": None, "code": "qr-secret", "base64": "qr-secret"}
    return {
        "event": "qrcode.updated",
        "instance": instance,
        "data": {"qrcode": code},
        "apikey": "token-secret",
    }
