"""Parameters under the names that the problem's notation prints: `update: {frozen: [v_21]}`, `learning_rate: {"b⁽²⁾": 0.1, others: 0.5}`.

- `with_parameters(problem, graph, loss)` is the problem with ids in their place. Names are found in the finished forward pass.
"""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.core.graph import Graph
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError, UnknownIdError
from handcalc.models.header import header_of
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.reader import quoted
from handcalc.problem.schema import Problem


def with_parameters(problem: Problem, graph: Graph, loss: str) -> Problem:
    """The problem with the ids of what it calls otherwise. Raises ProblemError with every name that no parameter has."""
    from handcalc.render.lookup import Lookup
    from handcalc.render.notation import notation_for

    derivation = Derivation(graph, Rounding(), loss=loss, header=lambda: header_of(problem))
    lookup = Lookup(derivation, notation_for(derivation, ""))
    frozen, rates, wrong = set(problem.frozen), dict(problem.rates), []
    for one in problem.called:
        try:
            found = lookup.find(one.name)
        except UnknownIdError:
            found = None
        if found is None or found.iteration > 1 or graph[found.cell[0]].kind not in PARAMETERS:
            wrong.append(Message("there is no parameter {found}{near}", problem.path + one.where, found=quoted(one.name), near=""))
        elif one.rate is None:
            frozen.add(graph.core(found.cell))
        else:
            rates[graph.core(found.cell)] = one.rate
    if wrong:
        raise ProblemError(*wrong)
    return problem.replace(frozen=frozenset(frozen), rates=rates, called=())
