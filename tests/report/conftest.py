"""A fit that all tests of reports may look at, and what they look at it with."""

from html.parser import HTMLParser

import pytest
from private_fits import make_data

from skdpgmm import DPKMeans

# Elements without an end.
_VOID = {"meta", "img", "path"}


class Seen(HTMLParser):
    """Text, elements and attributes of a page; whether each is closed where it must."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.elements.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)


@pytest.fixture(scope="session")
def seen():
    return Seen


@pytest.fixture(scope="session")
def fitted():
    return DPKMeans(2, epsilon=3.0).fit(make_data(300, 3)[0])
