"""Tables of results as platforms export them, as rows that know no platform.

- `PLATFORMS` has a record for each: how its table is known, and what reads it. `read_results(path, …)` reads a file.
- `Mapping` is what `--map` says: column → the answers in it, or what else it holds (`ROLES`).

Moodle: the download of a quiz's responses; headings are in the site's language, so its columns are known by their places and numbers.
Canvas: the student analysis of a classic quiz, a pair of columns for each question. A plain table: student, variant, and a column for each
answer, as forms give it. To read another platform, write a function like `_canvas`, and its record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from handcalc.core.record import Record
from handcalc.errors import Message, OutputError, ProblemError, near
from handcalc.exercises.handedout import HandedOut
from handcalc.exercises.people import Person, PersonColumns
from handcalc.exercises.placed import PlacedTable, at, read_placed
from handcalc.exercises.results import NOTHING, Response, ResultRow
from handcalc.problem.reader import quoted

ROLES = ("student", "variant")  # what a column may be said to hold instead of answers
VARIANTS = ("variant", "code", "variante", "变体", "版本", "题目编号")
SCORES = ("score", "grade", "points", "total", "punkte", "bewertung", "note", "得分", "总分", "成绩")
FAMILIES = {
    "question": ("question", "frage", "试题", "题目"),
    "response": ("response", "antwort", "réponse", "答案", "回答", "响应"),
    "right": ("right answer", "correct answer", "richtige antwort", "bonne réponse", "réponse correcte", "réponse juste", "正确答案"),
}
_NUMBERED = re.compile(r"(.*\D)(\d+)")
_GRADE = re.compile(r".*/\s*\d+([.,]\d+)?\s*")
_CANVAS_QUESTION = re.compile(r"\d+:(\s|$)")
_STATUS = 4  # columns of Moodle before the grade: status, start, end, duration

Columns = Mapping[int, tuple[str, ...]]  # column → the ids of the answers in it, or a role


class Platform(Record):
    """A platform: whether headings are those of its table, and what makes rows of it."""

    name: str
    fits: Callable[[Sequence[str]], bool]
    rows: Callable[[PlacedTable, HandedOut, Columns], list[ResultRow]]


def read_results(path: str, handed: HandedOut, platform: str = "", maps: Sequence[str] = ()) -> list[ResultRow]:
    """The rows of a file; platform: "" where it is told from the headings. Raises HandcalcError."""
    table = read_placed(path)
    headings = table.headings
    found = PLATFORMS[platform] if platform else next(one for one in PLATFORMS.values() if one.fits(headings))
    rows = found.rows(table, handed, columns_said(maps, table, handed))
    if not rows:
        raise ProblemError(Message("there are no rows of students in it", f"{table.name}: "))
    if not any(row.responses for row in rows):
        text = "no column holds answers; expected headings such as {example}, or say it with --map; there are {known}"
        known = ", ".join(heading[:30] for heading in headings[:8])
        raise ProblemError(Message(text, f"{table.name}: ", example=handed.asked[0], known=known))
    return rows


def columns_said(maps: Sequence[str], table: PlacedTable, handed: HandedOut) -> dict[int, tuple[str, ...]]:
    """What `--map "Response 1=new.w5,new.w6"` says of columns. Raises OutputError."""
    headings = [heading.casefold() for heading in table.headings]
    found = {}
    for said in maps:
        heading, sign, ids = said.rpartition("=")
        if not sign or not heading.strip() or not ids.strip():
            raise OutputError(Message('--map: expected "COLUMN=ID,ID…", found {found}', found=quoted(said)))
        name = heading.strip()
        if name.casefold() not in headings:
            hint = near(name, table.headings)
            raise OutputError(Message("--map: there is no column {found}{near}", found=quoted(name), near=hint))
        found[headings.index(name.casefold())] = tuple(_said(one.strip(), handed) for one in re.split(r",(?![^\[(]*[\])])", ids))
    return found


def _said(text: str, handed: HandedOut) -> str:
    name = text if text in ROLES or text in handed.asked else handed.id_of(text)
    if not name:
        raise OutputError(Message("--map: {found} is no step of the solution", found=quoted(text)))
    return name


def _role(said: Columns, role: str) -> int | None:
    return next((place for place, ids in said.items() if ids == (role,)), None)


def _is_answer(said: Columns, place: int) -> bool:
    return place in said and said[place][0] not in ROLES


def _person(said: Columns, found: Person, cells: Sequence[str]) -> Person:
    """Who a row is about; a column that is said to hold the student tells it too."""
    known = at(cells, _role(said, "student"))
    return Person((*found.ids, ("", known)), found.email, found.name or known) if known else found


def _code(said: Columns, cells: Sequence[str]) -> str:
    """The code of the variant, where a column is said to hold it."""
    return at(cells, _role(said, "variant"))


def number_in(text: str) -> float | None:
    """A number of marks; None where there is none."""
    found = re.fullmatch(r"\s*(-?\d+(?:[.,]\d+)?)\s*(?:/.*|%|points?|分)?\s*", text)
    return float(found[1].replace(",", ".")) if found else None


# --- Moodle -----------------------------------------------------------------------------------------------------------


class _MoodleColumns:
    """Where everything is in a download of responses: the numbered columns stand last, before them the grade, the attempt, the person."""

    def __init__(self, table: PlacedTable, handed: HandedOut, said: Columns) -> None:
        headings = table.headings
        self.said = said
        first = len(headings)
        while first and (_numbered(headings[first - 1]) or _is_answer(said, first - 1)):
            first -= 1
        grades = [place for place in range(first) if _GRADE.fullmatch(headings[place])]
        self.grade = grades[-1] if grades else None
        before = self.grade if self.grade is not None else first
        attempt = before - _STATUS
        people = PersonColumns(headings[:before])
        has_attempt = attempt >= 2 and not any(place >= attempt for place in people.places)
        self.start = attempt + 1 if has_attempt else None
        self.end = attempt + 2 if has_attempt else None
        self.identity = attempt if has_attempt else before
        self.people = PersonColumns(headings[: self.identity])
        self.slots = self._slots(table, handed, first)

    def _slots(self, table: PlacedTable, handed: HandedOut, first: int) -> list[dict[str, int]]:
        """Slot → where its question, response and right answer are."""
        numbered = [(place, found) for place in range(first, len(table.headings)) if (found := _numbered(table.headings[place]))]
        words = [*dict.fromkeys(word for _, (word, _) in numbered)]
        kinds = self._kinds(words, table, handed, dict(numbered))
        slots: dict[object, dict[str, int]] = {}
        for place, (word, number) in numbered:
            slots.setdefault(number, {})[kinds.get(word, "other")] = place
        for place in self.said:
            if _is_answer(self.said, place) and not any(place in slot.values() for slot in slots.values()):
                slots[f"said {place}"] = {"response": place}
        return [slot for slot in slots.values() if "response" in slot]

    def _kinds(
        self, words: Sequence[str], table: PlacedTable, handed: HandedOut, numbered: Mapping[int, tuple[str, str]]
    ) -> dict[str, str]:
        """Word of a heading → what it stands for: as it is known, else by the order in which Moodle writes them."""
        known = {word: kind for word in words for kind, spelled in FAMILIES.items() if word in spelled}
        if len(known) == len(words) == len({*known.values()}) and "response" in known.values():
            return known
        if len(words) == 2:
            texts = (at(row.texts, place) for place, (word, _) in numbered.items() if word == words[0] for row in table.rows[1:])
            has_text = any(handed.codes_in(text) for text in texts)
            return dict(zip(words, ("question", "response") if has_text else ("response", "right")))
        return dict(zip(words, ("response",) if len(words) == 1 else ("question", "response", "right")))

    def person(self, cells: Sequence[str]) -> Person:
        """Who a row is about: where the headings say nothing, last name and first name come first, and what else identifies them."""
        cells = cells[: self.identity]
        if self.people.named:
            found = self.people.person(cells)
        else:
            found = self.people.person(cells).replace(name=" ".join(filter(None, (at(cells, 1), at(cells, 0)))))
        others = [at(cells, place) for place in range(2, len(cells)) if place not in self.people.places]
        email = found.email or next((text for text in others if "@" in text), "")
        ids = (*found.ids, *(("", text) for text in others if text not in NOTHING and text != email))
        return found.replace(ids=ids, email=email)


def _numbered(heading: str) -> tuple[str, str] | None:
    """The word and the number of a heading such as Response 1."""
    found = _NUMBERED.fullmatch(heading)
    return (found[1].strip().casefold(), found[2]) if found and not _GRADE.fullmatch(heading) else None


def _moodle(table: PlacedTable, handed: HandedOut, said: Columns) -> list[ResultRow]:
    columns = _MoodleColumns(table, handed, said)
    rows = []
    for row in table.rows[1:]:
        cells = row.texts
        person = _person(said, columns.person(cells), cells)
        if row.empty or not person.known:
            continue
        responses = tuple(
            Response(
                at(cells, slot["response"]),
                at(cells, slot.get("question")),
                at(cells, slot.get("right")),
                said.get(slot["response"], ()),
                has_parts=True,
            )
            for slot in columns.slots
        )
        rows.append(
            ResultRow(
                row.line,
                person,
                responses,
                _code(said, cells),
                _role(said, "variant") is not None,
                opened=columns.start is None
                or at(cells, columns.start) not in NOTHING
                or any(one.text.strip() not in NOTHING for one in responses),
                finished=columns.end is None or at(cells, columns.end) not in NOTHING,
                score=number_in(at(cells, columns.grade)),
            )
        )
    return rows


def _is_moodle(headings: Sequence[str]) -> bool:
    has_grade = any(_GRADE.fullmatch(heading) for heading in headings)
    last = _numbered(headings[-1])
    known = last is not None and any(last[0] in words for words in FAMILIES.values())
    return last is not None and len(headings) > 2 and (has_grade or known) and not _is_canvas(headings)


# --- Canvas -----------------------------------------------------------------------------------------------------------


def _canvas(table: PlacedTable, handed: HandedOut, said: Columns) -> list[ResultRow]:
    headings = [heading.casefold() for heading in table.headings]
    questions = [place for place, heading in enumerate(table.headings) if _CANVAS_QUESTION.match(heading) or _is_answer(said, place)]
    people = PersonColumns(headings[: questions[0]] if questions else headings)
    submitted, attempt, score = (_last(headings, word) for word in ("submitted", "attempt", "score"))
    rows = []
    for row in table.rows[1:]:
        cells = row.texts
        if row.empty:
            continue
        responses = [
            Response(at(cells, place), table.headings[place], "", said.get(place, ()))
            for place in questions
            if at(cells, place) or at(cells, place + 1)  # a question that was not drawn is blank
        ]
        rows.append(
            ResultRow(
                row.line,
                _person(said, people.person(cells), cells),
                tuple(responses),
                _code(said, cells),
                _role(said, "variant") is not None,
                opened=submitted is None or bool(at(cells, submitted)),
                order=number_in(at(cells, attempt)) or 0,
                score=number_in(at(cells, score)),
            )
        )
    return rows


def _last(headings: Sequence[str], word: str) -> int | None:
    return next((place for place in reversed(range(len(headings))) if headings[place] == word), None)


def _is_canvas(headings: Sequence[str]) -> bool:
    words = [heading.casefold() for heading in headings]
    return words[:2] == ["name", "id"] and "submitted" in words


# --- a plain table ----------------------------------------------------------------------------------------------------


def _plain(table: PlacedTable, handed: HandedOut, said: Columns) -> list[ResultRow]:
    headings = table.headings
    people = PersonColumns(headings)
    words = [heading.casefold() for heading in headings]
    mapped = _role(said, "variant")
    variant = mapped if mapped is not None else next((place for place, word in enumerate(words) if word in VARIANTS), None)
    if variant is None:
        variant = next((place for row in table.rows[1:] for place, text in enumerate(row.texts) if handed.find(text)), None)
    score = next((place for place, word in enumerate(words) if word in SCORES), None)
    answers = {place: ids for place, ids in said.items() if ids[0] not in ROLES}
    taken = {name for ids in answers.values() for name in ids}
    for place, heading in enumerate(headings):
        free = place not in said and place not in people.places and place not in (variant, score)
        if free and (name := handed.step_of(heading)) and name not in taken:
            answers[place] = (name,)
            taken.add(name)
    rows = []
    for row in table.rows[1:]:
        if row.empty:
            continue
        cells = row.texts
        responses = tuple(Response(at(cells, place), ids=ids) for place, ids in answers.items())
        person, code = _person(said, people.person(cells), cells), at(cells, variant)
        rows.append(ResultRow(row.line, person, responses, code, mapped is not None, score=number_in(at(cells, score))))
    return rows


def _any(headings: Sequence[str]) -> bool:
    return True


PLATFORMS = {
    platform.name: platform
    for platform in (Platform("moodle", _is_moodle, _moodle), Platform("canvas", _is_canvas, _canvas), Platform("table", _any, _plain))
}
