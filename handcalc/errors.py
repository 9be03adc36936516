"""What can go wrong for a user: every error says what, where, and what to do.

`HandcalcError` is the base; its `messages` are data (a template and what goes into it), so that commands print them
in the reader's language, one a line, and exit with the error's `exit_code`. Wrong use of the Python API raises
Python's own exceptions instead. What a file or a command line says is hostile: `printable` makes control characters
and direction marks visible in every message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

Template = str  # in an annotation: a text for users, which the catalogues have translations of (see .ci/messages.py)
HINT_LIMIT = 500  # words a hint is looked for in


def printable(text: str) -> str:
    """Text on one line, with control characters, direction marks and the like made visible as \\u000a."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


class Message:
    """A text with places to fill: `Message("unknown key {found}", found="colour")`. `where` goes before it."""

    def __init__(self, template: Template, where: str = "", **values: Any) -> None:
        self.template = template
        self.where = where
        self.values = values

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The text in the language of `translate`."""
        values = {name: _filled(value, translate) for name, value in self.values.items()}
        return printable(self.where) + translate(self.template).format(**values)

    def __str__(self) -> str:
        return self.text()


_ONE: Template = "{first}"
_SEVERAL: Template = "{first}, {next}"


class Listing(Message):
    """Names or messages one after the other, with the mark that the reader's language has between them; most: how many of them."""

    def __init__(self, parts: Iterable[Any], most: int = HINT_LIMIT) -> None:
        every = list(parts)
        shown = every[:most] + ["…"] * (len(every) > most)
        half = len(shown) // 2  # halves of halves, so that many are not nested deeply
        if half:
            super().__init__(_SEVERAL, first=Listing(shown[:half]), next=Listing(shown[half:]))
        elif shown:
            super().__init__(_ONE, first=shown[0])
        else:
            super().__init__("")


def _filled(value: Any, translate: Callable[[str], str]) -> Any:
    if isinstance(value, Message):
        return value.text(translate)
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':  # quotation marks are those of the language
        return translate('"{text}"').format(text=printable(value[1:-1]))
    if type(value) is int:
        return Counted(value)
    return printable(value) if isinstance(value, str) else value


class Counted(int):
    """A number that chooses between words: `{count} {count:mistake|mistakes}` is 1 mistake, 2 mistakes; Chinese needs no such field."""

    def __format__(self, words: str) -> str:
        one, found, many = words.partition("|")
        return (one if self == 1 else many) if found else int.__format__(self, words)


def near(found: str, known: Iterable[str], synonyms: Mapping[str, str] | None = None) -> Message | str:
    """', did you mean "…"?' where something similar is known, or a synonym of it; else nothing."""
    import difflib

    words = {word.lower(): word for word in islice(known, HINT_LIMIT)}
    plain = found[:40].lower().strip().replace("-", "_").replace(" ", "_")
    other = (synonyms or {}).get(plain)
    close = [other] if other in words else difflib.get_close_matches(plain, list(words), 1, 0.6)
    if close and plain and other not in words:  # what begins with it is nearer than anything else
        close = [word for word in words if word.startswith(plain)][:1] or close
    return Message(', did you mean "{close}"?', close=words[close[0]]) if close else ""


class HandcalcError(Exception):
    """Base of all errors a user can cause. `messages` holds one for each thing wrong."""

    exit_code = 2

    def __init__(self, *messages: Message) -> None:
        super().__init__("\n".join(map(str, messages)))
        self.messages = messages

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.messages  # as it is sent to another process


class ProblemError(HandcalcError):
    """A problem file that cannot be used: each message is file:line: path: what was found, what was expected."""


class EvaluationError(HandcalcError):
    """A step that has no finite value; the message names the first such step. cell, evaluation: which it is, and where the numbers are
    that it needs, for whoever says more of it; None where that is not known."""

    def __init__(self, *messages: Message, cell: Any = None, evaluation: Any = None) -> None:
        super().__init__(*messages)
        self.cell = cell
        self.evaluation = evaluation


class UnknownNumberError(EvaluationError):
    """A number that nobody gave; the message names it."""


class UnknownIdError(HandcalcError):
    """An id or symbol that the solution does not have."""


class AmbiguousIdError(UnknownIdError):
    """A word that may mean several steps; the message names them."""


class DeriveError(HandcalcError):
    """Something that cannot be differentiated."""


class ModelError(HandcalcError):
    """A network of a framework that cannot be brought in, or does not say something that is needed."""


class OutputError(HandcalcError):
    """A file that cannot be written."""
