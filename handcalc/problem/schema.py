"""What the user wrote: the records a problem file becomes.

`Problem` and its parts are frozen; numbers keep the digits they were typed with. The keys of the file are in fields.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from handcalc.core.expr import Expr, Number, Ref, walk
from handcalc.core.index import Axis, Index
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding

if TYPE_CHECKING:
    from handcalc.problem.generating import Generating


class Sample(Record):
    """One sample: inputs (input,), targets (unit,) of the last layer, or None for a forward pass only."""

    name: str
    inputs: tuple[Number, ...]
    targets: tuple[Number, ...] | None


class Batch(Record):
    """Of which samples some are those of one update: their places among all, and the names of all; alone: every update has one."""

    places: tuple[int, ...]
    names: tuple[str, ...]
    alone: bool = False


class Standard(Record):
    """The inputs of all samples (sample, input) before they were standardised; unbiased: n − 1 in the variance, not n."""

    rows: tuple[tuple[Number, ...], ...]
    unbiased: bool = False


class Activation(Record):
    """out = formula in z; or, for softmax, a function of the whole layer, of z/temperature where one is given; jacobian: whether the
    matrix of its derivatives is a step."""

    name: str
    formula: Expr | None = None
    temperature: Number | None = None
    jacobian: bool = False


class EdgeMatrix(Record):
    """Parameters by (neuron, input), zero-based: typed numbers, None where there is no edge, or one with the weight of another.

    shared: for such an edge the layer that weight stands in, from 1, and its place there.
    """

    rows: tuple[tuple[Number | None, ...], ...]
    shared: Mapping[tuple[int, ...], tuple[int, tuple[int, ...]]] = {}

    def get(self, place: tuple[int, ...]) -> Number | None:
        """The number at (neuron, input); None also outside."""
        row = self.rows[place[0]]
        return row[place[1]] if place[1] < len(row) else None


class Bias(Record):
    """Biases (added) or thresholds (subtracted) of a layer.

    form: shared (one cell), neuron (by neuron) or connection (by neuron and input); values and names by place.
    """

    form: str
    values: Any
    names: Mapping[tuple[int, ...], str]
    threshold: bool = False

    def get(self, place: tuple[int, ...]) -> Number | None:
        """The number at a place; None where there is none."""
        found: Number | None = self.values.get(place)
        return found


class Tensor(Record):
    """Given numbers of any shape, of a layer.

    kind: as in the graph; role: what it is among those of its kind ("" where a layer has one; xi: of the inputs, in the gate i); axes;
    the numbers by place (a mapping or an array; None where nobody gave them); key: the key it stands under, gate: in which part of
    `gates`; typed: its sizes there, where several axes are typed as one; turned: whether a matrix is typed with a row per input.
    """

    kind: str
    axes: tuple[Axis, ...]
    values: Any
    role: str = ""
    key: str = ""
    gate: str = ""
    typed: tuple[int, ...] = ()
    turned: bool = False

    @property
    def letter(self) -> str:
        """The letter of parameters of its kind; "" for other numbers, which are known by their role."""
        return {"weight": "W", "bias": "b", "input": ""}[self.kind]

    @property
    def stem(self) -> str:
        """What its id begins with, before the number of the layer: W, Wxi, b, mask."""
        return self.letter + self.role

    def get(self, place: tuple[int, ...]) -> Number | None:
        """The number at a place."""
        found: Number | None = None if self.values is None else self.values.get(place)
        return found

    def rows(self, start: int, count: int) -> Tensor:
        """Some of its rows."""
        axes = (self.axes[0].replace(size=count), *self.axes[1:])
        if isinstance(self.values, Mapping):
            own = {(row - start, *rest): value for (row, *rest), value in self.values.items() if start <= row < start + count}
            return self.replace(axes=axes, values=own)
        return self.replace(axes=axes, values=self.values and self.values.rows(start, count))

    def __iter__(self) -> Iterator[Number]:
        """The numbers, place by place."""
        return filter(None, map(self.get, product(*(range(axis.size) for axis in self.axes))))


class Layer(Record):
    """A layer; of a dense one: neurons, one activation for all or one each, weights, bias or threshold.

    type: a word of FILES (layers); axes: those of its output, without the sample; tensors: the parameters of other
    layers than dense ones; options: stride, padding, heads … by name; name: as typed, else its type with a number; left_out: keys
    that most layers have, and this one not.
    """

    neurons: tuple[str, ...] = ()
    activations: tuple[Activation, ...] = ()
    weights: Any = None
    weight_names: Mapping[tuple[int, ...], str] = {}
    bias: Bias | None = None
    type: str = "dense"
    axes: tuple[Axis, ...] = ()
    tensors: tuple[Tensor, ...] = ()
    options: Mapping[str, Any] = {}
    name: str = ""
    left_out: tuple[str, ...] = ()

    def taken(self, number: int) -> tuple[int, ...]:
        """The layers that it takes something from, itself being the one with this number; 0: the inputs."""
        listed = [self.options.get(key) for key in ("from", "keys_from", "starts_from")]
        others = [place for one in listed if one is not None for place in (one if isinstance(one, tuple) else (one,))]
        return (self.options.get("source", number - 1), *others)


class LossSum(Record):
    """A sum over the outputs that a loss is made of: its name, the term, and what becomes of the sum s."""

    name: str
    term: Expr
    whole: Expr


class Loss(Record):
    """E of one sample: the terms (a formula in t and o) are summed, or averaged over the outputs.

    name: as typed, a word of problem/words.py or a formula; form: terms, fused (softmax and cross-entropy on net inputs), whole (a formula
    of sums over the outputs) or direct (only e = t − o)
    placewise: whether it is the mean over tokens, times or places of what is summed over the outputs of each
    target: what stands in the place of t, a formula in t, n (the number of outputs) and `numbers`; weights: those of the classes
    """

    name: str
    form: str = "terms"
    term: Expr | None = None
    mean: bool = False
    target: Expr | None = None
    numbers: Mapping[str, Number] = {}
    weights: tuple[Number, ...] = ()
    sums: tuple[LossSum, ...] = ()
    placewise: bool = False

    @property
    def compares(self) -> bool:
        """Whether it needs targets; a formula in o alone does not."""
        return self.form != "terms" or self.term is None or Ref("t") in walk(self.term)


class Regularization(Record):
    """Penalties in the loss: λ of the squared weights and of their absolute values, None where there is none.

    form: a word of PENALTY_FORMS (problem/words.py), what λ is multiplied by; biases: whether biases and thresholds are in it too;
    samples: m, how many there are in all, also where one update uses fewer.
    """

    l2: Number | None = None
    l1: Number | None = None
    form: str = "half"
    biases: bool = False
    samples: int = 1


class NamedFormula(Record):
    """name = formula over names given or defined before; index: the letters of its directions, where it is a list or a matrix."""

    name: str
    formula: Expr
    index: tuple[Index, ...] = ()


class GivenCell(Record):
    """A number given for a cell of the solution: the cell by its id or printed name, the number, and the line and key in the file.

    whole: the name under which a list of such numbers stands, with its sizes; "" where the number is alone.
    """

    name: str
    value: Number
    where: str = ""
    whole: str = ""
    sizes: tuple[int, ...] = ()


class Called(Record):
    """A parameter under a name that only its notation tells, such as v_21: not trained, or with a rate of its own; key and line in the
    file."""

    name: str
    rate: Number | None = None
    where: str = ""


class Conventions(Record):
    """What teachers disagree on (the first value is the default)."""

    hidden_error_weights: str = "old"
    relu_at_zero: str = "0"
    max_ties: str = "first"
    softmax: str = "steps"
    softmax_loss: str = "split"
    convolution: str = "cross_correlation"
    weight_numbering: str = "by_target"
    sample_reduction: str = "mean"
    momentum_form: str = "framework"
    adam_bias_correction: bool = True
    bias_decay: bool = False


class Training(Record):
    """How samples become updates: mode (batch, online, mini_batch), sizes (0: not given), order; when it stops: loss, change of
    the loss (so many looks in a row), norm of the gradient."""

    mode: str = "batch"
    batch_size: int = 0
    epochs: int = 0
    order: str = "given"
    stop_loss: Number | None = None
    seed: int = 0
    stop_change: Number | None = None
    stop_gradient: Number | None = None
    patience: int = 1


class Schedule(Record):
    """η of an update: a formula in `rate`, the learning rate at the start, and t, which counts so many updates as one, from 0."""

    name: str
    formula: Expr
    updates: int = 1


class FrozenPart(Record):
    """A whole parameter that is not trained: its layer, kind and role, and what was typed, the layer perhaps."""

    layer: int
    kind: str
    role: str = ""
    said: str = ""


class Optimizer(Record):
    """How gradients become updates: the optimiser, its numbers (also of weight_decay and clipping), and whether ε is under the root."""

    name: str = "sgd"
    numbers: Mapping[str, Number] = {}
    epsilon_inside: bool = False


class Task(Record):
    """One thing asked: an id, a symbol, a pattern with * and ?, or a phase; what it is worth, the digits wanted, its line."""

    ask: str
    marks: Number = Number(1)
    decimals: int | None = None
    significant: int | None = None
    line: int = 0


class MarkingScheme(Record):
    """The share of a task's marks, from 0 to 1, for an answer that is not simply right.

    follow_through: right with the student's own earlier numbers; imprecise: right, but with too few digits;
    rounded: right but for numbers that were rounded on the way; conventions: whether answers that are right under another convention
    have their marks (allow, deny).
    """

    follow_through: Number = Number(1)
    imprecise: Number = Number(1, 2)
    rounded: Number = Number(1)
    conventions: str = "allow"


class Problem(Record):
    """One exercise as written, checked: every name resolved, every shape right.

    inputs: the name of every single input; axes: their directions (one, or row and column, time and feature …); given: numbers of
    equations, tables: lists and matrices of them; fixed: numbers in the place of what would be worked out; batch: which of all samples
    these are, where they are those of one update; encoded: what words of a data file stand for, column → word → numbers; standard: what the
    inputs were before they were standardised;
    rates: learning rates of layers (layer1), of all weights or biases of one (W1, b1), of single parameters; rules: new values of
    parameters by formulas of their own, over names of the graph, ids of gradients (grad.w), second derivatives (grad2.w) and new values
    before (new.v).
    """

    title: str = ""
    title_zh: str = ""
    text: str = ""
    text_zh: str = ""
    source: str = ""
    notation: str = ""
    language: str = ""
    inputs: tuple[str, ...] = ()
    axes: tuple[Axis, ...] = ()
    samples: Sequence[Sample] = ()
    batch: Batch | None = None
    encoded: Mapping[str, Mapping[str, str]] = {}
    standard: Standard | None = None
    test: Sequence[Sample] = ()
    layers: tuple[Layer, ...] = ()
    loss: Loss | None = None
    reported: Loss | None = None
    regularization: Regularization | None = None
    learning_rate: Number | None = None
    rates: Mapping[str, Number] = {}
    schedule: Schedule | None = None
    optimizer: Optimizer = Optimizer()
    input_gradients: bool = False
    trained_biases: bool = True
    frozen: frozenset[str] = frozenset()
    frozen_parts: tuple[FrozenPart, ...] = ()
    called: tuple[Called, ...] = ()
    training: Training = Training()
    conventions: Conventions = Conventions()
    rounding: Rounding | None = None
    overridden: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    marking: MarkingScheme = MarkingScheme()
    given: Mapping[str, Number] = {}
    tables: Mapping[str, Tensor] = {}
    fixed: tuple[GivenCell, ...] = ()
    equations: tuple[NamedFormula, ...] = ()
    minimize: str = ""
    parameters: tuple[str, ...] = ()
    rules: tuple[NamedFormula, ...] = ()
    path: str = ""
    generating: Generating | None = None

    @property
    def own_states(self) -> bool:
        """Whether every sample has an initial state of its own, in a recurrent layer."""
        return any(axis.role == "sample" for layer in self.layers for tensor in layer.tensors for axis in tensor.axes)
