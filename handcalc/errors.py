"""What can go wrong for a user: every error says what, where, and what to do.

`HandcalcError` is the base; its `messages` are data (a template and what goes into it), so that commands print them
in the reader's language, one a line, and exit with the error's `exit_code`. Wrong use of the Python API raises
Python's own exceptions instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Message:
    """A text with places to fill: `Message("unknown key {found}", found="colour")`. `where` goes before it."""

    def __init__(self, template: str, where: str = "", **values: Any) -> None:
        self.template = template
        self.where = where
        self.values = values

    def text(self, translate: Callable[[str], str] = str) -> str:
        """The text in the language of `translate`."""
        values = {name: value.text(translate) if isinstance(value, Message) else value for name, value in self.values.items()}
        return self.where + translate(self.template).format(**values)

    def __str__(self) -> str:
        return self.text()


class HandcalcError(Exception):
    """Base of all errors a user can cause. `messages` holds one for each thing wrong."""

    exit_code = 2

    def __init__(self, *messages: Message) -> None:
        super().__init__("\n".join(map(str, messages)))
        self.messages = messages


class ProblemError(HandcalcError):
    """A problem file that cannot be used: each message is file:line: path: what was found, what was expected."""


class EvaluationError(HandcalcError):
    """A step that has no finite value; the message names the first such step."""


class UnknownIdError(HandcalcError):
    """An id or symbol that the solution does not have."""


class OutputError(HandcalcError):
    """A file that cannot be written."""


class NotSupportedError(HandcalcError):
    """Something that handcalc knows of but cannot do yet."""
