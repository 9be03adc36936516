"""A hook for the law that names mean nothing: every quantity of a network gets a word that says something else.

- `renaming(monkeypatch)`: from then on the quantities of every model are called by words of `WORDS`, and by drawn ones; ids stay.
- `Opaque` is such a name: text whose insides only the code that makes and finds ids may look at.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from handcalc import models
from handcalc.core import graph as ids
from handcalc.core.expr import Expr, Ref, rewrite
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity, Term
from handcalc.models import model

WORDS = ("held_a", "loss_b", "Wx", "b_1", "after", "net.h", "W1", "out2", "x", "grad.net1", "old.rate", "masked", "new.w", "#2:net1", "t")
METHODS = ("startswith", "endswith", "removeprefix", "removesuffix", "strip", "lstrip", "rstrip", "replace", "split", "rsplit", "partition",
           "rpartition", "isdigit", "isdecimal", "upper", "lower", "find", "index", "count", "translate", "__getitem__", "__contains__",
           "__iter__")  # fmt: skip


class Opaque(str):
    """A name that may be compared, and put into other names, but not looked into."""


def _closed(method: str) -> Any:
    def looked_into(self: Opaque, *arguments: Any) -> Any:
        caller = sys._getframe(1).f_code.co_filename
        if Path(caller) == Path(ids.__file__) or "handcalc" not in Path(caller).parts:
            return getattr(str, method)(self, *arguments)
        raise AssertionError(f"{caller}:{sys._getframe(1).f_lineno} looks into the name of a quantity ({method} of {str(self)!r})")

    return looked_into


for _method in METHODS:
    setattr(Opaque, _method, _closed(_method))


def _drawn() -> Iterator[Opaque]:
    yield from map(Opaque, WORDS)
    number = 0
    while True:
        number += 1
        yield Opaque(f"q{number * 7919 % 1000003}.net{number}")


def renamed(graph: Graph, drawn: Iterator[Opaque], known: dict[str, Opaque]) -> dict[str, Opaque]:
    """Give every quantity another name, its ids unchanged; answers old → new. Quantities of one name stay of one name: the rounds of a
    derivation may have graphs of their own, and what is carried from one to the next is found by its name."""
    for quantity in graph:
        if quantity.name not in known:
            known[quantity.name] = next(drawn)
    names = {quantity.name: known[quantity.name] for quantity in graph}

    def follow(expr: Any) -> Any:
        return rewrite(expr, lambda node: Ref(names[node.quantity], node.indices) if isinstance(node, Ref) else None)

    def parts(term: Term) -> dict[str, Expr | None]:
        return {"through": term.through, "upstream": term.upstream, "local": term.local, "path": term.path}

    def moved(quantity: Quantity) -> Quantity:
        fields = ("definition", "stepwise", "of", "through", "wrt")
        links = {field: getattr(quantity, field) and follow(getattr(quantity, field)) for field in fields}
        shared = {place: follow(one) for place, one in quantity.shared.items()}
        cases = quantity.cases and {place: follow(case) for place, case in quantity.cases.items()}
        terms = [
            term.replace(
                through=follow(term.through), upstream=follow(term.upstream), local=follow(term.local), path=term.path and follow(term.path)
            )
            for term in quantity.terms
        ]
        return quantity.replace(name=names[quantity.name], id=str(quantity.word), cases=cases, shared=shared, terms=tuple(terms), **links)

    quantities = [moved(quantity) for quantity in graph]
    graph.__init__()  # type: ignore[misc]
    for quantity in quantities:
        graph.define(quantity)
    return names


def renaming(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename the forward pass of every model before the rest follows from it, and all of it afterwards."""
    complete, drawn = models._completed, _drawn()
    forward: dict[str, Opaque] = {}
    whole: dict[str, Opaque] = {}

    def _completed(problem: Any, graph: Graph, objective: str, running: Mapping[str, str], output: Ref | None) -> model.Model:
        names = renamed(graph, drawn, forward)
        moved = {names[old]: names[new] for old, new in running.items()}
        found = complete(problem, graph, names.get(objective, ""), moved, output and Ref(names[output.quantity], output.indices))
        again = renamed(found.graph, drawn, whole)
        return found.replace(
            updated={again[old]: again[new] for old, new in found.updated.items()},
            loss=again.get(found.loss, ""),
            memory={again[old]: again[new] for old, new in found.memory.items()},
            output=found.output and Ref(again[found.output.quantity], found.output.indices),
        )

    monkeypatch.setattr(models, "_completed", _completed)
    monkeypatch.setattr(model, "SMALL", 0)
    model.forget()
