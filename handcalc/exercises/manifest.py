"""A set of variants and its manifest: what was made, from what, and how to make it again.

- `make_set(template, seed, paper, …)` makes the variants: so many, for a list of students, or for one of them.
- `files_of_set(made, folder)` is the content of every file, the manifest among them; nothing is written here.
- `read_manifest(path)` reads one, `verify(path)` makes everything again and names the codes that differ.

Paths in a manifest are relative to it. To add an entry: a line in `manifest_of`, and in `_again` where it says how something is made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from handcalc import __version__
from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.disk.reading import NoFileError, beside, names_in, reason
from handcalc.errors import HandcalcError, Message, OutputError, ProblemError
from handcalc.exercises.draw import is_code
from handcalc.exercises.generate import Generator, Variant
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.sheets import PROBLEM, Files, Handout, Paper, all_files, together
from handcalc.exercises.students import Student, StudentList, listed
from handcalc.loading.loader import shipped, shipped_course
from handcalc.problem.files import contents, read_bytes, shown_path
from handcalc.problem.reader import quoted

MANIFEST = "manifest.json"
STUDENTS = "students.csv"
VERSION = 1


class VariantSet(Record):
    """Variants made together. students: the list they are for, where there is one; refused: how many draws each rule refused."""

    template: ExerciseTemplate
    seed: str
    paper: Paper
    variants: tuple[Variant, ...]
    refused: Mapping[str, int]
    students: StudentList | None = None


def make_set(
    template: ExerciseTemplate, seed: str, paper: Paper, count: int = 0, students: StudentList | None = None, only: str = ""
) -> VariantSet:
    """So many variants; else one for each student; else that of a single student, who need not be on a list."""
    generator = Generator(template, seed, keys=bool(paper.keys))
    made: list[Variant] = []
    if count:
        for number in range(1, count + 1):
            made.append(generator.variant(str(number), made))
    else:
        for student in _wanted(students, only):
            made.append(generator.variant(student.id, (), student))
        made = [variant.replace(near=generator.near(variant, made)) for variant in made]
    _check_codes(made)
    refused = {word: number for word, number in generator.refused.items() if number}
    return VariantSet(template, seed, paper, tuple(made), refused, students if not only else None)


def _wanted(students: StudentList | None, only: str) -> Sequence[Student]:
    """All of a list, or one of it; without a list the one with this id."""
    if students is None:
        return [Student(only)]
    found = [student for student in students.students if not only or student.id == only]
    if not found:
        raise OutputError(Message("the list has no student {found}", found=quoted(only)))
    return found


def _check_codes(made: list[Variant]) -> None:
    codes: dict[str, Variant] = {}
    for variant in made:
        if codes.setdefault(variant.code, variant) is not variant:
            raise OutputError(Message("two variants have the code {code}; use another --seed", code=variant.code))


# --- files ------------------------------------------------------------------------------------------------------------


def files_of_set(made: VariantSet, folder: str) -> Files:
    """Every file by its path in the folder: those of variants in folders of their own, those for all, the manifest."""
    handouts = [Handout.of(variant, made.template.folder) for variant in made.variants]
    written = all_files(handouts, made.paper)
    own = {variant.code: _with_data(made.template, found) for variant, found in zip(made.variants, written)}
    files: Files = {f"{code}/{name}": content for code, found in own.items() for name, content in found.items()}
    whole = together(handouts, made.paper)
    if made.students is not None:
        codes = {variant.student.id: variant.code for variant in made.variants if variant.student}
        whole[STUDENTS] = listed(made.students, codes)
    files |= whole
    data = manifest_of(made, folder, own, whole)
    files[MANIFEST] = json_text(data, indent=1) + "\n"
    return files


def _with_data(template: ExerciseTemplate, files: Files) -> Files:
    """The files with those that the problem reads, which are the same for all variants."""
    for name in template.files:
        if os.path.isabs(name):
            continue
        if ".." in name.replace("\\", "/").split("/"):
            text = "{file} is outside the folder of the template; put it beside the template"
            raise OutputError(Message(text, f"{template.problem.path}: ", file=name))
        files[name.replace("\\", "/")] = contents(os.path.join(template.folder, name), "array_bytes")
    return files


def digest(content: str | bytes) -> str:
    """SHA-256 of a file."""
    return sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def manifest_of(made: VariantSet, folder: str, own: Mapping[str, Files], whole: Files) -> dict[str, Any]:
    """The manifest as data."""
    exercise = made.template.exercise
    paper = made.paper
    return {
        "handcalc": VERSION,
        "template": {"file": _template_file(made.template, folder), "sha256": digest(made.template.text)},
        "seed": made.seed,
        "program": __version__,
        "language": paper.language,
        "notation": paper.notation or made.template.problem.notation,
        "sheet": [*paper.sheets],
        "key": [*paper.keys],
        "together": paper.together,
        "asked": exercise.ids(exercise.asked),
        "digits": exercise.digits.json,
        "refused": dict(made.refused),
        "files": {name: digest(content) for name, content in whole.items()},
        "variants": [_variant(variant, own[variant.code]) for variant in made.variants],
    }


def _variant(variant: Variant, files: Files) -> dict[str, Any]:
    """One variant as data."""
    found: dict[str, Any] = {"code": variant.code}
    if variant.student is not None:
        found["student"] = variant.student.json
    found |= {"problem": f"{variant.code}/{PROBLEM}", "sha256": digest(files[PROBLEM]), "tries": variant.tries}
    found["answers"] = {name: {"value": value, "shown": shown} for name, (value, shown) in variant.answers.items()}
    found["hidden"] = [*variant.hidden]
    if variant.near:
        found["near"] = [*variant.near]
    found["files"] = {name: digest(content) for name, content in files.items() if name != PROBLEM}
    return found


def _template_file(template: ExerciseTemplate, folder: str) -> str:
    """The template as seen from the manifest; a shipped problem by its name, with that of its course."""
    stem, course = template.stem, os.path.basename(template.folder)
    for name, path in ((stem, shipped().get(stem)), (f"{course}/{stem}", shipped_course(course).get(stem))):
        if path is not None and os.path.exists(template.path) and os.path.samefile(path, template.path):
            return name
    try:
        return os.path.relpath(template.path, folder).replace(os.sep, "/")
    except ValueError:  # on another drive
        return os.path.abspath(template.path).replace(os.sep, "/")


# --- reading and making again -----------------------------------------------------------------------------------------


def read_manifest(path: str) -> dict[str, Any]:
    """A manifest as data. Raises ProblemError where it is none."""
    where = f"{shown_path(path)}: "
    try:
        data: dict[str, Any] = json.loads(read_bytes(path, "data_bytes"))
    except (ValueError, RecursionError) as error:
        raise ProblemError(Message("not valid JSON: {reason}", where, reason=str(error)[:100])) from None
    variants = data.get("variants") if isinstance(data, dict) else None
    if not isinstance(variants, list) or data.get("handcalc") != VERSION:
        raise ProblemError(Message("this is no manifest of handcalc generate", where))
    for variant in variants:
        if not isinstance(variant, dict) or not all(isinstance(variant.get(key), str) for key in ("code", "problem")):
            raise ProblemError(Message("a variant without a code and a problem", where))
    return data


def codes_in(folder: str) -> list[str]:
    """The codes of the variants that have a folder there; none where there is no such folder."""
    return [name for name in names_in(folder) if is_code(name)] if os.path.isdir(folder) else []


def sets_in(folder: str) -> list[str]:
    """The manifests of the sets of variants that stand in a folder, each in a folder of its own. Raises HandcalcError."""
    return [path for name in names_in(folder) if os.path.isfile(path := os.path.join(folder, name, MANIFEST))]


def problem_files(file: str) -> list[str]:
    """A problem; those of a manifest; those in a folder, in the set of variants there, or in the sets that stand in it; those of a course
    that comes with handcalc. Raises HandcalcError."""
    if file and not os.path.lexists(file) and (course := shipped_course(file)):
        return [*map(str, course.values())]
    if os.path.isdir(file):
        if os.path.isfile(os.path.join(file, MANIFEST)):
            return problem_files(os.path.join(file, MANIFEST))
        found = problems_in(file) or [path for manifest in sets_in(file) for path in problem_files(manifest)]
        return found or _no_problems(file)
    if file.endswith(".json"):
        folder = os.path.dirname(file)
        try:
            return [beside(folder, variant["problem"]).path for variant in read_manifest(file)["variants"]]
        except (NoFileError, ValueError) as error:
            raise ProblemError(Message("{reason}", f"{shown_path(file)}: ", reason=reason(error))) from None
    return [file]


def problems_in(folder: str) -> list[str]:
    """The problem files that stand in a folder itself. Raises HandcalcError."""
    return [os.path.join(folder, name) for name in names_in(folder) if name.endswith((".yaml", ".yml"))]


def _no_problems(folder: str) -> list[str]:
    raise OutputError(Message("there are no problem files (.yaml) in this folder", f"{folder}: "))


def templates_of(file: str) -> list[str]:
    """A template; those of a folder, in the order of their names; those of a course that comes with handcalc. Raises OutputError."""
    found = (problems_in(file) or _no_problems(file)) if os.path.isdir(file) else [file] if os.path.isfile(file) else problem_files(file)
    stems = [os.path.splitext(os.path.basename(path))[0] for path in found]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise OutputError(Message("two templates are called {name}, so their sets would have the same folder", f"{file}: ", name=twice))
    return found


def verify(path: str, template: str | None = None) -> list[str]:
    """The codes of a manifest, or of those of a folder, whose variants are not what is made again: files, or what the manifest says."""
    if os.path.isdir(path) and not os.path.isfile(os.path.join(path, MANIFEST)) and (sets := sets_in(path)):
        if template is not None:
            raise OutputError(Message("--template is for one set of variants; these are {count}", f"{path}: ", count=len(sets)))
        return [code for manifest in sets for code in verify(manifest)]
    path = os.path.join(path, MANIFEST) if os.path.isdir(path) else path
    data = read_manifest(path)
    folder = os.path.dirname(path)
    codes = [variant["code"] for variant in data["variants"]]
    try:
        made = _again(data, folder, template)
        files = files_of_set(made, folder)
    except (KeyError, TypeError, AttributeError) as error:
        raise ProblemError(Message("an entry of the manifest is missing or wrong: {reason}", f"{path}: ", reason=str(error)[:60])) from None
    expected = json.loads(str(files[MANIFEST]))
    general = {key: value for key, value in expected.items() if key not in ("variants", "template")}
    same = all(data.get(key) == value for key, value in general.items()) and data["template"]["sha256"] == expected["template"]["sha256"]
    for name, content in files.items():
        if "/" not in name and name != MANIFEST:
            same &= _on_disk(folder, name) == digest(content)
    if not same:
        return codes
    again = {variant["code"]: variant for variant in expected["variants"]}
    return [variant["code"] for variant in data["variants"] if not _is_same(variant, again.get(variant["code"]), files, folder)]


def _is_same(variant: Mapping[str, Any], again: Mapping[str, Any] | None, files: Files, folder: str) -> bool:
    if variant != again:
        return False
    own = {name: content for name, content in files.items() if name.startswith(f"{variant['code']}/")}
    return all(_on_disk(folder, name) == digest(content) for name, content in own.items())


def _on_disk(folder: str, name: str) -> str:
    """SHA-256 of a file of the set; nothing where it cannot be read."""
    try:
        return digest(contents(os.path.join(folder, *name.split("/")), "array_bytes"))
    except HandcalcError:
        return ""


def _again(data: Mapping[str, Any], folder: str, template: str | None) -> VariantSet:
    """The set that a manifest describes, made again. Raises HandcalcError where the template is not there any more."""
    paper = Paper(tuple(data["sheet"]), tuple(data["key"]), data["language"], data["notation"], data["together"])
    source = ExerciseTemplate(template or _found(data["template"]["file"], folder), data["notation"])
    students = [variant.get("student") for variant in data["variants"]]
    if not any(students):
        return make_set(source, data["seed"], paper, count=len(students))
    known = [Student(student["id"], student.get("name", "")) for student in students]
    made = make_set(source, data["seed"], paper, students=StudentList((), tuple(known)))
    return _with_list(made, folder, STUDENTS in data["files"])


def _with_list(made: VariantSet, folder: str, has_list: bool) -> VariantSet:
    """The set with the list as it is in the folder, of which only the codes are made again."""
    from handcalc.exercises.students import CODE, read_students

    if not has_list:
        return made.replace(students=None)
    try:
        found = read_students(os.path.join(folder, STUDENTS))
    except HandcalcError:
        return made
    if not found.headings or found.headings[-1] != CODE:
        return made
    width = len(found.headings) - 1
    rows = tuple(student.replace(row=student.row[:width]) for student in found.students)
    return made.replace(students=StudentList(found.headings[:width], rows))


def _found(file: str, folder: str) -> str:
    beside = os.path.join(folder, *file.split("/"))
    return beside if os.path.isfile(beside) else file
