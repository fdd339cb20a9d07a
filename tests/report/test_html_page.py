"""The page is one file of HTML: whole, without a script, and no text is markup."""

import math

import numpy as np
import pandas as pd
import pytest
from private_fits import make_data

from skdpgmm import DPEmbeddingSynthesizer, DPKMeans, report

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(1)>"
# Nothing but these may be in it.
ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "section"),
    *("dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "div"),
    *("figure", "figcaption", "img", "svg", "path", "polyline", "text", "footer"),
}


def test_a_page_is_whole_and_fetches_nothing(fitted, seen):
    page = report(fitted, title="Clusters").to_html()
    found = seen(page)
    assert set(found.elements) <= ELEMENTS
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in ("href", "src") or value.startswith("data:")
    text = " ".join(found.texts)
    for title in ("Clusters", "(3, 1e-05)-differentially private", "Ledger"):
        assert title in text
    assert "@media print" in page and "max-width:40rem" in page


def test_what_users_name_is_text(seen):
    X, y = make_data(300, 3)
    X = pd.DataFrame(X, columns=[EVIL, "b", "c"])
    labels = np.array([EVIL, "b", "c"])[y]
    fitted = DPEmbeddingSynthesizer(epsilon=5.0, classes=[EVIL, "b", "c"]).fit(
        X, labels
    )
    made = report(fitted, title=EVIL, card={"name": EVIL, "registry_authors": [EVIL]})
    page = made.to_html()
    found = seen(page)
    assert set(found.elements) <= ELEMENTS
    assert "<script" not in page and "<img" not in page
    assert EVIL in found.texts  # the same to a reader
    assert "<script" not in made.to_markdown().replace("\\<script", "")


def test_without_privacy_the_heading_says_so(seen):
    made = report(DPKMeans(2, epsilon=math.inf).fit(make_data(300, 3)[0]))
    page = made.to_html()
    assert '<h1 class="title alarm">NOT PRIVATE: ' in page
    assert "<title>NOT PRIVATE: " in page
    assert ".alarm{color:#b00020}" in page
    assert seen(page).elements.count("h1") == 1


@pytest.mark.parametrize("wide", [True, False])
def test_wide_tables_are_cards_on_a_phone(wide, fitted):
    page = report(fitted).to_html()
    title = "Ledger" if wide else "What was released"
    part = page.split(f"<h2>{title}</h2>")[1].split("</section>")[0]
    assert ('<table class="cards">' in part) is wide
