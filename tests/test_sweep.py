"""A sweep works out each point once, also after it has been killed, with any executor."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import nbsnn

CALLS = []
GRID = {"a": [1, 2, 3], "b": [0.5, 2.0]}


def product(a, b):
    CALLS.append((a, b))
    return {"product": a * b}


def fails(a, b):
    if (a, b) == (2, 2.0):
        raise ArithmeticError("wrong here")
    return a * b


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as made:
        yield made


def results(found):
    return sorted((point["a"], point["b"], result["product"]) for point, result in found)


EXPECTED = [(a, b, a * b) for a in (1, 2, 3) for b in (0.5, 2.0)]


def test_every_point_once(tmp_path, pool):
    CALLS.clear()
    file = tmp_path / "sweep.jsonl"
    assert results(nbsnn.sweep(product, GRID, store=file, executor=pool)) == EXPECTED and len(CALLS) == 6
    assert results(nbsnn.sweep(product, GRID, store=file, executor=pool)) == EXPECTED and len(CALLS) == 6
    more = [{"a": 1, "b": 0.5}, {"a": 9, "b": 1.0}]
    assert len(results(nbsnn.sweep(product, more, store=file, executor=pool))) == 2 and len(CALLS) == 7


def test_a_line_that_a_kill_has_cut_off_is_worked_out_again(tmp_path, pool):
    file = tmp_path / "sweep.jsonl"
    assert results(nbsnn.sweep(product, GRID, store=file, executor=pool)) == EXPECTED
    content = file.read_bytes()
    file.write_bytes(content[:-9])
    CALLS.clear()
    assert results(nbsnn.sweep(product, GRID, store=file, executor=pool)) == EXPECTED and len(CALLS) == 1
    assert len(file.read_bytes().splitlines()) == 6 and all(json.loads(line) for line in file.open())


def test_an_error_names_its_point_and_keeps_the_others(tmp_path, pool):
    file = tmp_path / "sweep.jsonl"
    found = []
    with pytest.raises(ArithmeticError, match="wrong here") as caught:
        found.extend(nbsnn.sweep(fails, GRID, store=file, executor=pool))
    assert "'a': 2, 'b': 2.0" in caught.value.__notes__[0] and len(file.read_bytes().splitlines()) == len(found)


@pytest.mark.long
def test_processes_are_the_default(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import nbsnn\ndef f(a):\n    return a * a\nif __name__ == '__main__':\n"
        f"    print(sorted(r for p, r in nbsnn.sweep(f, {{'a': [1, 2, 3]}}, store={str(tmp_path / 's')!r})))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[1, 4, 9]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"function": 3}, "function must be a function"),
        ({"grid": "abc"}, "grid must be"),
        ({"grid": {"a": 3}}, "several values, not 3"),
        ({"grid": [3]}, "a point must be"),
        ({"grid": [{"a": object()}]}, "nothing that JSON can hold"),
        ({"grid": [{1: 2}]}, "must be texts"),
        ({"executor": 3}, r"must have submit\(\)"),
        ({"store": 3}, "store"),
    ],
)
def test_bad_arguments(arguments, message, tmp_path):
    given = {"function": product, "grid": GRID, "store": tmp_path / "s", **arguments}
    with pytest.raises((TypeError, ValueError), match=message):
        nbsnn.sweep(given.pop("function"), given.pop("grid"), **given)


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    for text in ("hello\n", "hello"):
        (tmp_path / "s").write_text(text)
        with pytest.raises(ValueError, match="not the store of a sweep"):
            nbsnn.sweep(product, GRID, store=tmp_path / "s")
        assert (tmp_path / "s").read_text() == text
