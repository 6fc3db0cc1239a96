"""The probes are of several kinds, and each tries what the others do not."""

from trivium.evaluate.probes import CHAT, PROBES


def test_the_kinds_of_text_there_are() -> None:
    assert any("\r\n" in text and "\t" in text for text in PROBES.values())
    assert any(character.isdigit() for character in PROBES["numbers"])
    assert "    " in PROBES["code"]
    assert any(ord(character) > 0xFFFF for character in PROBES["emoji"])
    assert {"Zażółć"[2], "П", "日", "ש"} <= set(PROBES["unicode"])
    assert all(token in PROBES["special"] for token in ("<s>", "[MASK]", "<|endoftext|>", "<extra_id_0>"))
    assert len(set(PROBES.values())) == len(PROBES) >= 10
    assert all(text.encode() for text in PROBES.values())


def test_the_chat_is_a_conversation_that_spells_a_special_token() -> None:
    assert [message["role"] for message in CHAT] == ["system", "user", "assistant", "user"]
    assert "<|im_end|>" in CHAT[-1]["content"]
