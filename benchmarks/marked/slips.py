"""Slips of one line: each should have its name.

A slip of slipkinds.py is made on a step where it changes the number as it is written, to four significant digits, by more than a unit
and a half of the last of them. The answer is alone on its sheet, or among others: those before it are right; those after it are right
as well where it was only written down wrong, and follow from it where it was worked out wrong. Five networks are also set as equations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from math import isclose
from random import Random

from handcalc.core.quantity import Cell
from handcalc.errors import HandcalcError
from marked.exercises import EQUATIONS, FAMILIES, TWIN, Exercise, exercise
from marked.judging import ACCUSED, Judged, Said, Sheet, share, table
from marked.paper import Paper
from marked.slipkinds import FOUR, SLIPS, Slip

TITLE = "Slips of one line"
SHEETS = 4800
LARGE = ("normalised batch", "strided convolution", "convolution", "recurrence", "gomez-lstm")  # of which a sheet takes a second
PROBLEMS = tuple(dict.fromkeys((*EQUATIONS, *(name for names in FAMILIES.values() for name in names if name not in LARGE))))
TWINS = tuple(name + TWIN for name in EQUATIONS)
UNITS = 1.5
OTHERS = 40  # answers beside the wrong one
ALONE, AMONG = "alone", "on a sheet"
SIGNS = "plus-for-minus error-sign-flipped bias-subtracted cross-entropy-sign-or-mean threshold-sign value-miscopied"
# name → mistakes with a name of their own that say as much, or more
SAYING_AS_MUCH: dict[str, str] = {
    "sign of the result": SIGNS,
    "sign of one term": SIGNS,
    "term left out": """
        bias-forgotten sum-over-outputs-forgotten one-output-only velocity-forgotten memory-forgotten residual-forgotten
        time-path-forgotten state-not-carried initial-state-forgotten gradient-of-one-window gradient-of-one-time
        gradient-of-one-token decay-forgotten norm-epsilon-forgotten change-given-as-weight bias-update-rule""",
    "term twice": "bias-per-product bias-moved-per-weight",
    "factor left out": """
        rate-forgotten half-forgotten two-over-n mean-for-half batch-scaling output-derivative-forgotten
        hidden-derivative-forgotten weights-left-out-of-back-sum raw-error-sent-back upstream-replaced-by-derivative
        scale-forgotten average-share-forgotten average-pool-summed dropout-not-scaled square-forgotten relu-mask-wrong
        values-not-weighted bias-correction-forgotten root-forgotten""",
    "factor twice": "rate-twice",
    "gradient as the change": "rate-forgotten",
}


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
        number = float(slip.texts[wanted])
        for slugs, made in SLIPS.values():
            if any(len(other.texts) == 1 and float(other.texts[wanted]) == number for other in made(own, wanted, Random(0))):
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
    return Sheet(f"{slip.name}, {place}", problem, answers, wrong, slugs, how, following=following, exact=slip.exact)


# --- figures -------------------------------------------------------------------------------------------------------------------------

COLUMNS = ("slip", "sheets", "named", "as a mistake", "misnamed", "hint", "other hint", "wrong", "taken for right", "others accused")


def outcome(one: Judged) -> str:
    """What became of a slip, one of COLUMNS: named, by its own name; as a mistake, by one that says as much, or gives the very same
    number; misnamed, by one that gives another number, which is the same only in the digits written."""
    said = one.of_wrong()
    verdicts = {answer.verdict for answer in said}
    slugs = {slug for answer in said for slug in answer.slugs}
    hints = {slug for answer in said for slug in answer.hints}
    if "mistake" in verdicts:
        if slugs & {*one.sheet.named}:
            return "named"
        as_much = slugs & {*SAYING_AS_MUCH.get(slip_of(one), "").split()}
        return "as a mistake" if as_much or _is_the_same(one) else "misnamed"
    if verdicts <= {"correct", "rounded", "imprecise"}:
        return "taken for right"
    if hints:
        return "hint" if hints & {*one.sheet.named} else "other hint"
    return "wrong"


def _is_the_same(one: Judged) -> bool:
    """Whether a mistake that is named gives the very same number."""
    exact, numbers = one.sheet.exact, [number for said in one.of_wrong() for number in said.numbers]
    return exact is not None and any(isclose(exact, number, rel_tol=1e-9) for number in numbers)


def slip_of(one: Judged) -> str:
    """The name of the slip."""
    return one.sheet.row.partition(",")[0]


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
    if any(one.sheet.problem in TWINS for one in found):
        tables.append(_twins(found))
    return "\n".join([*tables, _names(found)])


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
    """What slips are called, if not by their own names."""
    called: Counter[tuple[str, str, str]] = Counter()
    for one in found:
        if outcome(one) in ("as a mistake", "misnamed"):
            slugs = " or ".join(sorted({slug for said in one.of_wrong() for slug in said.slugs}))
            called[slip_of(one), outcome(one), slugs] += 1
    ordered = sorted(called.items(), key=lambda item: (item[0][:2], -item[1]))
    lines = [(f"{count} × {slip}, {said}: {slugs}",) for (slip, said, slugs), count in ordered]
    return table(f"{TITLE}: other names", ("what slips are called",), lines)


def misjudged(found: Sequence[Judged]) -> Iterator[tuple[str, Judged]]:
    """The sheets whose slip has another name or none, and those on which others are accused."""
    for one in found:
        said = outcome(one)
        if said not in ("named", "as a mistake", "hint"):
            yield f"{said}, {one.sheet.row}", one
        if others_accused(one):
            yield f"others accused, {one.sheet.row}", one
