"""Another machine, as far as the network goes: a namespace of its own at the end of a cable."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Machine:
    """A namespace, joined to this one by a pair of interfaces.

    Attributes:
        name: Its name.
        here: This side's address, as the namespace sees it.
        cable: This side's interface.
    """

    name: str
    here: str
    cable: str

    @property
    def prefix(self) -> list[str]:
        """What runs a command in it."""
        return ["ip", "netns", "exec", self.name]

    def cut(self) -> None:
        """Pull the cable."""
        _ip("link", "set", self.cable, "down")

    def plug(self) -> None:
        """Put it in again."""
        _ip("link", "set", self.cable, "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def machine() -> Generator[Machine]:
    """Make one; skips the test where that is not allowed."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("needs root and the command ip, to make a network namespace")
    number, chance = secrets.token_hex(4), secrets.randbelow(2**14)
    name, near, far = f"evo-{number}", f"evoa{number}", f"evob{number}"
    base = f"10.231.{chance >> 6}.{(chance & 63) * 4}"
    here, there = _plus(base, 1), _plus(base, 2)
    try:
        _ip("netns", "add", name)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
    try:
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", name)
        _ip("addr", "add", f"{here}/30", "dev", near)
        _ip("link", "set", near, "up")
        _ip("-n", name, "addr", "add", f"{there}/30", "dev", far)
        _ip("-n", name, "link", "set", far, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        yield Machine(name, here, near)
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)


def _plus(base: str, more: int) -> str:
    head, _, last = base.rpartition(".")
    return f"{head}.{int(last) + more}"


@contextmanager
def relay(here: str, port: int) -> Generator[int]:
    """Pass on what comes to an address of this machine to a port that listens on 127.0.0.1."""
    server = socket.create_server((here, 0))
    ends: list[socket.socket] = [server]

    def accept() -> None:
        with suppress(OSError):
            while True:
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", port))
                ends.extend([near, far])
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pass, args=(one, other), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        for one in ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
