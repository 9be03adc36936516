"""The lines of a sheet that is text: `add_line(draft, text, line)` adds the answers on one, or says that there is none.

`id = working = answer`, also several on a line, behind a bullet or a number, typeset, or said in words. A heading such as
`Iteration 2:` says to what the lines below it belong. To read another way to write a line, add its pattern here.
"""

from __future__ import annotations

import re

from handcalc.marking.draft import Draft, is_date
from handcalc.marking.working import first_sign
from handcalc.problem.reader import quoted

_BULLET = re.compile(r"(?:[-+*•·–—]|\(?(?:[0-9]{1,3}|[a-z])[.)、])\s+(?=\S)|[①-⑳]\s*")  # before a line
_GROUP = r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac{_GROUP}{_GROUP}")
_COMMANDS = {r"\partial ": "∂", r"\partial": "∂", r"\cdot": "·", r"\times": "×", r"\approx": "≈", r"\left": "", r"\right": "", r"\,": " "}
_TYPESET = re.compile(r"\$|`|\\[()\[\]]")
_LEAD = re.compile(  # before a line: Step 7:, 第一步：, so
    r"(?:(?:step|schritt|étape|paso)\s*[0-9]+\b|第[一二三四五六七八九十0-9]+[步题]"
    r"|(?:so|then|hence|thus|therefore|answer|we get|given|where|with)\b"
    r"|答案?|已知|其中|代入|解得?|所以|因此|得到?|故|则|∴|⇒|=>|→)\s*[:：,，.、]?\s*",
    re.IGNORECASE,
)
_ARROW = re.compile(r"([^=≈]+?)\s*(?:[:：][^=≈]*?)?\s*(?:->|→|⟶|⇒|=>)\s*([-+−–]?[0-9.,]+\S*)")  # w5 -> 0.3589, w5: 0.4 -> 0.3589
_COPULA = re.compile(r"(.+?)\s*(?:为|是|\bis\b|\bequals\b)\s*([-+−–]?[0-9].*)")
_NAME = r"(?:#[0-9]+:)?(?:[^\W\d_]|[∂∇])(?:\[[^\[\]]*\]|(?<=[0-9]),(?=[0-9])|[^\s=≈,，、;；|\[\]])*"
_BETWEEN = r"(?:[,，、\s和及与]|\s\|\s|->|→|⟶|⇒|⟹|=>|\s(?:and|und|et|y)\s)"
_PARTS = re.compile(  # between answers on one line: net_h1 = 0.375, out_h1 = 0.593
    rf"\s*[;；]\s*|(?<=[0-9%％)）])\s*{_BETWEEN}\s*(?:[则故得]\s)?\s*(?={_NAME}\s*[=≈])|[,，、]\s+(?=[^\d\s,，][^,，]*[=≈])"
)
_COUNTED = (
    ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    "零一二三四五六七八九十",
    ("", "", "两"),
)
_NUMERALS = {word: number for words in _COUNTED for number, word in enumerate(words) if word}
_ROUND = r"(?:iteration|epoch|round)"
_ITERATION = re.compile(
    rf"[#*\s]*(?:{_ROUND}\s*(?:no\.?|#)?\s*([0-9]+)|([0-9]+)(?:st|nd|rd|th)\s+{_ROUND}|([a-z]+)\s+{_ROUND}"
    r"|第\s*([0-9]+|[零一二两三四五六七八九十])\s*[次轮]\s*(?:迭代|更新|训练)?|迭代\s*([0-9]+))\s*[:：.*。]*",
    re.IGNORECASE,
)
_STOP = re.compile(r"(?<=[\d)%)])\s*[.,;，；。、]+$")  # behind an answer


def read_iteration(text: str) -> int | None:
    """The iteration that a heading names: Iteration 2, second iteration, 第二次迭代."""
    found = _ITERATION.fullmatch(text.strip())
    word = next((part for part in found.groups() if part), "").lower() if found else ""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 9 else _NUMERALS.get(word)


def add_line(draft: Draft, text: str, line: int) -> None:
    """A line id = answer, perhaps with working between, or several; a heading, or one that cannot be read."""
    if re.fullmatch(r"[-=_*~.·—–+\s]{3,}", text):  # a rule
        return
    iteration = read_iteration(text)
    if iteration is not None:
        draft.begin(iteration)
        return
    parts = _PARTS.split(text)
    if len(parts) > 1 and all(part == "" or first_sign(part) for part in parts):
        for part in filter(None, parts):
            add_line(draft, part, line)
        return
    text = _without_typesetting(text)
    changed, said = _ARROW.fullmatch(text), _COPULA.fullmatch(text)
    if changed is not None:
        draft.add(f"{changed[1].rstrip(' :：')}+", changed[2], line)
        return
    if said is not None and first_sign(text, colon=True) is None:
        draft.add(said[1], said[2], line)
        return
    numbered = re.match("#[0-9]+[:：]", text)
    start = numbered.end() if numbered else 0
    found = first_sign(text[start:], colon=True)
    if found is not None:
        draft.add(text[: start + found.start()].replace("：", ":"), text[start + found.end() :], line)
    elif not is_date(text):
        draft.bad(text, "expected ID = ANSWER, found {found}", line, found=quoted(text))


def _without_typesetting(text: str) -> str:
    """A line without its bullet or number, the signs of mathematics and code, and a stop at its end."""
    bullet = _BULLET.match(text)
    plain = text[bullet.end() :] if bullet and first_sign(text, colon=True) else text
    lead = _LEAD.match(plain)
    if lead and first_sign(plain[lead.end() :]):
        plain = plain[lead.end() :]
    plain = re.sub(r"^\*\*(.+?)\*\*", r"\1", plain)  # bold
    if "\\" in plain:
        plain = _FRACTION.sub(_quotient, plain)
        for command, sign in _COMMANDS.items():
            plain = plain.replace(command, sign)
    return _STOP.sub("", _TYPESET.sub("", plain)).strip()


def _quotient(fraction: re.Match[str]) -> str:
    return "/".join(f"({part})" if re.search(r"[-+*·\s]", part.replace(r"\partial ", "")) else part for part in fraction.groups())
