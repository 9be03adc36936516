"""The variants that were handed out, as far as marking needs them: `HandedOut.of(path)`.

- `find(text)` is the variant of a code, however it was typed; `codes_in(text)` those that stand in brackets in a question.
- `by_answers(texts)` is the one variant that has these right answers; `step_of(header)` the answer that a heading speaks of.
- `checker(code)` marks sheets of a variant.

It is read from a manifest, from the folder that holds one, or from a problem, which is then the only variant.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from handcalc.core.expr import Ref
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message, ProblemError, UnknownIdError
from handcalc.exercises.asked import Exercise
from handcalc.exercises.draw import CODE_LETTERS, is_code
from handcalc.exercises.manifest import MANIFEST, read_manifest, sets_in
from handcalc.exercises.people import Person
from handcalc.loading.loader import load
from handcalc.marking.answers import Sheet
from handcalc.marking.check import Checker
from handcalc.marking.typed import typed
from handcalc.marking.workbook import base, iteration
from handcalc.problem.schema import Problem
from handcalc.render import read
from handcalc.render.dialects import PLAIN, UNICODE

_ALIKE = str.maketrans("OIL", "011")  # letters that no code has, and the digits they were read from
_BRACKETS = re.compile(r"\[\s*([^\[\]]{2,200}?)\s*\]")
_WANTED = re.compile(r"(\S+)\s*=\s*[?？]")  # what a question asks for: out_h1 = ?
_BETWEEN = re.compile(r"[\s,;:?!()\[\]{}<>=（）【】，；：？！]+")


class HandedVariant(Record):
    """A variant: its code, its problem, the right answers as printed (id → text), and whom it is for, if that is known."""

    code: str
    path: str
    shown: Mapping[str, str] = {}
    student: Person | None = None


class HandedOut:
    """The variants of an exercise. asked: the ids of what is asked, in order; notation: in which symbols are read."""

    def __init__(self, variants: Sequence[HandedVariant], asked: Sequence[str], notation: str = "") -> None:
        self.variants = {variant.code: variant for variant in variants}
        self.asked = tuple(asked)
        self.notation = notation
        self._codes = {_folded(variant.code): variant.code for variant in variants}
        self._by_answers: dict[tuple[object, ...], str] = {}
        for variant in variants:
            numbers = _numbers([variant.shown.get(name, "") for name in asked])
            self._by_answers[numbers] = "" if numbers in self._by_answers else variant.code

    @classmethod
    def of(cls, path: str, notation: str = "") -> HandedOut:
        """Those of a manifest, of the folder with one, or a problem alone. Raises HandcalcError."""
        if os.path.isdir(path):
            path = os.path.join(path, MANIFEST)
            if not os.path.isfile(path):
                raise ProblemError(_without_manifest(path))
        if path.endswith(".json"):
            return _of_manifest(path, notation)
        problem = load(path)
        exercise = Exercise(problem, notation=notation)
        code = os.path.splitext(os.path.basename(problem.path))[0]
        return cls([HandedVariant(code, path)], exercise.ids(exercise.asked), notation)

    # --- variants ---

    def find(self, text: str) -> str:
        """The code of a variant, in small letters too, with O for 0; "" where there is none."""
        return self._codes.get(_folded(text.strip().strip("[]")), "")

    def codes_in(self, text: str) -> list[str]:
        """The codes in brackets, of these variants and of others."""
        return [self.find(found) or found for found in _BRACKETS.findall(text) if self.find(found) or is_code(found)]

    def by_answers(self, texts: Sequence[str]) -> str:
        """The variant whose right answers are these, in their order; "" where there is none."""
        return self._by_answers.get(_numbers(texts), "") if texts else ""

    @property
    def only(self) -> str:
        """The variant, where there is one only."""
        return next(iter(self.variants)) if len(self.variants) == 1 else ""

    # --- their problems ---

    def problem(self, code: str) -> Problem:
        """The problem of a variant."""
        return load(self.variants[code].path)

    def checker(self, code: str) -> Checker:
        """What marks the sheets of a variant."""
        return Checker(self.problem(code), self.notation)

    @cached_property
    def first(self) -> Checker:
        """The checker of one of the variants, for what is the same in all: of the first that is there."""
        trouble: HandcalcError | None = None
        for code in self.variants:
            try:
                return self.checker(code)
            except HandcalcError as error:
                trouble = trouble or error
        assert trouble is not None, "there is a variant"
        raise trouble

    @cached_property
    def _words(self) -> dict[str, str]:
        """Word → id: ids, and symbols of the notation, of what is asked; a symbol for the negative has a minus before it here."""
        desk = self.first.desk_for(Sheet("", ()))
        cells = {name: desk.book.find(name) for name in self.asked}
        found: dict[str, str] = {}
        for reading in (read(desk.book.derivation, self.notation, dialect) for dialect in (PLAIN, UNICODE)):
            for name, cell in cells.items():
                symbol = f"#{iteration(cell)}:" * (iteration(cell) > 1) + reading.symbol(Ref(*base(cell)))
                found |= {sign + symbol: name for sign in ("−", "-")} if reading.turned(base(cell)) else {symbol: name}
        return {**found, **{name: name for name in self.asked}}

    def step_of(self, heading: str) -> str:
        """The id of the answer that a heading, or the text of a question, speaks of; "" where it is none, or not one alone."""
        text = heading.strip()
        if text in self._words:
            return self._words[text]
        wanted = [word for word in _WANTED.findall(text) if word in self._words]
        found = {self._words[word] for word in wanted or _BETWEEN.split(text) if word in self._words}
        return found.pop() if len(found) == 1 else self.id_of(text)

    def id_of(self, text: str) -> str:
        """The id of any step of the solution, by its id or its symbol; "" where it is none, or the symbol stands for the negative."""
        desk = self.first.desk_for(Sheet("", ()))
        try:
            cell, turned = desk.interpreter.find(text)
        except UnknownIdError:
            return ""
        return "" if turned else desk.book.cell_id(cell)


def _without_manifest(path: str) -> Message:
    """What to say of a folder that has no manifest: which of the sets in it could be meant, where there are some."""
    sets = [os.path.dirname(manifest) for manifest in sets_in(os.path.dirname(path))]
    if sets:
        text = "this folder has no {file}, but sets of variants; name one of them, such as {example}"
        return Message(text, f"{path}: ", file=MANIFEST, example=sets[0])
    return Message("this folder has no {file}; handcalc generate writes it", f"{path}: ", file=MANIFEST)


def _of_manifest(path: str, notation: str) -> HandedOut:
    data = read_manifest(path)
    folder = os.path.dirname(path)
    try:
        variants = [_variant(entry, folder) for entry in data["variants"]]
        asked = [str(name) for name in data["asked"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ProblemError(Message("an entry of the manifest is missing or wrong: {reason}", f"{path}: ", reason=str(error)[:60])) from None
    if not variants:
        raise ProblemError(Message("this manifest has no variants", f"{path}: "))
    return HandedOut(variants, asked, notation or str(data.get("notation", "")))


def _variant(entry: Mapping[str, Any], folder: str) -> HandedVariant:
    shown = {name: str(answer["shown"]) for name, answer in entry["answers"].items()}
    student, person = entry.get("student"), None
    if student:
        known = str(student["id"])
        person = Person((("", known),), known if "@" in known else "", str(student.get("name", "")))
    return HandedVariant(entry["code"], os.path.join(folder, *entry["problem"].split("/")), shown, person)


def _folded(code: str) -> str:
    stem, letters = code[: -CODE_LETTERS - 1], code[-CODE_LETTERS - 1 :]
    return stem.casefold() + letters.upper().translate(_ALIKE)


def _numbers(texts: Sequence[str]) -> tuple[object, ...]:
    """Texts as what can be compared: numbers, however they are written."""
    found = ((typed(text), text) for text in texts)
    return tuple((number.above, number.below) if number is not None else text for number, text in found)
