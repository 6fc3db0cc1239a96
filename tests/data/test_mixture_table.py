import json

from trivium.data.mixture_table import MANY_EPOCHS, MixtureTable, SourceShare


def share(name: str, tokens: int, tokens_read: int) -> SourceShare:
    return SourceShare(
        name=name,
        documents=10,
        tokens=tokens,
        share_asked=0.5,
        share=0.5,
        windows=tokens_read // 10,
        tokens_read=tokens_read,
        documents_read=7,
        epochs=tokens_read / tokens,
        max_epochs=None,
    )


def test_totals_and_warnings() -> None:
    table = MixtureTable((share("law", 100, 420), share("news", 100, int(100 * MANY_EPOCHS))))
    assert (table.windows, table.tokens) == (82, 820)
    (warning,) = table.warnings
    assert warning.startswith("'law' is read 4.2 times")
    shown = json.loads(json.dumps(table.to_dict()))
    assert [source["name"] for source in shown["sources"]] == ["law", "news"]
    assert (shown["windows"], shown["tokens"], shown["warnings"]) == (82, 820, [warning])
