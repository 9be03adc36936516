"""Nodes of a file: a tree of `FileNode`s that know their line and path, and a list that collects all errors.

- `FileNode.mapping / section / sequence / text / name / number / whole / flag / choice / formula` read one shape each; what is
  wrong is added to the file's errors, and None is answered, so that one run reports everything. Keys and words are read in all
  their spellings (spellings.py); after that a node has our own word, and `Source.respelled` knows where the other one stood.
- `literal(text)` reads one number, `near` and `suggestion` find what was probably meant, `quoted` and `listed` show a user's texts.
- What a key may hold, and the reading by that, is in values.py.

Scalars stay the text that was typed: 0.10 keeps its digits, `no` is a word, 1e-3 a number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from handcalc import errors
from handcalc.core import formula
from handcalc.core.expr import Expr, Number, Ref, number, walk
from handcalc.core.functions import FUNCTIONS
from handcalc.errors import Listing, Message, ProblemError, Template, printable
from handcalc.problem.drawn import DrawnArray
from handcalc.problem.limits import ERROR_LIMIT, limit, raised_by
from handcalc.problem.spellings import KEYS, WORDS, Spellings, meanings

__all__ = ["FileNode", "Source", "is_name", "is_quantity_name", "listed", "literal", "near", "printable", "quoted", "suggestion"]

NAME_LENGTH = 40
NUMBER_LENGTH = 400
WHOLE_LENGTH = 15  # digits of a whole number that counts something

_FULL_WIDTH = str.maketrans("０１２３４５６７８９．。－＋−–／", "0123456789..-+--/")
_DECIMAL = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?[0-9]+/[0-9]+"
WIDE_NUMBER = _DECIMAL.replace("[0-9]", "[0-9０-９]").replace(r"\.", "[.．]").replace("[+-]", "[-+＋－−]")  # a pattern, full width too
_INFINITE = r"(?i)[+-]?\.?(inf(inity)?|nan)"

# the ends of a range of numbers that are given → what is said where a number is outside
_RANGES: dict[tuple[str, ...], Template] = {
    ("least",): "expected a number of at least {least}, found {found}",
    ("above",): "expected a number above {above}, found {found}",
    ("least", "most"): "expected a number from {least} to {most}, found {found}",
    ("least", "below"): "expected a number from {least} to less than {below}, found {found}",
    ("above", "below"): "expected a number above {above} and below {below}, found {found}",
}

# Words that are typed for what is something else here → what is probably meant, for "did you mean".
HINTS = {
    "outputs": "targets", "output": "targets", "x": "inputs", "y": "targets", "t": "targets", "iterations": "epochs", "shuffle": "order",
    "lambda": "regularization",
}  # fmt: skip


_HIDDEN: Template = "{said} (what stands in the file is not shown, because it is outside the folder of the problem)"
_SHOWN = ("file", "line", "limit", "variable")  # what a message may say of a file whose contents it may not quote


def _masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """What goes into a message, without any text of the file that it is about."""
    return {name: value if name in _SHOWN or isinstance(value, int) else _mask(value) for name, value in values.items()}


def _mask(value: Any) -> Any:
    if isinstance(value, Message):
        return Message(value.template, value.where, **_masked(value.values))
    return "…" if value else value


class Source:
    """One file being read: its name as printed, its folder, the errors and the other spellings found so far.

    folder: where files are that it names, None for a text of its own, which has none; files: the names of other files that were read;
    hidden: those whose contents are not to be quoted, because they are outside the folder; numbers: where in the text each number stands,
    from and to, by the identity of the number; None where nobody wants to know; drawn: the same of numbers drawn with a seed, of which
    the text has the seed only: the array, and the place in it.
    """

    def __init__(self, name: str, folder: str | None) -> None:
        self.name = name
        self.folder = folder
        self.errors: list[tuple[tuple[int, int], Message]] = []
        self.respelled: dict[tuple[int, int], str] = {}  # from where to where in the text → the word that is meant
        self.files: list[str] = []
        self.hidden: set[str] = set()
        self.numbers: dict[int, tuple[Number, int, int]] | None = None
        self.drawn: dict[int, tuple[DrawnArray, int]] = {}

    def add(self, place: tuple[int, int], message: Message) -> None:
        """Add an error at (line, column). Raises ProblemError when there are too many to go on."""
        self.errors.append((place, message))
        if len(self.errors) >= ERROR_LIMIT:
            self.errors.append(
                ((1 << 60, 0), Message("there are more errors; only {limit} are shown", f"{self.name}: ", limit=ERROR_LIMIT))
            )
            self.finish()

    def finish(self) -> None:
        """Raise ProblemError with every error found, in the order of the file, each once."""
        if self.errors:
            ordered = sorted(self.errors, key=lambda entry: entry[0])
            raise ProblemError(*{str(message): message for _, message in ordered}.values())


class FileNode:
    """A value of the file with its line and path; the line of a mapping's entry is its key's."""

    def __init__(self, node: Any, path: str, source: Source, key: Any = None) -> None:
        self.node = node
        self.path = path
        self.source = source
        self.key = key
        mark = (key or node).start_mark
        self.place = (int(mark.line) + 1, int(mark.column))

    @property
    def kind(self) -> str:
        """mapping, sequence, text or null."""
        if isinstance(self.node.value, str):
            return "null" if self.node.tag.endswith(":null") else "text"
        return "mapping" if self.node.id == "mapping" else "sequence"

    @property
    def typed(self) -> str:
        """A text or number as typed; nothing for everything else."""
        return self.node.value if self.kind == "text" else ""

    def names(self, key: str) -> bool:
        """Whether this is a mapping in which a key names something: `{file: w.csv}`, but not a weight called `file`, `{file: 0.5}`."""
        if self.kind != "mapping":
            return False
        named = self.entry(key)
        return named is not None and isinstance(named.node.value, str) and isinstance(literal(named.node.value), Message)

    def entry(self, key: str) -> FileNode | None:
        """What stands under a key, in whatever spelling, for whoever does not read the whole mapping; None where nothing does."""
        for found, value in self.node.value if self.kind == "mapping" else ():
            if isinstance(found.value, str) and meanings(found.value, (key,), KEYS):
                return FileNode(value, f"{self.path}.{found.value}" if self.path else found.value, self.source, found)
        return None

    def within_limit(self, count: int, what: str, template: Template) -> bool:
        """Whether something is there no more often than its limit allows; an error with how to raise it where it is not."""
        most = limit(what)
        if count > most:
            self.fail(template, limit=most, variable=raised_by(what))
        return count <= most

    @property
    def shown(self) -> str | Message:
        """The value for an error message: short, on one line."""
        if self.kind == "text":
            return quoted(self.node.value)
        return Message("nothing") if self.kind == "null" else "{…}" if self.kind == "mapping" else "[…]"

    def fail(self, template: Template, **values: Any) -> None:
        """Add an error at this place."""
        path = f"{self.path}: " if self.path else ""
        if values.get("file") in self.source.hidden:
            template, values = _HIDDEN, {"said": Message(template, **_masked(values))}
        self.source.add(self.place, Message(template, f"{self.source.name}:{self.place[0]}: {path}", **values))

    # --- shapes ---

    def mapping(self) -> dict[str, FileNode] | None:
        """Keys and values; an error where it is no mapping or a key is there twice."""
        if self.kind != "mapping":
            self.fail("expected a mapping (key: value), found {found}", found=self.shown)
            return None
        result: dict[str, FileNode] = {}
        for key, value in self.node.value:
            if not isinstance(key.value, str):
                self.fail("a key must be a word, found {found}", found=FileNode(key, "", self.source).shown)
                continue
            short = key.value if len(key.value) <= NAME_LENGTH else key.value[:NAME_LENGTH] + "…"
            item = FileNode(value, f"{self.path}.{short}" if self.path else short, self.source, key)
            if key.value in result:
                item.fail("this key is there twice; first in line {line}", line=result[key.value].place[0])
            else:
                result[key.value] = item
        return result

    def section(self, allowed: Iterable[str], home: Callable[[str], str] = str, spellings: Spellings = KEYS) -> dict[str, FileNode]:
        """A mapping with known keys only, in whatever spelling, empty values left out; unknown keys are errors with a near match, or
        with their home, where they belong elsewhere ("" or themselves where they do not)."""
        known = tuple(allowed)
        result: dict[str, FileNode] = {}
        for key, item in (self.mapping() or {}).items():
            word = item.stands_for(known, spellings, key)
            if word is None:
                place = home(key)
                hint = suggestion(key, known) if place in ("", key) else Message(": write {place}", place=place)
                item.fail("unknown key{near}", near=hint)
            elif word in result:
                item.fail("this key is there twice; first in line {line}", line=result[word].place[0])
            elif word:
                result[word] = item
        return {key: item for key, item in result.items() if item.kind != "null"}

    def stands_for(self, known: Iterable[str], spellings: Spellings = WORDS, key: str | None = None) -> str | None:
        """The one of some words that this text (key: that the key of this entry) stands for, in whatever spelling, and which it is
        from now on; None where there is none, "" where there are several, which is an error."""
        text: str = self.node.value if key is None else key
        found = meanings(text, known, spellings)
        if len(found) > 1:
            self.fail("{found} may be {choices}; write the one that is meant", found=quoted(text), choices=" | ".join(found))
            return ""
        if found and found[0] != text:
            node = self.node if key is None else self.key
            self.source.respelled[node.start_mark.index, node.end_mark.index] = node.value = found[0]
        return found[0] if found else None

    def sequence(self) -> list[FileNode] | None:
        """The entries of a list."""
        if self.kind != "sequence":
            self.fail("expected a list [a, b, …], found {found}", found=self.shown)
            return None
        return [FileNode(node, f"{self.path}[{place}]", self.source) for place, node in enumerate(self.node.value)]

    def text(self) -> str | None:
        """A text or number as typed."""
        if self.kind != "text":
            self.fail("expected a text, found {found}", found=self.shown)
            return None
        value: str = self.node.value
        return value

    def name(self) -> str | None:
        """A name: letters, digits, _ and ' (of any script), at most 40."""
        value = self.text()
        return value if value is not None and self.named(value) else None

    def named(self, name: str) -> bool:
        """Whether a key or text of this item is a name; an error where it is not."""
        if not is_name(name):
            self.fail("a name has letters, digits and _ only (at most {limit}), found {found}", limit=NAME_LENGTH, found=quoted(name))
        return is_name(name)

    def number(
        self, least: int | None = None, above: int | None = None, most: int | None = None, below: int | None = None
    ) -> Number | None:
        """A number with its typed digits, in a range where one is given."""
        if self.kind != "text":
            self.fail("expected a number, found {found}", found=self.shown)
            return None
        value = literal(self.node.value)
        if isinstance(value, Message):
            self.fail(value.template, **value.values)
            return None
        size, one = value.numerator, value.denominator
        outside = (
            (least is not None and size < least * one)
            or (above is not None and size <= above * one)
            or (most is not None and size > most * one)
            or (below is not None and size >= below * one)
        )
        if outside:
            ends = {"least": least, "above": above, "most": most, "below": below}
            given = tuple(name for name, end in ends.items() if end is not None)
            self.fail(_RANGES[given], found=self.shown, **ends)
        if self.source.numbers is not None:
            self.source.numbers[id(value)] = value, self.node.start_mark.index, self.node.end_mark.index
        return None if outside else value

    def whole(self, least: int, most: int) -> int | None:
        """A whole number from least to most."""
        value = self.node.value.translate(_FULL_WIDTH) if self.kind == "text" else ""
        if value.isascii() and value.isdigit() and len(value) <= WHOLE_LENGTH and least <= int(value) <= most:
            return int(value)
        self.fail("expected a whole number from {least} to {most}, found {found}", least=least, most=most, found=self.shown)
        return None

    def flag(self) -> bool | None:
        """true or false."""
        if self.kind == "text" and (found := self.stands_for(("true", "false"))):
            return found == "true"
        self.fail("expected true or false, found {found}", found=self.shown)
        return None

    def choice(self, values: Iterable[str], spellings: Spellings = WORDS) -> str | None:
        """One of some words, in whatever spelling."""
        value, known = self.text(), tuple(values)
        found = self.stands_for(known, spellings) if value is not None else ""
        if value is not None and found is None:
            self.fail("unknown value {found}{near}", found=self.shown, near=suggestion(value, known))
        return found or None

    def formula(
        self,
        names: Collection[str],
        later: Collection[str] = (),
        ids: Mapping[str, Expr] | None = None,
        resolve: formula.Resolver | None = None,
    ) -> Expr | None:
        """A formula the user typed, over some names; `later` are names that are defined further down, ids: what stands for something
        and is no name, such as grad.w; resolve: what knows all these better."""
        text = self.text()
        if text is None:
            return None
        try:
            known = resolve or (formula.names({**{name: Ref(name) for name in names}, **ids}) if ids else None)
            expr = formula.parse(text, known or (lambda name: Ref(name) if name in names else None))
            if "e" in later and "e" not in names and (euler := re.search(r"(?<!\w)e(?!\w)", text)):
                raise formula.FormulaError('unknown name "{found}"', euler.start() + 1, found="e")
        except formula.FormulaError as error:
            reason, hint = _why(error, names, later)
            within = Message(" in {names}", names=Listing(sorted(names)[:12])) if names else ""
            self.fail(
                "not a formula{within}: {reason} (column {column}){near}", within=within, reason=reason, column=error.column, near=hint
            )
            return None
        count = sum(1 for node in walk(expr) if isinstance(node, (Number, Ref)))
        message = "more than {limit} names and numbers in a formula; write it in several equations, or set {variable}"
        return expr if self.within_limit(count, "terms", message) else None


def _why(error: formula.FormulaError, names: Collection[str], later: Collection[str]) -> tuple[Message, Message | str]:
    """What is wrong with a formula, and a hint."""
    word = str(error.values.get("found", "")) if error.template.startswith("unknown name") else ""
    if word in later:
        return Message("{found} is only defined here or further down", found=quoted(word)), ""
    if error.values.get("found") == "[":
        return Message("only a list that has a name has places in brackets, such as W[1,2]; name it in an equation of its own"), ""
    if word in FUNCTIONS:
        return Message("{name} is a function: write {name}(…)", name=word), ""
    return Message(error.template, "", **error.values), near(word, [*names, *FUNCTIONS]) if word else ""


# --- texts ------------------------------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """A user's text in an error message: short, in quotation marks."""
    return f'"{text[:NAME_LENGTH]}…"' if len(text) > NAME_LENGTH + 1 else f'"{text}"'


def is_name(text: str) -> bool:
    """Whether a text can name a neuron, an input or a parameter."""
    plain = text.replace("'", "").replace("′", "")
    return 0 < len(text) <= NAME_LENGTH and plain != "" and ("_" + plain).isidentifier() and not set(text) & set("··")


def is_quantity_name(text: str) -> bool:
    """Whether a text can name a quantity in formulas: a name that formulas read as one, and no constant such as pi."""
    if not is_name(text) or text in FUNCTIONS and not FUNCTIONS[text].arguments:
        return False
    try:
        return formula.parse(text, formula.any_name) == Ref(text)
    except formula.FormulaError:
        return False


def literal(text: str) -> Number | Message:
    """The number a text stands for, with its digits as typed, or what is wrong with it."""
    plain = text.translate(_FULL_WIDTH).strip()
    if len(plain) > NUMBER_LENGTH:
        return Message("a number has at most {limit} digits, found {found}", limit=NUMBER_LENGTH, found=quoted(plain))
    simple = plain.isascii() and plain.replace(".", "", 1).isdigit()  # most numbers; the patterns cost start-up time
    if not simple and not re.fullmatch(_DECIMAL, plain):
        if re.fullmatch(_INFINITE, plain):
            return Message("expected a finite number, found {found}", found=quoted(text))
        if re.fullmatch(_DECIMAL, plain.replace(",", ".", 1)):
            return Message("expected a number, found {found}: write a decimal point", found=quoted(text))
        return Message("expected a number, found {found}", found=quoted(text))
    if "/" in plain and int(plain.partition("/")[2]) == 0:
        return Message("division by zero: {found}", found=quoted(text))
    try:
        value = number(plain)
        if value.numerator == 0 or value.numerator / value.denominator != 0:
            return value
    except (ValueError, OverflowError):
        pass
    return Message("a number is 0 or has a size from 1e-308 to 1e308, found {found}", found=quoted(text))


def listed(names: Iterable[str]) -> Listing:
    """The first names of many."""
    return Listing((name[:NAME_LENGTH] for name in names), 8)


def suggestion(found: str, known: Collection[str]) -> Message | str:
    """What was probably meant, else everything that is known."""
    if not known:
        return Message("; it has no options")
    return near(found, known) or Message("; known are {known}", known=Listing(known))


def near(found: str, known: Iterable[str]) -> Message | str:
    """', did you mean "…"?' where something similar is known, or another word for it."""
    return errors.near(found, known, HINTS)
