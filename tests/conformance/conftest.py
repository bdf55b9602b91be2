"""Gives a test that asks for ``case`` one run per case in its golden file; see ``golden.py``."""

import pytest

from .golden import DEFAULT_FOLDER, load


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "golden(file, where): run once per case of a golden file (see golden.py)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marker = metafunc.definition.get_closest_marker("golden")
    if marker is None:
        return
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    if not folder.is_dir():
        raise pytest.UsageError(f"--golden-dir: {folder} is not a folder")
    path, where = folder / marker.kwargs["file"], marker.kwargs["where"]
    cases = [case for case in load(path) if where is None or where(case)] if path.is_file() else []
    if cases:
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])
        return
    reason = f"no case in {path} is chosen" if path.is_file() else f"no golden file {path}"
    if path.is_file() and folder == DEFAULT_FOLDER:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {reason}")
    metafunc.parametrize("case", [pytest.param(None, id="absent", marks=pytest.mark.skip(reason=reason))])
