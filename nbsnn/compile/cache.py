"""Compiled kernels on disk: where they are, how many, and which are deleted when there are too many."""

from __future__ import annotations

from pathlib import Path

LIMIT = 256
"""How many compiled kernels stay on disk; beyond it, those unused for longest are deleted."""


def folder() -> Path:
    """Folder of compiled kernels: NUMBA_CACHE_DIR, else beside the templates."""
    from numba import config

    return Path(getattr(config, "CACHE_DIR", "") or Path(__file__).parent)


def count() -> int:
    """Number of kernels on disk."""
    return len({file.name.split("-")[0] for file in folder().rglob("*_????????????????-*.nbi")})


def report() -> str:
    """Number of kernels on disk, and their folder."""
    return f"{count()} kernels under {folder()}, at most {LIMIT} per folder"


def tend(folder: Path, name: str, cached: bool) -> None:
    """Mark this kernel's index as just used; after a fresh compilation, delete the ones unused for longest."""
    try:
        for index in folder.glob(f"*{name}-*.nbi"):
            index.touch()
        if cached:
            return
        indices = sorted(folder.glob("*_????????????????-*.nbi"), key=lambda p: p.stat().st_mtime)
        for index in indices[: max(0, len(indices) - LIMIT)]:
            for file in folder.glob(f"{index.stem}.*"):
                file.unlink()
    except OSError:  # a read-only or shared cache is no reason to fail: it only grows, or somebody else tends it
        pass
