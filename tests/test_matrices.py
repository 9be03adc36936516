"""Law 4 for matrix forms: what a matrix equation says, with letters and with numbers, is what the cells are; in every notation's manner.

The equations are read as they are printed (matrices.py): brackets, transposes, indices of times and channels, ⋆ and ∗ included.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import lines
from modelproblems import MODELS
from models import CASES, Maker
from test_laws import NEAR, PROBLEMS, derivation

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Entry, Total, references, walk
from handcalc.core.graph import Quantity
from handcalc.core.index import Affine
from handcalc.core.rounding import Rounding
from handcalc.derive import derive
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.loader import loads
from handcalc.render import read
from handcalc.render.blocks import spell
from handcalc.render.dialects import UNICODE
from handcalc.render.matrices import matrix_form, signed_form
from handcalc.render.matrices.layout import equation, whole
from handcalc.render.notation import profile

Problem = str
"""The name of a shipped or a harder problem, or of one in modelproblems.py."""


def _manner(name: str) -> tuple[Any, ...]:
    """What of a notation can change a matrix form: signs, the rule of updating, the order of a weight's indices, rows or columns."""
    data = profile(name)
    weights = [data["symbols"].get(role, "") for role in ("weight", "weight_output", "weight_general")]
    order = [text.find("{from}") < text.find("{to}") for text in weights]
    return data["delta_sign"], data["bias_sign"], data["update"], data.get("vectors"), *order


MANNERS = {_manner(name): name for name in reversed(NOTATION_NAMES)}  # one notation for each
every_manner = pytest.mark.parametrize("notation", MANNERS.values())


def worked(problem: str) -> Derivation:
    return derive(loads(MODELS[problem]), Rounding()) if problem in MODELS else derivation(problem)


def disagreeing(found: Derivation, notation: str) -> Iterator[str]:
    """The matrix equations that do not hold."""
    reading = read(found, notation, UNICODE)
    for quantity in found.graph:
        for places, *both in lines(found, reading, quantity):
            for line in both:
                left = line.left()
                there = np.not_equal(left, 0)  # what is not there is 0, whatever stands on the right
                if not np.allclose(left[there], line.right()[there], rtol=NEAR, atol=1e-14):
                    yield f"{quantity.name} {places}: {left.tolist()} = {line.right().tolist()}"


@every_manner
@pytest.mark.parametrize("problem", [*PROBLEMS, *MODELS])
def test_matrix_equations_hold(problem: str, notation: str) -> None:
    assert not [*disagreeing(worked(problem), notation)]


@pytest.mark.parametrize("kind", CASES)
def test_they_hold_for_networks_of_any_shape(kind: str) -> None:
    @settings(max_examples=4)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        found = derive(CASES[kind](Maker(data.draw)).problem(), Rounding())
        assert not [*disagreeing(found, "dlfs")]

    holds()
