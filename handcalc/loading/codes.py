"""Columns of words in a data file: 是 and 否, species, colours; which numbers they stand for.

- `Codes(item, table)` reads `codes:`; `columns(place)` are the columns of numbers that one of the table becomes, each with its name;
  `told` is what every word stands for, as a report says it.

A word stands for a number, `{是: 1, 否: 0}`, or has a column of its own, `one_hot`, which holds 1 where it stands and 0 elsewhere; a list
of words says the order of these columns, else it is that in which they come.
"""

from __future__ import annotations

from handcalc.core.expr import ONE, ZERO, Number
from handcalc.problem.csvfiles import Column, CsvFile
from handcalc.problem.datakeys import ONE_HOT
from handcalc.problem.reader import FileNode, listed, near, quoted


class Codes:
    """What words stand for; told: column → word → its numbers."""

    def __init__(self, item: FileNode | None, table: CsvFile) -> None:
        self.told: dict[str, dict[str, str]] = {}
        self._table = table
        self._numbers: dict[str, dict[str, Number]] = {}
        self._words: dict[str, list[str]] = {}
        for name, entry in ((item.mapping() or {}) if item else {}).items():
            if name not in table.heading:
                known = listed(table.heading)
                entry.fail(
                    "{file} has no column {found}{near}; it has {known}",
                    file=table.name, found=quoted(name), near=near(name, table.heading), known=known,
                )  # fmt: skip
            elif entry.kind == "mapping":
                self._numbers[name] = {word: _code(node) for word, node in (entry.mapping() or {}).items()}
            elif entry.kind == "sequence":
                self._words[name] = [part.text() or "" for part in entry.sequence() or ()]
            elif entry.choice((ONE_HOT,)):
                self._words[name] = table.words(table.heading.index(name)) or []

    def columns(self, place: int) -> list[tuple[str, Column]]:
        """The columns of numbers at a place of the table: one, or one for each word."""
        name = self._table.heading[place]
        if name in self._numbers:
            codes = self._numbers[name]
            self.told[name] = {word: value.text or str(value.numerator) for word, value in codes.items()}
            return [(name, Column(place, codes))]
        words = self._words.get(name)
        if words is None:
            return [(name, Column(place))]
        self.told[name] = {word: one_hot(number, len(words)) for number, word in enumerate(words)}
        return [(f"{name}_{word}", Column(place, {other: ONE if other == word else ZERO for other in words})) for word in words]


def _code(node: FileNode) -> Number:
    """What a word stands for; not the number itself that stands in the text, which would be one of every sample with that word."""
    return (node.number() or ZERO).replace()


def one_hot(place: int, count: int) -> str:
    """(0, 1, 0)."""
    return "(" + ", ".join("1" if number == place else "0" for number in range(count)) + ")"
