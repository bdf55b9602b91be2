"""The pages on events and scikit-learn: every block of Python runs, one after the other."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "examples" / "docs"


@pytest.mark.parametrize(("page", "needs"), [("events.md", "numpy"), ("sklearn.md", "sklearn")])
def test_the_blocks_of_a_page_run(page, needs, tmp_path, monkeypatch):
    pytest.importorskip(needs, reason=f"needs {needs}: pip install nbsnn[{needs}]")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert len(blocks) > 3
