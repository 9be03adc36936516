"""Dialects: how expressions, symbols and numbers are spelled. Tables only; the printer reads them.

- `PLAIN` is ASCII that formula.parse reads back; `UNICODE` is for terminals; `LATEX` is for formulas of LaTeX and Markdown.
- `symbol(name, dialect)` spells a symbol or derivative, `shown(number, dialect, comma)` a printed number.
- `latex_text(text)` is a text that means itself in LaTeX, between formulas and in \\text{…}.

To add a dialect, add a `Dialect` with its spellings to `DIALECTS`; to `TYPED` if people type its symbols.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.errors import printable
from handcalc.render.symbols import Derivative, Name, Symbol


class Dialect(Record):
    """Spellings.

    times between short and between long factors; powers: digits set high; exponential, total and other forms use
    {x} (and {i}); functions: name → spelling; fractions: ratio → spelling; letters: replaced everywhere; function: the
    spelling of others; quotient, power: of {a} and {b}; brackets, tall: around {x} and around something high; via: what a
    path runs through; comma: the decimal comma; grouped: LaTeX, whose braces make brackets around parts needless and
    whose words need a spelling; unraised: marks of a text that needs brackets before it gets a power.
    """

    key: str
    times: str
    wide_times: str
    partial: str
    mark: str
    exponential: str
    root: str
    absolute: str
    total: str
    ten: str
    functions: Mapping[str, str]
    fractions: Mapping[tuple[int, int], str]
    letters: Mapping[str, str]
    high: Mapping[str, str]
    low: Mapping[str, str]
    approximately: str
    ellipsis: str
    function: str = "{x}"
    quotient: str = "{a}/{b}"
    power: str = "{a}^{b}"
    brackets: str = "({x})"
    tall: str = "({x})"
    via: str = "|{x}"
    comma: str = ","
    grouped: bool = False
    unraised: tuple[str, ...] = ()


_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "λ": "lambda", "μ": "mu",
    "σ": "sigma", "Δ": "Delta", "∂": "d", "ŷ": "yhat", "φ": "phi", "ω": "omega", "π": "pi", "∇": "grad",
}  # fmt: skip

_ASCII = _GREEK | {"≈": "~=", "…": "...", "–": "-", "−": "-", "·": "*", "½": "1/2", "≥": ">=", "×": "x", "“": '"', "”": '"', "’": "'"}

PLAIN = Dialect(
    "plain", "*", " * ", "d", "+", "exp({x})", "sqrt({x})", "abs({x})", "sum_{i}({x})", "e{n}",
    {}, {}, _GREEK, {}, {}, "~=", "...",
)  # fmt: skip

UNICODE = Dialect(
    "unicode", "·", " · ", "∂", "⁺", "e^{x}", "√({x})", "|{x}|", "Σ_{i} {x}", "×10{n}",
    {"sigmoid": "σ", "relu": "ReLU", "relu'": "ReLU'", "leaky_relu": "LeakyReLU", "leaky_relu'": "LeakyReLU'", "elu": "ELU", "elu'": "ELU'",
     "gelu": "GELU", "silu": "SiLU", "pi": "π"},
    {(1, 2): "½", (1, 3): "⅓", (1, 4): "¼", (2, 3): "⅔", (3, 4): "¾"},
    {},
    dict(zip("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")),
    dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉")),
    "≈", "…", unraised=("×10",),
)  # fmt: skip

_COMMANDS = {
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\varepsilon ", "ζ": r"\zeta ", "η": r"\eta ",
    "θ": r"\theta ", "ι": r"\iota ", "κ": r"\kappa ", "λ": r"\lambda ", "μ": r"\mu ", "ν": r"\nu ", "ξ": r"\xi ", "π": r"\pi ",
    "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "υ": r"\upsilon ", "φ": r"\varphi ", "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ",
    "Γ": r"\Gamma ", "Δ": r"\Delta ", "Θ": r"\Theta ", "Λ": r"\Lambda ", "Ξ": r"\Xi ", "Π": r"\Pi ", "Σ": r"\Sigma ", "Φ": r"\Phi ",
    "Ψ": r"\Psi ", "Ω": r"\Omega ", "∂": r"\partial ", "∇": r"\nabla ", "ŷ": r"\hat{y}",
}  # fmt: skip

LATEX = Dialect(
    "latex", r" \cdot ", r" \cdot ", r"\partial ", "+", "e^{{{x}}}", r"\sqrt{{{x}}}", r"\left\lvert {x} \right\rvert", r"\sum_{{{i}}} {x}",
    r" \times 10^{{{n}}}",
    {"sigmoid": r"\sigma", "relu": r"\operatorname{ReLU}", "relu'": r"\operatorname{ReLU}'", "leaky_relu": r"\operatorname{LeakyReLU}",
     "leaky_relu'": r"\operatorname{LeakyReLU}'", "elu": r"\operatorname{ELU}", "elu'": r"\operatorname{ELU}'",
     "max'": r"\operatorname{max}'", "gelu": r"\operatorname{GELU}", "silu": r"\operatorname{SiLU}", "pi": r"\pi", "log10": r"\log_{10}",
     "log2": r"\log_{2}", **{name: "\\" + name for name in ("tanh", "ln", "log", "sin", "cos", "tan", "max", "min")}},
    {}, _COMMANDS, {}, {}, r"\approx", r"\cdots",
    r"\operatorname{{{x}}}", r"\frac{{{a}}}{{{b}}}", "{a}^{{{b}}}", "({x})", r"\left({x}\right)", r"\big\vert_{{{x}}}", "{,}", True,
    ("^", r"\frac", r"\times"),
)  # fmt: skip

DIALECTS = {dialect.key: dialect for dialect in (PLAIN, UNICODE, LATEX)}
TYPED = (PLAIN, UNICODE)  # dialects whose symbols are looked up
_TALL = ("^", r"\frac", r"\sum", r"\left", r"\sqrt", r"\big")  # marks of a formula of LaTeX that is higher than a bracket


def symbol(name: Name, dialect: Dialect) -> str:
    """The spelling of a symbol: w5, net_h1, a^(2)_1, dE/dw5."""
    if isinstance(name, Derivative):
        via = dialect.via.format(x=_symbol(name.via, dialect)) if name.via else ""
        top, bottom = (dialect.partial + _symbol(part, dialect) for part in (name.top, name.bottom))
        return dialect.quotient.format(a=top, b=bottom) + via + _sample(name, dialect)
    return _symbol(name, dialect)


def _sample(name: Name, dialect: Dialect) -> str:
    if not name.sample:
        return ""
    return f"[{_word(name.sample, dialect) if dialect.grouped else name.sample}]"


def _symbol(name: Symbol, dialect: Dialect) -> str:
    mark = dialect.mark if name.mark else ""
    sample = _sample(name, dialect)
    if dialect.grouped:
        high, low = _word(name.sup, dialect, 2) + mark, _word(name.sub, dialect, 2)
        return _word(name.base, dialect) + (f"_{{{low}}}" if low else "") + (f"^{{{high}}}" if high else "") + sample
    if name.typed:
        return _letters(name.typed, dialect) + mark + sample
    text = name.base
    if name.sup:
        text += "".join(dialect.high[c] for c in name.sup) if all(c in dialect.high for c in name.sup) else "^" + name.sup
    if name.sub:
        text += "".join(dialect.low[c] for c in name.sub) if all(c in dialect.low for c in name.sub) else "_" + name.sub
    return _letters(text, dialect) + mark + sample


def _letters(text: str, dialect: Dialect) -> str:
    return "".join(dialect.letters.get(letter, letter) for letter in text) if dialect.letters and not text.isascii() else text


def spelled_in_ascii(text: str) -> str:
    """A sentence with its mathematical letters and signs in ASCII; other scripts stay."""
    return "".join(_ASCII.get(letter, letter) for letter in text)


def shown(number: Shown, dialect: Dialect, comma: bool = False) -> str:
    """The spelling of a printed number; comma: a decimal comma."""
    digits = typed_digits(number.digits, dialect, comma)
    if not number.exponent:
        return digits
    power = str(number.exponent)
    if dialect.high:
        power = "".join(dialect.high[c] for c in power)
    return digits + dialect.ten.format(n=power)


def typed_digits(text: str, dialect: Dialect, comma: bool = False) -> str:
    """The digits of a number; in LaTeX with its power of ten, its percent sign and its fraction set as such."""
    text = text.replace(".", dialect.comma) if comma else text
    if not dialect.grouped:
        return text
    text = text.replace("%", r"\%")
    sign, (above, stroke, below) = "-" * text.startswith("-"), text.removeprefix("-").partition("/")
    if stroke:
        return sign + dialect.quotient.format(a=above, b=below)
    digits, power, exponent = text.lower().partition("e")
    return digits + dialect.ten.format(n=int(exponent)) if power else text


def bracketed(text: str, dialect: Dialect) -> str:
    """A text in brackets as high as it."""
    return (dialect.tall if any(mark in text for mark in _TALL) else dialect.brackets).format(x=text)


def function_name(name: str, dialect: Dialect) -> str:
    """The spelling of a function."""
    return dialect.functions.get(name) or dialect.function.format(x=latex_text(name) if dialect.grouped else name)


# --- words of LaTeX ---------------------------------------------------------------------------------------------------

_SPECIAL = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": "{`}", "[": "{[}", "]": "{]}", "*": "{*}", **{letter: "\\" + letter for letter in "{}$&#%_"},
    **{letter: f"${command.strip()}$" for letter, command in _COMMANDS.items()}, "≈": r"$\approx$", "−": "$-$",
    "·": r"$\cdot$", "½": r"$\frac{1}{2}$", "≥": r"$\ge$", "≤": r"$\le$", "×": r"$\times$", "–": r"\textendash{}",
    "…": r"\ldots{}", "“": "``", "”": "''", "’": "'",
    "⁺": "$^{+}$", "Σ": r"$\sum$", "√": r"$\surd$", "²": "$^{2}$",
}  # fmt: skip
_WORDS = rf"[{''.join(_COMMANDS)}]|[A-Za-z_]+|[0-9.]+|['(),+\-\[\]]|[^\x00-\x7f{''.join(_COMMANDS)}]+"


def latex_text(text: str) -> str:
    """A text that means itself in LaTeX: on one line, without commands, and with signs that every engine has."""
    return re.sub("-(?=-)", "-{}", "".join(_SPECIAL.get(letter, letter) for letter in printable(text)))


def _word(text: str, dialect: Dialect, longest: int = 1) -> str:
    """A letter, an index or a name in a formula: names of more letters stand upright, what is no name is text."""
    parts = re.findall(_WORDS, text)
    if "".join(parts) != text or not text.isprintable():
        return rf"\text{{{latex_text(text)}}}"
    return "".join(_part(part, dialect, longest) for part in parts).strip()


def _part(part: str, dialect: Dialect, longest: int) -> str:
    if part in dialect.letters:
        return dialect.letters[part]
    if part == "'":
        return r"\prime "
    if not part.isascii():
        return rf"\text{{{latex_text(part)}}}"
    return part if len(part) <= longest and part != "_" or not part[0].isalpha() and part[0] != "_" else rf"\mathrm{{{latex_text(part)}}}"
