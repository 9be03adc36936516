"""Why the derivative of a loss is what it is, and that of softmax, alone and with cross-entropy.

- `loss_proof(name)`: ∂E/∂o_i of a loss of LOSSES; `fused_proof()`: of softmax with cross-entropy, ∂E/∂z_i = o_i − t_i.
- `softmax_proof()`: ∂o_i/∂z_j, for i = j and i ≠ j; `logsumexp_proof()`: ∂ ln Σ e^z / ∂z_i; `log_softmax_proof()`.

The letters are the quantities of a small network, so that a notation can spell them; its gradients, from the one chain rule,
are what the last line must be. General formulas are checked in networks of several sizes.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core import formula
from handcalc.core.binding import bind
from handcalc.core.definitions import put
from handcalc.core.derivative import RAW, differentiate
from handcalc.core.expr import (
    ONE,
    ZERO,
    Call,
    Delta,
    Expr,
    Negation,
    Number,
    Ref,
    Total,
    add,
    call,
    div,
    mul,
    neg,
    power,
    reindex,
    rewrite,
    sub,
    total,
    walk,
)
from handcalc.core.functions import FUNCTIONS, function
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index
from handcalc.deriving import derive
from handcalc.errors import Message
from handcalc.loading.loader import loads
from handcalc.problem.words import FUSED, LOSSES
from handcalc.proof.cases import branches, is_switching, written
from handcalc.proof.checking import is_possible
from handcalc.proof.functions import DEFINITION, OWN, case_lines, kinks
from handcalc.proof.records import Ground, Proof, ProofPart, letters
from handcalc.proof.rules import CANDIDATES, ONE_TERM, TIDIED, Blackboard, ProofLine, filled, opened, spelled
from handcalc.proof.tables import APART, PRODUCT, PUT_IN
from handcalc.render.blocks import Equal, FunctionName, Plain, Symbolic
from handcalc.training.gradcheck.differences import CONVENTIONS

SIZES = (2, 3)  # outputs of the networks in which general formulas are checked
LETTERS = {letter + prime: letter + prime for letter in CANDIDATES for prime in ("", "'")}
PROBLEM = """
inputs: {{x: 1}}
targets: [{targets}]
layers: [{{neurons: {count}, activation: {activation}, weights: [{weights}]}}]
loss: {loss}
"""

FUNCTION = 'The function of that name: handcalc derive "{formula}"'

Meaning = Callable[[Ref], Expr | None]


class LossLayer:
    """The cells of a layer with a loss; z_i, o_i, t_i, and sums over k."""

    def __init__(self, activation: str, loss: str) -> None:
        self.graphs = {size: _graph(activation, loss, size) for size in SIZES}
        self.graph = graph = letters(self.graphs[SIZES[-1]], *LETTERS.values(), "n", "i", "j", "k")
        self.net, self.out = (graph.in_layer(1, kind) for kind in ("net", "out"))
        self.target, self.loss = graph.targets, graph.in_layer(0, "loss")
        axis = graph[self.out].axes[-1]
        self.i, self.j, self.k = (Index(letter, axis) for letter in "ijk")

    def cell(self, quantity: str, index: Index) -> Ref:
        """z_i, o_i or t_i."""
        return Ref(quantity, (index,))

    def ground(self, by: Ref, size: int, general: Meaning, single: Meaning = lambda cell: None, used: str = "", **places: int) -> Ground:
        """What lines are in a layer of a size, with i (and j) at places; by: there.

        general: what cells of a general formula stand for, single: cells of an instance; used: the quantity whose gradient
        the solver has.
        """

        def sized(node: Expr) -> Expr | None:
            if isinstance(node, Total):
                return Total(Index(node.index.letter, Axis("unit", size)), rewrite(node.body, sized))
            if isinstance(node, Ref):
                found = Number(size) if node == Ref("n") else general(node)
                return None if found is None else rewrite(found, sized)
            return None

        def instance(expr: Expr) -> Expr:
            bound = bind(rewrite(expr, sized), {"i": 0, "k": 1, **places}, lambda name, place: True)
            return rewrite(bound, lambda node: single(node) if isinstance(node, Ref) else None)

        graph = self.graphs[size]
        own = graph.instance((graph.gradient(used), (0,))) if used else None
        return Ground(by, instance, used=own and rewrite(own, lambda node: single(node) if isinstance(node, Ref) else None))

    def gradient(self, name: str) -> Expr:
        """The general formula of a gradient, with the letter i."""
        quantity = self.graph[self.graph.gradient(name)]
        assert quantity.definition is not None
        return reindex(quantity.definition, {quantity.index[-1].letter: self.i})


def _graph(activation: str, loss: str, size: int) -> Graph:
    """The graph of one layer; its numbers do not matter."""
    targets, weights = ", ".join(["1", *["0"] * (size - 1)]), ", ".join(["[1]"] * size)
    return derive(loads(PROBLEM.format(targets=targets, count=size, activation=activation, weights=weights, loss=loss))).graph


# --- losses -----------------------------------------------------------------------------------------------------------


def loss_proof(name: str) -> Proof:
    """∂E/∂o_i of a loss: of its one term with o_i in it."""
    at = LossLayer("identity", name)
    text, mean = LOSSES[name].usual, LOSSES[name].mean
    by, goal = at.cell(at.out, at.i), at.cell(at.target, at.i)

    def term(index: Index) -> Expr:
        values = {"o": at.cell(at.out, index), "t": at.cell(at.target, index)}
        return rewrite(formula.parse(text, formula.any_name), lambda node: values[node.quantity] if isinstance(node, Ref) else None)

    each = term(at.k)
    whole = neg(total(at.k, each.operand)) if isinstance(each, Negation) else total(at.k, each)
    if mean:
        whole = RAW.mul(div(ONE, Ref("n")), whole)
    loss = Ref(at.loss)
    board, left = Blackboard(by, LETTERS), opened(loss, by)
    one = filled(ONE_TERM, by=Symbolic(by), index=Equal(Ref("k"), Ref("i")))
    own = div(term(at.i), Ref("n")) if mean else term(at.i)
    cases = [case for case in branches(own) if is_possible(case.conditions, Ground(by))] if is_switching(own) else []
    parts = []
    for case in cases:
        lines = [ProofLine(opened(own), one)]
        if written(own) != own:
            lines.append(ProofLine(opened(written(own)), DEFINITION))
        parts.append(ProofPart(left, (*lines, *case_lines(board, case)), case.conditions))
    if not cases:
        parts.append(ProofPart(left, tuple(board.lines(whole, DEFINITION))))
    result = at.gradient(at.out) if not mean else differentiate(own, by) if cases else parts[-1].last
    parts = [part if spelled(part.last) == spelled(result) else _with(part, ProofLine(result, OWN if cases else TIDIED)) for part in parts]
    grounds = tuple(at.ground(Ref(at.out, (0,)), size, lambda cell: whole if cell == loss else None, used=at.out) for size in SIZES)
    switch = next((node.function for node in walk(term(at.i)) if isinstance(node, Call) and node.function in CONVENTIONS), "")
    return Proof(
        name,
        by,
        at.graph,
        Message("The derivative of the loss {name}", name=Plain(name)),
        (Equal(loss, whole),),
        tuple(parts),
        result,
        grounds,
        constants=(goal,) if not mean else (goal, Ref("n")),
        kinks=tuple(kinks(cases, Ground(by), result, CONVENTIONS.get(switch, ""))),
        sizes=SIZES,
        remark=Message(FUNCTION, formula=f"{name}({', '.join(FUNCTIONS[name].arguments)})") if name in FUNCTIONS else None,
    )


def _with(part: ProofPart, line: ProofLine) -> ProofPart:
    return part.replace(lines=(*part.lines, line))


# --- softmax ----------------------------------------------------------------------------------------------------------


class _Softmax(LossLayer):
    """o_i = e^(z_i) / Σ_k e^(z_k)"""

    def __init__(self) -> None:
        super().__init__("softmax", FUSED)
        self.whole = total(self.k, call("exp", self.cell(self.net, self.k)))
        self.above, self.other = (call("exp", self.cell(self.net, index)) for index in (self.i, self.j))

    def definition(self, index: Index) -> Equal:
        """o_i = …"""
        return Equal(self.cell(self.out, index), div(call("exp", self.cell(self.net, index)), self.whole))

    def meaning(self, size: int) -> Meaning:
        """The outputs are softmax of the net inputs, and the last target is what is missing to 1."""
        nets = tuple(Ref(self.net, (place,)) for place in range(size))
        cells: dict[Ref, Expr] = {Ref(self.out, (place,)): Call("softmax", nets, place) for place in range(size)}
        cells[Ref(self.target, (size - 1,))] = sub(ONE, add(*(Ref(self.target, (place,)) for place in range(size - 1))))
        return cells.get

    def grounds(self, place: int, general: Meaning = lambda cell: None, used: str = "", **places: int) -> tuple[Ground, ...]:
        """In layers of each size, with the derivative by the net input at a place."""
        return tuple(self.ground(Ref(self.net, (place,)), size, general, self.meaning(size), used, **places) for size in SIZES)


def softmax_proof() -> Proof:
    """∂o_i/∂z_j = o_i·([i = j] − o_j)"""
    at = _Softmax()
    out, other, by = at.cell(at.out, at.i), at.cell(at.out, at.j), at.cell(at.net, at.j)
    own = at.cell(at.net, at.i)
    value, share = at.definition(at.i).right, at.definition(at.j).right
    same = (
        *Blackboard(own, LETTERS).lines(value, DEFINITION),
        ProofLine(mul(value, div(sub(at.whole, at.above), at.whole)), PRODUCT),
        ProofLine(mul(value, sub(ONE, value)), APART),
        ProofLine(mul(out, sub(ONE, out)), filled(PUT_IN, fact=Equal(value, out))),
    )
    apart = (
        *Blackboard(by, LETTERS).lines(value, Message("definition; {constant} is constant", constant=Symbolic(at.above))),
        ProofLine(neg(mul(value, share)), PRODUCT),
        ProofLine(neg(mul(out, other)), filled(PUT_IN, fact=Equal(value, out))),
    )
    result = put(function("softmax").partials[0], {"y": out, "yk": other, "same": Delta(at.i, at.j)})
    delta = Message("{delta} is 1 where {case}, else 0 (Kronecker's δ)", delta=Symbolic(Delta(at.i, at.j)), case=Equal(Ref("i"), Ref("j")))
    return Proof(
        "softmax",
        by,
        at.graph,
        Message("The derivative of {function}", function=FunctionName("softmax")),
        (at.definition(at.i),),
        (
            ProofPart(opened(out, own), same, heading=Equal(Ref("i"), Ref("j")), grounds=at.grounds(0)),
            ProofPart(opened(out, by), apart, heading=Equal(Ref("i"), Ref("j"), "≠"), grounds=at.grounds(1, j=1)),
            ProofPart(opened(out, by), (ProofLine(result, delta),), before=Message("Both in one formula:")),
        ),
        result,
        (*at.grounds(0, j=0), *at.grounds(1, j=1)),
        sizes=SIZES,
    )


def logsumexp_proof() -> Proof:
    """∂ ln Σ_k e^(z_k) / ∂z_i = softmax(z)_i"""
    at = _Softmax()
    by, out = at.cell(at.net, at.i), at.cell(at.out, at.i)
    name, whole = Ref("L"), call("ln", at.whole)
    result = put(function("logsumexp").partials[0], {"yk": out})
    fact = filled(PUT_IN, fact=Equal(at.definition(at.i).right, out))
    lines = (*Blackboard(by, LETTERS).lines(whole, DEFINITION), ProofLine(result, fact))
    return Proof(
        "logsumexp",
        by,
        letters(at.graph, "L"),
        Message("The derivative of {function}", function=FunctionName("logsumexp")),
        (Equal(name, whole), at.definition(at.i)),
        (ProofPart(opened(name, by), lines),),
        result,
        at.grounds(0, general=lambda cell: whole if cell == name else None),
        sizes=SIZES,
    )


def log_softmax_proof() -> Proof:
    """∂(z_i − ln Σ_k e^(z_k)) / ∂z_j = [i = j] − softmax(z)_j"""
    at = _Softmax()
    by, own, name = at.cell(at.net, at.j), at.cell(at.net, at.i), Ref("L")
    value, share = sub(own, call("ln", at.whole)), at.cell(at.out, at.j)
    logarithm = Message("definition; {rule}", rule=Equal(opened(call("ln", at.whole), by), share))
    result = put(function("log_softmax").partials[0], {"yk": share, "same": Delta(at.i, at.j)})
    same = ProofLine(
        sub(ONE, at.cell(at.out, at.i)), filled(logarithm, rule=Equal(opened(call("ln", at.whole), own), at.cell(at.out, at.i)))
    )
    delta = Message("{delta} is 1 where {case}, else 0 (Kronecker's δ)", delta=Symbolic(Delta(at.i, at.j)), case=Equal(Ref("i"), Ref("j")))

    def meaning(cell: Ref) -> Expr | None:
        return value if cell == name else None

    return Proof(
        "log_softmax",
        by,
        letters(at.graph, "L"),
        Message("The derivative of {function}", function=FunctionName("log_softmax")),
        (Equal(name, value), at.definition(at.i)),
        (
            ProofPart(opened(name, own), (same,), heading=Equal(Ref("i"), Ref("j")), grounds=at.grounds(0, general=meaning)),
            ProofPart(
                opened(name, by),
                (ProofLine(neg(share), logarithm),),
                heading=Equal(Ref("i"), Ref("j"), "≠"),
                grounds=at.grounds(1, general=meaning, j=1),
            ),
            ProofPart(opened(name, by), (ProofLine(result, delta),), before=Message("Both in one formula:")),
        ),
        result,
        (*at.grounds(0, general=meaning, j=0), *at.grounds(1, general=meaning, j=1)),
        sizes=SIZES,
    )


def cosine_proof() -> Proof:
    """E = 1 − d/(p·q) with d = Σ t·o, p = √Σt², q = √Σo²: ∂E/∂o_i = d·o_i/(p·q³) − t_i/(p·q)"""
    at = LossLayer("identity", "cosine")
    by, goal = at.cell(at.out, at.i), at.cell(at.target, at.i)
    one, every, two = at.cell(at.out, at.k), at.cell(at.target, at.k), Number(2)
    names = {name: Ref(name) for name in LOSSES["cosine"].sums}
    long = {letter: call("sqrt", total(at.k, power(cell, two))) for letter, cell in (("p", every), ("q", one))}
    sums: dict[str, Expr] = {"d": total(at.k, mul(every, one)), **long}
    whole = sub(ONE, div(sums["d"], mul(sums["p"], sums["q"])))
    d, p, q = (names[letter] for letter in "dpq")
    result = sub(div(mul(d, by), mul(p, power(q, Number(3)))), div(goal, mul(p, q)))
    known = {Ref(at.loss): whole, **{names[letter]: sums[letter] for letter in names}}
    return Proof(
        "cosine",
        by,
        at.graph,
        Message("The derivative of the loss {name}", name=Plain("cosine")),
        (Equal(Ref(at.loss), whole), *(Equal(names[letter], sums[letter]) for letter in names)),
        (ProofPart(opened(Ref(at.loss), by), (*Blackboard(by, LETTERS).lines(whole, DEFINITION), ProofLine(result, TIDIED))),),
        result,
        tuple(at.ground(Ref(at.out, (0,)), size, known.get) for size in SIZES),
        constants=(goal,),
        sizes=SIZES,
    )


def margins_proof() -> Proof:
    """E = Σ_k (1 − t_k)·max(0, o_k − r + 1) with r = Σ t·o: ∂E/∂o_i = (1 − t_i)·[margin of i] − t_i·Σ_k (1 − t_k)·[margin of k]"""
    at = LossLayer("identity", "multiclass_hinge")
    by, goal = at.cell(at.out, at.i), at.cell(at.target, at.i)
    one, every = at.cell(at.out, at.k), at.cell(at.target, at.k)
    right = Ref("r")
    chosen = total(at.j, mul(at.cell(at.target, at.j), at.cell(at.out, at.j)))

    def margin(output: Ref, score: Expr) -> Expr:
        return add(sub(output, score), ONE)

    def exceeds(output: Ref) -> Expr:
        return call("max'", margin(output, right), ZERO, ZERO)

    whole = total(at.k, mul(sub(ONE, every), call("max", ZERO, margin(one, right))))
    slope = total(at.k, mul(sub(ONE, every), exceeds(one)))
    chained = total(at.k, mul(sub(ONE, every), exceeds(one), sub(Delta(at.k, at.i), goal)))
    reason = Message("chain rule: {fact}", fact=Equal(opened(right, by), goal))
    result = sub(mul(sub(ONE, goal), exceeds(by)), mul(goal, slope))
    known = {Ref(at.loss): whole, right: chosen}
    return Proof(
        "multiclass_hinge",
        by,
        at.graph,
        Message("The derivative of the loss {name}", name=Plain("multiclass_hinge")),
        (Equal(Ref(at.loss), whole), Equal(right, chosen)),
        (ProofPart(opened(Ref(at.loss), by), (ProofLine(chained, reason), ProofLine(result, TIDIED))),),
        result,
        tuple(at.ground(Ref(at.out, (0,)), size, known.get) for size in SIZES),
        constants=(goal,),
        sizes=SIZES,
    )


def fused_proof() -> Proof:
    """E = −Σ_k t_k·ln o_k with o = softmax(z): ∂E/∂z_i = o_i − t_i for targets that sum to 1."""
    at = _Softmax()
    by, out, goal = at.cell(at.net, at.i), at.cell(at.out, at.i), at.cell(at.target, at.i)
    one, every, goals = at.cell(at.out, at.k), at.cell(at.target, at.k), total(at.k, at.cell(at.target, at.k))
    loss, whole = Ref(at.loss), neg(total(at.k, mul(every, call("ln", one))))

    def slope(cell: Ref) -> Expr:
        same = Delta(cell.indices[0], at.i)
        return put(function("softmax").partials[0], {"y": cell, "yk": out, "same": same})

    def known(cell: Ref) -> tuple[Expr, Message] | None:
        fact = Equal(opened(one, by), slope(one))
        return (slope(cell), Message("derivative of softmax: {fact}", fact=fact)) if cell.quantity == at.out else None

    chosen = total(at.k, mul(every, Delta(at.k, at.i)))
    result = at.gradient(at.net)
    lines = (
        *(line for line in Blackboard(by, LETTERS, known).lines(whole, DEFINITION) if line.reason is not TIDIED),
        ProofLine(neg(total(at.k, mul(every, sub(Delta(at.k, at.i), out)))), Message("{cell} cancels", cell=Symbolic(one))),
        ProofLine(add(neg(goal), mul(out, goals)), filled(PUT_IN, fact=Equal(chosen, goal))),
        ProofLine(result, filled(PUT_IN, fact=Equal(goals, ONE))),
    )
    fused = sub(call("ln", at.whole), total(at.k, mul(every, at.cell(at.net, at.k))))
    logarithm = Equal(call("ln", one), sub(at.cell(at.net, at.k), call("ln", at.whole)))
    again = (
        *Blackboard(by, LETTERS).lines(fused, filled(PUT_IN, fact=logarithm)),
        ProofLine(result, filled(PUT_IN, fact=Equal(at.definition(at.i).right, out))),
    )
    return Proof(
        FUSED,
        by,
        at.graph,
        Message("The derivative of the loss {name}", name=Plain(FUSED)),
        (Equal(loss, whole), at.definition(at.k)),
        (
            ProofPart(opened(loss, by), lines),
            ProofPart(opened(loss, by), again, before=Message("The same from the net inputs, which is how handcalc computes it:")),
        ),
        result,
        at.grounds(0, general=lambda cell: whole if cell == loss else None, used=at.net),
        about=Message("For targets that sum to 1:"),
        constants=(goal,),
        sizes=SIZES,
    )
