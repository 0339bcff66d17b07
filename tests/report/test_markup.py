"""Tags escape what is text, whatever it holds."""

import html.parser

import pytest

from marey.report.markup import Html, escaped, joined, tag


@pytest.mark.parametrize("name", ['a<b>&"c"', "</title><script>alert(1)</script>", "it's", "x\x00\ud800y"])
def test_text_and_attributes_come_back_as_they_were(name: str):
    seen: dict[str, str] = {}

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen["tag"], seen["title"] = tag, dict(attrs)["title"]

        def handle_data(self, data):
            seen["text"] = seen.get("text", "") + data

    Reader().feed(tag("p", name, title=name))
    expected = name.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert seen == {"tag": "p", "title": expected, "text": expected}
    escaped(name).encode("utf-8")


def test_markup_is_not_escaped_twice():
    inner = tag("b", "a & b")
    assert tag("p", "<", inner, [inner, "&"]) == f"<p>&lt;{inner}{inner}&amp;</p>"
    assert isinstance(joined("a", inner), Html)


def test_attributes():
    made = tag("line", class_="a b", stroke_width=1.5, x1=1 / 3, hidden=True, left_out=False, none=None)
    assert made == '<line class="a b" stroke-width="1.5" x1="0.333333" hidden></line>'
    assert tag("br") == "<br>"
    assert tag("meta", name="viewport") == '<meta name="viewport">'
