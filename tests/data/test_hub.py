from pathlib import Path

import pytest

from trivium.data.hub import open_hub
from trivium.errors import UnavailableError


def test_offline_it_says_so_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="owner/name cannot be had") as caught:
        open_hub("owner/name", "train", tmp_path)
    assert "\n" not in str(caught.value)
