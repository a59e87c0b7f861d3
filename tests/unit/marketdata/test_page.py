import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "market-data.md"


def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
    assert len(blocks) == 4
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {})


def test_the_page_names_every_finding_of_the_gate() -> None:
    text = PAGE.read_text()
    for kind in ("bad_close", "bad_bar", "factor_of_ten", "split_like", "spin_off_like", "stale"):
        assert f"`{kind}`" in text
