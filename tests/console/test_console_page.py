"""The console's page in real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_stage import TOKEN, Stage, stage

Open = Callable[..., Any]


def row(page: Any, name: str) -> Any:
    return page.locator(".rows > li", has=page.get_by_text(name, exact=True))


def test_a_change_of_health_is_seen_without_a_reload(desk: Stage, show: Open) -> None:
    page = show(desk)
    page.evaluate("window.stays = true")
    assert "healthy" in page.inner_text("#health .pill")
    desk.fake.set_state("support", "close")
    desk.check()
    page.wait_for_selector("#health .pill.degraded")
    page.wait_for_selector("#instances .row .pill.unhealthy")
    assert "instance support: it is closed" in page.inner_text("#health")
    assert page.inner_text("#live") == "Health is now: degraded."
    # The worst one is the first.
    assert page.locator(".row .name").first.text_content() == "support"
    desk.fake.set_state("support", "open")
    desk.recover()
    page.wait_for_selector("#health .pill.healthy")
    assert page.evaluate("window.stays")


def test_a_code_to_scan_comes_and_goes(desk: Stage, show: Open) -> None:
    page = show(desk)
    desk.fake.log_out("support")
    desk.check()
    page.wait_for_selector("#instances .row .pill.unhealthy")
    row(page, "support").locator("button.row").click()
    page.get_by_role("button", name="New code").click()
    picture = page.wait_for_selector(".qr img")
    assert picture.get_attribute("src").startswith("data:image/png;base64,")
    assert picture.get_attribute("alt") == "QR code that links a phone to support"
    desk.fake.scan_qr("support")
    desk.recover()
    page.wait_for_selector(".qr", state="detached")
    page.wait_for_selector(".row:has-text('support') .pill.healthy")


def test_a_dead_letter_is_replayed_after_a_question(desk: Stage, show: Open) -> None:
    desk.works = False
    desk.receive("A1")
    page = show(desk)
    page.wait_for_selector("#receiver td:has-text('ValueError')")
    assert "oi" not in page.inner_text("#receiver tbody")
    replay = page.get_by_role("button", name="Replay messages.upsert")
    replay.click()
    page.get_by_role("dialog").get_by_role("button", name="No, go back").click()
    assert len(desk.receiver.dead_letters()) == 1
    desk.works = True
    replay.click()
    page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    page.wait_for_selector("#toast.done")
    page.wait_for_selector("#receiver td", state="detached")
    assert desk.receiver.drain()
    assert desk.receiver.dead_letters() == []


def test_a_message_of_unknown_outcome_is_settled(desk: Stage, show: Open) -> None:
    message = desk.outbox.messages.send_text("5511987654321", "oi", key="order-17")
    with desk.outbox._store.writing() as (session, _):
        session.run(
            "UPDATE evolution_outbox SET state = 'unknown', lined_up = 1 WHERE id = ?",
            (message.id,),
        )
    page = show(desk)
    page.get_by_role("button", name="It was sent order-17").click()
    dialog = page.get_by_role("dialog")
    assert "Look at the phone first" in dialog.inner_text()
    dialog.get_by_role("button", name="It was sent").click()
    page.wait_for_selector("#outbox td", state="detached")
    found = desk.outbox.get("order-17")
    assert found is not None
    assert found.state == "sent"


def test_who_may_only_look_on_sees_neither_codes_nor_buttons(
    tmp_path: Path, browser: Any, show: Open
) -> None:
    with stage(tmp_path, "sales", actions=False) as desk:
        desk.works = False
        desk.receive("A1")
        desk.fake.log_out("sales")
        desk.check()
        page = show(desk)
        page.wait_for_selector("#receiver td:has-text('ValueError')")
        row(page, "sales").locator("button.row").click()
        page.wait_for_selector(".pairing")
        assert page.locator("#receiver button, #outbox button, .qr, .inside button").count() == 0


def test_a_wrong_token_is_refused_and_the_right_one_let_in(
    desk: Stage, profile: Callable[..., Any]
) -> None:
    made = profile()
    page = made.page
    page.goto(f"{desk.url}/#token=not-the-token-at-all")
    page.wait_for_selector("#login-error:not(:empty)")
    assert page.url == f"{desk.url}/"
    assert page.is_hidden("#board")
    page.fill("#token", "neither-is-this-one")
    with page.expect_response("**/login") as answered:
        page.keyboard.press("Enter")
    assert answered.value.status == 401
    page.wait_for_selector("#login-error:not(:empty)")
    page.fill("#token", TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#board:not([hidden])")
    assert page.evaluate("document.cookie") == ""
    # The session lasts over a reload, and ends with it.
    page.reload()
    page.wait_for_selector("#board:not([hidden])")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_selector("#login:not([hidden])")
    page.reload()
    page.wait_for_selector("#login:not([hidden])")
    assert not any(TOKEN in url for url in made.requests)


def test_two_hundred_instances_can_be_found_and_ordered(
    tmp_path: Path, browser: Any, show: Open
) -> None:
    names = [f"shop-{number:03}" for number in range(200)]
    with stage(tmp_path, *names) as desk:
        desk.lose("shop-150")
        page = show(desk)
        assert page.locator(".rows > li").count() == 200
        # Not inner_text: it is empty for a row that the browser has not drawn yet.
        assert page.locator(".row .name").first.text_content() == "shop-150"
        page.get_by_label("Order").select_option("name")
        assert page.locator(".row .name").first.text_content() == "shop-000"
        page.get_by_label("Find an instance").fill("15")
        shown = page.locator(".row .name").all_text_contents()
        assert shown == ["shop-015", "shop-115", *(f"shop-15{digit}" for digit in range(10))]
        assert "12 of 200" in page.inner_text("#instances")
        # A change does not throw away what somebody is typing.
        desk.lose("shop-151")
        page.wait_for_selector(".row:has-text('shop-151') .pill.unhealthy")
        assert page.get_by_label("Find an instance").input_value() == "15"
        page.get_by_label("Find an instance").fill("none such")
        assert page.is_visible("text=No instance has this name.")


def test_everything_can_be_done_by_keyboard(desk: Stage, show: Open) -> None:
    desk.works = False
    desk.receive("A1")
    page = show(desk)
    page.wait_for_selector("#receiver td:has-text('ValueError')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    reached: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.textContent"
        )
        reached.append(words)
        if words.startswith("support"):
            page.keyboard.press("Enter")
            assert page.evaluate("document.activeElement.ariaExpanded") == "true"
        if words.startswith("Replay messages"):
            break
    assert any(words.startswith("Find an instance") for words in reached)
    assert any(words.startswith("24 hours") for words in reached)
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    # The dialog keeps the focus, and gives it back.
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog:not([open])", state="attached")
    assert page.evaluate("document.activeElement.textContent").startswith("Replay")
    assert len(desk.receiver.dead_letters()) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-US", "pt-BR"])
def test_axe_finds_nothing_serious(desk: Stage, show: Open, theme: str, locale: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    desk.works = False
    desk.receive("A1")
    desk.client.messages.send_text("5511987654321", "oi")
    desk.fake.log_out("support")
    desk.check()
    page = show(desk, color_scheme=theme, locale=locale)
    page.wait_for_selector("#receiver td:has-text('ValueError')")
    row(page, "support").locator("button.row").click()
    assert page.evaluate("document.documentElement.lang") == locale.split("-US")[0]
    found = axe.Axe().run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave] == []


def test_nothing_comes_from_elsewhere(desk: Stage, profile: Callable[..., Any]) -> None:
    made = profile()
    made.page.goto(f"{desk.url}/#token={TOKEN}")
    made.page.wait_for_selector("#board:not([hidden])")
    assert {re.sub(r"^(https?://[^/]+|data:).*", r"\1", url) for url in made.requests} <= {
        desk.url,
        "data:",
    }
    assert len(made.requests) >= 5


def test_a_phone_scrolls_in_one_direction_only(desk: Stage, show: Open) -> None:
    desk.works = False
    desk.receive("A1")
    page = show(desk, viewport={"width": 360, "height": 740})
    page.wait_for_selector("#receiver td:has-text('ValueError')")
    row(page, "support").locator("button.row").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_page_speaks_portuguese_and_remembers_it(desk: Stage, show: Open) -> None:
    desk.fake.set_state("support", "close")
    desk.check()
    page = show(desk)
    page.get_by_label("Language").select_option("pt")
    assert "Saúde" in page.inner_text("#health h2")
    assert "instância support: está fechada" in page.inner_text("#health")
    page.get_by_label("Tema").select_option("dark")
    page.reload()
    page.wait_for_selector("#board:not([hidden])")
    assert "Saúde" in page.inner_text("#health h2")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
