"""The page: whole, and with the texts of users and models escaped."""

from html.parser import HTMLParser
from pathlib import Path

from tests.compare.tiny import compared
from trivium.compare.report import render_report, write_report


class Words(HTMLParser):
    """The text of a page, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_the_page_says_what_was_found_and_escapes_what_others_wrote() -> None:
    page = render_report(compared(good=0.95, naive_bayes=0.8), "<svg></svg>")
    words = Words()
    words.feed(page)
    text = " ".join(words.said)
    assert words.open == []
    for said in ("Take good", "It <failed>.", "Text: <b>0</b>", "template: <i>", "held_out: 0.2", "naive-bayes"):
        assert said in text
    assert "<b>0</b>" not in page


def test_the_same_outcome_gives_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_report(compared(good=0.95, naive_bayes=0.8), tmp_path / name)
    for file in ("report.html", "comparison.svg"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()
    assert (tmp_path / "one" / "comparison.svg").read_text().startswith("<svg")
