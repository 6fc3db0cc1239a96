import io

from rich.console import Console

from trivium.data.progress import shard_progress
from trivium.data.shard_writer import Built


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    with shard_progress(Console(file=out, width=120), "news", 100) as progress:
        for seconds in range(25):
            progress(Built(documents=seconds, bytes=seconds * 1_000_000, tokens=seconds * 10, seconds=float(seconds)))
    lines = out.getvalue().splitlines()
    assert len(lines) == 3  # after 10 and 20 seconds, and the end
    assert lines[-1] == "news: 24 documents, 240 tokens, 1.0 MB/s, done"


def test_one_line_on_a_terminal() -> None:
    out = io.StringIO()
    with shard_progress(Console(file=out, width=120, force_terminal=True), "news", 100) as progress:
        progress(Built(documents=2, bytes=50, tokens=10, seconds=1.0))
    assert "2 documents, 10 tokens" in out.getvalue()
