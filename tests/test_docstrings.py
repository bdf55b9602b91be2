"""Docstrings of public names, as numpydoc reads them: parameters, results, and examples under their heading."""

import importlib.util
import inspect
from pathlib import Path

import pytest

import nbsnn

docscrape = pytest.importorskip("numpydoc.docscrape", reason='numpydoc comes with pip install ".[docs]"')
validate = pytest.importorskip("numpydoc.validate").validate

spec = importlib.util.spec_from_file_location(
    "reference", Path(__file__).parent.parent / "examples" / "docs" / "reference.py"
)
assert spec and spec.loader
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

NAMES = [full for page in reference.everything().values() for full in page]
WANTED = {"EX01", "PR01", "PR02", "PR03", "RT01", "GL08"}

METHODS = """
    BPTT.plan BPTT.step Layer.run Learner.gradients Learner.step Network.connect Network.population
    Network.restore Network.run
"""
"""What users call, beside functions and classes."""


def errors(thing: object) -> set[str]:
    """What numpydoc finds wanting, in words."""
    doc = docscrape.get_doc_object(thing)
    wrong = {code: text for code, text in validate(doc)["errors"] if code in WANTED}
    result = inspect.isclass(thing) and doc["Attributes"] and not doc["Parameters"]  # made by others
    if result or getattr(thing, "_is_protocol", False):
        wrong.pop("PR01", None)
    return {f"{code}: {text}" for code, text in wrong.items()}


@pytest.mark.parametrize("full", NAMES, ids=lambda full: full.removeprefix("nbsnn."))
def test_a_public_docstring_is_whole(full):
    assert not errors(reference.found(full))


def test_every_name_stands_in_the_reference_once():
    things = [id(reference.found(full)) for full in NAMES]
    assert len(set(things)) == len(things)
    for name, place in nbsnn.PLACES.items():
        assert not place or not callable(getattr(nbsnn, name)) or id(getattr(nbsnn, name)) in things, name


@pytest.mark.parametrize("name", METHODS.split())
def test_a_method_that_users_call_says_what_it_takes_and_gives(name):
    owner, _, method = name.partition(".")
    cls = getattr(nbsnn, owner, None) or next(reference.found(n) for n in NAMES if n.endswith(f".{owner}"))
    assert {error for error in errors(getattr(cls, method)) if not error.startswith("EX01")} == set()
