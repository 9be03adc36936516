"""Law 12: numbers that others worked out and printed, reproduced as printed or explained.

Each file of tests/published holds problems and rows. A row names a cell (`id`), a formula over symbols or a sum over
iterations, its value as printed, and what the number is (`status`): `full` precision, `rounding-carried` from the
numbers printed before it, `truncated`, an `erratum` or what `follows-erratum`. `under` changes the problem (and
`explained_id` the cell) so that an erratum comes out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from shipping import some

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Ref
from handcalc.core.formula import names, parse
from handcalc.core.instance import evaluate
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads, shipped
from handcalc.render import read

FOLDER = Path(__file__).parent / "published"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
pytestmark = pytest.mark.every
ROWS = 669  # published numbers, all files together
OWN_PRECISION = 1e-12  # of `full`, relative
LONG = 16  # digits printed by a program: compared to 1e-13, not digit by digit

Row = Mapping[str, Any]


@cache
def published(name: str) -> dict[str, Any]:
    """A file of tests/published."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / f"{name}.yaml")
    return content


def rows(name: str) -> Iterator[Row]:
    """The rows of a file that can be computed."""
    return iter(published(name)["published"])


# --- our numbers -------------------------------------------------------------------------------------------------------


def solved(name: str, row: Row, under: Mapping[str, Any], rounding: Rounding | None = None) -> Derivation:
    """The problem a row is about, with some keys changed, worked out as far as its rows go."""
    content = published(name)["problems"][row.get("problem", "main")]
    if "file" in content:
        content = YAML(typ="safe", pure=True).load(shipped()[content["file"]])
    return _solved(json.dumps({**content, **under}, ensure_ascii=False), rounding)


@cache
def _solved(text: str, rounding: Rounding | None) -> Derivation:
    return derive(loads(text), rounding, MANY)


def last_iteration(row: Row) -> int:
    """The iteration a row is about."""
    if "sum" in row:
        return int(row["sum"]["iterations"][1])
    text = row.get("id", "")
    return int(text[1:].split(":")[0]) if text.startswith("#") else 1


def ours(derivation: Derivation, row: Row, wanted: str = "") -> float:
    """Our value of a row, in the sign it is printed with."""
    if "sum" in row:
        first, last = row["sum"]["iterations"]
        value = sum(derivation.value(f"#{number}:{row['sum']['id']}") for number in range(first, last + 1))
    elif "formula" in row:
        value = formula_value(derivation, derivation.evaluation, row["formula"])
    elif row["id"].startswith("err.") and derivation.graph.find(row["id"]) is None:  # only `error: direct` prints t − o
        value = derivation.value(row["id"].replace("err.", "target.")) - derivation.value(row["id"].replace("err.", "out."))
    else:
        value = derivation.value(wanted or row["id"])
    return float(value) * int(row.get("sign", 1))


def formula_value(derivation: Derivation, evaluation: Evaluation, text: str) -> float:
    """A formula over Mazur's symbols, of the values of an evaluation."""
    resolve = names({symbol: Ref(*found) for symbol, found in read(derivation, "mazur").symbols().items()})
    return float(evaluate(parse(text, resolve), lambda reference: evaluation[cell(reference)]))


# --- comparing with what is printed -----------------------------------------------------------------------------------


def unit(printed: str) -> Decimal:
    """One in the last printed place."""
    return Decimal(1).scaleb(int(Decimal(printed).as_tuple().exponent))


def digits(printed: str) -> int:
    """Significant digits printed."""
    return len(Decimal(printed).as_tuple().digits)


def as_printed(value: float, printed: str) -> bool:
    """Whether a value, rounded to the printed digits, is the printed number; at an exact tie either neighbour."""
    noise = Decimal(repr(abs(value) * (1e-13 if digits(printed) >= LONG else 1e-14)))
    return abs(Decimal(repr(value)) - Decimal(printed)) <= max(unit(printed) / 2 + noise, noise)


def as_cut(value: float, printed: str) -> bool:
    """Whether a value, cut off after the printed digits, is the printed number."""
    rest = (Decimal(repr(value)) - Decimal(printed)) * (-1 if value < 0 else 1)
    return 0 <= rest < unit(printed)


# --- what each status claims -------------------------------------------------------------------------------------------


def from_printed(name: str, row: Row) -> float:
    """The row's value worked out from the numbers printed before it."""
    derivation = solved(name, row, {})
    graph = derivation.graph
    replaced: dict[Cell, float] = {}
    for other in published(name)["published"]:
        if other is row:
            break
        found = graph.find(other.get("id", ""))
        if found and other.get("problem") == row.get("problem"):
            replaced[found] = float(other["value"]) * other.get("sign", 1)
    wanted = graph.find(row.get("id", ""))
    if wanted is None:
        return formula_value(derivation, Evaluation(graph, None, replaced), row["formula"]) * int(row.get("sign", 1))
    replaced.pop(wanted, None)
    evaluation = Evaluation(graph, None, replaced)
    change = graph.find(row["id"].replace("new.", "delta."))
    if change in replaced and change != wanted and row["id"].startswith("new."):  # w⁺ = w + Δw, with Δw as printed
        return float(evaluation[wanted[0].removeprefix("new."), wanted[1]] + evaluation[change])
    evaluation[wanted]
    return float(evaluation.unrounded[wanted]) * int(row.get("sign", 1))


def at_some_digits(name: str, row: Row) -> bool:
    """Whether carry mode prints the number, at some number of digits."""
    modes = [Rounding(decimals=count, significant=None, carry=True) for count in range(1, 13)]
    modes += [Rounding(significant=count, carry=True) for count in range(1, 13)]
    return any(as_printed(ours(solved(name, row, {}, mode), row), row["value"]) for mode in modes)


def explained(name: str, row: Row) -> float:
    """The row's value under what explains it."""
    derivation = solved(name, row, row.get("under", {}))
    if row.get("mistake") == "derivative-at-error":  # e(1 − e) instead of o(1 − o)
        error = derivation.evaluation[derivation.find(row["id"].replace("local.", "grad."))[0]]
        return float(error * (1 - error))
    return ours(derivation, row, row.get("explained_id", ""))


def complaints(name: str, row: Row) -> Iterator[str]:
    """What is wrong with one row: nothing, if handcalc is right."""
    status, printed = row["status"], row["value"]
    value = ours(solved(name, row, {}), row)
    if not isclose(value, float(row["full"]), rel_tol=OWN_PRECISION):
        yield f"we get {value!r}, recorded is {row['full']}"
    if (status == "full") != as_printed(value, printed):
        yield f"we get {value!r}, printed is {printed}, marked {status}"
    if status == "rounding-carried" and not as_printed(from_printed(name, row), printed) and not at_some_digits(name, row):
        yield f"{from_printed(name, row)!r} follows from the numbers before it, and no carry mode gives {printed}"
    if status == "truncated" and not as_cut(value, printed) and not as_cut(from_printed(name, row), printed):
        yield f"neither {value!r} nor {from_printed(name, row)!r} cut off is {printed}"
    if "under" in row or "explained_id" in row:
        if not as_printed(explained(name, row), printed):
            yield f"the explanation gives {explained(name, row)!r}, printed is {printed}"
    elif status == "follows-erratum" and "mistake" not in row:
        follows = from_printed(name, row)
        if not as_printed(follows, printed) and not as_cut(follows, printed):
            yield f"{follows!r} follows from the numbers before it, printed is {printed}"


def all_complaints(name: str, within: int) -> str:
    """Every bad row of a file, of those up to an iteration."""
    found = [
        f"{row.get('id') or row.get('formula') or row['sum']}: {text}"
        for row in rows(name)
        if last_iteration(row) <= within
        for text in complaints(name, row)
    ]
    return "\n".join(found)


# --- the law -----------------------------------------------------------------------------------------------------------

SHORT = 1000  # iterations of the default run for files that take more than five seconds
MANY = 10_000
LONG_FILES = ("mazur-2-2-2", "mazur-zh-typo")


def test_every_number_is_here() -> None:
    counts = Counter({name: len(published(name)["published"]) for name in FILES})
    assert sum(counts.values()) == ROWS, counts
    assert all(sum(last_iteration(row) > SHORT for row in rows(name)) <= 4 for name in LONG_FILES), "the default run leaves out too much"


@pytest.mark.parametrize("name", some(FILES, {*FILES[::3]} - {"ng-linear-regression"}))  # 1500 iterations
def test_published_numbers(name: str) -> None:
    within = SHORT if name in LONG_FILES else MANY
    assert not all_complaints(name, within), "\n" + all_complaints(name, within)


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG_FILES)
def test_published_numbers_of_many_iterations(name: str) -> None:
    assert any(last_iteration(row) > SHORT for row in rows(name))
    assert not all_complaints(name, MANY), "\n" + all_complaints(name, MANY)


def test_no_row_is_left_out() -> None:
    assert not [row for name in FILES for row in published(name)["published"] if "needs" in row]


# --- the famous ones ---------------------------------------------------------------------------------------------------

# iteration, convention → the error on the most copied page, after 1 and "10,000" rounds
FAMOUS = [
    (1, "old", "0.291027774"),  # what the page's text says to do
    (1, "updated", "0.291027924"),  # what the page prints
    pytest.param(9999, "old", "0.0000351085", marks=pytest.mark.slow),  # what the page prints for 10,000
]


@pytest.mark.parametrize(("iteration", "weights", "printed"), FAMOUS)
def test_the_most_copied_page(iteration: int, weights: str, printed: str) -> None:
    problem = load("mazur-2-2-2")
    problem = problem.replace(conventions=problem.conventions.replace(hidden_error_weights=weights))
    assert as_printed(derive(problem, iterations=iteration).value(f"#{iteration}:after.loss"), printed)


# --- the helpers -------------------------------------------------------------------------------------------------------

# value, printed → equal when rounded, equal when cut
COMPARED = [
    (0.2748110, "0.2748", True, True),
    (0.27487, "0.2748", False, True),
    (0.27487, "0.2749", True, False),
    (-0.27487, "-0.2748", False, True),
    (-0.27487, "-0.2749", True, False),
    (-0.825, "-0.82", True, True),  # a tie: either neighbour
    (-0.825, "-.83", True, False),
    (0.34500000000000003, "0.34", True, True),
    (0.3451, "0.34", False, True),
    (79274.8125, "7.93e+04", True, False),
    (79374.8125, "7.93e+04", False, True),
    (0.9928, "1", True, False),
    (0.4999, "1", False, False),
    (0.99845601463795605, "0.998456014637956", True, True),
    (0.9984560146381, "0.998456014637956", False, False),
    (6.0, "6", True, True),
    (0.0, "0", True, True),
    (0.00043857, "0.0004386", True, False),
]


@pytest.mark.parametrize(("value", "printed", "rounded", "cut"), COMPARED)
def test_comparing(value: float, printed: str, rounded: bool, cut: bool) -> None:
    assert as_printed(value, printed) is rounded
    assert as_cut(value, printed) is cut


# status → a number that is not what the status says of out.h1 = 0.59327
FALSE = {"full": "0.58", "rounding-carried": "0.58", "truncated": "0.58", "erratum": "0.59327", "follows-erratum": "0.58"}


@pytest.mark.parametrize("status", FALSE)
def test_wrong_rows_are_found(status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "out.h1", "value": FALSE[status], "status": status, "full": "0.5932699921071872"}
    monkeypatch.setitem(published("mazur-2-2-2"), "published", [row])
    assert all_complaints("mazur-2-2-2", MANY)


def test_wrong_full_values_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"id": "out.h1", "value": "0.593", "status": "full", "full": "0.59326999210"}
    monkeypatch.setitem(published("mazur-2-2-2"), "published", [row])
    assert "recorded" in all_complaints("mazur-2-2-2", MANY)
