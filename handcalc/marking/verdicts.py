"""What is said of the answers of a sheet, one by one: `Verdicts(desk, answers, rounding).all(reads, story, reasons)`.

What happened on the sheet is known by then (check.py). Here it becomes a verdict: with the digits that were asked, the slip of a line
where no mistake explains an answer, the convention where it is none, the remark, the marks.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.marking.conventions import OtherConvention, conventional
from handcalc.marking.desk import Desk
from handcalc.marking.diagnosis import Explanation
from handcalc.marking.follow import fits, is_single, unit
from handcalc.marking.history import SheetHistory
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.marked import RIGHT, Marked
from handcalc.marking.misreadings import as_read, misreading
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.sharedreason import SharedReason, shared_reasons
from handcalc.marking.signs import is_error
from handcalc.marking.slips import LineSlip, LineSlips
from handcalc.marking.support import Support
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration

_IDLE = Message("the same number everywhere")
_LIKE = {"last_digit": "imprecise"}  # whose share of the marks a verdict has


class Reasons(Record):
    """Why answers are wrong, or right after all: right numbers in a wrong place; the mistakes that may explain others; conventions;
    numbers that nobody worked out, since the same stands everywhere."""

    misplaced: Mapping[Cell, str]
    maybe: Explanation | None
    conventions: Mapping[Cell, OtherConvention]
    idle: frozenset[Cell] = frozenset()


class Verdicts:
    """The verdicts on the answers of one sheet; rounding: the one it was worked in, if it is known."""

    def __init__(self, desk: Desk, answers: Mapping[Cell, Typed], rounding: Rounding | None) -> None:
        self.desk = desk
        self.answers = answers
        self.rounding = rounding
        self._workings: dict[Cell, float] = {}  # what the arithmetic on the line of an answer comes to

    def all(self, reads: list[ReadAnswer], story: SheetHistory, reasons: Reasons) -> tuple[Marked, ...]:
        """The answers in their order, each with its verdict."""
        self._workings = {read.cell: read.working for read in reads if read.cell and read.working is not None}
        marked = self._with_slips([self._marked(read, story) for read in reads], reasons)
        return tuple(self._by_custom([self._by_convention(answer, reasons.conventions) for answer in marked]))

    def _marked(self, read: ReadAnswer, story: SheetHistory) -> Marked:
        """The verdict on one answer, as the sheet tells it."""
        answer = read.answer
        worth = float(read.task.marks.numerator / read.task.marks.denominator) if answer.trouble is None else 0.0
        known = Marked(answer.id, answer.text, "unreadable", read.cell, turned=read.turned or False, note=read.trouble, worth=worth)
        if read.cell is None:
            return known
        known = known.replace(id=self.desk.book.cell_id(read.cell), expected=self._expected(read), typed=read.typed)
        if read.typed is None:
            return known if not read.blank else known.replace(verdict="missing")
        verdict = story.verdict(read.cell)
        if verdict in RIGHT and read.formula is None and not self._precise(read, story.support):
            verdict = "imprecise"
        slugs, others = story.mistakes(read.cell) if verdict == "mistake" else ((), ())
        begun = story.because_of(read.cell)
        note = known.note or self._remark(read.cell, read.typed, verdict, story.support)
        known = known.replace(verdict=verdict, mistakes=slugs, alternatives=others, note=note)
        return self._with_marks(known.replace(because_of=self.desk.book.cell_id(begun) if begun else ""))

    def _with_slips(self, marked: list[Marked], reasons: Reasons) -> list[Marked]:
        """The answers that no mistake explains, or two at once, or one that was made elsewhere, with the slip on a single line that does,
        or that may."""
        elsewhere = self._made_elsewhere(marked, reasons.maybe)
        unexplained = [answer for answer in marked if answer.verdict == "wrong" or len(answer.mistakes) > 1 or answer in elsewhere]
        named = {*reasons.misplaced, *reasons.idle}
        wrong = [answer.cell for answer in unexplained if answer.cell in self.answers and answer.cell not in named]
        found = {cell: LineSlip(slug, True) for cell, slug in reasons.misplaced.items()}
        slips = LineSlips(self.desk.definitions, self.answers, self.desk.size)
        found |= {cell: LineSlip("miscalculated", True, here=True) for cell in wrong if cell and self._is_set_up(cell, slips)}
        wrong = [cell for cell in wrong if cell not in found]
        misread = misreading(self.desk.definitions, self.answers, [cell for cell in wrong if cell], self.desk.size)
        alike = misread.answers if misread is not None else ()
        found |= {cell: LineSlip("number-misread", True, together=True) for cell in alike}
        found |= slips.explain_all([cell for cell in wrong if cell and cell not in alike])
        right = [answer.cell for answer in marked if answer.verdict in RIGHT and answer.cell]
        shared = self._shared(slips, [cell for cell in wrong if cell and cell not in alike], found)
        found |= {cell: LineSlip(reason.way.slug, True, together=True) for cell, reason in shared.items()}
        found = {cell: slip for cell, slip in found.items() if slip.here or not any(cell == answer.cell for answer in elsewhere)}
        marked = [answer.replace(note=answer.note or _IDLE, unworked=True) if answer.cell in reasons.idle else answer for answer in marked]
        explained = [self._explained(answer, found.get(answer.cell) if answer.cell else None, reasons.maybe) for answer in marked]
        if misread is not None:
            note = as_read(misread, self.desk.interpreter.reading)
            explained = [answer if answer.cell not in alike else answer.replace(note=answer.note or note) for answer in explained]
        explained = [
            answer.replace(note=answer.note or shared[answer.cell].remark()) if answer.cell in shared else answer for answer in explained
        ]
        return self._repeated([self._of_other_step(answer, right) for answer in explained], found)

    def _of_other_step(self, answer: Marked, right: list[Cell]) -> Marked:
        """The answer with a remark on another step: one that was worked with its right number, or the one whose number it is."""
        wanted, typed = answer.cell, answer.typed
        if wanted is None or typed is None or answer.note is not None:
            return answer
        remark: Message | None = None
        if answer.verdict == "wrong" and not answer.hints:
            remark = self.desk.written_wrong(wanted, self.answers, right)
        elif answer.mistakes == ("other-answer-given",):
            others = (other for other in self.answers if other != wanted and fits(float(self.desk.right[other]), typed))
            remark = Message("this is {step}", step=self.desk.book.cell_id(next(others)))
        return answer.replace(note=remark)

    def _shared(self, slips: LineSlips, wrong: list[Cell], found: Mapping[Cell, LineSlip]) -> dict[Cell, SharedReason]:
        """The answers that are all off in the same way, with that; not where each is certain to have the same slip."""
        shared: dict[Cell, SharedReason] = {}
        for reason in shared_reasons(slips, wrong):
            named = {slip.slug if (slip := found.get(cell)) is not None and slip.sure else "" for cell in reason.answers}
            if len(named) > 1 or "" in named:
                shared |= dict.fromkeys(reason.answers, reason)
        return shared

    def _is_set_up(self, wanted: Cell, slips: LineSlips) -> bool:
        """Whether the arithmetic on the line of an answer gives the right number, so that it was worked out wrong."""
        worked = self._workings.get(wanted)
        if worked is None:
            return False
        step = unit(self.answers[wanted])
        return any(abs(worked - value) <= step / 2 for value in slips.right_numbers(wanted))

    def _repeated(self, marked: list[Marked], slips: Mapping[Cell, LineSlip]) -> list[Marked]:
        """The answers, of which those with a slip that was made before on a line of the same kind cost nothing more; not one that is made
        anew every time, as a sign that is lost, unless it is one number misread once."""
        first: dict[tuple[str, str], str] = {}
        result = []
        for answer in marked:
            slip = slips.get(answer.cell) if answer.cell else None
            again = slip is not None and slip.sure and (slip.together or not MISTAKES[slip.slug].single)
            if again and slip is not None and answer.cell and answer.mistakes == (slip.slug,):
                kind = "" if slip.together else self.desk.book.quantity(answer.cell).kind
                begun = first.setdefault((slip.slug, kind), answer.id)
                answer = answer if begun == answer.id else self._with_marks(answer.replace(because_of=begun))
            result.append(answer)
        return result

    def _made_elsewhere(self, marked: list[Marked], maybe: Explanation | None) -> list[Marked]:
        """The one mistaken answer of a sheet, where its mistake was made on single lines, none of them its own or just before it: what is
        nearer goes before it. A given number that was misread is as near as can be."""
        mistaken = [answer for answer in marked if answer.verdict == "mistake"]
        if len(mistaken) != 1 or maybe is None:
            return []

        well_read = {
            used
            for answer in marked
            if answer.verdict in RIGHT and answer.cell
            for current in self.desk.definitions.between(answer.cell, self.answers)
            for used in self.desk.definitions.uses(current)
        }

        own = mistaken[0].cell
        before = self.desk.definitions.uses(own) if own else ()

        def is_near(cell: Cell) -> bool:
            if self.desk.book.given_value(cell) is not None:
                return cell == own or cell not in well_read
            return cell == own or (cell in before and cell not in self.answers)

        return [] if any(part.cells is None or any(map(is_near, part.cells)) for part in maybe.hypothesis.parts) else mistaken

    def _explained(self, answer: Marked, slip: LineSlip | None, maybe: Explanation | None) -> Marked:
        """An answer with its slip, named or as a hint; maybe: mistakes that may explain what no slip does."""
        if answer.verdict not in ("wrong", "mistake"):
            return answer
        if slip is not None and slip.sure:
            others = tuple((slug,) for slug in slip.others)
            return self._with_marks(answer.replace(verdict="mistake", mistakes=(slip.slug,), alternatives=others, made=slip.made))
        if answer.verdict == "mistake":
            return answer
        if maybe is not None and not maybe.sure and answer.cell not in maybe.left:
            return answer.replace(hints=maybe.hypothesis.slugs)
        return answer if slip is None else answer.replace(hints=(slip.slug, *slip.others))

    def _by_convention(self, marked: Marked, conventions: Mapping[Cell, OtherConvention]) -> Marked:
        """The answer, or that it is right under another convention."""
        found = conventions.get(marked.cell) if marked.cell else None
        if found is None or marked.verdict not in ("correct", "rounded"):
            return marked
        known = marked.replace(verdict="convention", conventions=(found.name,), alternatives=found.mistakes)
        return self._with_marks(known.replace(note=marked.note or found.title))

    def _by_custom(self, marked: list[Marked]) -> list[Marked]:
        """The answers, of which those that show a mistake which is none under another convention, and what follows from them, are right."""
        if self.desk.problem.marking.conventions != "allow":
            return marked
        found = {
            answer.id: custom
            for answer in marked
            if answer.verdict == "mistake" and not answer.alternatives and (custom := conventional(answer.mistakes))
        }

        def right(answer: Marked) -> Marked:
            began = answer.because_of if answer.verdict == "follow_through" else answer.id
            custom = found.get(began)
            if custom is None:
                return answer
            known = answer.replace(verdict="convention", conventions=(custom.convention,), mistakes=(), because_of="")
            return self._with_marks(known.replace(alternatives=((custom.slug,),), note=answer.note or Message(custom.on_this_sheet)))

        return list(map(right, marked))

    def _with_marks(self, marked: Marked) -> Marked:
        return marked.replace(marks=marked.worth * self._share(marked))

    def _expected(self, read: ReadAnswer) -> str:
        assert read.cell is not None
        plain, number = base(read.cell), iteration(read.cell)
        shown = self.desk.book.derivation.shown(plain, number)
        return (shown.negated() if read.turned else shown).plain

    def _precise(self, read: ReadAnswer, support: Support) -> bool:
        """Whether an answer that is right has the digits asked for, or is exact.

        Where none are asked: the digits of its rounding, else two, or as many decimals as the rest of the sheet.
        """
        assert read.cell is not None
        typed, value = self.answers[read.cell], float(self.desk.right[read.cell])
        asked = self.desk.asked_digits(read.cell, read.task)
        if typed.places is None or abs(typed.value - value) <= 1e-9 * abs(value):
            return True
        if asked is None:
            if not support.is_telling(read.cell):
                return False
            carried = self.rounding is not None and self.rounding.carry
            return carried or typed.significant >= 2 or typed.places >= max(other.places or 0 for other in self.answers.values())
        decimals, significant = asked
        return typed.places >= decimals if decimals is not None else typed.significant >= (significant or 1)

    def _remark(self, wanted: Cell, typed: Typed, verdict: str, support: Support) -> Message | None:
        if verdict == "imprecise" and not support.tells(wanted):
            return Message("these digits do not tell it from 0" if not typed.above else "these digits do not tell it from the old value")
        if verdict == "last_digit":
            return Message("one unit of the last digit away from the right number")
        turned = typed.above != 0 and fits(-float(self.desk.right[wanted]), typed)
        if verdict in ("mistake", "wrong") and turned and is_error(self.desk.definitions, wanted):
            return Message("right if δ = −∂E/∂net: a new weight beside it would tell")
        if verdict not in RIGHT:
            return self._of_given(wanted, typed)
        value = float(self.desk.right[wanted])
        return Message("right in single precision (float32)") if is_single(value, typed) and not fits(value, typed) else None

    def _of_given(self, wanted: Cell, typed: Typed) -> Message | None:
        """A remark on another number for a parameter that is given: the new one has a name of its own."""
        name, place = base(wanted)
        given = self.desk.book.given_value(wanted)
        new = self.desk.book.graph.updated(name)
        if given is None or iteration(wanted) > 1 or not new or fits(float(self.desk.right[wanted]), typed):
            return None
        reading, found = self.desk.interpreter.reading, float(self.desk.right[new, place])
        words = {
            "old": reading.symbol(Ref(name, place)),
            "new": reading.symbol(Ref(new, place)),
            "id": self.desk.book.cell_id((new, place)),
        }
        if fits(found, typed):
            return Message("{old} is given; your number is right for the updated one, {new} (id {id})", **words)
        return Message("{old} is given; the updated one is {new} (id {id})", **words)

    def _share(self, marked: Marked) -> float:
        scheme = self.desk.problem.marking
        if marked.verdict == "convention":
            return float(scheme.conventions == "allow")
        repeated = marked.verdict == "mistake" and marked.because_of != ""
        name = "follow_through" if repeated else _LIKE.get(marked.verdict, marked.verdict)
        share = getattr(scheme, name, None)
        return float(share.numerator / share.denominator) if share is not None else 1.0 if name == "correct" else 0.0
