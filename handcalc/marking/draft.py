"""A sheet while it is read: the answers so far, what it declares, and the lines that could not be read.

- `Draft.add(id, text, line)` takes an answer or a heading such as `name: Nina`, `Draft.bad(…)` a line that is neither,
  `Draft.comment(text, line)` a comment; `Draft.sheet()` is the sheet.

A line that cannot be read costs that line: it is among the answers, with what is wrong with it. A sheet of nothing else is no
sheet, nor is one with a hundred of them. To read another heading, add its word to `HEADINGS`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, Template
from handcalc.marking.typed import typed
from handcalc.marking.working import result
from handcalc.problem.fields import DECIMALS, SIGNIFICANT
from handcalc.problem.limits import ERROR_LIMIT, limit, raised_by
from handcalc.problem.reader import Source, quoted

NAMES = ("name", "student", "student name", "full name", "姓名", "名字", "学生")  # what comments and headings call the student
HEADINGS = (
    *NAMES, "date", "class", "course", "group", "number", "no", "student number", "student no", "student id", "matriculation number",
    "teacher", "subject", "exercise", "problem", "title", "日期", "班级", "学号", "课程", "老师", "教师", "题目", "作业", "学校", "院系",
    "解", "解答", "答题", "solution",
)  # fmt: skip
ALONG = {  # what a name may stand for below a heading such as Sample 2, or t = 2, and in a row of a table
    "iteration": ("#{n}:{name}",),
    "batch": ("#{n}:{name}", "{name}"),
    "step": ("{name}", "#{n}:{name}"),  # of the calculation, or a further iteration
    "sample": ("{name}[{n}]", "{name}@{n}", "#{place}:{name}", "{name}"),  # Sample B is the second
    "time": ("{name}@t{n}", "{name}[t={n}]", "{name}{n}", "{name}"),
}
ROUNDING = ("rounding", "取近似值", "舍入")

_DIGITS = re.compile(r"([0-9]{1,2}) *(?:(decimals?(?: places)?|位小数)|significant(?: digits| figures)?|位有效数字)")
_MODES = {  # what may stand behind the digits
    "carry": re.compile("carry|carried|再?[代带]入下一步"),
    "truncate": re.compile("cut off|truncated?|截断|截尾|去尾|直接舍去尾数"),
    "half_even": re.compile("half[_ ](?:to[_ ])?even|四舍六入五(?:成双|取偶|留双)"),
    "half_up": re.compile("half[_ ]up|四舍五入"),
}
_DATE = re.compile(
    r"(?:[^\W\d_]{2,9}[,.]? +)?(?:\d{1,4}[-./]\d{1,2}[-./]\d{1,4}\.?|\d{1,2}(?:st|nd|rd|th)?\.? +[^\W\d_]{3,9}\.?,? +\d{4}|"
    r"[^\W\d_]{3,9}\.? +\d{1,2}(?:st|nd|rd|th)?,? +\d{4}|\d{4} *年 *\d{1,2} *月 *\d{1,2} *日)"
)

_WHOLE = re.compile("total|总")  # in the name of what is no sample's
_NEXT = re.compile(r"[\s_＿,;，；]+(?=(?:" + "|".join(HEADINGS) + r")\s*[:：])", re.IGNORECASE)  # Name: Nina   Date: 12 May


class Answer(Record):
    """One answer: the id as the student wrote it, the answer as typed ("" where it was left blank), and its place.

    trouble: why it is no answer, but a line that could not be read; id is then the line. names: what the id may stand for where it is
    put together from a heading and a name; the first that is a step counts. loose: an answer only if there is such a step, since there is
    no sign: w5 0.3589, but not Homework 3.
    """

    id: str
    text: str
    where: str = ""
    trouble: Message | None = None
    names: tuple[str, ...] = ()
    loose: bool = False


class Sheet(Record):
    """What one student handed in: the name, the answers in order, and the rounding that was declared.

    headings: what stands at its head, such as name: Nina; answers, where the problem has steps of these names.
    """

    name: str
    answers: tuple[Answer, ...]
    rounding: Rounding | None = None
    headings: tuple[Answer, ...] = ()


class Draft:
    """A sheet being read: answers by id with their lines, what it declares, and its errors.

    repeats: an id may be there more than once; strict: a line that cannot be read is an error of the whole.
    """

    def __init__(self, source: Source, has_lines: bool = True, repeats: bool = False, strict: bool = False) -> None:
        self.source = source
        self.repeats = repeats
        self.strict = strict
        self.has_lines = has_lines
        self.answers: dict[str, tuple[Answer, int]] = {}
        self.name = ""
        self.rounding: Rounding | None = None
        self.headings: list[Answer] = []
        self._from = 0
        self.bad_lines = 0
        self._start = ""  # what stands before the ids under a heading Iteration 2
        self.section = ""  # the name above, as h1: above net = 0.3775
        self._along: tuple[str, ...] = ()  # what a name may be under a heading such as Sample 2

    def begin(self, iteration: int) -> None:
        """The answers from here on belong to an iteration; a sheet that counts from 0 begins with the first."""
        if iteration == 0:
            self._from = 1
        number = iteration + self._from
        self._start = f"#{number}:" if number > 1 else ""
        self._along = ()

    def begin_along(self, kind: str, number: str) -> None:
        """The answers from here on belong to a sample, a batch, a time …: a key of ALONG."""
        self._start = ""
        place = number if number.isdigit() else str(ord(number.upper()) - ord("A") + 1)
        self._along = tuple(template.replace("{n}", number).replace("{place}", place) for template in ALONG[kind])

    def begin_section(self, name: str, line: int) -> None:
        """A name with nothing behind it: left blank, or above what belongs to it."""
        self.add(name, "", line)
        self.section = name

    def of_section(self, name: str) -> list[str]:
        """What a name may stand for below a title that is the name of a sample."""
        return [] if _WHOLE.search(name) else [f"{name}[{self.section}]", f"{name}@{self.section}"]

    def use_section(self) -> None:
        """The name above was a title, and nothing that was left blank."""
        if self.section in self.answers and not self.answers[self.section][0].text:
            del self.answers[self.section]

    def _where(self, line: int) -> str:
        return f"{self.source.name}:{line}: " if self.has_lines else f"{self.source.name}: "

    def fail(self, template: Template, line: int = 0, **values: Any) -> None:
        """Add an error in a line that costs the whole sheet."""
        self.source.add((line, 0), Message(template, self._where(line), **values))

    def bad(self, shown: str, template: Template, line: int = 0, **values: Any) -> None:
        """Add a line that cannot be read, as it is shown."""
        if self.strict:
            return self.fail(template, line, **values)
        trouble = Message(template, self._where(line), **values)
        self.bad_lines += 1
        self._take(f"{shown}\n{line}", Answer(shown.strip()[:60], "", self._where(line), trouble), line)
        if self.bad_lines >= ERROR_LIMIT:
            self._refuse()

    def _refuse(self) -> None:
        """Make errors of the lines that cannot be read."""
        for answer, line in self.answers.values():
            if answer.trouble is not None:
                self.source.add((line, 0), answer.trouble)

    def add(self, name: str, text: str, line: int = 0, names: Sequence[str] = (), loose: bool = False) -> None:
        """Add an answer, one that was left blank, or a heading. names: what the name may stand for."""
        name, text = name.strip(), text.strip()
        if self._along and not names and not is_heading(name):
            names = [template.replace("{name}", name) for template in self._along]
            names.sort(key=lambda one: (one in self.answers, one != name) if _WHOLE.search(name) else one in self.answers)
            name = names[0]
        name = name if not self._start or name.startswith("#") or is_heading(name) else self._start + name
        if not name:
            self.bad(f"= {text}", "an id is missing before the answer {found}", line, found=quoted(text))
        elif is_heading(name) and typed(text) is None:
            self._heading(name, text, line)
        elif name in self.answers and not self.repeats and _is_general(self.answers[name][0].text) and not _is_general(text):
            self._take(name, Answer(name, filled_in(text), self._where(line)), line)  # the formula first, then the number
        elif (
            name in self.answers
            and not self.repeats
            and (_is_general(text) or not self.strict and _is_again(self.answers[name][0].text, text))
        ):
            return
        elif name in self.answers and not self.repeats:
            first = Message("; first in line {line}", line=self.answers[name][1]) if self.has_lines else ""
            self.bad(name, "the id {found} is there twice{first}", line, found=quoted(name), first=first)
        else:
            key = name if name not in self.answers else f"{name} {len(self.answers)}"
            self._take(key, Answer(name, filled_in(text), self._where(line), names=tuple(names), loose=loose), line)

    def _take(self, key: str, answer: Answer, line: int) -> None:
        if len(self.answers) >= limit("answers"):
            most, variable = limit("answers"), raised_by("answers")
            self.fail("more than {limit} answers; set {variable} to raise the limit", line, limit=most, variable=variable)
            self.source.finish()
        self.answers[key] = answer, line

    def _heading(self, name: str, text: str, line: int) -> None:
        self.headings.append(Answer(name, filled_in(text), self._where(line)))
        value = filled_in(_NEXT.split(text)[0].strip("_＿ ,;，；"))
        if plain_heading(name) in NAMES and value:
            self.name = value

    def comment(self, text: str, line: int) -> None:
        """What a comment declares: `# name: Alice` or `# rounding: 4 decimals`; spreadsheets put commas after it."""
        key, _, value = (filled_in(part) for part in text.strip('#＃/%",; \t\r\n').replace("：", ":", 1).partition(":"))
        if plain_heading(key) in NAMES:
            self.name = value
        elif key.lower() in ROUNDING and value:
            found = _declared(value)
            if found is not None:
                self.rounding = found
            else:
                message = 'expected "4 decimals" or "3 significant", perhaps with ", carry" or ", cut off", found {found}'
                self.bad(text.strip(), message, line, found=quoted(value))

    def sheet(self, name: str = "") -> Sheet:
        """The sheet. Raises ProblemError with every error found, also where there is nothing but lines that cannot be read."""
        answers = [answer for answer, _ in self.answers.values()]
        if self.source.errors or all(answer.trouble is not None for answer in answers):
            self._refuse()
        self.source.finish()
        return Sheet(self.name or name, tuple(answers), self.rounding, tuple(self.headings))


def _is_general(text: str) -> bool:
    """Whether what stands behind a name is a formula, or nothing, and no number."""
    return typed(result(text)[0]) is None


def _is_again(first: str, second: str) -> bool:
    """Whether two texts are the same number."""
    one, two = typed(result(first)[0]), typed(result(second)[0])
    return one is not None and two is not None and one.ratio == two.ratio


def plain_heading(text: str) -> str:
    """A heading as HEADINGS has it."""
    return " ".join(text.strip("*#_ \t").lower().replace(".", " ").split())


def is_heading(text: str) -> bool:
    """Whether a word stands at the head of a sheet, before what is no answer."""
    return plain_heading(text) in HEADINGS


def is_date(text: str) -> bool:
    """Whether a line is a date."""
    return _DATE.fullmatch(text.strip()) is not None


def filled_in(text: str) -> str:
    """What was typed into a gap of underscores, dots or brackets: nothing if they are still there alone."""
    if re.fullmatch(r"[_＿.…⋯\s]*", text):
        return ""
    plain = re.sub(r"^(?:[_＿…⋯]|\.{2,})+\s*|\s*(?:[_＿…⋯]|\.{2,})+$", "", text.strip())
    boxed = re.fullmatch(r"\[+\s*([^\[\],;\s]+)\s*\]+", plain)
    return boxed[1] if boxed else plain


def _declared(text: str) -> Rounding | None:
    """The rounding that a comment declares, such as `4 decimals, carry, cut off`."""
    first, *words = (part.strip() for part in re.split("[,，、]", text.lower()))
    found = _DIGITS.fullmatch(first)
    said = [next((mode for mode, pattern in _MODES.items() if pattern.fullmatch(word)), "") for word in words]
    limits = DECIMALS if found and found[2] else SIGNIFICANT
    ties = [mode for mode in said if mode != "carry"]
    if not found or len(ties) > 1 or not all(said) or not limits["minimum"] <= int(found[1]) <= limits["maximum"]:
        return None
    decimals, significant = (int(found[1]), None) if found[2] else (None, int(found[1]))
    return Rounding(decimals, significant, "carry" in said, ties[0] if ties else "half_up")
