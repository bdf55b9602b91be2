"""Break-even points: overruled, measured once, kept on disk, and never in the way."""

import json

import pytest

from nbsnn.spikes import break_even as module
from nbsnn.spikes.break_even import break_even, report


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("NBSNN_BREAK_EVEN", raising=False)
    monkeypatch.setattr(module, "_file", lambda: tmp_path / "cache" / "break_even.json")
    module._known.cache_clear()
    yield tmp_path
    module._known.cache_clear()


@pytest.mark.parametrize(("given", "points"), [("0.2", (0.2, 0.2)), ("0.25,0.15", (0.25, 0.15)), ("0", (0.0, 0.0))])
def test_the_environment_overrules(given, points, monkeypatch):
    monkeypatch.setenv("NBSNN_BREAK_EVEN", given)
    assert break_even() == points
    assert "(NBSNN_BREAK_EVEN)" in report()


@pytest.mark.parametrize("given", ["", "much", "2", "-0.1", "0.1,0.2,0.3", "nan"])
def test_nonsense_in_the_environment_is_refused(given, monkeypatch):
    monkeypatch.setenv("NBSNN_BREAK_EVEN", given)
    with pytest.raises(ValueError, match="NBSNN_BREAK_EVEN must be one or two numbers from 0 to 1"):
        break_even()


def test_measured_once_and_kept(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "measure", lambda dtype: calls.append(dtype) or (0.3, 0.2))
    assert report() == "not measured yet"
    assert break_even() == break_even() == (0.3, 0.2)
    module._known.cache_clear()
    assert break_even() == (0.3, 0.2) and len(calls) == 1
    assert "30%" in report() and len(json.loads(module._file().read_text())) == 1


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"float32": '])
def test_a_spoilt_file_is_measured_again(folder, content, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda dtype: (0.3, 0.2))
    module._file().parent.mkdir()
    module._file().write_text(content)
    assert break_even() == (0.3, 0.2)


def test_a_folder_that_cannot_be_written(folder, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda dtype: (0.3, 0.2))
    (folder / "cache").write_text("a file where the folder should be")
    assert break_even() == (0.3, 0.2)


def test_a_measurement_is_a_share(folder, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 64)
    monkeypatch.setattr(module, "REPEATS", 2)
    for point in break_even():
        assert module.LEAST <= point <= module.MOST
