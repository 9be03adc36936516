"""What a notebook shows below a cell: HTML with MathML, Markdown, LaTeX and plain text of one short document.

- `bundle(value, context, …)` is MIME type → text for whatever shows itself; `SHOWN` is the table: type → its document.
- `Document` is such a document in any dialect, `document.bundle()` its texts; `solved(…)`, `explained(…)`, `marked(…)` make some.

To let another type show itself: make it a `SelfShowing`, and add its document to `SHOWN`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from handcalc.core.derivation import Derivation, Step
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message
from handcalc.language import choose, translator
from handcalc.marking.marked import Marking
from handcalc.render import read
from handcalc.render.blocks import Block, Paragraph
from handcalc.render.dialects import Dialect
from handcalc.render.formats.fragment import FRAGMENTS, fragment
from handcalc.render.lines import worked
from handcalc.render.reading import Reading
from handcalc.render.report import LONGEST_SUM, Chapter, Page, Style
from handcalc.training.train import Trained

if TYPE_CHECKING:
    from handcalc.marking.desk import Desk
    from handcalc.training.trainer import Trainer

SHORT = Style(detail="brief", numbers=False, pictures=False, given=False)
MOST = 60  # blocks below one cell
PLAIN = "text/plain"


class Document(Record):
    """A document below a cell. derivation: what its numbers are of; blocks: in a reading, or None for the solution itself, in the style."""

    derivation: Derivation
    blocks: Callable[[Reading], Iterable[Block]] | None = None
    style: Style = SHORT
    language: str = ""

    def bundle(self, include: Container[str] | None = None, exclude: Container[str] | None = None) -> dict[str, str]:
        """MIME type → text; the kinds that are asked for, if that is said. Raises EvaluationError for a step without a value."""
        language = choose(self.language, self.derivation.header.language)
        kinds = [kind for kind in FRAGMENTS if (include is None or kind in include) and (exclude is None or kind not in exclude)]
        return {kind: fragment(self._chapter, language, kind) for kind in kinds}

    def _chapter(self, dialect: Dialect) -> Chapter:
        if self.blocks is None:
            whole = Chapter(self.derivation, dialect, self.style)
            reading, blocks = whole.reading, whole.blocks()
        else:
            longest = 0 if self.style.detail == "full" else LONGEST_SUM
            reading = read(self.derivation, self.style.notation, dialect, self.style.comma, longest)
            blocks = iter(self.blocks(reading))
        return Page(reading, blocks if self.style.detail == "full" else _short(blocks), self.style)


def _short(blocks: Iterator[Block]) -> Iterator[Block]:
    """The first blocks; of a very long document the rest is only mentioned."""
    yield from islice(blocks, MOST)
    if next(blocks, None) is not None:
        yield Paragraph(Message("… the rest is not shown; handcalc.render(…) has all of it"))


# --- documents ------------------------------------------------------------------------------------------------------------


def solved(derivation: Derivation, style: Style = SHORT, language: str = "") -> Document:
    """The worked solution."""
    return Document(derivation, style=style, language=language)


def explained(derivation: Derivation, text: str, style: Style = SHORT, language: str = "") -> Document:
    """Where one quantity comes from. Raises UnknownIdError."""
    from handcalc.render.why import explanation

    wanted, iteration = read(derivation, style.notation).find(text)
    return Document(derivation, lambda reading: explanation(derivation, reading, wanted, iteration, style.detail), style, language)


def step(found: Step, derivation: Derivation) -> Document:
    """One line."""
    return Document(derivation, lambda reading: [worked(derivation, reading, found.cell, found.iteration, indent=0)])


def marked(marking: Marking, desk: Desk, everything: bool = False, style: Style = SHORT, language: str = "") -> Document:
    """A marked sheet."""
    from handcalc.marking.report import report

    return Document(desk.book.derivation, lambda reading: report(desk, marking, reading, everything), style, language)


def trained(found: Trained, trainer: Trainer, style: Style = SHORT, language: str = "") -> Document:
    """How a training went."""
    from handcalc.deriving import derive
    from handcalc.training.report import report

    return Document(derive(trainer.problem), lambda reading: report(trainer, found, reading), style, language)


SHOWN: Mapping[type, Callable[..., Document]] = {Derivation: solved, Step: step, Marking: marked, Trained: trained}


def bundle(
    value: Any, context: tuple[Any, ...], include: Container[str] | None = None, exclude: Container[str] | None = None
) -> dict[str, str]:
    """MIME type → text; of what has lost its context, its fields; of what cannot be worked out, why."""
    if not context and not isinstance(value, Derivation):
        return {PLAIN: repr(value)}
    try:
        return SHOWN[type(value)](value, *context).bundle(include, exclude)
    except HandcalcError as error:
        translate = translator(choose())
        return {PLAIN: "\n".join(message.text(translate) for message in error.messages)}
