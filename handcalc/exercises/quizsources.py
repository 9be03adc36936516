"""Where the questions of a quiz come from: `sources_of(files)`, for problems, folders of them and manifests.

- `manifests_of(file)` are the manifest that a file is, or those that a folder has; `problems_of(file)` the problems of either.

A variant has the code of its manifest, any other problem that of its name; codes are different in one quiz.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from handcalc.core.record import Record
from handcalc.errors import HandcalcError
from handcalc.exercises.draw import folded
from handcalc.exercises.manifest import MANIFEST, digest, problem_files, problems_in, read_manifest, sets_in
from handcalc.exercises.quiz import QuizSource
from handcalc.language import LANGUAGES
from handcalc.loading.loader import file_of
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.files import read_bytes


class _Taken(Record):
    """The codes that are taken, in any case of letters."""

    codes: set[str]

    def free(self, code: str) -> str:
        """The code, with a number where it is taken."""
        count, found = 1, code
        while found.casefold() in self.codes:
            count += 1
            found = f"{code}-{count}"
        self.codes.add(found.casefold())
        return found


def sources_of(files: Sequence[str]) -> list[QuizSource]:
    """The problems of some files, folders and manifests, in their order. Raises HandcalcError."""
    taken = _Taken(set())
    return [one.replace(code=taken.free(one.code)) for file in files for one in _sources(file)]


def manifests_of(file: str) -> list[str]:
    """The manifest that is meant, as a file or by its folder; those of a folder of sets; none where it is another file. A problem may be
    JSON as well."""
    path = os.path.join(file, MANIFEST) if os.path.isdir(file) else file
    if os.path.isdir(file) and not os.path.lexists(path):
        return [] if problems_in(file) else sets_in(file)
    if not path.endswith(".json") or not os.path.isfile(path):
        return []
    try:
        read_manifest(path)
    except HandcalcError:
        return [path] if os.path.basename(path) == MANIFEST else []
    return [path]


def problems_of(file: str) -> list[str]:
    """A problem, those in a folder, those of a manifest. Raises HandcalcError."""
    manifests = manifests_of(file)
    if manifests:
        return [path for manifest in manifests for path in problem_files(manifest)]
    return [file] if os.path.isfile(file) else problem_files(file)


def _sources(file: str) -> Iterator[QuizSource]:
    manifests = manifests_of(file)
    for manifest in manifests:
        yield from _variants(manifest)
    if manifests:
        return
    for path in problems_of(file):
        stem = folded(os.path.splitext(os.path.basename(path))[0])
        yield QuizSource(path, stem, stem, digest(read_bytes(file_of(path))))


def _variants(manifest: str) -> Iterator[QuizSource]:
    """The variants of a manifest, filed under the name of its template."""
    data, folder = read_manifest(manifest), os.path.dirname(manifest)
    template = data.get("template")
    file = str(template.get("file", "")) if isinstance(template, dict) else ""
    group = folded(os.path.splitext(os.path.basename(file))[0])
    own = digest(read_bytes(manifest, "data_bytes"))
    language = data["language"] if data.get("language") in LANGUAGES else ""
    notation = data["notation"] if data.get("notation") in NOTATION_NAMES else ""
    for variant in data["variants"]:
        yield QuizSource(os.path.join(folder, *variant["problem"].split("/")), variant["code"], group, own, language, notation)


def read_files(files: Sequence[str], sources: Sequence[QuizSource]) -> Iterator[str]:
    """Everything that is read, which no output may replace."""
    for file in files:
        yield from manifests_of(file)
    yield from (file_of(source.path) for source in sources)
