"""Slips of any calculation, made on one line of a solution: each should have its name.

A slip is made on every step where it changes the number as it is written, to four significant digits, by more than a unit and a half
of the last of them. The answer is alone on its sheet, or among others: those before it are right; those after it are right as well
where it was only written down wrong, and follow from it where it was worked out wrong. Five networks are also set as equations.

To add a slip: a line in `SLIPS`, with the slugs that say so, and what yields it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from random import Random
from typing import NamedTuple

from handcalc.core.expr import ONE, REBUILD, Expr, Number, Power, Product, Quotient, Ref, Sum, add, children, div, mul, neg
from handcalc.core.instance import FLOATS, compute
from handcalc.core.quantity import Cell, cell
from handcalc.errors import HandcalcError
from marked.exercises import EQUATIONS, FAMILIES, TWIN, Exercise, exercise
from marked.judging import ACCUSED, Judged, Said, Sheet, share, table
from marked.paper import Digits, Paper, spelled

TITLE = "Slips of one line"
LARGE = ("normalised batch", "strided convolution", "convolution", "recurrence", "gomez-lstm")  # of which a sheet takes a second
PROBLEMS = tuple(dict.fromkeys((*EQUATIONS, *(name for names in FAMILIES.values() for name in names if name not in LARGE))))
TWINS = tuple(name + TWIN for name in EQUATIONS)
FOUR = Digits(4, significant=True)
UNITS = 1.5
OTHERS = 40  # answers beside the wrong one
ALONE, AMONG = "alone", "on a sheet"
MISREAD = Ref("misread")


class Slip(NamedTuple):
    """A wrong number. texts: as written, of the step and of others; value: what is worked on with; None: only written down wrong."""

    name: str
    texts: dict[Cell, str]
    how: str
    value: float | None = None


# --- written down wrong -------------------------------------------------------------------------------------------------------


def point_moved(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    number = FOUR.of(own.value(wanted))
    for places in (1, -1):
        yield _written("point moved", own, wanted, spelled(number.scaleb(places)))


def digits_exchanged(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    for text in _exchanged(FOUR.write(own.value(wanted))):
        yield _written("digits exchanged", own, wanted, text)


def digit_dropped(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    text = FOUR.write(own.value(wanted))
    for place in _figures(text)[:-1]:
        yield _written("digit dropped", own, wanted, text[:place] + text[place + 1 :])


def sign_of_result(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield Slip("sign of the result", {wanted: FOUR.write(-own.value(wanted))}, "other sign", -own.value(wanted))


def answers_exchanged(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    kind = own.quantity(wanted).kind
    alike = [other for other in own.ids if other != wanted and own.quantity(other).kind == kind]
    if alike:
        other = chooser.choice(alike)
        texts = {wanted: FOUR.write(own.value(other)), other: FOUR.write(own.value(wanted))}
        if texts[wanted] != texts[other]:
            yield Slip("answers exchanged", texts, f"with {own.ids[other]}")


def _written(name: str, own: Exercise, wanted: Cell, text: str) -> Slip:
    return Slip(name, {wanted: text}, f"{FOUR.write(own.value(wanted))} → {text}")


def _figures(text: str) -> list[int]:
    """Where the significant digits of a number are."""
    mantissa = text.partition("e")[0]
    first = next((place for place, letter in enumerate(mantissa) if letter in "123456789"), len(mantissa))
    return [place for place in range(first, len(mantissa)) if mantissa[place].isdigit()]


def _exchanged(text: str) -> Iterator[str]:
    places = _figures(text)
    for one, other in zip(places, places[1:]):
        if text[one] != text[other]:
            letters = list(text)
            letters[one], letters[other] = letters[other], letters[one]
            yield "".join(letters)


# --- another number of the parameter --------------------------------------------------------------------------------------------


def old_for_new(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    of = own.quantity(wanted).of
    if own.quantity(wanted).kind == "updated" and of is not None:
        yield from _instead("old value as the new", own, wanted, (of.quantity, wanted[1]))


def new_for_gradient(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield from _related("new value as the gradient", own, wanted, "gradient", own.graph.updated)


def gradient_for_change(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield from _related("gradient as the change", own, wanted, "change", own.graph.gradient)


def _related(name: str, own: Exercise, wanted: Cell, kind: str, relation: Callable[[str], str]) -> Iterator[Slip]:
    quantity = own.quantity(wanted)
    other = relation(quantity.of.quantity) if quantity.kind == kind and quantity.of is not None and not quantity.stage else ""
    if other and len(own.graph[other].axes) == len(wanted[1]):
        yield from _instead(name, own, wanted, (other, wanted[1]))


def _instead(name: str, own: Exercise, wanted: Cell, other: Cell) -> Iterator[Slip]:
    given = own.graph.given_value(other)
    text = given.text if given is not None and given.text else FOUR.write(own.value(other))
    yield Slip(name, {wanted: text}, f"{own.graph.cell_id(other)} given")


# --- worked out wrong ----------------------------------------------------------------------------------------------------------


def term_signs(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("sign of one term", own, wanted, _each_term(lambda before, term, after: add(*before, neg(term), *after)))


def term_left_out(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("term left out", own, wanted, _each_term(lambda before, term, after: add(*before, *after)))


def term_twice(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("term twice", own, wanted, _each_term(lambda before, term, after: add(*before, term, term, *after)))


def factor_left_out(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    def changed(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Product):
            yield from (mul(*node.factors[:place], *node.factors[place + 1 :]) for place in range(len(node.factors)))
        elif isinstance(node, Quotient):
            yield from (node.above, div(ONE, node.below))
        elif isinstance(node, Power):
            yield node.base

    return _on_line("factor left out", own, wanted, changed)


def factor_twice(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    def changed(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Product):
            yield from (mul(*node.factors, factor) for factor in node.factors if not isinstance(factor, Number))
        elif isinstance(node, Quotient):
            yield div(node.above, mul(node.below, node.below))

    return _on_line("factor twice", own, wanted, changed)


def number_misread(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    """Two of its digits exchanged, or one of them another."""
    for put, used in _numbers_of(own, wanted):
        given = own.graph.given_value(used)
        text = given.text if given is not None and given.text else FOUR.write(own.value(used))
        others = list(_exchanged(text))
        if figures := _figures(text):
            place = chooser.choice(figures)
            others.append(text[:place] + chooser.choice([digit for digit in "123456789" if digit != text[place]]) + text[place + 1 :])
        for other in others[-2:]:
            yield from _worked("number misread", own, wanted, put(MISREAD), f"{own.graph.cell_id(used)}: {text} as {other}", float(other))


def neighbour_used(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    """Another number of the same kind, of the same layer, in the place of one."""
    for put, used in _numbers_of(own, wanted):
        alike = [(used[0], place) for place in own.graph.positions(used[0]) if place != used[1]]
        if alike:
            other = chooser.choice(alike)
            how = f"{own.graph.cell_id(other)} for {own.graph.cell_id(used)}"
            yield from _worked("neighbour used", own, wanted, put(MISREAD), how, own.value(other))


Put = Callable[[Expr], Expr]


def _occurrences(expr: Expr) -> Iterator[tuple[Expr, Put]]:
    """Every node, and what puts another in its place."""
    yield expr, lambda other: other
    parts = children(expr)
    for place, part in enumerate(parts):
        for node, put in _occurrences(part):
            yield (
                node,
                lambda other, place=place, put=put: REBUILD[type(expr)](  # type: ignore[misc]
                    expr, [put(other) if number == place else one for number, one in enumerate(parts)]
                ),
            )


def _each_term(changed: Callable[[tuple[Expr, ...], Expr, tuple[Expr, ...]], Expr]) -> Callable[[Expr], Iterator[Expr]]:
    def each(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Sum):
            for place, term in enumerate(node.terms):
                yield changed(node.terms[:place], term, node.terms[place + 1 :])

    return each


def _on_line(name: str, own: Exercise, wanted: Cell, changed: Callable[[Expr], Iterator[Expr]]) -> Iterator[Slip]:
    for node, put in _occurrences(own.graph.instance(wanted)):
        for other in changed(node):
            yield from _worked(name, own, wanted, put(other), "")


def _numbers_of(own: Exercise, wanted: Cell) -> list[tuple[Put, Cell]]:
    return [(put, cell(node)) for node, put in _occurrences(own.graph.instance(wanted)) if isinstance(node, Ref)]


def _worked(name: str, own: Exercise, wanted: Cell, line: Expr, how: str, misread: float = 0.0) -> Iterator[Slip]:
    """The line with something else in it, worked out; nothing where it has no value."""
    try:
        value = float(compute(line, lambda ref: misread if ref == MISREAD else own.value(cell(ref)), FLOATS))
        yield Slip(name, {wanted: FOUR.write(value)}, how, value)
    except (HandcalcError, ArithmeticError, ValueError):
        return


# name → the slugs that say so, and what yields it
SLIPS: dict[str, tuple[tuple[str, ...], Callable[[Exercise, Cell, Random], Iterator[Slip]]]] = {
    "sign of the result": (("sign-lost",), sign_of_result),
    "sign of one term": (("sign-in-sum",), term_signs),
    "point moved": (("point-moved",), point_moved),
    "digits exchanged": (("digits-exchanged",), digits_exchanged),
    "digit dropped": (("digit-dropped",), digit_dropped),
    "term left out": (("term-left-out",), term_left_out),
    "term twice": (("term-twice",), term_twice),
    "factor left out": (("factor-left-out",), factor_left_out),
    "factor twice": (("factor-twice",), factor_twice),
    "number misread": (("value-miscopied", "number-misread"), number_misread),
    "neighbour used": (("value-miscopied", "neighbour-used"), neighbour_used),
    "answers exchanged": (("answers-exchanged",), answers_exchanged),
    "old value as the new": (("old-value-given",), old_for_new),
    "new value as the gradient": (("other-number-given",), new_for_gradient),
    "gradient as the change": (("other-number-given", "rate-forgotten"), gradient_for_change),
}


# --- sheets -------------------------------------------------------------------------------------------------------------------------

SHEETS = 2600


def tasks(count: int) -> list[tuple[str, int]]:
    """The problems, and how many sheets of every slip each is to have."""
    problems = (*PROBLEMS, *TWINS)
    return [(name, max(round(count / len(problems) / len(SLIPS) / 2), 1)) for name in problems]


def sheets(problem: str, count: int, chooser: Random) -> Iterator[Sheet]:
    """So many sheets of every slip, with other answers and without."""
    own = exercise(problem)
    for _, made in SLIPS.values():
        places, found = list(own.ids), 0
        chooser.shuffle(places)
        for wanted in places:
            possible = [slip for slip in made(own, wanted, chooser) if _shows(own, slip)]
            if possible and found < count:
                found += 1
                slip = chooser.choice(possible)
                yield _sheet(own, problem, ALONE, slip, _slugs(own, wanted, slip), {})
                yield _sheet(own, problem, AMONG, slip, _slugs(own, wanted, slip), _others(own, wanted, slip, chooser))


def _shows(own: Exercise, slip: Slip) -> bool:
    """Whether a number is seen to be another."""
    for wanted, text in slip.texts.items():
        unit = 10.0 ** int(FOUR.of(own.value(wanted)).as_tuple().exponent)
        if abs(float(text) - own.value(wanted)) <= UNITS * max(unit, 10.0 ** int(Decimal(text).as_tuple().exponent)):
            return False
    return True


def _slugs(own: Exercise, wanted: Cell, slip: Slip) -> tuple[str, ...]:
    """What may be said of a slip: its own slugs, and those of slips that give the very same number."""
    found = dict.fromkeys(SLIPS[slip.name][0])
    if len(slip.texts) == 1:
        for slugs, made in SLIPS.values():
            if any(other.texts == slip.texts for other in made(own, wanted, Random(0))):
                found |= dict.fromkeys(slugs)
    return tuple(found)


def _others(own: Exercise, wanted: Cell, slip: Slip, chooser: Random) -> dict[Cell, tuple[str, bool]]:
    """The other answers of a sheet, and whether each follows from the wrong one."""
    run = Paper(own.graph, replaced={} if slip.value is None else {wanted: slip.value})
    cells = [other for other in own.ids if other not in slip.texts]
    used = {*own.graph.uses(wanted)}
    asked = [other for other in cells if other in used]
    rest = [other for other in cells if other not in used]
    asked += chooser.sample(rest, min(max(OTHERS - len(asked), 0), len(rest)))
    found = {}
    for other in asked:
        try:
            text = FOUR.write(run[other])
        except HandcalcError:
            continue
        found[other] = text, text != FOUR.write(own.value(other))
    return found


def _sheet(own: Exercise, problem: str, place: str, slip: Slip, slugs: tuple[str, ...], others: dict[Cell, tuple[str, bool]]) -> Sheet:
    texts = slip.texts | {wanted: text for wanted, (text, _) in others.items()}
    answers = {id: texts[wanted] for wanted, id in own.ids.items() if wanted in texts}
    wrong = tuple(own.ids[wanted] for wanted in slip.texts)
    following = tuple(own.ids[wanted] for wanted, (_, follows) in others.items() if follows)
    how = f"{', '.join(wrong)} {slip.how}".strip()
    return Sheet(f"{slip.name}, {place}", problem, answers, wrong, slugs, how, following=following)


# --- figures -------------------------------------------------------------------------------------------------------------------------

COLUMNS = (
    "slip",
    "sheets",
    "named",
    "by another mistake",
    "by another slip",
    "hint",
    "other hint",
    "wrong",
    "taken for right",
    "others accused",
)
ANY_LINE = {slug for slugs, _ in SLIPS.values() for slug in slugs}


def outcome(one: Judged) -> str:
    """What became of a slip: one of COLUMNS."""
    said = one.of_wrong()
    verdicts = {answer.verdict for answer in said}
    slugs = {slug for answer in said for slug in answer.slugs}
    hints = {slug for answer in said for slug in answer.hints}
    if "mistake" in verdicts:
        if slugs & {*one.sheet.named}:
            return "named"
        return "by another slip" if slugs & ANY_LINE else "by another mistake"
    if verdicts <= {"correct", "rounded", "imprecise"}:
        return "taken for right"
    if hints:
        return "hint" if hints & {*one.sheet.named} else "other hint"
    return "wrong"


def others_accused(one: Judged) -> list[Said]:
    """Other answers of which too much is said: right ones that are not right, following ones that follow from nothing."""
    return [
        answer
        for answer in one.of_others()
        if answer.verdict in ("wrong", "crash") or (answer.verdict in ACCUSED and answer.id not in one.sheet.following)
    ]


def figures(found: Sequence[Judged]) -> str:
    """The tables: all problems, and what becomes of the same networks as layers and as equations; and what slips are called."""
    tables = []
    for place in (ALONE, AMONG):
        rows = [_row(name, [one for one in found if one.sheet.row == f"{name}, {place}"]) for name in SLIPS]
        rows.append(_row("all", [one for one in found if one.sheet.row.endswith(place)]))
        tables.append(table(f"{TITLE}, {place} (named: at least 95 %)", COLUMNS, rows))
    return "\n".join([*tables, _twins(found), _names(found)])


def _row(name: str, found: Sequence[Judged]) -> tuple[str, ...]:
    outcomes = Counter(map(outcome, found))
    accused = sum(bool(others_accused(one)) for one in found)
    return (name, str(len(found)), *(share(outcomes[column], len(found)) for column in COLUMNS[2:-1]), share(accused, len(found)))


def _twins(found: Sequence[Judged]) -> str:
    rows = []
    for name in SLIPS:
        line = [name]
        for place in (ALONE, AMONG):
            for problems in (EQUATIONS, TWINS):
                own = [one for one in found if one.sheet.row == f"{name}, {place}" and one.sheet.problem in problems]
                line.append(share(sum(outcome(one) == "named" for one in own), len(own)))
        rows.append(line)
    columns = ("slip", *(f"{form}, {place}" for place in (ALONE, AMONG) for form in ("layers", "equations")))
    return table(f"{TITLE}: named, of {len(EQUATIONS)} networks as layers and as equations", columns, rows)


def _names(found: Sequence[Judged]) -> str:
    """What slips are called by mistakes that are no slips, or other ones."""
    called: Counter[tuple[str, str]] = Counter()
    for one in found:
        if outcome(one) in ("by another mistake", "by another slip"):
            called[one.sheet.row.partition(",")[0], " or ".join(sorted({slug for said in one.of_wrong() for slug in said.slugs}))] += 1
    rows = [(slip, str(count), slugs) for (slip, slugs), count in sorted(called.items(), key=lambda item: (item[0][0], -item[1]))]
    return table(f"{TITLE}: other names", ("slip", "sheets", "is called"), rows)


def misjudged(found: Sequence[Judged]) -> Iterator[tuple[str, Judged]]:
    """The sheets whose slip has another name or none, and those on which others are accused."""
    for one in found:
        said = outcome(one)
        if said not in ("named", "hint"):
            yield f"{said}, {one.sheet.row}", one
        if others_accused(one):
            yield f"others accused, {one.sheet.row}", one
