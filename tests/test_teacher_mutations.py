"""Tests of exercises, tested: with a program that is wrong in one place they fail. (A quiz without its tolerance: test_quiz.py.)

Each row is a mutation and a test that passes without it. To add one: a row in MUTATIONS.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import test_conditions
import test_generate
import test_gradebook
import test_lint

from handcalc.exercises import gradebook
from handcalc.exercises.generate import Generator
from handcalc.exercises.hidden import Mistakes
from handcalc.exercises.lint import LintReport


class Mutation(NamedTuple):
    """What is wrong: the attribute of what, and what stands there instead; test: who must notice; arguments: its parameters."""

    name: str
    of: Any
    attribute: str
    instead: Any
    test: Callable[..., None]
    arguments: dict[str, Any]


MUTATIONS = [
    Mutation(
        "a generator that ignores require",
        *(Generator, "_complaints", lambda self, worked: iter(())),
        *(test_generate.test_variants_keep_the_rules_of_nice, {"count": 5}),
    ),
    *(
        Mutation(
            f"a generator that does not know {word}",
            *(Generator, "_complaints", _without),
            *(test_conditions.test_a_template_that_breaks_one_rule_is_refused_by_its_name, {"word": word}),
        )
        for word in test_conditions.BROKEN
        for _without in [
            lambda self, worked, word=word, asked=Generator._complaints: (one for one in asked(self, worked) if one[0] != word),
        ]
    ),
    Mutation(
        "a generator whose draws are not those of the contract",
        *(test_generate.Draws, "index", lambda self, name, attempt, count: 0),
        *(test_generate.test_draws_are_those_of_the_contract, {}),
    ),
    Mutation(
        "a lint that always says ok",
        *(LintReport, "findings", ()),
        *(test_lint.test_the_example_of_the_contract, {}),
    ),
    Mutation(
        "a lint that finds nothing wrong with numbers",
        *(LintReport, "findings", ()),
        *(test_lint.test_weights_that_add_up_to_zero_are_a_finding, {}),
    ),
    Mutation(
        "a lint that hides nothing",
        *(Mistakes, "hidden", ()),
        *(test_lint.test_numbers_agree_with_a_run_of_every_mistake, {"asked": "new"}),
    ),
    Mutation(
        "a gradebook in which a comment may be a formula",
        *(gradebook, "harmless", str),
        *(test_gradebook.test_the_worksheet_of_moodle, {}),
    ),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_it_is_noticed(mutation: Mutation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (
        mutation.arguments | {"tmp_path": tmp_path} if "tmp_path" in inspect.signature(mutation.test).parameters else mutation.arguments
    )
    monkeypatch.setattr(mutation.of, mutation.attribute, mutation.instead)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        mutation.test(**arguments)
