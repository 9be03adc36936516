"""Reports on marked sheets: every answer shown or counted, one right number for each, names in words, short, in every format.

The sheets are right ones of shipped problems, spoiled here and there by a seeded student, and such with every known mistake.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from rich.console import Console
from shipping import loaded, some
from students import FOUR, Answers, Exercise

from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding, Shown
from handcalc.exercises.asked import Exercise as AskedExercise
from handcalc.marking import auditreport
from handcalc.marking.answers import sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.desk import Desk
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.report import FOLLOWING, WORKSHEET, report
from handcalc.marking.studentlines import StudentLines
from handcalc.marking.wording import LISTED, VERDICTS_SHOWN
from handcalc.render import read
from handcalc.render.blocks import Block, Digits, Equation, Heading, Name, Paragraph, Table, Toned, spell
from handcalc.render.dialects import PLAIN, UNICODE, Dialect
from handcalc.render.formats.terminal import show
from handcalc.render.formats.textpage import Screen
from handcalc.render.reading import Reading
from handcalc.render.report import FORMATS

PROBLEMS = ["mazur-2-2-2", "zhou-four-people", "xigua-thresholds", "gomez-lstm", "softmax-cross-entropy", "adam-logistic"]
each_problem = pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[:1]))
SEEDS = range(6)


@cache
def exercise(problem: str) -> Exercise:
    return Exercise(loaded(problem))


def reading_of(own: Exercise, dialect: Dialect = PLAIN) -> Reading:
    return read(own.book.derivation, "", dialect)


def spoiled(own: Exercise, seed: int) -> Answers:
    """A worksheet with answers that are wrong, short, unreadable, left blank, not there, of no step, or worked with wrong ones."""
    chooser = random.Random(f"{Path(own.problem.path).name} {seed}")
    sheet = own.key([*own.desk.interpreter.default()], Rounding(None, chooser.choice((4, 5, 6))))
    for name in chooser.sample([*sheet], min(len(sheet), 2 + seed)):
        number = float(sheet[name])
        change: Callable[[], str] = chooser.choice(
            (
                lambda: f"{1.2345 * number + 0.1:.4f}",  # noqa: B023 - called at once
                lambda: f"{-number:.4g}",  # noqa: B023
                lambda: f"{number:.1g}",  # noqa: B023
                lambda: "abc",
                lambda: "",
            )
        )
        sheet[name] = change()
    if seed % 2:
        sheet = dict([*sheet.items()][: -len(sheet) // 4]) | {"nosuch": "3"}
    return sheet


def made(own: Exercise) -> Iterator[Answers]:
    """A sheet with each known mistake, as it can be made here, and one that goes on right from a wrong number."""
    yield from (answers for _, answers in own.with_mistakes(own.mistakes("all"), FOUR))


def blocks_of(own: Exercise, marking: Marking, reading: Reading, everything: bool = False) -> list[Block]:
    return [*report(own.desk, marking, reading, everything)]


def rows_of(blocks: list[Block]) -> int:
    return sum(len(block.rows) for block in blocks if isinstance(block, Table))


# --- shown or counted ---------------------------------------------------------------------------------------------------


def uncounted(own: Exercise, marking: Marking) -> list[str]:
    """What is wrong with the numbers of rows and of answers that are not shown."""
    reading = reading_of(own)
    few, every = (blocks_of(own, marking, reading, everything) for everything in (False, True))
    missing = marking.summary.get("missing", 0)
    said = sum(
        int(found[1])
        for block in few
        if isinstance(block, Paragraph)
        if (found := re.match(r"(\d+) [a-z ]+\(--all\)\.$", spell(block.text, reading, str)))
    )
    wrong = []
    if rows_of(few) + said + missing != len(marking.answers):
        wrong.append(f"{rows_of(few)} rows and {said} that are counted and {missing} missing, of {len(marking.answers)}")
    if rows_of(every) + missing != len(marking.answers):
        wrong.append(f"{rows_of(every)} rows with --all and {missing} missing, of {len(marking.answers)}")
    if "--all" in "".join(spell(block.text, reading, str) for block in every if isinstance(block, Paragraph)):
        wrong.append("--all speaks of --all")
    return wrong


@each_problem
def test_every_answer_is_shown_or_counted_once(problem: str) -> None:
    own = exercise(problem)
    for seed in SEEDS:
        assert not uncounted(own, own.mark(spoiled(own, seed)))


def test_what_is_right_is_not_in_the_table() -> None:
    own = exercise("mazur-2-2-2")
    for seed in SEEDS:
        marking = own.mark(spoiled(own, seed))
        wrong = [answer for answer in marking.answers if answer.verdict not in (*RIGHT, "missing", "follow_through")]
        follow = marking.summary.get("follow_through", 0)
        assert rows_of(blocks_of(own, marking, reading_of(own))) == len(wrong) + (follow if follow <= FOLLOWING else 0)


# --- one right number ---------------------------------------------------------------------------------------------------


def disagreeing(own: Exercise, marking: Marking) -> Iterator[str]:
    """Right lines of answers that end in another number than the table has beside the answer."""
    reading = reading_of(own)
    blocks = blocks_of(own, marking, reading)
    table = next((block for block in blocks if isinstance(block, Table)), None)
    beside = {row[0].reference: row[2] for row in (table.rows if table else ()) if isinstance(row[0], Name) and isinstance(row[2], Digits)}
    for line in blocks:
        if not (isinstance(line, Equation) and isinstance(line.label, Toned) and line.label.tone == "right"):
            continue
        found = line.right[-1][1]
        if isinstance(line.left, Name) and line.left.reference in beside and isinstance(found, Digits):
            if found.number.plain != beside[line.left.reference].number.plain:
                yield f"{spell(line.left, reading, str)}: {found.number.plain}, but {beside[line.left.reference].number.plain} in the table"


@each_problem
def test_the_right_number_of_a_line_is_that_of_the_table(problem: str) -> None:
    own = exercise(problem)
    for answers in chain((spoiled(own, seed) for seed in SEEDS), [*made(own)][::5]):
        assert not [*disagreeing(own, own.mark(answers))]


def digits(shown: Shown) -> int:
    """Significant digits."""
    return len(shown.digits.replace(".", "").lstrip("-0"))


def odd_digits(own: Exercise, marking: Marking) -> Iterator[str]:
    """Right numbers beside wrong answers that look like the answer, or have more digits than it takes."""
    lines = StudentLines(own.desk, marking, reading_of(own))
    for answer in marking.answers:
        if answer.verdict not in ("wrong", "mistake") or answer.typed is None or answer.typed.places is None:
            continue
        shown, typed = lines.right(answer), answer.typed
        value = shown.negated() if lines.reading.turned(answer.cell) else shown  # type: ignore[arg-type]
        if value.value == typed.value:
            yield f"{answer.id}: {answer.given} beside {shown.plain}"
        most = max(3 if shown.exact else 2, typed.significant + 1)
        shorter = Rounding(None, digits(shown) - 1).shown(value.value) if digits(shown) > most else None
        if shorter is not None and shorter.value != typed.value:
            yield f"{answer.id}: {shown.plain} has more digits than {answer.given}"


@each_problem
def test_right_numbers_have_the_digits_of_the_answer(problem: str) -> None:
    own = exercise(problem)
    for seed in SEEDS:
        assert not [*odd_digits(own, own.mark(spoiled(own, seed)))]


RIGHT_NUMBERS = {
    # answers → the right number beside the last one, and what is said of it
    "as many digits": ({"net.o1": "1.205"}, "1.106", ""),
    "with the student's own number": ({"out.h1": "0.61", "net.o1": "1.205"}, "1.113", "With your out_h1 it should be 1.113 (1.106 "),
    "own numbers that make no difference": ({"out.h1": "0.59", "net.o1": "1.3"}, "1.1", ""),
    "own numbers that are rounded": (
        {"out.h1": "0.59", "net.o1": "1.205"},
        "1.105",
        "With your rounded numbers it should be 1.105 (1.106 ",
    ),
    "two digits at least": ({"net.o1": "2"}, "1.1", ""),
    "as many decimals": ({"net.h1": "0.0275"}, "0.3775", ""),
    "few of a small number": ({"net.h1": "0.0000025"}, "0.378", ""),
    "as many decimals, not digits": ({"net.o1": "12.205"}, "1.106", ""),
    "as many as tell them apart": ({"net.h1": "0.3775", "out.h2": "0.6"}, "0.597", ""),
    "one digit that tells too little": ({"net.h2": "0.3925", "net.h1": "0.4"}, "0.38", ""),
    "a new weight": ({"new.w5": "0.4411"}, "0.3589", ""),
    "a formula": ({"grad.w5": "(out_o1-target_o1)*out_h1"}, "0.0821670", ""),
}


@pytest.mark.parametrize("case", RIGHT_NUMBERS)
def test_the_right_number(case: str) -> None:
    answers, number, said = RIGHT_NUMBERS[case]
    own, reading = exercise("mazur-2-2-2"), reading_of(exercise("mazur-2-2-2"))
    marking = own.mark(answers)
    blocks = blocks_of(own, marking, reading, everything=True)
    table = next(block for block in blocks if isinstance(block, Table))
    assert spell(table.rows[-1][2], reading, str) == number
    sentences = [text for block in blocks if isinstance(block, Paragraph) if (text := spell(block.text, reading, str)).startswith("With")]
    assert [text[: len(said)] for text in sentences] == [said] * bool(said)


# --- words --------------------------------------------------------------------------------------------------------------

SLUGS = re.compile("|".join(rf"(?<![\w-]){re.escape(slug)}(?![\w-])" for slug in MISTAKES if "-" in slug))


def on_screen(own: Exercise, marking: Marking, everything: bool = False, dialect: Dialect = UNICODE, desk: Desk | None = None) -> str:
    """The report as a terminal of 80 columns shows it."""
    desk = desk or own.desk
    reading = read(desk.book.derivation, "", dialect)
    stream = io.StringIO()
    page = Screen(Console(file=stream, width=80, highlight=False, markup=False, emoji=False, force_terminal=True, color_system="standard"))
    show(report(desk, marking, reading, everything), reading, str, page)
    return stream.getvalue()


def unstyled(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@each_problem
def test_mistakes_are_named_in_words(problem: str) -> None:
    own = exercise(problem)
    named: set[str] = set()
    for answers in [*made(own)][::3]:
        marking = own.mark(answers)
        text = unstyled(on_screen(own, marking, everything=True))
        assert not SLUGS.findall(text)
        for slug in {slug for answer in marking.answers for slug in answer.mistakes}:
            assert f". {MISTAKES[slug].name} " in text
            named.add(slug)
    assert len(named) > 5


@pytest.mark.slow
def test_an_audit_names_mistakes_in_words_and_rows_say_which() -> None:
    own, reading = exercise("mazur-2-2-2"), reading_of(exercise("mazur-2-2-2"))
    found = audit(own.problem, sheet_of({"net.h1": "0.0275", "out.h1": "0.593269992", "new.w5": "0.4411", "new.w6": "0.4913"}))
    assert any(number.alternatives for number in found.numbers)
    title, table, *blocks = auditreport.report(own.problem, found, reading)
    headings = [spell(block.text, reading, str) for block in blocks if isinstance(block, Heading)]
    assert not [
        text
        for block in (title, *blocks)
        if isinstance(block, (Heading, Paragraph))
        if SLUGS.search(text := spell(block.text, reading, str))
    ]
    assert isinstance(table, Table) and [spell(row[-1], reading, str) for row in table.rows] == ["bias", "", "see 1 / 2", "see 1 / 2"]
    assert [heading.partition(". ")[0] for heading in headings[:-1]] == ["1", "2"]


def test_a_mistake_is_explained_once_and_rows_say_where() -> None:
    own = exercise("mazur-2-2-2")
    answers = own.key() | {"new.w5": "0.4411", "new.w6": "0.4913", "new.w1": "0.1504", "grad.w8": "0.02274"}
    text = unstyled(on_screen(own, own.mark(answers)))
    headings = re.findall(r"^── (\d+)\. (.+?) ─*$", text, re.MULTILINE)
    assert [number for number, _ in headings] == [str(place + 1) for place in range(len(headings))] and len({*headings}) == len(headings)
    assert {*re.findall(r"see (\d+)", text)} == {number for number, _ in headings}


TONES_OF = {"✓ correct": 32, "✗ wrong": 31, "→ follows": 33, "~ too few digits": 33}
COLOURS = {"out.h1": "0.593270", "net.h1": "0.4", "net.h2": "0.412", "out.h2": "0.601567"}  # right, short, wrong, follows


def test_colours_are_besides_words_and_signs() -> None:
    own = exercise("mazur-2-2-2")
    marking = own.mark(COLOURS)
    text = on_screen(own, marking, everything=True)
    for words, colour in TONES_OF.items():
        assert re.search(rf"\x1b\[{colour}m{re.escape(words)} *\x1b\[0m", text), words
    plain = on_screen(own, marking, everything=True, dialect=PLAIN)
    assert unstyled(plain).isascii() and all(words in plain for words in ("+ correct", "x wrong", "> follows", "~ too few digits"))


# --- short --------------------------------------------------------------------------------------------------------------


def test_a_sheet_with_one_wrong_answer_fits_on_a_screen() -> None:
    """80 columns, 23 lines and the next prompt: each answer of a whole sheet in turn."""
    own = exercise("mazur-2-2-2")
    sheet = own.key(own.desk.interpreter.default())
    for name, number in [*sheet.items()][::3]:
        marking = own.mark(sheet | {name: f"{1.31 * float(number):.4f}"}).replace(name="Ann")
        lines = unstyled(on_screen(own, marking)).splitlines()
        assert len(lines) <= 23 and max(map(len, lines)) <= 80, "\n".join(lines)
        assert lines[2].endswith(" %)"), "the result comes first"


def test_what_follows_from_a_wrong_number_is_counted_where_it_is_much() -> None:
    own = exercise("mazur-2-2-2")
    net, *after = (own.book.find(name) for name in ("net.h1", "out.h1", "net.o1", "net.o2", "out.o1", "out.o2"))
    run = Evaluation(own.book, None, {net: 0.412})
    few = own.mark(own.typed({wanted: float(run[wanted]) for wanted in (net, *after[:2])}, Rounding(None, 6)))
    assert few.summary["follow_through"] == 2 and rows_of(blocks_of(own, few, reading_of(own))) == 3
    many = own.mark(own.typed({wanted: float(run[wanted]) for wanted in (net, *after)}, Rounding(None, 6)))
    assert many.summary["follow_through"] == 5
    text = unstyled(on_screen(own, many))
    assert "5 answers that follow from a wrong one are not shown (--all)." in text and "→" not in text


def said_of_absent(own: Exercise, answers: Answers) -> list[str]:
    """What a report says is not answered, or not on the sheet."""
    text = unstyled(on_screen(own, own.mark(answers)))
    return [line for line in text.splitlines() if line.startswith("Not ")]


def test_steps_that_are_not_there() -> None:
    own = exercise("mazur-2-2-2")
    sheet = own.key(own.desk.interpreter.default())
    assert said_of_absent(own, sheet) == []
    left_out = {name: number for name, number in sheet.items() if name not in ("net.h2", "loss")}
    assert said_of_absent(own, left_out) == ["Not on the sheet: net_h2, E_total."]
    assert said_of_absent(own, left_out | {"out.h2": "", "new.w5": "____"}) == [
        "Not answered: out_h2, w5⁺.",
        "Not on the sheet: net_h2, E_total.",
    ]
    many = dict([*sheet.items()][: len(sheet) - 7])
    assert said_of_absent(own, many) == ["Not on the sheet: w2⁺, w3⁺, w4⁺, w5⁺, w6⁺, w7⁺ and 1 more."]
    few = dict([*sheet.items()][: WORKSHEET + 1])
    assert said_of_absent(own, few) == [], "who answers some questions is not told of the others"
    asked = own.key([*AskedExercise(loaded("mazur-2-2-2")).asked])
    assert len(asked) > len(sheet) / 2 and said_of_absent(own, asked) == [], "a sheet of generate asks no net inputs"


def test_what_is_not_answered_has_no_rows() -> None:
    """Of forty blanks five are filled in: five rows and one short line, with --all too."""
    own = exercise("gomez-lstm")
    asked = own.desk.interpreter.default()
    sheet = own.key(asked)
    marking = own.mark(dict.fromkeys(sheet, "") | dict([*sheet.items()][:5]))
    every = blocks_of(own, marking, reading_of(own), everything=True)
    assert len(asked) > 25 and rows_of(every) == 5
    absent = unstyled(on_screen(own, marking)).partition("Not answered: ")[2]
    assert len(absent) < 200 and absent.endswith(f" and {len(asked) - 5 - LISTED} more.\n")


def test_what_the_exercise_asks_is_not_answered() -> None:
    own = Exercise(loaded("mazur-2-2-2").replace(tasks=exercise_tasks("net.h1", "out.h1", "loss")))
    assert said_of_absent(own, {"net.h1": "0.3775"}) == ["Not answered: out_h1, E_total."]


def exercise_tasks(*asked: str) -> tuple[object, ...]:
    from handcalc.problem.schema import Task

    return tuple(map(Task, asked))


# --- further iterations, notations ----------------------------------------------------------------------------------------


def test_steps_of_a_further_iteration_are_named_in_every_format() -> None:
    own = exercise("mazur-2-2-2")
    sheet = sheet_of({"#2:net.h1": "0.5", "#2:out.h1": "0.7"})
    desk = own.checker.desk_for(sheet)
    marking = own.checker.mark(sheet)
    for dialect, name in ((PLAIN, "#2:net_h1"), (UNICODE, "#2:net_h1")):
        reading = read(desk.book.derivation, "", dialect)
        tables = [block for block in report(desk, marking, reading) if isinstance(block, Table)]
        assert spell(tables[0].rows[0][0], reading, str) == name
    text = unstyled(on_screen(own, marking, everything=True, desk=desk))
    assert re.search(r"yours +#2:net_h1 = 0\.5\n +right +#2:net_h1 = w1·i1", text), "the two lines are one below the other"


def test_verdicts_of_all_kinds_have_a_row() -> None:
    """A marking of each verdict, made by hand: the table has a sign and a word for it, but for what is not answered."""
    own = exercise("mazur-2-2-2")
    cell = own.book.find("net.h1")
    for verdict in ("correct", "rounded", "imprecise", "follow_through", "wrong", "missing", "unreadable"):
        answer = Marked("net.h1", "0.4", verdict, cell, "0.3775")
        text = unstyled(on_screen(own, Marking("", (answer,), None), everything=True))
        assert bool(re.search(r"^net_h1 .* \S [a-z]", text, re.MULTILINE)) == (verdict != "missing"), verdict


def test_the_documentation_has_the_words_of_verdicts() -> None:
    page = (Path(__file__).parents[1] / "docs" / "checking.md").read_text("utf-8")
    for verdict, look in VERDICTS_SHOWN.items():
        row = "mistake" if verdict == "repeated" else verdict
        assert re.search(rf"^\| `{row}` \|.* {re.escape(f'{look.sign} {look.word}')}[, |]", page, re.MULTILINE), verdict


def test_every_document_format_has_its_beginning() -> None:
    from handcalc.marking.feedback import Feedback

    own = exercise("mazur-2-2-2")
    marking = own.mark({"new.w5": "0.44108", "foo": "<b>&", "net.h1": "0.4"}).replace(name="<i>Ann</i>")
    for format in ("markdown", "latex", "html", "typst"):
        content = Feedback(format, "zh").written(own.desk, marking)
        assert isinstance(content, str) and content.encode().lstrip(b"\n").find(FORMATS[format].begins) >= 0
        assert "更新时加上了梯度" in content and "plus-for-minus" not in content
    assert "<i>Ann" not in str(Feedback("html").written(own.desk, marking))


@pytest.mark.parametrize("problem", ["mazur-2-2-2", "xigua-thresholds"])
def test_numbers_and_symbols_are_never_the_text_of_another_format(problem: str) -> None:
    """Also where a letter stands for the negative of what is answered under an id."""
    from handcalc.marking.feedback import Feedback

    own = exercise(problem)
    marking = own.mark(spoiled(own, 4))
    page = str(Feedback("html", notation="zhou").written(own.desk, marking))
    assert "&lt;m" not in page[page.index("<main") : page.index("</main>")]
    text = str(Feedback("latex", notation="zhou").written(own.desk, marking))
    assert "textbackslash" not in text and "\\_" not in text.replace("\\_handcalc", "")


def test_a_name_in_a_sentence_is_a_formula_of_the_format() -> None:
    """The steps that a sentence names are spelled as formulas, not as the text of another format."""
    from handcalc.marking.feedback import Feedback

    own = exercise("mazur-2-2-2")
    marking = own.mark({"grad.net.o1": "0.1385", "new.w5": "0.4411", "new.w6": "0.4913"})
    page = str(Feedback("html").written(own.desk, marking))
    text = page[page.index("<main") : page.index("</main>")]
    assert "&lt;m" not in text and re.search(r"<p>The same in <math>", text)
    assert re.search(r"The same in \$w_\{6\}\^\{\+\}\$", str(Feedback("latex").written(own.desk, marking)))
