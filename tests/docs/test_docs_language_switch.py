"""The site's switch of languages, in a browser: it leads to the same page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from docs_pages import ROOT

from services import chromium

SITE = "http://site.invalid/latest/"
SCRIPT = (ROOT / "docs" / "en" / "assets" / "site.js").read_text("utf-8")
# What the theme writes: its links lead to the start pages, seen from the page they are on.
PAGE = """<!doctype html><html lang="{lang}"><body>
<a href="{up}" hreflang="en" class="md-select__link">English</a>
<a href="{up}pt/" hreflang="pt-BR" class="md-select__link">Português</a>
<script>{script}</script></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as made:
        yield made


@pytest.mark.parametrize(
    ("lang", "page", "up"),
    [
        ("en", "send/", "../"),
        ("en", "cookbook/opt_out/", "../../"),
        ("en", "", "./"),
        ("pt", "pt/send/#texto", "../../"),
        ("pt", "pt/cookbook/opt_out/?q=1", "../../../"),
        ("pt", "pt/", "../"),
    ],
)
def test_each_way_leads_to_the_same_page(browser: Any, lang: str, page: str, up: str) -> None:
    tab = browser.new_page()
    body = PAGE.format(lang=lang, up=up, script=SCRIPT)
    tab.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
    tab.goto(f"{SITE}{page}")
    ways = tab.eval_on_selector_all("a", "ways => ways.map(way => way.href)")
    same = page.removeprefix("pt/").partition("#")[0].partition("?")[0]
    assert ways == [f"{SITE}{same}", f"{SITE}pt/{same}"]
    tab.close()
