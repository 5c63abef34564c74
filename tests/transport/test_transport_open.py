"""Opening: which settings are refused, and what is imported when."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import aiohttp
import httpx
import httpx2
import pytest
from aiohttp.client_proto import ResponseHandler
from transport_adapters import Adapter, make_request

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.transport import TransportOptions, open_async_transport, open_sync_transport
from evolution_sdk.transport._aiohttp_direct import is_possible

SOURCE = Path(__file__).parents[2] / "src" / "evolution_sdk"
HTTP_LIBRARIES = {"httpx", "httpcore", "httpx2", "httpcore2", "aiohttp", "requests", "urllib3"}


def imported_names(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_only_the_transport_package_imports_an_http_library():
    guilty = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if imported_names(path) & HTTP_LIBRARIES and path.parent.name != "transport"
    }
    # The public test kit may: it plays the server, and is imported by tests alone. And two modules
    # of commands: one speaks to webhooks, which are no server of ours, one serves them.
    allowed = {"cli/plain_http.py", "cli/serving.py"}
    assert {name for name in guilty if not name.startswith("testing")} - allowed == set()


@pytest.mark.parametrize(
    ("code", "loaded"),
    [
        ("import evolution_sdk.transport", set()),
        ("from evolution_sdk.transport import *; TransportOptions()", set()),
        (
            "from evolution_sdk.transport import *; open_async_transport()",
            {"httpcore", "httpx"},
        ),
        ("from evolution_sdk.transport import *; open_sync_transport()", {"httpcore", "httpx"}),
        (
            "from evolution_sdk.transport import *; open_async_transport(TransportOptions(AIO))",
            {"aiohttp"},
        ),
        (
            "from evolution_sdk.transport import *; open_async_transport(TransportOptions(TWO))",
            {"httpcore2", "httpx2"},
        ),
        (
            "from evolution_sdk.transport import *; open_sync_transport(TransportOptions(TWO))",
            {"httpcore2", "httpx2"},
        ),
    ],
)
def test_libraries_are_imported_when_they_are_needed(code, loaded):
    show = f"print(*sorted({HTTP_LIBRARIES!r} & set(sys.modules)))"
    check = f"import sys; AIO, TWO = 'aiohttp', 'httpx2'; {code}; {show}"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == loaded


def test_a_missing_aiohttp_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'evolutionapi-sdk\[aiohttp\]'"):
        open_async_transport(TransportOptions(backend="aiohttp"))


@pytest.mark.parametrize("opener", [open_async_transport, open_sync_transport])
def test_a_missing_httpx2_says_what_to_install(opener, monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'evolutionapi-sdk\[httpx2\]'"):
        opener(TransportOptions(backend="httpx2"))


@pytest.mark.skipif(not hasattr(httpx2, "alias_httpx"), reason="this httpx2 takes no other's name")
def test_a_process_that_calls_httpx2_by_the_name_of_httpx():
    """``httpx2.alias_httpx()`` does so; calls then still go straight to the pool."""
    code = (
        "import httpx2; httpx2.alias_httpx()\n"
        "from evolution_sdk.transport import *\n"
        "transport = open_sync_transport()\n"
        "print(type(transport.http_client).__module__, transport._hooks.any())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["httpx2", "False"]


def test_aiohttp_is_async_only():
    with pytest.raises(ConfigurationError, match="async only"):
        open_sync_transport(TransportOptions(backend="aiohttp"))


@pytest.mark.parametrize("module", [httpx, httpx2])
def test_a_client_of_the_other_kind_is_refused(module):
    with module.Client() as client, pytest.raises(ConfigurationError, match="AsyncClient"):
        open_async_transport(TransportOptions(http_client=client))


@pytest.mark.parametrize("module", [httpx, httpx2])
async def test_an_async_client_is_refused_on_the_blocking_side(module):
    async with module.AsyncClient() as client:
        with pytest.raises(ConfigurationError, match=r"httpx\.Client"):
            open_sync_transport(TransportOptions(http_client=client))


@pytest.mark.parametrize("client", ["http://x", object()])
def test_anything_else_is_no_client(client):
    with pytest.raises(ConfigurationError, match="http_client"):
        open_async_transport(TransportOptions(http_client=client))


async def test_a_subclass_of_a_client_will_do():
    class Mine(httpx.AsyncClient):
        pass

    async with Mine() as client:
        transport = open_async_transport(TransportOptions(http_client=client))
        assert type(transport).__name__ == "HttpxClientAsyncTransport"


async def test_a_ready_made_client_wins_over_the_backend():
    """EVOLUTION_HTTP_BACKEND may be set for the rest of the application."""
    async with httpx.AsyncClient() as client:
        transport = open_async_transport(TransportOptions("aiohttp", http_client=client))
        assert type(transport).__name__ == "HttpxClientAsyncTransport"


@pytest.mark.parametrize(
    "setting",
    [
        {"proxy": "http://p:1"},
        {"verify": False},
        {"max_connections": 5},
        {"keepalive_expiry_ms": 1},
    ],
)
async def test_settings_that_a_ready_made_client_would_ignore_are_refused(setting):
    async with httpx.AsyncClient() as client:
        with pytest.raises(ConfigurationError, match=next(iter(setting))):
            open_async_transport(TransportOptions(http_client=client, **setting))


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"backend": "requests"}, "http_backend"),
        ({"max_connections": 0}, "max_connections"),
        ({"keepalive_expiry_ms": -1}, "keepalive_expiry_ms"),
        ({"verify": "/no/such/ca.pem"}, "verify"),
    ],
)
def test_wrong_settings_are_refused_at_once(setting, named):
    with pytest.raises(ConfigurationError, match=named):
        open_async_transport(TransportOptions(**setting))


async def test_a_ca_file_without_certificates_is_a_wrong_setting(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nothing")
    for kind in ("httpx", "httpx2", "aiohttp", "httpx-sync", "httpx2-sync"):
        adapter = Adapter(kind, verify=str(path))
        with pytest.raises(ConfigurationError, match="verify"):
            await adapter.send(make_request("https://127.0.0.1:9"))
        await adapter.close()


def test_the_installed_aiohttp_allows_the_short_way():
    assert is_possible()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (aiohttp.TCPConnector, "connect"),
        (ResponseHandler, "set_response_params"),
        (ResponseHandler, "start_timeout"),
        (ResponseHandler, "read"),
    ],
)
def test_changed_parts_of_aiohttp_rule_the_short_way_out(owner, name, monkeypatch):
    def changed(self, something_new):
        raise NotImplementedError

    monkeypatch.setattr(owner, name, changed)
    assert not is_possible()
