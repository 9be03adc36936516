"""The lines of a sheet that is text: `add_line(draft, text, line)` adds the answers on one, or says that there is none.

`id = working = answer`, also several on a line, behind a bullet or a number, typeset, or said in words. A heading such as
`Iteration 2:` says to what the lines below it belong. `joined(lines)` puts lines together that are one: working that goes on below, a
matrix. To read another way to write a line, add its pattern here; words around a name are in saidnames.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handcalc.marking.draft import Draft, is_date
from handcalc.marking.lists import list_of
from handcalc.marking.mathtext import without_typesetting
from handcalc.marking.saidnames import composed, is_role, names_in
from handcalc.marking.working import first_sign
from handcalc.problem.reader import quoted

_BULLET = re.compile(
    r"(?:[-+*•·–—]|[(（]?(?:[0-9]{1,3}|[a-z])[.)）、])\s+(?=\S)|[(（][0-9]{1,3}[)）]\s*(?=[^\W\d_])|[①-⑳]\s*"
)  # before a line
_LEAD = re.compile(  # before a line: Step 7:, 第一步：, so
    r"(?:(?:step|schritt|étape|paso)\s*[0-9]+\b|第[一二三四五六七八九十0-9]+[步题问]|[∴∵⇒→]|=>"
    r"|(?:so|then|hence|thus|therefore|answer|we (?:get|have|find|obtain)|given|where|with|let|since|because|similarly|also|and|now)\b"
    r"|答案?|已知|其中|代入|解得?|所以|因此|因为|由于|同理(?:可得|可知|得)?|可得|可知|得到?|故|则|设|令|即|而|且|又)\s*[:：,，.、]?\s*",
    re.IGNORECASE,
)
_ARROW = re.compile(
    r"([^=≈]+?)\s*(?:[:：][^=≈]*?|=\s*[-+−–]?[0-9.,]+)?\s*(?:->|→|⟶|⇒|=>)\s*([-+−–]?[0-9.,]+\S*)"
)  # w5 -> 0.3589, w5: 0.4 -> 0.3589
_COPULA = re.compile(r"(.+?)\s*(?:约?等于|约?为|是|\bis\b|\bequals\b)\s*((?:about\s+)?[-+−–]?[0-9].*)")
_NAME = r"(?:#[0-9]+:)?(?:[^\W\d_]|[∂∇])(?:\[[^\[\]]*\]|(?<=[0-9]),(?=[0-9])|[^\s=≈,，、;；|\[\]])*"
_SO = r"(?:∴|∵|所以|因此|从而|则|故|得|(?:so|then|hence|thus|therefore)\b)"
_PAIR = r"([^\W\d_]+)\s+([-+−]?[0-9][0-9.]*(?:[eE][-+]?[0-9]+)?)\s*[,;，；、]?\s*"  # net 0.745 out 0.678, behind h1:
_BETWEEN = rf"(?:[,，、\s和及与]|\s\|\s|->|→|⟶|⇒|⟹|=>|\s(?:and|und|et|y)\s|{_SO})"
_PARTS = re.compile(  # between answers on one line: net_h1 = 0.375, out_h1 = 0.593
    rf"\s*[;；]\s*|(?<=[0-9%％)）\]]){_BETWEEN}+(?={_NAME}\s*(?:[=≈]|is\b|为|约))|[,，、]\s+(?=[^\d\s,，][^,，]*[=≈])"
)
_TITLE = re.compile(
    r"(?:[#*\s]*(?:step|part|question|q|exercise|task|section|layer)\s*[0-9]*\b|第[一二三四五六七八九十0-9]+[步题问层部]).*|.*[:：]|(?:[0-9]{1,2}[.)、]?\s+|[一二三四五六七八九十]+、)[^0-9=]+",
    re.IGNORECASE,
)
_COUNTED = (
    ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    "零一二三四五六七八九十",
    ("", "", "两"),
)
_NUMERALS = {word: number for words in _COUNTED for number, word in enumerate(words) if word}
_ROUND = r"(?:iteration|iter\.?|epoch|round)"
_GIVEN = r"(?:x_?[0-9]?|[td]|inputs?|targets?|labels?|samples?|patterns?|examples?|输入|目标|期望|标签|样本)"
_AND_GIVEN = (  # behind a heading: what is given there, as (sample A) or : x = (0, 1), t = 1
    rf"\s*(?:[(（][^()（）]*[)）])?\s*时?\s*[-=:：.*。,，]*\s*"
    rf"(?:{_GIVEN}\s*[=:：]?\s*(?:[(\[][^()\[\]=]*[)\]]|[-+−]?[0-9.]+|[A-Za-z])\s*(?:[,，;；:：]\s*|$))*"
)
_ITERATION = re.compile(
    rf"[-=#*\s]*(?:{_ROUND}\s*(?:no\.?|#)?\s*([0-9]+)|([0-9]+)(?:st|nd|rd|th)\s+{_ROUND}|([a-z]+)\s+{_ROUND}"
    r"|第\s*([0-9]+|[零一二两三四五六七八九十])\s*[次轮]\s*(?:迭代|更新|训练)?|迭代\s*([0-9]+))" + _AND_GIVEN,
    re.IGNORECASE,
)
_ALONG = {
    "sample": r"(?:training\s+)?(?:sample|example|pattern)\s*(?:no\.?|#)?\s*{one}|样本\s*{one}|第\s*{n}\s*个?样[本例]",
    "batch": r"(?:epoch\s*[0-9]+\s*[,，]?\s*)?(?:mini-?\s*)?batch\s*(?:no\.?|#)?\s*{n}|(?:小?批量?|批次)\s*{n}|第\s*{n}\s*个?小?批量?次?",
    "step": r"(?:update|step|presentation)\s*{n}|第\s*{n}\s*步",
    "time": r"t\s*=\s*{n}|(?:at\s+)?time(?:\s*-?step)?\s*(?:t\s*=)?\s*{n}|时[刻间步]*\s*{n}|第\s*{n}\s*个?时[刻间]步?",
}
_HEADING = r"[-=#*\s]*(?:{kind})" + _AND_GIVEN
_STOP = re.compile(r"(?<=[\d)%\]）])\s*[.,;，；。、]+$")  # behind an answer
_NOTE = re.compile(
    r"(?<=[\d)%\]])\s*(?:\s#(?![0-9]+:)|\s//|\s--\s|<--|←--).*$|(?<=[\d)%\]])[，,]\s*(?:[\u4e00-\u9fff]|[a-z]{3,}\s)[^=≈:：]*$"
)  # net_h1 = 0.3775  # checked
_ON = re.compile(r"\s*(?:[=≈]|[-+−·*×/]\s*(?=[0-9(])(?=[^A-DF-Za-df-z_\u4e00-\u9fff]*=))")  # a line that goes on with the one before
_ROW = re.compile(r"[\[(\s]*[-+−]?[0-9.][-+−0-9.eE%,;\s]*[\])\s,;]*|[\[(].*")  # of a matrix, or a number
_RULE = r"[-=_*~.·—–+\s]{3,}"
_UNDERLINE = r"={3,}|-{3,}"
_OPEN = re.compile(r"[=≈]\s*$")
LONGEST = 100  # lines that are one
SAID = 400  # letters of a line in which words are read


def read_iteration(text: str) -> int | None:
    """The iteration that a heading names: Iteration 2, second iteration, 第二次迭代."""
    found = _ITERATION.fullmatch(text.strip())
    word = next((part for part in found.groups() if part), "").lower() if found else ""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 9 else _NUMERALS.get(word)


def read_along(text: str) -> tuple[str, str] | None:
    """The sample or time that a heading names, and which: Sample 2 (x1 = 0, x2 = 1), t = 2."""
    for kind, pattern in _ALONG.items():
        whole = pattern.replace("{n}", "([0-9]{1,6})").replace("{one}", "([0-9]{1,6}|[A-Za-z])")
        if found := re.fullmatch(_HEADING.replace("{kind}", whole), text.strip(), re.IGNORECASE):
            return kind, next(part for part in found.groups() if part)
    return None


def joined(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, those that go on below put together: the rows of a matrix, and working."""
    held: list[str] = []
    start = 0
    for line, text in lines:
        if held and len(held) < LONGEST and _goes_on(held, text):
            held.append(text)
            continue
        if held and not (re.fullmatch(_UNDERLINE, text) and first_sign(" ".join(held)) is None):  # no title
            yield start, " ".join(held)
        held, start = [text], line
    if held:
        yield start, " ".join(held)


def _goes_on(held: list[str], text: str) -> bool:
    """Whether a line belongs to those before it."""
    if text.startswith(("#", "//")):
        return False
    whole = " ".join(held) if _is_open(held[0]) or len(held) == 1 else held[0]
    if _is_open(whole) and (_ROW.fullmatch(text) or "\\" in whole):
        return True
    if re.fullmatch(_RULE, text) or re.fullmatch(_RULE, held[0]) or first_sign(held[0]) is None:
        return False
    if _OPEN.search(held[0]) and _ROW.fullmatch(text):
        if len(held) > 1:
            held[-1] += ";"
        return True
    return _ON.match(text) is not None


def _is_open(text: str) -> bool:
    """Whether a bracket or a matrix is open at the end."""
    opened = len(re.findall(r"\\begin\{[a-zA-Z]*(?:matrix|array)\}", text)) > len(re.findall(r"\\end\{[a-zA-Z]*(?:matrix|array)\}", text))
    return opened or first_sign(text) is not None and (text.count("[") > text.count("]"))


def add_line(draft: Draft, text: str, line: int) -> None:
    """A line id = answer, perhaps with working between, or several; a heading, or one that cannot be read."""
    if re.fullmatch(_RULE, text):
        return
    iteration = read_iteration(text)
    if iteration is not None:
        draft.begin(iteration)
        return
    along = read_along(text)
    if along is not None:
        draft.begin_along(*along)
        return
    text = without_typesetting(text)
    titled = re.fullmatch(rf"({_NAME})\s*[:：]\s*(.+)", text)
    if titled and re.fullmatch(rf"(?:{_PAIR}){{2,}}", titled[2]) and all(is_role(word) for word, _ in re.findall(_PAIR, titled[2])):
        for word, number in re.findall(_PAIR, titled[2]):
            add_line(draft, f"{titled[1]}: {word} = {number}", line)
        return
    head, _, rest = text.replace("：", ":").partition(":")
    iteration = read_iteration(head) if first_sign(rest) else None
    if iteration is not None:
        draft.begin(iteration)
        add_line(draft, rest.strip(), line)
        return
    along = read_along(titled[1]) if titled else read_along(head) if first_sign(rest) else None
    if along is not None:
        draft.begin_along(*along)
        add_line(draft, rest.strip(), line)
        return
    parts = _parts(text)
    start = re.match(r"#[0-9]+[:：]\s*", text)
    if start and len(parts) > 1:
        parts = [part if part.startswith("#") else start[0] + part for part in parts]
    elif titled and len(parts) > 1 and not is_role(titled[1]):
        parts = [part if ":" in part or not is_role(_before(part)) else f"{titled[1]}: {part}" for part in parts]
    if len(parts) > 1 and all(part == "" or first_sign(part) or _COPULA.fullmatch(part) for part in parts):
        for part in filter(None, parts):
            add_line(draft, part, line)
        return
    text = _without_marks(text)
    if text:
        _add_one(draft, text, line)


def _add_one(draft: Draft, text: str, line: int) -> None:
    if title := re.fullmatch(rf"({_NAME})\s*[:：]", text):
        draft.begin_section(title[1], line)
        return
    short = re.sub(r"\s{3,}", "  ", text)[:SAID]
    changed, said = _ARROW.fullmatch(short), _COPULA.fullmatch(short)
    if changed is not None:
        draft.add(f"{changed[1].rstrip(' :：')}+", changed[2], line)
        return
    if said is not None and first_sign(text, colon=True) is None:
        _add_named(draft, said[1], said[2], line)
        return
    numbered = re.match("#[0-9]+[:：]", text)
    start = numbered.end() if numbered else 0
    found = first_sign(text[start:], colon=True)
    if found is not None:
        _add_found(draft, text[: start + found.start()].replace("：", ":"), found[0], text[start + found.end() :], line)
    elif pair := re.fullmatch(rf"({_NAME})\s+([-+−–]?[0-9.,]+(?:[eE][-+]?[0-9]+)?\s*%?)", text):
        draft.add(pair[1], pair[2], line, loose=True)
    elif not is_date(text) and not _TITLE.fullmatch(text):
        draft.bad(text, "expected ID = ANSWER, found {found}", line, found=quoted(text))


def _add_found(draft: Draft, name: str, sign: str, rest: str, line: int) -> None:
    """What stands before and behind a sign: several names and as many numbers, a title and an answer, or an answer."""
    names, values = [part.strip() for part in name.strip(" ()（）").split(",")], list_of(rest)
    if len(names) > 1 and values is not None and len(values.cells) == len(names) and "[" not in name:
        for one, value in zip(names, values.cells):
            draft.add(one, value, line)
        return
    inner = first_sign(rest) if sign in (":", "：") else None
    if inner is None:
        _add_named(draft, name, rest, line)
        return
    word = rest[: inner.start()].strip()
    if re.search(r"[^\W\d_]", word):  # a title, or a name and a formula for it
        further = [*composed(word, name.strip())] if is_role(word) else names_in(word)
        draft.add(f"{name.strip()}: {word}", rest[inner.end() :], line, [*further, *(names_in(name) if not is_role(word) else ())])
    else:
        _add_named(draft, name, rest, line)


def _add_named(draft: Draft, name: str, text: str, line: int) -> None:
    names = names_in(name)
    if is_role(name) and draft.section:
        names = [*composed(name.strip(), draft.section), *names]
        draft.use_section()
    elif draft.section:
        names = [*draft.of_section(name.strip()), *names]
    shown = names[0] if len(names) < 2 else f"{draft.section}: {name}" if draft.section else name
    draft.add(shown, text, line, names if len(names) > 1 else ())


def _before(text: str) -> str:
    """What stands before the first sign."""
    found = first_sign(text)
    return text[: found.start()] if found else ""


def _parts(text: str) -> list[str]:
    """The answers on a line, parted where no bracket is open."""
    inside = _brackets(text)
    parts, start = [], 0
    for found in _PARTS.finditer(text):
        if not any(opened < found.start() < closed for opened, closed in inside):
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def _brackets(text: str) -> list[tuple[int, int]]:
    """Where brackets are opened and closed."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for place, letter in enumerate(text):
        if letter in "([":
            opened.append(place)
        elif letter in ")]" and opened:
            found.append((opened.pop(), place))
    return found


def _without_marks(text: str) -> str:
    """A line without its bullet or number, the words before it, a note and a stop at its end."""
    bullet = _BULLET.match(text)
    plain = text[bullet.end() :] if bullet and first_sign(text, colon=True) else text
    lead = _LEAD.match(plain)
    while lead and lead.end() and (first_sign(plain[lead.end() :]) or _COPULA.fullmatch(plain[lead.end() :])):
        plain = plain[lead.end() :]
        lead = _LEAD.match(plain)
    return _STOP.sub("", _NOTE.sub("", plain)).strip()
