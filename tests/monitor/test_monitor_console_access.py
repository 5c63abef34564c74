"""Who may see the console and who may act; and what every answer carries."""

from __future__ import annotations

from typing import Any

import pytest
from console_kit import BEARER, PAGE, TOKEN, act, ask
from monitor_kit import World

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.monitor import EvolutionConsole


def console(world: World | None = None, **options: Any) -> EvolutionConsole:
    if "access" not in options:
        options.setdefault("token", TOKEN)
    return EvolutionConsole((world or World()).monitor, **options)


def cookie(answer: Any) -> dict[str, str]:
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


async def login(app: Any, token: str = TOKEN, **more: Any) -> Any:
    return await ask(app, "POST", "/login", PAGE, f"token={token}".encode(), **more)


async def test_the_page_is_for_all_and_its_data_for_those_with_a_token() -> None:
    app = console()
    assert (await ask(app, "GET", "/")).status == 200
    assert (await ask(app, "GET", "/api/state")).json["error"] == "login"
    assert (await ask(app, "GET", "/api/stream")).status == 401
    assert (await ask(app, "GET", "/api/state", BEARER)).status == 200
    wrong = {"authorization": "Bearer another-token-of-24-chars"}
    assert (await ask(app, "GET", "/api/state", wrong)).status == 401


async def test_a_login_gives_a_cookie_that_holds_no_token() -> None:
    app = console()
    answer = await login(app)
    assert (answer.status, answer.json) == (200, {"ok": True, "level": "view"})
    text = answer.headers["set-cookie"]
    assert TOKEN not in text
    assert "HttpOnly" in text
    assert "SameSite=Strict" in text
    assert "Secure" not in text
    assert (await ask(app, "GET", "/api/state", cookie(answer))).status == 200
    over = await login(app, scheme="https")
    assert "; Secure" in over.headers["set-cookie"]


async def test_a_changed_or_an_old_cookie_opens_nothing() -> None:
    world = World()
    app = console(world)
    given = cookie(await login(app))["cookie"]
    longer = given.replace("=", "=9", 1)
    for wrong in (given[:-1], longer, given + "x", "evolution_console=", "evolution_console=1.2.3"):
        assert (await ask(app, "GET", "/api/state", {"cookie": wrong})).status == 401
    world.time.advance(43_200_001)
    assert (await ask(app, "GET", "/api/state", {"cookie": given})).status == 401


async def test_a_cookie_survives_a_restart_and_no_change_of_the_token() -> None:
    world = World()
    given = cookie(await login(console(world)))
    assert (await ask(console(world), "GET", "/api/state", given)).status == 200
    other = console(world, token="another-token-of-24-chars")
    assert (await ask(other, "GET", "/api/state", given)).status == 401


async def test_a_logout_takes_the_cookie_away() -> None:
    answer = await ask(console(), "POST", "/logout", PAGE)
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_guesses_of_one_address_are_bounded() -> None:
    world = World()
    app = console(world)
    codes = [(await login(app, f"wrong-{n}")).status for n in range(5)]
    assert codes[0] == 401
    assert codes[-1] == 429
    held = await login(app)
    assert held.status == 429
    assert int(held.headers["retry-after"]) == held.json["retry_after_s"]
    # Neither does the other door open, and others are not held up.
    assert (await ask(app, "GET", "/api/state", BEARER)).status == 401
    assert (await login(app, address="192.0.2.2")).status == 200
    world.time.advance(61_000)
    assert (await login(app)).status == 200


async def test_a_form_without_script_is_sent_on() -> None:
    app = console()
    named = {"host": "console.test", "origin": "http://console.test"}
    right = await ask(app, "POST", "/login", named, f"token={TOKEN}".encode())
    assert (right.status, right.headers["location"]) == (303, "./")
    wrong = await ask(app, "POST", "/login", named, b"token=x")
    assert (wrong.status, wrong.headers["location"]) == (303, "./?refused=1")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "http://console.test.evil.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_nothing_changes_for_another_origin(headers: dict[str, str]) -> None:
    app = console(actions=True)
    for path in ("/login", "/logout", "/api/actions"):
        answer = await ask(app, "POST", path, {**BEARER, **PAGE, **headers}, b"{}")
        assert (answer.status, answer.json["error"]) == (403, "origin")


async def test_an_action_needs_the_header_of_the_page() -> None:
    app = console(actions=True)
    named = {**BEARER, "host": "console.test"}
    answer = await ask(app, "POST", "/api/actions", named, b'{"action":"connect"}')
    assert answer.json["error"] == "origin"


async def test_a_callable_decides_instead_of_a_token() -> None:
    seen: list[str] = []

    async def access(scope: Any) -> Any:
        seen.append(scope["path"])
        return dict(scope["headers"]).get(b"x-role", b"").decode() or None

    app = console(access=access, actions=True)
    assert (await ask(app, "GET", "/api/state")).json["error"] == "forbidden"
    view = await ask(app, "GET", "/api/state", {"x-role": "view"})
    assert view.json["can"] == {"act": False}
    assert (await act(app, {"x-role": "view"}, action="pause")).json["error"] == "forbidden"
    assert (await ask(app, "GET", "/api/state", {"x-role": "act"})).json["can"] == {"act": True}
    # Any other word is a mistake, and opens nothing.
    assert (await ask(app, "GET", "/api/state", {"x-role": "admin"})).status == 403
    assert (await login(app)).status == 404
    assert "/api/state" in seen


async def test_without_actions_nobody_acts() -> None:
    app = console()
    assert (await ask(app, "GET", "/api/state", BEARER)).json["can"] == {"act": False}
    assert (await act(app, action="pause", instance=None)).json["error"] == "forbidden"


async def test_every_answer_carries_the_strict_headers() -> None:
    app = console()
    for path in ("/", "/nothing", "/api/state", "/static/index.html"):
        headers = (await ask(app, "GET", path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert (await ask(app, "GET", "/api/state", BEARER)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static/", "/static//etc/passwd", "/app.py"],
)
async def test_only_the_files_of_the_page_are_served(path: str) -> None:
    assert (await ask(console(), "GET", path)).status == 404


async def test_a_page_that_is_known_is_not_sent_again() -> None:
    app = console()
    first = await ask(app, "GET", "/")
    again = await ask(app, "GET", "/", {"if-none-match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert (await ask(app, "HEAD", "/")).body == b""


async def test_methods_and_bodies_are_bounded() -> None:
    app = console(actions=True)
    assert (await ask(app, "PUT", "/")).status == 405
    assert (await ask(app, "GET", "/login")).status == 405
    answer = await ask(app, "POST", "/api/actions", {**BEARER, **PAGE}, b"x" * 70_000)
    assert answer.status == 413


@pytest.mark.parametrize("root", ["/ops/console", "/ops/console/"])
async def test_it_may_be_mounted_under_a_prefix(root: str) -> None:
    app = console()
    kept = "/ops/console"
    assert (await ask(app, "GET", f"{kept}/api/state", BEARER, root=root)).status == 200
    # Older frameworks strip the place off.
    assert (await ask(app, "GET", "/api/state", BEARER, root=root)).status == 200
    sent_on = await ask(app, "GET", kept, root=kept)
    assert (sent_on.status, sent_on.headers["location"]) == (307, f"{kept}/")
    named = await ask(app, "POST", f"{kept}/login", PAGE, f"token={TOKEN}".encode(), root=root)
    assert f"Path={kept};" in named.headers["set-cookie"]


def test_it_must_be_closed_to_somebody() -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_CONSOLE_TOKEN"):
        EvolutionConsole(World().monitor)
    with pytest.raises(ConfigurationError, match="16 characters"):
        console(token="short")
    with pytest.raises(ConfigurationError, match="not both"):
        console(token=TOKEN, access=lambda scope: "view")


async def test_the_setting_opens_the_console_of_the_monitor() -> None:
    world = World(config=EvolutionConfig("http://f.test", "key", console={"token": TOKEN}))
    app = world.monitor.asgi
    assert app is world.monitor.asgi
    assert (await ask(app, "GET", "/api/state", BEARER)).status == 200
    other = World(config=EvolutionConfig("http://f.test", "key"))
    with pytest.raises(ConfigurationError):
        _ = other.monitor.asgi
