"""Another convention that a sheet was worked in: teachers disagree, and its numbers are right by theirs.

- `OtherConventions(definitions).find(sheet)` names, for every answer that one other convention makes right, that convention; nothing
  where an answer that is right or follows speaks against it, or where it may be coincidence.
- `conventional(slugs)` is the mistake that is none under another convention (log₂ for ln).
- `ERROR_SIGN` is the name of δ = −∂E/∂net, `ERROR_SCALE` that of another factor in δ, which signs.py finds; `DECAY` and `BIAS` are those
  of λ·w and of a bias in another number, which elsewhere.py finds.

Conventions are those of a problem's `conventions:`, the scale of a loss (½Σ, Σ, 1/n, 1/(2n) of squares; Σ or 1/n Σ of other terms), whether
biases are trained, and of a penalty in the loss what stands before its sum and whether biases are in it.
Updated weights on the way back are a mistake; how weights are numbered, and that softmax is worked in one line, changes no number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from math import inf, log2, nan

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message, Template
from handcalc.loading.loss import usual
from handcalc.marking.bands import Grain
from handcalc.marking.definitions import Definitions
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.follow import Follow, fits
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.mistakes.entry import BIASES, Mistake
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import Workbook
from handcalc.problem.fields import choices
from handcalc.problem.schema import Problem, Regularization
from handcalc.problem.words import LOSSES, PENALTY_FORMS

ERROR_SIGN = "error_sign"
ERROR_SCALE = "error_scale"
LOSS_SCALE = "loss_scale"
PENALTY_FORM = "penalty_form"
PENALISED_BIASES = "penalised_biases"
SOFTMAX = "softmax"
MOMENTUM = "momentum_form"
DECAY = "decay"
BIAS = "bias"
ON_SHEETS = (SOFTMAX, LOSS_SCALE, "sample_reduction", "bias_update", "bias_decay", PENALTY_FORM, PENALISED_BIASES, MOMENTUM)
OF_LOSS = (LOSS_SCALE, "sample_reduction")
BEFORE_RATE = ("loss", "loss_term", "gradient", "part")
NO_CONVENTION = ("hidden_error_weights", "weight_numbering", SOFTMAX)
SEVERAL_MARGIN = 2.0  # bits by which several answers must beat coincidence, if they are all that is wrong
FOLLOWED_MARGIN = 4.0  # and one, if others follow from it
SINGLE_MARGIN = 6.0  # and one alone
HALVED = "half_squared_error"
SQUARED = {HALVED: "½Σ(t − o)²", "squared_error": "Σ(t − o)²", "mean_squared_error": "1/n Σ(t − o)²"}
HALF_OF_MEAN = "1/(2n) Σ(t − o)²"  # which has no word
SUMMED = ("absolute_error", "huber", "log_cosh", "hinge", "binary_cross_entropy")  # losses that some average over the outputs
AVERAGED = ("mean_absolute_error", "mean_huber", "mean_binary_cross_entropy")  # and some sum
REDUCTIONS = {False: "Σ", True: "1/n Σ"}  # by whether it is the mean

# convention, or scale of the loss → the mistakes that it may be where it is not allowed
MISTAKEN = {
    "½Σ(t − o)²": ("square-factor-forgotten",),
    "Σ(t − o)²": ("half-forgotten", "two-over-n"),
    "1/n Σ(t − o)²": ("mean-for-half", "two-over-n"),
    HALF_OF_MEAN: ("mean-for-half",),
    "sample_reduction": ("batch-scaling",),
    "bias_update": ("bias-update-rule",),
    "bias_decay": ("bias-decayed",),
    PENALTY_FORM: ("penalty-factor",),
    PENALISED_BIASES: ("bias-in-penalty",),
    MOMENTUM: ("momentum-form",),
}

# convention, with its choice → what is said of it
TITLES: dict[tuple[str, str], Template] = {
    (ERROR_SIGN, ""): "δ = −∂E/∂net on this sheet",
    (BIAS, "apart"): "the bias is not in the net input on this sheet; it comes in with the activation",
    (DECAY, "inside"): "λ·w is in ∂E/∂w already on this sheet",
    (DECAY, "apart"): "the share of the penalty is not in ∂E/∂w on this sheet, but in the update",
    ("sample_reduction", "sum"): "the sum over the samples on this sheet",
    ("sample_reduction", "mean"): "the mean over the samples on this sheet",
    ("bias_update", "true"): "biases and thresholds are trained on this sheet",
    ("bias_update", "false"): "biases and thresholds are not trained on this sheet",
    ("bias_decay", "true"): "weight decay acts on biases too on this sheet",
    ("bias_decay", "false"): "weight decay does not act on biases on this sheet",
    (PENALTY_FORM, "half"): "λ/2 stands before the penalty on this sheet",
    (PENALTY_FORM, "half_mean"): "λ/(2m) stands before the penalty on this sheet",
    (PENALTY_FORM, "mean"): "λ/m stands before the penalty on this sheet",
    (PENALTY_FORM, "sum"): "λ stands before the penalty on this sheet",
    (SOFTMAX, "steps"): "nothing is subtracted from z before e^z is taken on this sheet",
    (SOFTMAX, "shifted"): "the largest z is subtracted from each before e^z is taken on this sheet",
    (MOMENTUM, "framework"): "the velocity is μ·v + ∂E/∂w, and is taken times η, on this sheet",
    (MOMENTUM, "textbook"): "the velocity is μ·v - η·∂E/∂w, and is added, on this sheet",
    (MOMENTUM, "rate_inside"): "the velocity is μ·v + η·∂E/∂w, and is subtracted, on this sheet",
    (MOMENTUM, "average"): "the velocity is μ·v + (1 - μ)·∂E/∂w, and is taken times η, on this sheet",
    (PENALISED_BIASES, "true"): "biases are in the penalty on this sheet",
    (PENALISED_BIASES, "false"): "biases are not in the penalty on this sheet",
}


def conventional(slugs: tuple[str, ...]) -> Mistake | None:
    """The mistake that these are, if it is a matter of convention."""
    found = MISTAKES[slugs[0]] if len(slugs) == 1 else None
    return found if found is not None and found.convention else None


class OtherConvention(Record):
    """A convention of the problem made otherwise: its name, the choice, and the problem under it."""

    name: str
    choice: str
    problem: Problem

    @property
    def mistakes(self) -> tuple[tuple[str, ...], ...]:
        """What it may be where the convention is not allowed."""
        return tuple((slug,) for slug in MISTAKEN.get(self.choice if self.name == LOSS_SCALE else self.name, ()))

    @property
    def title(self) -> Message:
        """What is said of answers that are right under it."""
        if self.name == LOSS_SCALE:
            return Message("the loss is {choice} on this sheet", choice=self.choice)
        if self.name == ERROR_SCALE:
            return Message("δ = {factor} · ∂E/∂net on this sheet", factor=self.choice)
        if (self.name, self.choice) in TITLES:
            return Message(TITLES[self.name, self.choice])
        return Message("another convention on this sheet: {name}: {choice}", name=self.name, choice=self.choice)


def other_conventions(problem: Problem, has_biases: bool, has_steps: bool) -> Iterator[OtherConvention]:
    """The same problem under each other convention; has_steps: whether it has a softmax worked in steps."""
    if has_biases:
        other = not problem.trained_biases
        yield OtherConvention("bias_update", "true" if other else "false", problem.replace(trained_biases=other))
    if problem.loss is not None and problem.loss.name in SQUARED:
        scales = {title: usual(LOSSES[word]) for word, title in SQUARED.items() if word != problem.loss.name}
        scales[HALF_OF_MEAN] = usual(LOSSES[HALVED]).replace(name="", mean=True)
        yield from (OtherConvention(LOSS_SCALE, title, problem.replace(loss=loss)) for title, loss in scales.items())
    elif problem.loss is not None and problem.loss.name in (*SUMMED, *AVERAGED):
        mean = not problem.loss.mean
        yield OtherConvention(LOSS_SCALE, REDUCTIONS[mean], problem.replace(loss=problem.loss.replace(mean=mean)))
    elif problem.loss is not None and _is_placewise(problem.loss.name) and len(problem.layers[-1].axes) > 1:
        placewise = not problem.loss.placewise
        yield OtherConvention(LOSS_SCALE, REDUCTIONS[placewise], problem.replace(loss=problem.loss.replace(placewise=placewise)))
    if problem.regularization is not None:
        yield from _of_penalty(problem, problem.regularization, has_biases)
    chosen = problem.conventions
    if has_steps:
        choice = "steps" if chosen.softmax == "shifted" else "shifted"
        yield OtherConvention(SOFTMAX, choice, problem.replace(conventions=chosen.replace(softmax=choice)))
    for name in chosen._fields:
        for choice in () if name in NO_CONVENTION else choices("conventions", name):
            value = {"true": True, "false": False}.get(choice, choice)
            if value != getattr(chosen, name):
                yield OtherConvention(name, choice, problem.replace(conventions=chosen.replace(**{name: value})))


def _is_placewise(word: str) -> bool:
    """Whether a loss is one of those that are summed or averaged over tokens: some loss with the same terms is averaged so."""
    return word in LOSSES and any(other.placewise and other.formula == LOSSES[word].formula for other in LOSSES.values())


def _of_penalty(problem: Problem, penalty: Regularization, has_biases: bool) -> Iterator[OtherConvention]:
    """Other numbers before the sum of the weights, and biases in it or not; with one sample nothing is divided by how many there are."""
    for word, form in PENALTY_FORMS.items():
        if word != penalty.form and (penalty.samples > 1 or not form.averaged):
            yield OtherConvention(PENALTY_FORM, word, problem.replace(regularization=penalty.replace(form=word)))
    if has_biases:
        other = penalty.replace(biases=not penalty.biases)
        yield OtherConvention(PENALISED_BIASES, "true" if other.biases else "false", problem.replace(regularization=other))


class SheetSoFar(Record):
    """What is asked of: the answers, those that are right as they are, the slips, how exactly it is worked, and how large answers are."""

    answers: Mapping[Cell, Typed]
    right: frozenset[Cell]
    slips: tuple[Cell, ...]
    grain: Grain
    sizes: Mapping[Cell, float]


class _Worked:
    """The problem worked under another convention; its cells are found by their ids."""

    def __init__(self, convention: OtherConvention, book: Workbook) -> None:
        self.convention = convention
        self._book = book
        self._other = Workbook(convention.problem, book.iterations)
        self._definitions = Definitions(self._other)
        self._cells: dict[Cell, Cell | None] = {}

    def cell(self, wanted: Cell) -> Cell | None:
        """A cell of the sheet among those of this convention, None where it has none."""
        if wanted not in self._cells:
            try:
                self._cells[wanted] = self._other.find(self._book.cell_id(wanted))
            except HandcalcError:
                self._cells[wanted] = None
        return self._cells[wanted]

    def value(self, wanted: Cell) -> float:
        """The right number under this convention; not a number where there is none."""
        found = self.cell(wanted)
        try:
            return nan if found is None else float(self._definitions.values[found])
        except HandcalcError:
            return nan

    def accepts(self, answers: Mapping[Cell, Typed], grain: Grain) -> Callable[[Cell], bool]:
        """Whether an answer follows, under this convention, from those before it."""
        follow = Follow(self._definitions, {found: typed for wanted, typed in answers.items() if (found := self.cell(wanted))}, grain)

        def accepts(wanted: Cell) -> bool:
            found = self.cell(wanted)
            return found is not None and (fits(self.value(wanted), answers[wanted]) or follow.accepts(found))

        return accepts


class OtherConventions:
    """The other conventions of one problem, each worked out once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._known: dict[tuple[str, str], _Worked | None] = {}

    @cached_property
    def _others(self) -> list[OtherConvention]:
        book = self._definitions.book
        return [*other_conventions(book.problem, any(quantity.kind in BIASES for quantity in book.graph), book.has_steps)]

    def _worked(self, published: bool) -> list[_Worked]:
        """Those under which the problem can be worked; on a sheet those that a student may choose."""
        chosen = (other for other in self._others if published or other.name in ON_SHEETS)
        return [found for other in chosen if (found := self._under(other)) is not None]

    def _under(self, other: OtherConvention) -> _Worked | None:
        key = other.name, other.choice
        if key not in self._known:
            try:
                self._known[key] = _Worked(other, self._definitions.book)
            except HandcalcError:
                self._known[key] = None
        return self._known[key]

    def find(self, sheet: SheetSoFar, published: bool = False) -> dict[Cell, OtherConvention]:
        """Answer → the convention under which it is right: one for the whole sheet, and of those the one that explains most.

        published: a page, on which every convention is looked for, not only those that a student may choose (`ON_SHEETS`), and one number
        that nothing confirms may name one, if it has so many digits that it is no coincidence.
        """
        moving = [one for one in self._worked(published) if any(one.value(wanted) != self._own(wanted) for wanted in sheet.slips)]
        prior = log2(max(len({tuple(one.value(wanted) for wanted in sheet.slips) for one in moving}), 1))
        best: dict[Cell, OtherConvention] = {}
        most = 0.0
        for one in moving:
            accepts = one.accepts(sheet.answers, sheet.grain)
            fitting = [wanted for wanted in sheet.slips if accepts(wanted) and not fits(self._own(wanted), sheet.answers[wanted])]
            if not fitting or not all(accepts(wanted) for wanted in sheet.answers if wanted not in sheet.slips):
                continue
            moved = (wanted for wanted in sheet.answers if wanted not in sheet.right and one.value(wanted) != self._own(wanted))
            found = [wanted for wanted in moved if accepts(wanted)]
            bits = sum(bits_of(sheet.answers[wanted], sheet.sizes[wanted]) for wanted in fitting) - prior
            whole = len(fitting) == len(sheet.slips) and len(found) > 1 and self._tells(one.convention, found, sheet.right)
            least = (SEVERAL_MARGIN if len(fitting) > 1 else FOLLOWED_MARGIN) if whole else SINGLE_MARGIN if published else inf
            if bits > most and bits >= least:
                most, best = bits, dict.fromkeys(found, one.convention)
        return best

    def _tells(self, convention: OtherConvention, found: list[Cell], right: frozenset[Cell]) -> bool:
        """Whether answers tell a convention from another learning rate: of the loss, and of how samples are reduced, new weights do not;
        from a velocity worked wrong: that new weights are right."""
        kind = self._definitions.book.quantity
        if convention.name == MOMENTUM:
            return any(kind(wanted).kind == "updated" for wanted in right)
        return convention.name not in OF_LOSS or any(kind(wanted).kind in BEFORE_RATE for wanted in found)

    def _own(self, wanted: Cell) -> float:
        try:
            return float(self._definitions.values[wanted])
        except HandcalcError:
            return nan
