import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trivium.data.readers import clean_news

MENDED = {
    'the two can "?and should "?continue': "the two can — and should — continue",
    'teachers"?strike and CIS states"?envoys': "teachers' strike and CIS states' envoys",
    'he was "wrong,"?she said': 'he was "wrong," she said',
    'terms such as "slay"?and "yaas"?visually': 'terms such as "slay" and "yaas" visually',
    'It didn"t, and I"ve said': "It didn't, and I've said",
    'a so-called "\ufffdhigh-risk pool': 'a so-called "high-risk pool',
    "nations are great.- But our people": "nations are great.\nBut our people",
    "providing access.    Under the targets": "providing access.\nUnder the targets",
    "-Opening line": "Opening line",
    "well-known, 2-1": "well-known, 2-1",
}


@pytest.mark.parametrize("broken", MENDED)
def test_broken_marks_are_mended(broken: str) -> None:
    assert clean_news(broken) == MENDED[broken]


def test_the_news_are_clean(entry: Callable[[str], Path]) -> None:
    with (entry("news") / "train.jsonl").open() as lines:
        texts = [json.loads(line)["text"] for line in lines]
    assert len(texts) == len(set(texts)) == 3781  # 3,824 less 42 repetitions, the empty text among them, and it
    assert all(text == text.strip() != "" for text in texts)
    assert not any('"?' in text or "  " in text for text in texts)
    assert sum(len(text.split()) for text in texts) > 2_000_000
    assert sum(text.count("\ufffd") for text in texts) < 2500  # of 12.5 million characters, what nobody can know
