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
from itertools import product
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref, references
from handcalc.core.formula import names, parse
from handcalc.core.graph import Cell, Evaluation, cell
from handcalc.core.rounding import Rounding
from handcalc.derive import derive
from handcalc.problem.loader import loads, shipped
from handcalc.render import read

FOLDER = Path(__file__).parent / "published"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ROWS = 619  # published numbers, all files together
NOT_YET = {"momentum": 16}  # what rows need that handcalc cannot do yet, and how many
OWN_PRECISION = 1e-12  # of `full`, relative
LONG = 16  # digits printed by a program: compared to 1e-13, not digit by digit

Row = Mapping[str, Any]


@cache
def published(name: str) -> dict[str, Any]:
    """A file of tests/published."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / f"{name}.yaml")
    return content


def rows(name: str, *statuses: str) -> Iterator[Row]:
    """The rows of a file that can be computed, with one of these statuses."""
    return (row for row in published(name)["published"] if row["status"] in statuses and "needs" not in row)


# --- our numbers -------------------------------------------------------------------------------------------------------


def solved(name: str, row: Row, under: Mapping[str, Any], iterations: int, rounding: Rounding | None = None) -> Derivation:
    """The problem a row is about, with some keys changed, worked out so many iterations far."""
    return _solved(name, row.get("problem", "main"), json.dumps(under), iterations, rounding)


@cache
def _solved(name: str, problem: str, under: str, iterations: int, rounding: Rounding | None) -> Derivation:
    content = published(name)["problems"][problem]
    if "file" in content:
        content = YAML(typ="safe", pure=True).load(shipped()[content["file"]])
    changed = {**content, **json.loads(under)}
    return derive(loads(json.dumps(changed, ensure_ascii=False), f"{name}.yaml"), rounding, iterations)


def last_iteration(row: Row) -> int:
    """The iteration a row is about."""
    if "sum" in row:
        return int(row["sum"]["iterations"][1])
    text = row.get("explained_id", row.get("id", ""))
    return int(text[1:].split(":")[0]) if text.startswith("#") else 1


def ours(derivation: Derivation, row: Row, wanted: str = "") -> float:
    """Our value of a row, in the sign it is printed with."""
    if "sum" in row:
        first, last = row["sum"]["iterations"]
        value = sum(derivation.value(f"#{number}:{row['sum']['id']}") for number in range(first, last + 1))
    elif "formula" in row:
        value = derivation.evaluation.of(expression(derivation, row["formula"]))
    else:
        value = derivation.value(wanted or row["id"])
    return float(value) * row.get("sign", 1)


def expression(derivation: Derivation, text: str) -> Any:
    """A formula over the symbols of the problem's notation."""
    reading = read(derivation, "mazur")
    return parse(text, names({symbol: Ref(*found) for symbol, found in reading.symbols().items()}))


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
