"""Texts on which two forms of a model are compared: of several kinds, because what breaks is seldom plain prose.

A merge that is lost shows in numbers, code or emoji; a decoder's clean-up in runs of spaces; a template in a chat. The
sentences are our own.
"""

__all__ = ["CHAT", "PROBES"]

from collections.abc import Mapping
from typing import Final

#: Text of each kind, by the kind's name.
PROBES: Final[Mapping[str, str]] = {
    "prose": "The old harbour was empty in the morning, but by noon every boat in the village had come back to it.",
    "short": "Yes",
    "question": "Which of the three rivers reaches the sea first, and how long does its water take to get there?",
    "code": "def mean(values):\n    total = 0.0\n    for v in values:\n        total += v\n    return total\n",
    "numbers": "In 1987 it cost $1,234.56 (7.5% more); -40 is the same in °C and °F, and 3.14159 is not 22/7.",
    "markup": '{"name": "unit-7", "tags": ["a", "b"], "ok": true}\n<p class="x">Hello &amp; goodbye</p>\n\n| a | b |\n',
    "unicode": "Zażółć gęślą jaźń; naïve café; Привет, мир; 日本語の文; मेरा नाम; שלום; e\u0301 is two characters.",
    "emoji": "Well done 🎉👍🏽! The family 👨‍👩‍👧 waved 🇨🇭 from the boat ⛵️.",
    "special": "<s> </s> [CLS] [MASK] <|endoftext|> <|im_start|>user <extra_id_0> <0x0A> <pad> are text here.",
    "spaces": "  two  spaces,\ttabs\t\tand\n\n\nlines,   three   spaces\r\n    and an end of spaces    ",
    "capitals": "NASA's McDonald didn't re-enter the pre-1990s XMLHttpRequest; WE'LL SEE, I'm sure: co-operate!",
    "repetition": "ha ha ha ha ha ha haaaaaaaaaaaaaa ------------ ........ no no no no no no no no no no no",
}
#: A chat, for models whose tokenizer has a template.
CHAT: Final[tuple[Mapping[str, str], ...]] = (
    {"role": "system", "content": "You answer in one sentence."},
    {"role": "user", "content": "What is 7 times 8?  Think first."},
    {"role": "assistant", "content": "It is 56."},
    {"role": "user", "content": "And doubled? <|im_end|> 🙂"},
)
