"""The generated documentation: `python .ci/docs.py` writes it, `python .ci/docs.py --check` names what is stale.

- A page docs/NAME.md is made from docs/NAME.in.md: prose as it stands, and for every line `{{table argument}}` what
  `TABLES` has for it, read from the program's own tables.
- In these pages, in README.md and in the other pages of docs/ and of its site, a console block `$ handcalc …` holds the output of
  that command. A line `…` in it stands for output that is left out; such a block is not rewritten, only checked.
- A yaml or text block that begins with a comment `# name.yaml` is a file which the commands of the page may use; every yaml
  block with layers or equations is loaded, unless its name begins with wrong. Python blocks are run.

To add a table, write a function that yields lines and add it to `TABLES`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from handcalc import load, loads
from handcalc.cli import COMMANDS, CONTEXT, group
from handcalc.core import formula
from handcalc.core.definitions import definition, partial, put
from handcalc.core.derivative import differentiate
from handcalc.core.expr import Delta, Entry, Expr, Negation, Ref, Sum, rewrite
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import HandcalcError
from handcalc.language import translator
from handcalc.layers import spellings as layer_spellings
from handcalc.layers.activations import SPELLINGS
from handcalc.layers.sections import sections
from handcalc.loading.loss import usual
from handcalc.marking.example import Example, examples
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.workbook import base, iteration
from handcalc.models.optimisers import OPTIMISERS as RULES
from handcalc.problem.limits import LIMITS, raised_by
from handcalc.problem.schema import Conventions
from handcalc.problem.spellings import KEYS, PHASE_WORDS, WORDS, Spellings, of
from handcalc.problem.values import LINE, NUMBER
from handcalc.problem.words import FUSED, INITIAL, LOSSES, OPTIMISERS, SCHEDULES, NamedLoss
from handcalc.proof import GENERAL
from handcalc.render import read
from handcalc.render.dialects import UNICODE
from handcalc.render.notation import profile, profiles
from handcalc.render.printer import Printer
from handcalc.render.reading import Reading
from handcalc.render.report import FORMATS
from handcalc.render.views import VIEWS

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
WIDTH = 80  # columns of help texts
EXAMPLE = "mazur-2-2-2"  # the network on which notations are shown

Lines = Iterator[str]

# --- Markdown ---------------------------------------------------------------------------------------------------------


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Lines:
    """A table; a bar in a cell is escaped."""
    for place, row in enumerate((tuple(columns), *rows)):
        yield "| " + " | ".join(text.replace("|", "\\|") for text in row) + " |"
        if place == 0:
            yield "|" + " --- |" * len(tuple(row))


def code(text: str) -> str:
    """Text as typed; nothing for nothing."""
    return f"`{text}`" if text else ""


# --- the command line -------------------------------------------------------------------------------------------------


def commands() -> Lines:
    """The help of every command, as `handcalc NAME --help` prints it."""
    settings: dict[str, Any] = {**CONTEXT, "terminal_width": WIDTH, "max_content_width": WIDTH}
    whole = click.Context(group, info_name="handcalc", **settings)
    yield from _help(group, whole)
    for name in COMMANDS:
        command = group.get_command(whole, name)
        assert command is not None
        yield from ("", f"## handcalc {name}", "")
        yield from _help(command, click.Context(command, info_name=name, parent=whole))


def _help(command: click.Command, context: click.Context) -> Lines:
    yield "```text"
    yield from (line.rstrip() for line in command.get_help(context).splitlines())
    yield "```"


_LIMITED = {
    "bytes": "bytes of a problem file",
    "values": "values in a problem file, aliases counted as often as they are used",
    "layers": "layers",
    "neurons": "inputs, or neurons of one layer",
    "edges": "named edges of one layer",
    "samples": "samples whose numbers keep their digits",
    "rows": "samples that are held as an array",
    "equations": "equations",
    "terms": "names and numbers in one formula",
    "answers": "answers in an answer sheet",
    "document_bytes": "bytes of an answer sheet in Excel or Word",
    "data_bytes": "bytes of a CSV file",
    "model_bytes": "bytes of a network in the file of a framework, unpacked",
    "array_bytes": "bytes of an array, unpacked",
    "drawn": "numbers of an array that are drawn at random",
    "worked": "numbers of one matrix in a worked solution; training takes more",
}


def limits() -> Lines:
    """The variables that raise a limit."""
    yield from table(
        ("variable", "limits", "default"), ((code(raised_by(name)), _LIMITED[name], f"{value:,}") for name, value in LIMITS.items())
    )


# --- training ---------------------------------------------------------------------------------------------------------


def optimisers() -> Lines:
    """The optimisers: formulas and source from their docstrings, and their numbers."""
    rows = []
    for name, optimiser in OPTIMISERS.items():
        formula, _, source = " ".join((RULES[name].__doc__ or "").split()).partition(" Source: ")
        numbers = ", ".join(f"`{key}: {value}`" for key, value in optimiser.numbers.items())
        rows.append((code(name), formula.rstrip("."), numbers, source.rstrip(".")))
    yield from table(("optimiser", "update of w with gradient g", "its numbers, and their usual values", "source"), rows)


def schedules() -> Lines:
    """The schedules of the learning rate."""
    rows = []
    for name, schedule in SCHEDULES.items():
        usual = ", ".join(code(f"{key}: {value}") for key, value in schedule.numbers.items() if value)
        example = f"{{{name}: {{{', '.join(f'{key}: …' for key in schedule.numbers)}}}}}"
        rows.append((code(example), code(spelled(formula.parse(schedule.formula, formula.any_name))), usual, schedule.like))
    yield from table(("schedule", "η", "if not given", "in PyTorch"), rows)


# --- reports ----------------------------------------------------------------------------------------------------------


def formats() -> Lines:
    """The formats of reports."""
    rows = (
        (code(format.name), code(format.suffix), format.doc, code(f"pip install '.[{format.extra}]'") if format.extra else "")
        for format in FORMATS.values()
    )
    yield from table(("format", "ending", "for", "needs"), rows)


def views() -> Lines:
    """The views of a document."""
    yield from table(("view", "what is there"), ((code(view.name), view.doc) for view in VIEWS.values()))


# --- the file format --------------------------------------------------------------------------------------------------


def section(name: str, language: str = "en") -> Lines:
    """The keys of one section of a problem file, with a place to link to where no heading is called so."""
    say = translator(language)
    rows = ((code(key.key), shape(key.shape, language), say(key.doc), code(key.example)) for key in sections()[name])
    if not described(language)[name][1]:
        yield from (f'<a id="{name}"></a>', "")
    yield from table(WORDING[language]["key value meaning example"].split(), rows)


@cache
def described(language: str = "en") -> dict[str, tuple[str, bool]]:
    """The page that has the keys of a section of a problem file, and whether a heading there is called so; the English one where there
    is no other."""
    found = {} if language == "en" else {name: (page, True) for name, (page, _) in described().items()}
    for template in (path for path in DOCS.glob("*.in.md") if language_of(path) == language):
        text = template.read_text("utf-8")
        for name in re.findall(r"^\{\{(?:section )?(\w+)\}\}$", text, re.MULTILINE):
            if name in sections():
                found[name] = made_of(template).name, re.search(rf"^#+ {name}$", text, re.MULTILINE | re.IGNORECASE) is not None
    return found


def shape(found: Mapping[str, Any], language: str = "en") -> str:
    """A JSON Schema shape in words."""
    say = WORDING[language]

    def inside(part: Mapping[str, Any]) -> str:
        text = shape(part, language)
        return _plural(text) if language == "en" else text

    if "anyOf" in found:
        mappings = [one for one in found["anyOf"] if "properties" in one]
        forms = [one for one in found["anyOf"] if "enum" not in one or {"type": "string"} not in found["anyOf"]]  # no words among others
        parts = [say["mapping"] if one in mappings and len(mappings) > 2 else shape(one, language) for one in forms]
        return say[" or "].join(dict.fromkeys(parts))
    if "$ref" in found:
        name = found["$ref"].rsplit("/", 1)[1]
        pages = described(language)
        return f"[{name}]({pages[name][0]}#{name})" if name in pages else code(name)
    if "const" in found:
        return code(found["const"])
    if "enum" in found:
        return " · ".join(code(word) for word in dict.fromkeys(map(str, found["enum"])))
    kind = found["type"]
    if kind == NUMBER["type"]:
        return say["number"]
    if kind == LINE["type"]:
        return say["text"]
    if kind == "array":
        items = found.get("items")
        return say["list of {}"].format(inside(items)) if items else say["list"]
    if kind == "object" and "properties" in found:
        return "`{" + ", ".join(f"{key}: …" for key in found["properties"]) + "}`"
    if kind == "object":
        inner = found.get("additionalProperties")
        return say["mapping of names to {}"].format(inside(inner)) if isinstance(inner, Mapping) else say["mapping"]
    kinds = [kind] if isinstance(kind, str) else kind
    return say[" or "].join(say[_TYPES[one]] for one in kinds)


_TYPES = {"string": "text", "number": "number", "integer": "whole number", "boolean": "`true` · `false`", "null": "`null`"}

# language → the words of tables of keys
_CHINESE = {
    "key value meaning example": "键 值 含义 例",
    "convention, what it decides, default, or": "约定, 决定什么, 不写时, 或",
    " or ": " 或 ",
    "number": "数",
    "whole number": "整数",
    "text": "文字",
    "list": "列表",
    "list of {}": "列表（每项：{}）",
    "mapping": "映射",
    "mapping of names to {}": "映射（名字 → {}）",
    "`true` · `false`": "`true` · `false`",
    "`null`": "`null`",
}
WORDING = {"en": {word: word for word in _CHINESE}, "zh": _CHINESE}


def _plural(text: str) -> str:
    return re.sub(r"(?<!of )\b(number|list|text)\b", r"\1s", text)


def initial() -> Lines:
    """The rules by which weights are drawn."""
    rows = []
    for name, rule in INITIAL.items():
        wide = spelled(formula.parse(rule.wide, formula.any_name))
        normal = f"normal, with standard deviation {code(wide)}"
        rows.append((code(name), normal if rule.spread == "normal" else f"even, from {code('-' + wide)} to {code(wide)}"))
    yield from table(("random", "numbers"), rows)
    yield ""
    yield "`inputs` and `neurons` are those of the layer."


def activations() -> Lines:
    """Activations with definition and derivative."""
    rows = []
    for name in ACTIVATIONS:
        record = FUNCTIONS[name]
        whole, slope = _family(name) if record.family else _scalar(name)
        options = ", ".join(f"{key} = {value}" for key, value in zip(record.arguments[1:], record.defaults))
        rows.append((code(name), record.doc, code(whole), code(slope), options))
    yield from table(("activation", "", "f(z)", "f′(z), where y = f(z)", "options"), rows)


def spelt(kind: str) -> Lines:
    """Other spellings of the words of a kind."""
    yield from table(("word", "also"), ((code(word), " · ".join(map(code, found))) for word, found in SPELT[kind]().items() if found))


# kind → its words with their other spellings
SPELT: dict[str, Callable[[], Spellings]] = {
    "keys": lambda: KEYS,
    "words": lambda: WORDS,
    "activations": lambda: SPELLINGS,
    "losses": lambda: of(LOSSES),
    "optimisers": lambda: {**of(OPTIMISERS), **of(INITIAL)},
    "layers": layer_spellings,
    "phases": lambda: PHASE_WORDS,
}


def functions() -> Lines:
    """Functions that formulas may use besides the activations, with their derivatives."""
    rows = []
    for name, record in FUNCTIONS.items():
        if name not in ACTIVATIONS and not name.endswith("'") and not record.family and record.arguments:
            arguments = [Ref(argument) for argument in record.arguments]
            slopes = [spelled(partial(name, place, arguments, Ref("y"))) for place in range(len(arguments))]
            shown = f"{name}({', '.join(record.arguments)})"
            rows.append(
                (
                    code(shown),
                    record.doc,
                    ", ".join(map(code, slopes)),
                    "".join(f"{a} = {d}" for a, d in zip(record.arguments[1:], record.defaults)),
                )
            )
    yield from table(("function", "", "derivative, where y is the value", "may be left out"), rows)


def _scalar(name: str) -> tuple[str, str]:
    arguments = [Ref(argument) for argument in FUNCTIONS[name].arguments]
    whole = definition(name, arguments)
    return "" if whole is None else spelled(whole), spelled(partial(name, 0, arguments, Ref("y")))


def _family(name: str) -> tuple[str, str]:
    """Entry i of a function of the whole layer, and its derivative by z_k."""
    axis = Axis("unit", 2)
    i, k = Index("i", axis), Index("k", axis)
    record = FUNCTIONS[name]
    member = Ref("y" if record.member == name else record.member, (k,))
    slope = put(record.partials[0], {"y": Ref("y", (i,)), "yk": member, "same": Delta(i, k)})
    return spelled(Entry(name, i, k, Ref("z", (k,)))), f"∂y_i/∂z_k = {spelled(slope)}"


def spelled(expr: Expr) -> str:
    """A formula as the program prints it, every name as it is."""
    return Printer(UNICODE, lambda ref: "_".join((ref.quantity, *(index.letter for index in ref.indices)))).text(expr)  # type: ignore[union-attr]


def losses() -> Lines:
    """Losses with their derivative by one output."""
    rows = []
    for name, loss in LOSSES.items():
        if loss.form == "fused":
            continue
        term = usual(loss).term
        assert term is not None
        slope = confirmed_result(name) if loss.sums else differentiate(term, Ref("o"))
        share = "1/n · " if loss.mean else ""
        whole = _of_sums(term, loss) if loss.sums else f"{share}Σ {_bracketed(term)}"
        options = ", ".join([f"{key} = {value}" for key, value in loss.numbers.items()] + ["class_weights"] * loss.weighted)
        rows.append((code(name), code(whole), code(share + _bracketed(slope) if share else spelled(slope)), options))
    yield from table(("loss", "E of one sample", "∂E/∂o", "options"), rows)
    yield ""
    yield f"`{FUSED}` is softmax and `cross_entropy` in one step, on the net inputs of the last layer; its derivative by a"
    yield "net input is `out - target`."


def confirmed_result(name: str) -> Expr:
    """The derivative of a loss that is no sum of terms, as `derive` shows it; o_i and t_i without their index."""
    proof = GENERAL[name]()
    places = {proof.by: Ref("o"), **{constant: Ref("t") for constant in proof.constants}}

    def known(node: Expr) -> Expr | None:
        if not isinstance(node, Ref):
            return None
        return places.get(node) or (Ref("o", node.indices) if node.quantity == proof.by.quantity else None)

    return rewrite(proof.result, known)


def _of_sums(term: Expr, loss: NamedLoss) -> str:
    """1 - d/(p·q), d = Σ t·o …"""
    parts = [spelled(term) if loss.form == "whole" else f"Σ {_bracketed(term)}"]
    for name, (inner, outer) in loss.sums.items():
        whole = spelled(formula.parse(outer, formula.any_name)).replace("s", f"Σ {spelled(formula.parse(inner, formula.any_name))}")
        parts.append(f"{name} = {whole}")
    return ", ".join(parts)


def _bracketed(expr: Expr) -> str:
    return f"({spelled(expr)})" if isinstance(expr, (Sum, Negation)) else spelled(expr)


def conventions(language: str = "en") -> Lines:
    """Conventions with their default."""
    say = translator(language)
    defaults = {**Conventions().__dict__, "bias_update": "true"}
    rows = []
    for key in sections()["conventions"]:
        values = [str(value) for value in key.shape.get("enum", ("true", "false"))]
        others = [code(value) for value in values if value != defaults[key.key]]
        rows.append((code(key.key), say(key.doc), code(defaults[key.key]), ", ".join(others)))
    yield from table(WORDING[language]["convention, what it decides, default, or"].split(", "), rows)


# --- notations --------------------------------------------------------------------------------------------------------


def notations() -> Lines:
    """The profiles, one a line."""
    rows = ((f"[{name}](notations.md#{name})", profile(name)["title"], profile(name)["title_zh"]) for name in profiles())
    yield from table(("notation", "after", "中文"), rows)


def compared() -> Lines:
    """What differs most between profiles, side by side."""
    rows = []
    for name in profiles():
        reading = _reading(name)
        general = [_general(reading, quantity) for quantity in ("net1", "out1", "W1", "grad.net1")]
        sign = "−∂E/∂net" if reading.turned(("grad.net1", (0,))) else "∂E/∂net"
        rows.append(
            (f"[{name}](#{name})", *map(code, general), code(sign), code(f"{_general(reading, 'new.W1')} = {_right(reading, 'new.W1')}"))
        )
    yield from table(("notation", "net input", "output", "weight", "error term", "which is", "update"), rows)


# role → quantities of the example, the general formula's quantity or "", places shown
_ROLES: tuple[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]], ...] = (
    ("input", (("x", (0,)), ("x", (1,)))),
    ("net input", (("net1", (0,)), ("net2", (0,)))),
    ("output of a neuron", (("out1", (0,)), ("out2", (0,)))),
    ("target", (("t", (0,)),)),
    ("error term, output layer", (("grad.net2", (0,)),)),
    ("error term, hidden layer", (("grad.net1", (0,)),)),
    ("weight", (("W1", (0, 1)), ("W2", (0, 1)))),
    ("bias", (("b1", ()), ("b2", ()))),
    ("gradient of a weight", (("grad.W2", (0, 1)),)),
    ("learning rate", (("rate", ()),)),
    ("loss", (("loss", ()),)),
    ("update rule", (("new.W2", (0, 1)),)),
)


def letters() -> Lines:
    """For every profile, the letters it uses on the example."""
    for name in profiles():
        reading = _reading(name)
        yield from (f"## {name}", "", f"{profile(name)['title']} · {profile(name)['title_zh']}", "")
        rows = []
        for role, cells in _ROLES:
            quantity = cells[-1][0]
            general = "" if not reading.graph[quantity].axes else _general(reading, quantity)
            here = ", ".join(code(reading.symbol(Ref(*cell))) for cell in cells)
            right = _right(reading, quantity)
            rows.append((role, code(general), here, code(f"{general or reading.symbol(Ref(quantity))} = {right}" if right else "")))
        yield from table(("", "in general", "in the example", "as printed"), rows)
        yield ""


def _reading(name: str) -> Reading:
    return read(derive(load(EXAMPLE)), name)


def _general(reading: Reading, quantity: str) -> str:
    return reading.symbol(Ref(quantity, reading.graph[quantity].index))


def _right(reading: Reading, quantity: str) -> str:
    found = reading.general(reading.graph[quantity])
    return "" if found is None else reading.symbolic(found)


def mistakes() -> Lines:
    """Every mistake with an example: the right line and the wrong one, printed by the program."""
    found = examples()
    for slug, mistake in MISTAKES.items():
        yield f"### {slug}"
        yield ""
        yield f"{mistake.name}. " + " ".join(mistake.explanation.split("\n"))
        yield ""
        if slug in found:
            yield from _lines_of(found[slug])
            yield ""


def _lines_of(example: Example) -> Lines:
    reading = read(example.book.derivation)
    plain = base(example.cell)
    symbol, digits = reading.symbol(Ref(*plain)), Rounding()
    where = "" if iteration(example.cell) == 1 else ", second iteration"
    rows = []
    for label, defined, value in (("right", example.right, example.right_value), ("wrong", example.wrong, example.wrong_value)):
        line = reading.line(plain, rewrite(defined, lambda node: Ref(*base(cell(node))) if isinstance(node, Ref) else None))
        rows.append((label, code(f"{symbol} = {reading.symbolic(line)}"), digits.shown(value).plain))
    yield from table((f"{example.problem}{where}", "", ""), rows)


# what a line {{name}} or {{name argument}} of a template becomes
TABLES: dict[str, Callable[..., Lines]] = {
    "commands": commands,
    "limits": limits,
    "formats": formats,
    "views": views,
    "optimisers": optimisers,
    "schedules": schedules,
    "section": section,
    "initial": initial,
    "activations": activations,
    "spelt": spelt,
    "functions": functions,
    "losses": losses,
    "conventions": conventions,
    "notations": notations,
    "compared": compared,
    "letters": letters,
    "mistakes": mistakes,
}

# --- pages ------------------------------------------------------------------------------------------------------------

_PLACE = re.compile(r"\{\{(\w+)(?: (\w+))?\}\}$")


def made_of(template: Path) -> Path:
    """The page of a template."""
    return template.with_name(template.name.replace(".in.md", ".md"))


def language_of(template: Path) -> str:
    """The language of a page: NAME.zh.in.md is Chinese."""
    return "zh" if template.name.endswith(".zh.in.md") else "en"


def filled(template: Path) -> str:
    """The page of a template, its tables filled in."""
    spoken = {} if language_of(template) == "en" else {"language": language_of(template)}
    lines = [f"<!-- Made by .ci/docs.py from docs/{template.name}. Change that file or the program, then run it. -->", ""]
    for line in template.read_text("utf-8").splitlines():
        place = _PLACE.match(line)
        lines += TABLES[place[1]](*filter(None, (place[2],)), **spoken) if place else [line]
    text = "\n".join(lines).replace(f"]({made_of(template).name}#", "](#")
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


_BLOCK = re.compile(r"^```(yaml|text|console|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Examples:
    """The examples of one page, carried out in order in a folder of their own. `wrong` says what is not as shown."""

    def __init__(self, page: str, folder: str) -> None:
        self.page = page
        self.folder = folder
        self.wrong: list[str] = []

    def carried_out(self, text: str) -> str:
        """The page with the output of its commands."""
        return _BLOCK.sub(self._block, text)

    def _block(self, found: re.Match[str]) -> str:
        kind, text = found[1], found[2]
        if kind in ("yaml", "text"):
            self._file(kind, text)
        elif kind == "python":
            done = run(["-c", text], self.folder)
            if done.returncode:
                self.wrong.append(f"{self.page}: an example does not run: {done.stdout}")
        elif text.startswith("$ handcalc "):
            return f"```console\n{self._output(text)}```"
        return found[0]

    def _file(self, kind: str, text: str) -> None:
        name = re.match(r"# (\w[\w/-]*\.(?:yaml|txt))\n", text)
        if name:
            path = Path(self.folder, name[1])
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        if kind == "yaml" and re.search(r"^(layers|equations):", text, re.MULTILINE) and not (name and name[1].startswith("wrong")):
            try:
                loads(text, name[1] if name else "example")
            except HandcalcError as error:
                self.wrong.append(f"{self.page}: an example does not load: {error}")

    def _output(self, text: str) -> str:
        first, *shown = text.splitlines()
        printed = run(["-m", *shlex.split(first.removeprefix("$ "))], self.folder).stdout.rstrip().splitlines()
        while printed and not printed[0].strip():
            del printed[0]
        if "…" not in shown:
            return "\n".join([first, *printed]) + "\n"
        rest = printed
        for kept, run_of_lines in groupby(shown, lambda line: line != "…"):
            piece = list(run_of_lines)
            if not kept:
                continue
            start = next((place for place in range(len(rest)) if rest[place : place + len(piece)] == piece), None)
            if start is None:
                self.wrong.append("\n".join((f"{self.page}: the output of `{first}` is not as shown any more:", *piece)))
                break
            rest = rest[start + len(piece) :]
        return text


def run(arguments: list[str], folder: str) -> subprocess.CompletedProcess[str]:
    """A Python process with given arguments, in the same surroundings everywhere."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("LC_", "HANDCALC_")) and name not in ("COLUMNS", "LANG")
    }
    environment = {**kept, "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )


def pages() -> tuple[dict[Path, str], list[str]]:
    """Every page as it should be, and what cannot be put right by writing it."""
    made = {made_of(template): filled(template) for template in sorted(DOCS.glob("*.in.md"))}
    written = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(path for path in sorted(DOCS.glob("*.md")) if not path.name.endswith(".in.md")),
        *sorted((ROOT / ".ci" / "docsite").glob("*.md")),
    ]
    made |= {path: path.read_text("utf-8") for path in written if path not in made}
    wrong: list[str] = []
    for path, text in made.items():
        with tempfile.TemporaryDirectory() as folder:
            examples = Examples(path.relative_to(ROOT).as_posix(), folder)
            made[path] = examples.carried_out(text)
            wrong += examples.wrong
    return made, wrong


def main() -> int:
    """Write the pages; with --check, only say which are stale."""
    os.environ["LC_ALL"] = "C.UTF-8"
    check = sys.argv[1:] == ["--check"]
    made, wrong = pages()
    for path, text in made.items():
        if not path.exists() or path.read_text("utf-8") != text:
            name = path.relative_to(ROOT).as_posix()
            if check:
                wrong.append(f"{name} is stale: run python .ci/docs.py")
            else:
                path.write_text(text, "utf-8")
                print(f"written: {name}")
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
