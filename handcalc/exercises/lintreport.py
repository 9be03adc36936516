"""A lint report as a document: `report(found)` gives the blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handcalc.errors import Listing, Message, Template
from handcalc.exercises.hidden import Form, Mistakes
from handcalc.exercises.lint import LintReport
from handcalc.marking.mistakes import MISTAKES
from handcalc.render.blocks import Block, Heading, Item, Paragraph, Plain, Table
from handcalc.render.items import title_item

# level → the word in a table
LEVELS: dict[str, Template] = {"error": "error", "warning": "warning", "note": "note"}


def report(found: LintReport, file: str = "") -> Iterator[Block]:
    """What is asked, what was found, and which mistakes would show; file: which of several it is."""
    exercise, problem = found.exercise, found.exercise.problem
    yield Heading(1, title_item(problem.title or problem.path, problem.title_zh))
    if file:
        yield Paragraph(Plain(file))
    digits = exercise.digits
    ids, count = Listing(exercise.ids(exercise.asked)), digits.decimals if digits.decimals is not None else digits.significant
    asked = "asked with {digits} decimals: {ids}" if digits.decimals is not None else "asked with {digits} significant digits: {ids}"
    yield Paragraph(Message(asked, ids=ids, digits=count))
    if found.ok:
        yield Paragraph(Message("sound: nothing to improve"))
    else:
        rows = tuple((Plain(finding.rule), Message(LEVELS[finding.level]), finding.message) for finding in found.findings)
        yield Table((Message("rule"), Message("level"), Message("finding")), rows, wraps=True)
    if found.mistakes is not None:
        yield from _mistakes(found.mistakes)


def _mistakes(mistakes: Mistakes) -> Iterator[Block]:
    exercise = mistakes.exercise
    if mistakes.hidden:
        yield Heading(2, Message("Mistakes that the answers do not show"))
        rows = tuple((named(mistakes.forms[place]), _shown_by(mistakes, place)) for place in mistakes.hidden)
        yield Table((Message("mistake"), Message("shown by")), rows, wraps=True)
    if mistakes.tied:
        yield Heading(2, Message("Mistakes that give the same answers"))
        groups = {_slugs(mistakes, group): group for group in mistakes.tied}  # of forms with the same names one
        yield from (Paragraph(_joined(mistakes, group)) for group in groups.values())
    if mistakes.inert:
        yield Heading(2, Message("Mistakes that change no number"))
        yield Paragraph(_joined(mistakes, mistakes.inert))
    if mistakes.ask_also:
        yield Heading(2, Message("What to ask in addition"))
        yield Paragraph(Listing(exercise.ids(mistakes.ask_also)))


def named(form: Form) -> Message:
    """The name of a mistake, with the number of its form where it has several, and of the one made with it."""
    own = Message(MISTAKES[form.slug].name)
    if form.number:
        own = Message("{name} ({number})", name=own, number=form.number)
    return Message("{first} + {second}", first=own, second=named(form.other)) if form.other else own


def _slugs(mistakes: Mistakes, places: Iterable[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mistakes.forms[place].slug for place in places))


def _joined(mistakes: Mistakes, places: Iterable[int]) -> Message:
    """The names of some mistakes, each once."""
    first, *others = _slugs(mistakes, places)
    found = Message(MISTAKES[first].name)
    for slug in others:
        found = Message("{first}; {second}", first=found, second=Message(MISTAKES[slug].name))
    return found


def _shown_by(mistakes: Mistakes, place: int) -> Item:
    asked, count = mistakes.shown_by(place), mistakes.decimals_for(place)
    if asked:
        return Listing(mistakes.exercise.ids(asked))
    return Message("{count} {count:decimal|decimals}", count=count) if count is not None else Message("nothing")
