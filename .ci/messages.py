"""The catalogues of texts: `python .ci/messages.py` brings them up to date, `… --check` only says what is wrong.

- texts.py finds the texts in the program's source; those of keys of the file format are asked for, and what click itself says is here, in
  `CLICK` and `COUNTED`.
- handcalc/locale/*/LC_MESSAGES/handcalc.po has their translations, made by hand. New texts are added with an empty translation, unused
  ones dropped; handcalc.mo, which the program reads, is made from it, the same bytes every time.
- An error is a text without a translation, or with one that has other fields. Who does not know the language marks what is missing as
  `#, fuzzy`: that is a warning, and English is shown; with --release it is an error.

To add a language, copy a folder of handcalc/locale without its translations, and name it in handcalc/language.py.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parent))

from texts import ROOT, collected  # noqa: E402

sys.path.insert(0, str(ROOT))

from handcalc.layers.sections import sections  # noqa: E402

CATALOGUES = sorted(ROOT.glob("handcalc/locale/*/LC_MESSAGES/handcalc.po"))

# what click says, in the wording of its versions 8.1 to 8.5
CLICK = (
    "Usage:",
    "Options",
    "Show this message and exit.",
    "default: {default}",
    "required",
    "Error: {message}",
    "Error: invalid input",
    "Aborted!",
    "Try '{command} {option}' for help.",
    "Missing argument",
    "Missing option",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "{value!r} is not a valid {number_type}.",
    "{value} is not in the range {range}.",
    "No such option {name!r}.",
    "No such option: {name}",
    "Option {name!r} does not take a value.",
)

# what click says with a form of its own for several; the languages here have one form for both
COUNTED = (
    "{value!r} is not {choice}.",
    "Did you mean {possibility}?",
    "Option {name!r} requires an argument.",
    "Got unexpected extra argument ({args})",
)


def messages() -> tuple[dict[str, list[str]], list[str]]:
    """Every text with the files it is in, and the places whose texts cannot be seen."""
    found, lost = collected()
    for text in dict.fromkeys(key.doc for keys in sections().values() for key in keys if key.doc):  # some are put together from parts
        found.setdefault(text, ["handcalc/layers/sections.py"])
    for text in (*CLICK, *COUNTED):
        found.setdefault(text, []).append("click")
    return found, lost


class Translations(Catalog):
    """A catalogue whose header says what the program needs, and no date nor version."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]
        kinds = ("Project-Id-Version", "handcalc"), ("Language", str(self.locale_identifier)), ("Plural-Forms", self.plural_forms)
        return [*kinds, ("MIME-Version", "1.0"), ("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "8bit\n")]


def read(path: Path) -> Catalog:
    """A PO file."""
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def said(known: Message | None) -> str:
    """The translation of a text, "" where it has none."""
    text = known.string if known else ""
    return text if isinstance(text, str) else text[0]


def updated(old: Catalog, texts: dict[str, list[str]]) -> Catalog:
    """These texts, with the translations that a catalogue has."""
    new = Translations(locale=old.locale_identifier, header_comment="", fuzzy=False)
    for text, files in texts.items():
        known = old.get(text)
        found = said(known)
        counted = text in COUNTED
        message = new.add((text, text) if counted else text, (found,) if counted else found, [(file, 0) for file in files])
        message.flags = {"fuzzy"} if known and known.fuzzy else set()  # Babel adds others of its own
    return new


def written(catalogue: Catalog) -> bytes:
    """The bytes of a PO file."""
    file = io.BytesIO()
    write_po(file, catalogue, width=0, include_lineno=False)
    return file.getvalue().strip() + b"\n"


def compiled(catalogue: Catalog) -> bytes:
    """The bytes of an MO file."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def fields(text: str) -> list[str]:
    """What stands in braces, and click's %(…)s: a translation must have the same, but for words that depend on a number."""
    return sorted(field for field in re.findall(r"\{[^{}]*\}|%\(\w+\)s", text) if "|" not in field)


def wrong(path: Path, texts: dict[str, list[str]]) -> Iterator[tuple[bool, str]]:
    """What is wrong with a PO file and the MO file beside it; and whether that is only a warning."""
    name = "/".join(path.parts[-4:])
    catalogue = read(path)
    for text, files in texts.items():
        message = catalogue.get(text)
        translation = said(message)
        if message and message.fuzzy:
            yield True, f'{name}: marked fuzzy: "{text}" ({", ".join(files)})'
        elif not translation:
            yield False, f'{name}: not translated: "{text}" ({", ".join(files)})'
        elif fields(translation) != fields(text):
            yield False, f'{name}: "{translation}" has other fields than "{text}"'
    fresh = updated(catalogue, texts)
    if path.read_bytes() != written(fresh):
        yield False, f"{name} is not as this script writes it: run python .ci/messages.py"
    binary = path.with_suffix(".mo")
    if not binary.exists() or binary.read_bytes() != compiled(fresh):
        yield False, f"{binary.name} is older than {name}: run python .ci/messages.py"


def main() -> int:
    """Write the catalogues, then say what is left to do; with --check, only say what is wrong."""
    parser = argparse.ArgumentParser(description="Bring the catalogues of texts up to date.")
    parser.add_argument("--check", action="store_true", help="write nothing, only say what is wrong")
    parser.add_argument("--release", action="store_true", help="what is marked fuzzy is an error too")
    options = parser.parse_args()
    texts, lost = messages()
    errors = list(lost)
    for path in CATALOGUES:
        if not options.check:
            catalogue = updated(read(path), texts)
            path.write_bytes(written(catalogue))
            path.with_suffix(".mo").write_bytes(compiled(catalogue))
        for warning, line in wrong(path, texts):
            if warning and not options.release:
                print(f"warning: {line}", file=sys.stderr)
            else:
                errors.append(line)
    for line in errors:
        print(line, file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
