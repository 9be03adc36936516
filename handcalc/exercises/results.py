"""What students answered on a platform, as sheets of their variants: rows, whatever table they come from.

- A platform (platforms.py) makes a `ResultRow` of each row: who it is, and a `Response` for each question.
- `assigned(handed, rows)` says of each row which variants it answers, and how that is known, or why it is left out.
- `chosen(found, attempt)` leaves the first or the last attempt of everybody; `sheet_of_result(handed, result, file)` is a row as a sheet.

Which variant: the code in the text of the question, else the right answers beside it, else for whom the manifest says it is, else the
only one there is. What cannot be told is left out and listed; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from handcalc.core.record import Record
from handcalc.errors import Message, printable
from handcalc.exercises.handedout import HandedOut
from handcalc.exercises.people import Person, paired
from handcalc.marking.answers import Sheet
from handcalc.marking.draft import Draft
from handcalc.problem.reader import Source, quoted

ATTEMPTS = ("last", "first", "best")
MATCHED_BY = ("code", "right_answers", "student", "only", "map")
NOTHING = ("", "-", "–", "—")  # what stands in a cell where nothing was answered
UNREADABLE = "{$a"  # stands where a translation of Moodle names a number that there is not

_PART = re.compile(r"(?:^|;)[ \u00a0]*([^\d:;：]{1,30}?)[ \u00a0]*(\d{1,4})[ \u00a0]*[:：]")


class Response(Record):
    """What was answered to a question.

    question: its text, if the table has it; text: the answer, or those of its parts; right: the right ones in the same form; ids: the
    answers that it has, where the heading or the command line says so; has_parts: whether the platform writes parts into one response.
    """

    text: str
    question: str = ""
    right: str = ""
    ids: tuple[str, ...] = ()
    has_parts: bool = False


class ResultRow(Record):
    """A row of results.

    code: of the variant, where a column says it, and mapped: whether the command line says which column; opened, finished: what is known
    of the attempt; order: of the attempts of one student; score: on the platform.
    """

    line: int
    person: Person
    responses: tuple[Response, ...] = ()
    code: str = ""
    mapped: bool = False
    opened: bool = True
    finished: bool = True
    order: float = 0
    score: float | None = None


class LeftOut(Record):
    """A row that is not marked, and why."""

    line: int
    person: Person
    because: Message

    @property
    def name(self) -> str:
        """What to call the row."""
        return self.person.shown

    def json(self) -> dict[str, object]:
        """As data."""
        return {"row": self.line, "name": self.name, "because": str(self.because)}


class AssignedResult(Record):
    """A row, the variant it answers, the answers to that variant (id → text), and how the variant is known."""

    row: ResultRow
    code: str
    matched_by: str
    answers: Mapping[str, str]

    @property
    def name(self) -> str:
        """What to call the student."""
        return self.row.person.shown or str(self.row.line)


# --- which variant ----------------------------------------------------------------------------------------------------


def assigned(handed: HandedOut, rows: Sequence[ResultRow]) -> tuple[list[AssignedResult], list[LeftOut]]:
    """The rows that can be marked, and those that cannot."""
    students = _students(handed, rows)
    found: list[AssignedResult] = []
    left: list[LeftOut] = []
    for row in rows:
        results = _results(handed, row, students.get(row.person, ""))
        if isinstance(results, Message):
            left.append(LeftOut(row.line, row.person, results))
        else:
            found += results
    return found, left


def _students(handed: HandedOut, rows: Sequence[ResultRow]) -> dict[Person, str]:
    """Person → the code of the variant that was made for them."""
    people = [*dict.fromkeys(row.person for row in rows if row.person.known)]
    variants = [variant for variant in handed.variants.values() if variant.student is not None]
    pairs = paired(people, [variant.student or Person() for variant in variants])
    return {people[mine]: variants[theirs].code for mine, theirs in pairs.items()}


def _results(handed: HandedOut, row: ResultRow, own: str) -> list[AssignedResult] | Message:
    """What a row answers; own: the code of the variant that was made for its student."""
    if not row.opened:
        return Message("never opened")
    if any(UNREADABLE in response.text for response in row.responses):
        return Message("unreadable export: this translation of the platform leaves out what was typed; export in English")
    if row.code:
        code = handed.find(row.code)
        if not code:
            return Message("there is no variant {found}", found=quoted(row.code))
        return _in_one(handed, row, row.responses, code, "map" if row.mapped else "code")
    coded = _by_code(handed, row.responses)
    if coded:
        known = [code for code in coded if code in handed.variants]
        if not known:
            return Message("there is no variant {found}", found=quoted(next(iter(coded))))
        return _joined([_in_one(handed, row, coded[code], code, "code") for code in known])
    by_right = _by_right_answers(handed, row.responses)
    if by_right:
        return _joined([_in_one(handed, row, found, code, "right_answers") for code, found in by_right.items()])
    for code, how in ((own, "student"), (handed.only, "only")):
        if code:
            return _in_one(handed, row, row.responses, code, how)
    return Message("there is neither a code nor the right answers, so the variant is not known")


def _joined(parts: Iterable[list[AssignedResult] | Message]) -> list[AssignedResult] | Message:
    """All results, or the first reason against one."""
    found: list[AssignedResult] = []
    for part in parts:
        if isinstance(part, Message):
            return part
        found += part
    return found


def _by_code(handed: HandedOut, responses: Sequence[Response]) -> dict[str, list[Response]]:
    """Code → the responses to questions with it in their text."""
    found: dict[str, list[Response]] = {}
    for response in responses:
        for code in handed.codes_in(response.question)[:1]:
            found.setdefault(code, []).append(response)
    return found


def _by_right_answers(handed: HandedOut, responses: Sequence[Response]) -> dict[str, list[Response]]:
    """The same by the right answers: all parts of a question, or a question for each number."""
    found: dict[str, list[Response]] = {}
    for response in responses:
        parts = parts_of(response.right)
        code = handed.by_answers([parts[number] for number in sorted(parts)]) if parts else ""
        if code:
            found.setdefault(code, []).append(response)
    if found:
        return found
    single = [response for response in responses if response.right.strip() not in NOTHING]
    code = handed.by_answers([response.right for response in single])
    return {code: single} if code else {}


# --- which answer -----------------------------------------------------------------------------------------------------


def _in_one(handed: HandedOut, row: ResultRow, responses: Sequence[Response], code: str, how: str) -> list[AssignedResult] | Message:
    """The answers of some responses to one variant; what is asked and not answered is there, and empty."""
    answers = dict.fromkeys(handed.asked, "")
    for place, response in enumerate(responses):
        found = _answers(handed, response, code, place, len(responses))
        if isinstance(found, Message):
            return found
        for name, text in found.items():
            answers[name] = answers.get(name) or text
    return [AssignedResult(row, code, how, answers)]


def _answers(handed: HandedOut, response: Response, code: str, place: int, count: int) -> dict[str, str] | Message:
    """The answers in one response, of so many to the same variant."""
    ids = response.ids or handed.asked
    text = response.text.strip()
    parts = parts_of(text) if response.has_parts or len(response.ids) > 1 else {}
    if parts and (len(parts) > 1 or len(ids) == 1 or count == 1):
        if max(parts) > len(ids):
            return Message(
                "it has {count} {count:part|parts}, but {asked} {asked:answer is|answers are} asked", count=max(parts), asked=len(ids)
            )
        return {ids[number - 1]: _cleaned(answer) for number, answer in parts.items()}
    if text in NOTHING:
        return {}
    if len(response.ids) == 1:
        return {response.ids[0]: _cleaned(text)}
    listed = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text)]  # a list of blanks
    if len(listed) == len(ids) and (count == 1 or response.ids):
        return {name: _cleaned(answer) for name, answer in zip(ids, listed)}
    name = handed.step_of(_without_codes(response.question)) if response.question else ""
    name = name or _by_right(handed, code, response.right)
    if not name and count == len(handed.asked):
        name = handed.asked[place]
    if not name:
        return Message("it cannot be told which number {found} answers; say it with --map", found=quoted(text))
    return {name: _cleaned(text)}


def _by_right(handed: HandedOut, code: str, right: str) -> str:
    """The one answer of a variant that is printed like this."""
    shown = handed.variants[code].shown
    found = [name for name, text in shown.items() if right.strip().replace(",", ".") == text]
    return found[0] if len(found) == 1 else ""


def _without_codes(question: str) -> str:
    return re.sub(r"\[[^\[\]]*\]", " ", question)


def parts_of(text: str) -> dict[int, str]:
    """The parts of a response such as `part 1: 0.35; part 2: `, in whatever language, by number; none where it is no such thing.

    Only a number that is the next one begins a part, so what is typed into a part stays in it.
    """
    found: dict[int, str] = {}
    word, start, number = "", 0, 0
    for match in _PART.finditer(text):
        if int(match[2]) != number + 1 or (number and match[1] != word) or (not number and match.start()):
            continue
        if number:
            found[number] = text[start : match.start()].strip()
        word, start, number = match[1], match.end(), number + 1
    if number:
        found[number] = text[start:].strip()
    return found


def _cleaned(text: str) -> str:
    """What was typed: without the sign that spreadsheets put before what could be a formula; nothing for a dash."""
    text = re.sub("^'(?=[-=+@])", "", text.strip())
    return "" if text in NOTHING else text


# --- attempts and sheets ----------------------------------------------------------------------------------------------


def by_student(found: Sequence[AssignedResult]) -> list[list[list[AssignedResult]]]:
    """Students, their attempts in order, and the results of each, which are of one row; attempts that were not ended only where
    there is no other."""
    rows: dict[int, list[AssignedResult]] = {}
    for result in found:
        rows.setdefault(result.row.line, []).append(result)
    students: dict[object, list[list[AssignedResult]]] = {}
    for results in rows.values():
        students.setdefault(_identity(results), []).append(results)
    attempts = []
    for every in students.values():
        ended = [results for results in every if results[0].row.finished] or every
        attempts.append(sorted(ended, key=lambda results: (results[0].row.order, results[0].row.line)))
    return attempts


def _identity(results: Sequence[AssignedResult]) -> object:
    """What is the same for the attempts of one student: a name alone may be that of two, who have different variants."""
    row = results[0].row
    if row.person.ids or row.person.email:
        return row.person
    return (row.person, *(result.code for result in results)) if row.person.known else row.line


def chosen(found: Sequence[AssignedResult], attempt: str) -> list[AssignedResult]:
    """The results of the first or last attempt of everybody; all of them, where the best is known only when they are marked."""
    kept = []
    for attempts in by_student(found):
        for results in {"first": attempts[:1], "last": attempts[-1:], "best": attempts}[attempt]:
            kept += results
    return sorted(kept, key=lambda result: result.row.line)


def sheet_of_result(result: AssignedResult, file: str) -> Sheet:
    """A row as a sheet of its variant."""
    draft = Draft(Source(file, ""))
    for name, text in result.answers.items():
        draft.add(name, printable(text), result.row.line)
    return draft.sheet(result.name)
