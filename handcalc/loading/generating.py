"""Reading `generate:`, how an exercise is set with other numbers: `generating(item)`.

Which numbers and steps its names mean is not known here: that needs the worked solution. To add a word of `require`: a line in
`CONDITIONS` (problem/generating.py).
"""

from __future__ import annotations

from handcalc.core.expr import Number
from handcalc.errors import Message
from handcalc.problem.comparisons import comparison, is_comparison
from handcalc.problem.fields import read_section
from handcalc.problem.generatekeys import HOW, RANGE_KEYS
from handcalc.problem.generating import CONDITIONS, NICE, Generating, NumberRange, Requirement
from handcalc.problem.reader import FileNode, suggestion
from handcalc.problem.values import read_entries, words

RANGE_LIMIT = 10_000_000  # numbers of a range


def generating(item: FileNode) -> Generating:
    """The section `generate`."""
    part = read_section(item, "generate")
    found = Generating(line=item.place[0], **part.read(("dead", "different", "tries")))
    if "numbers" in part:
        found = found.replace(ranges=_ranges(part["numbers"]))
    if "require" in part:
        node = part["require"]
        lines = (node.sequence() or []) if node.kind == "sequence" else [node]
        found = found.replace(require=tuple(line for line in map(_requirement, lines) if line is not None))
    return found


def _ranges(item: FileNode) -> tuple[NumberRange, ...]:
    """One word for all numbers, or a mapping of names, patterns and roles."""
    if item.kind != "mapping":
        how = item.choice(words(HOW))
        return (NumberRange("", how, line=item.place[0]),) if how else ()
    found = (_range(name, entry) for name, entry in (item.mapping() or {}).items())
    return tuple(one for one in found if one is not None)


def _range(name: str, item: FileNode) -> NumberRange | None:
    line = item.place[0]
    if item.kind != "mapping":
        how = item.choice(words(HOW))
        return NumberRange(name, how, line=line) if how else None
    part = read_entries(item, RANGE_KEYS)
    excluded = part.value("not", ())
    if "choose" in part:
        chosen = part.value("choose", ())
        for key in part.keys() & {"from", "to", "step"}:
            part[key].fail("goes with a range, not with choose")
        left = [number for number in chosen if not _is_among(number, excluded)]
        if not left:
            part["choose"].fail("there is no number to choose from")
        return NumberRange(name, "choose", tuple(left), line=line)
    ends = [part.value(key) for key in ("from", "to", "step")]
    if None in ends:
        item.fail("expected {{from: 0.1, to: 0.9, step: 0.1}}, {{choose: [0, 1]}}, keep or like")
        return None
    return _checked(item, NumberRange(name, "range", tuple(ends), tuple(excluded), line))


def _checked(item: FileNode, found: NumberRange) -> NumberRange | None:
    """A range that has numbers."""
    start, stop, step = (number.numerator / number.denominator for number in found.numbers)
    if stop < start:
        item.fail("the range ends before it begins")
    elif (stop - start) / step > RANGE_LIMIT:
        item.fail("more than {limit} numbers in a range; make the step larger", limit=RANGE_LIMIT)
    else:
        return found
    return None


def _is_among(number: Number, others: tuple[Number, ...]) -> bool:
    return any(number.numerator * other.denominator == other.numerator * number.denominator for other in others)


def _requirement(item: FileNode) -> Requirement | None:
    """A word, a word after a minus, or a comparison."""
    text = (item.text() or "").strip()
    line = item.place[0]
    if is_comparison(text):
        read = comparison(text)
        if isinstance(read, Message):
            item.fail(read.template, **read.values)
            return None
        return Requirement(text, comparison=read, line=line)
    word, off = text.removeprefix("-").strip(), text.startswith("-")
    if word in CONDITIONS or (word == NICE and not off):
        return Requirement(text, word, off, line=line)
    if text:
        item.fail("expected a comparison such as abs(net.*) <= 2, or a word{near}", near=suggestion(word, (NICE, *CONDITIONS)))
    return None
