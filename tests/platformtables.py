"""A class that answers variants on a platform, and the tables that platforms make of it. They share nothing with what reads them.

- `made(folder)` writes a set of variants of a small network; `simulated(folder, count)` is a class of students: right, rounded, with
  one slip and what follows from it, with commas, with gaps, with nonsense, all blank.
- `moodle(…)`, `canvas(…)`, `wide(…)` are the tables.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from students import Exercise
from variants import net

from handcalc import load
from handcalc.core.evaluation import Evaluation
from handcalc.disk.writing import write_folder
from handcalc.exercises.manifest import files_of_set, make_set
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.sheets import Paper
from handcalc.exercises.students import Student, StudentList

NUMBERS = "{inputs: {from: 0.1, to: 0.9, step: 0.1}, weights: {from: -0.9, to: 0.9, step: 0.1, not: [0]}}\n  require: []"

# language → headings: last name, first name, e-mail, ID number, status, start, end, duration, grade; question, response, right; part
MOODLE = {
    "en": ("Last name", "First name", "Email address", "ID number", "Status", "Started", "Completed", "Duration", "Grade/10.00",
           "Question", "Response", "Right answer", "part {}: "),
    "de": ("Nachname", "Vorname", "E-Mail-Adresse", "ID-Nummer", "Status", "Begonnen", "Beendet", "Dauer", "Bewertung/10,00",
           "Frage", "Antwort", "Richtige Antwort", "Teil {}: "),
    "fr": ("Nom de famille", "Prénom", "Adresse de courriel", "Numéro d’identification", "État", "Commencé", "Terminé", "Durée",
           "Note/10,00", "Question", "Réponse", "Bonne réponse", "partie {} : "),
    "zh": ("姓氏", "名", "电子邮件地址", "学号", "状态", "开始时间", "完成时间", "耗时",
           "成绩/10.00", "试题", "答案", "正确答案", "部件{}："),
}  # fmt: skip


@dataclass
class Pupil:
    """A student, the code of the variant, and what was answered, id → as typed."""

    id: str
    first: str
    last: str
    code: str
    answers: dict[str, str]
    kind: str = ""
    slot: int = 0
    attempts: list[dict[str, str]] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.id}@school.example"

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"


def made(folder: Path, count: int = 4, students: Sequence[str] = ()) -> dict[str, Any]:
    """The manifest of a set of variants, written into the folder; for students, if some are named."""
    folder.parent.mkdir(exist_ok=True, parents=True)
    template = folder.parent / "net.yaml"
    template.write_text(net(numbers=NUMBERS), encoding="utf-8")
    known = StudentList((), tuple(Student(name, f"Name {name}") for name in students)) if students else None
    found = make_set(ExerciseTemplate(str(template)), "a", Paper((), ()), 0 if known else count, known)
    write_folder(files_of_set(found, str(folder)), str(folder), True)
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def simulated(folder: Path, manifest: dict[str, Any], count: int) -> list[Pupil]:
    """So many students, of all kinds, one after the other."""
    chooser = random.Random("class")
    pupils = []
    exercises: dict[str, Exercise] = {}
    kinds = ("right", "early slip", "comma", "gaps", "junk", "blank", "more digits", "slip")
    for number in range(count):
        variant = chooser.choice(manifest["variants"])
        code = variant["code"]
        if code not in exercises:
            exercises[code] = Exercise(load(str(folder / variant["problem"])))
            exercises[code].cells = [exercises[code].book.find(name) for name in manifest["asked"]]
        kind = kinds[number % len(kinds)]
        answers = _answers(kind, exercises[code], variant, chooser)
        last = chooser.choice(["Müller", "李", "O'Hara", "Smith, Jr."])
        pupils.append(Pupil(f"s{number:03}", f"Ann{number}", last, code, answers, kind, chooser.randint(0, 1)))
    return pupils


def _answers(kind: str, own: Exercise, variant: dict[str, Any], chooser: random.Random) -> dict[str, str]:
    shown = {name: answer["shown"] for name, answer in variant["answers"].items()}
    match kind:
        case "slip":
            while (found := own.with_nonsense(chooser)) is None:
                pass
            return found[1]
        case "early slip":  # and what follows from it, right
            start = own.book.find("out.h1")
            run = Evaluation(own.book, None, {start: 0.1234})
            return own.typed({one: 0.1234 if one == start else float(run[one]) for one in own.cells})
        case "comma":
            return {name: text.replace(".", ",") for name, text in shown.items()}
        case "gaps":
            return {name: "" if chooser.random() < 0.3 else text for name, text in shown.items()}
        case "junk":
            return {
                name: chooser.choice([text, "idk", "=1+1", "0.5; part 20: 7", "part 1: 3", 'a "b"\nc', "1,000"])
                for name, text in shown.items()
            }
        case "blank":
            return dict.fromkeys(shown, "")
        case "more digits":
            return {name: f"{answer['value']:.6f}" for name, answer in variant["answers"].items()}
    return shown


def table(rows: Iterable[Sequence[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as CSV."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
    return stream.getvalue()


def moodle(
    pupils: Sequence[Pupil], manifest: dict[str, Any], language: str = "en", families: str = "question response right", slots: int = 2
) -> str:
    """The responses of a quiz of two slots: in one of them a variant, drawn at random; in the other a question of another kind."""
    *about, question, response, right, part = MOODLE[language]
    comma = language in ("de", "fr")
    words = {"question": question, "response": response, "right": right}
    chosen = families.split()
    rows = [[*about, *(f"{words[kind]} {slot + 1}" for slot in range(slots) for kind in chosen)]]
    variants = {variant["code"]: variant for variant in manifest["variants"]}
    for pupil in pupils:
        shown = [variants[pupil.code]["answers"][name]["shown"] for name in manifest["asked"]]
        shown = [text.replace(".", ",") for text in shown] if comma else shown
        typed = [pupil.answers.get(name, "") for name in manifest["asked"]]
        own = {
            "question": f"[{pupil.code}] A small network: w1 = 0.3 [see below]; out.h1 = _____",
            "response": "; ".join(part.format(place + 1) + text for place, text in enumerate(typed)) if any(typed) else "-",
            "right": "; ".join(part.format(place + 1) + text for place, text in enumerate(shown)),
        }
        other = {"question": "What is a kernel?", "response": "a filter; part 1: of weights", "right": "a filter"}
        cells = [(own if slot == pupil.slot % slots else other)[kind] for slot in range(slots) for kind in chosen]
        grade = "7,25" if comma else "7.25"
        rows.append([pupil.last, pupil.first, pupil.email, pupil.id, "ok", "May 3, 10:00", "May 3, 10:20", "20 min", grade, *cells])
    return "\ufeff" + table(rows, quoting=csv.QUOTE_ALL if language == "fr" else csv.QUOTE_MINIMAL)


def canvas(pupils: Sequence[Pupil], manifest: dict[str, Any]) -> str:
    """The student analysis of a classic quiz with one question for each number of each variant, of which one variant is drawn."""
    columns = [(variant["code"], name) for variant in manifest["variants"] for name in manifest["asked"]]
    head = ["name", "id", "sis_id", "section", "section_id", "section_sis_id", "submitted", "attempt"]
    for number, (code, name) in enumerate(columns):
        head += [f"{5000 + number}: [{code}] x1 = 0.3, w1 = 0.2, net.h1 = 4. What is {name}?", "1.0"]
    rows = [[*head, "n correct", "n incorrect", "score"]]
    for pupil in pupils:
        cells: list[str] = []
        for code, name in columns:
            cells += [pupil.answers.get(name, ""), "0.5"] if code == pupil.code else ["", ""]
        about = [pupil.name, "9" + pupil.id[1:], pupil.id, "A", "1", "", "2025-05-03 10:00:00 UTC", "1"]
        rows.append([*about, *cells, "3", "4", "12.5"])
    return table(rows)


def wide(pupils: Sequence[Pupil], manifest: dict[str, Any], delimiter: str = ",") -> str:
    """A plain table."""
    rows = [["student", "variant", *manifest["asked"]]]
    rows += [[pupil.id, pupil.code, *(pupil.answers.get(name, "") for name in manifest["asked"])] for pupil in pupils]
    return table(rows, delimiter)
