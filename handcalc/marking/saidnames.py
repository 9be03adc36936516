"""Names among words: `names_in(text)` are what a text before a number may be called, the likeliest first.

`the output of h1` is out.h1, `总误差 E` is E, `w11的新值` is new.w11. Whether there is such a step is not known here. To read
other words for a role: a line in `_ROLES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_ROLES = (  # what says what a number of something is, and its name; the first that fits counts
    (r"净输入|净激活|加权和|加权输入|net\s*inputs?|weighted\s+(?:sum|input)s?|pre-?activations?|summed\s+inputs?", "net.{of}"),
    (r"误差项|误差信号|局部梯度|error\s+(?:term|signal)s?|local\s+gradients?|deltas?", "δ{of}"),
    (r"梯度|偏导数?|导数|gradients?|(?:partial\s+)?derivatives?", "grad.{of}"),
    (r"新值|新权[值重]|更新值|更新后的?值?|更新|new\s+(?:value|weight)s?|updated(?:\s+(?:value|weight)s?)?|new", "new.{of}"),
    (r"变化量|改变量|增量|changes?", "delta.{of}"),
    (r"输出值?|激活值|outputs?|activations?", "out.{of}"),
    (r"误差|损失|errors?|loss(?:es)?", "E_{of}"),
)
_OF = re.compile(
    r"(?:the\s+)?(?:{words})\s+(?:of|for|at|in)\s+(?:the\s+)?(?:\w+\s+)*?(\S+)|.*?([^\s\u4e00-\u9fff，。：、；]+)\s*的\s*(?:{words})|(\S+)\s+(?:{words})".replace(
        "{words}", "%s"
    ),
    re.IGNORECASE,
)
_LAST = re.compile(r"(?:.*[\s\u4e00-\u9fff，。：、；:,)）])([^\s\u4e00-\u9fff，。：、；:,()（）]+)", re.DOTALL)
MEANT = {  # a word beside the name of a neuron or parameter → what it is called
    ("net", "z", "net input", "in", "sum", "净输入", "加权和", "输入"): ("net_{row}", "net.{row}", "z_{row}"),
    ("out", "output", "a", "y", "h", "activation", "输出", "激活", "激活值"): ("out_{row}", "out.{row}", "a_{row}"),
    ("error", "loss", "e", "误差", "损失"): ("E_{row}", "loss_{row}"),
    ("delta", "δ", "error term", "误差项", "残差"): ("δ_{row}", "delta_{row}"),
    ("gradient", "grad", "de/dw", "∂e/∂w", "derivative", "dw", "梯度", "偏导", "偏导数", "导数"): ("grad.{row}", "dE/d{row}"),
    ("new", "new value", "new weight", "updated", "after", "w+", "w⁺", "w new"): ("new.{row}", "{row}+"),
    ("新", "新值", "新权值", "更新后", "更新值"): ("new.{row}",),
    ("old", "old value", "old weight", "before", "initial", "w", "原", "旧", "原值", "旧值", "初值", "初始值", "更新前"): ("{row}",),
    ("change", "δw", "∆w", "update", "变化", "变化量", "改变量", "增量"): ("delta.{row}", "Δ{row}"),
}  # fmt: skip
OTHERS = ("{column}_{row}", "{column}.{row}", "{column}{row}", "{row}_{column}", "{column}@{row}", "{column}[{row}]")  # of any column
LONGEST = 80  # letters of a text in which names are looked for


def names_in(text: str) -> list[str]:
    """A text as a name; then what its words say; then the name at its end, if they say nothing else."""
    text = text.strip()
    if numbered := re.match("#[0-9]+:", text):
        return [numbered[0] + name for name in names_in(text[numbered.end() :])]
    text = re.sub(r"(?<=\w)的(?:数?值|结果)$", "", text)
    found = [text]
    if len(text) > LONGEST:
        return found
    for words, template in _ROLES:
        said = re.fullmatch(_OF.pattern % (words, words, words), text, re.IGNORECASE)
        if said is not None:
            return [*found, template.replace("{of}", said[1] or said[2] or said[3])]
    last = _LAST.fullmatch(text)
    if last is not None and re.match(r"[^\W\d_]|[∂∇]", last[1]):
        before = text[: last.start(1)]
        role = next((template for words, template in _ROLES if re.search(rf"(?:{words})\s*$", before, re.IGNORECASE)), "")
        found += [last[1]] if not role else [role.replace("{of}", last[1])] if re.search("[a-z]\\s*$", before) else [last[1]]
    return found


def _word(text: str) -> str:
    return " ".join(text.strip("\"'*_$` \t\r\n\ufeff").lower().replace("_", " ").split())


def is_role(text: str) -> bool:
    """Whether a word says what a number of a neuron or parameter is."""
    return any(_word(text) in words for words in MEANT)


def composed(column: str, row: str) -> Iterator[str]:
    """What a number may be called by two words, such as net and h1, of a table or of a title and a name below it."""
    templates = next((templates for words, templates in MEANT.items() if _word(column) in words), ())
    turned = next((templates for words, templates in MEANT.items() if _word(row) in words), ())
    if not templates and turned:  # the names of neurons above, net and out before the rows
        column, row, templates = row, column, turned
    yield from (template.replace("{column}", column).replace("{row}", row) for template in (*templates, *OTHERS))
