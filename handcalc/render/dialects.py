"""Dialects: how expressions, symbols and numbers are spelled. Tables only; the printer reads them.

- `PLAIN` is ASCII that formula.parse reads back; `UNICODE` is for terminals.
- `symbol(name, dialect)` spells a symbol or derivative, `shown(number, dialect, comma)` a printed number.

To add a dialect, add a `Dialect` with its spellings to `DIALECTS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.render.symbols import Derivative, Name, Symbol


class Dialect(Record):
    """Spellings.

    times between short and between long factors; powers: digits set high; exponential, total and other forms use
    {x} (and {i}); functions: name → spelling; fractions: ratio → spelling; letters: replaced everywhere.
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
    "≈", "…",
)  # fmt: skip

DIALECTS = {dialect.key: dialect for dialect in (PLAIN, UNICODE)}


def symbol(name: Name, dialect: Dialect) -> str:
    """The spelling of a symbol: w5, net_h1, a^(2)_1, dE/dw5."""
    sample = f"[{name.sample}]" if name.sample else ""
    if isinstance(name, Derivative):
        via = "|" + _symbol(name.via, dialect) if name.via else ""
        top, bottom = _symbol(name.top, dialect), _symbol(name.bottom, dialect)
        return f"{dialect.partial}{top}/{dialect.partial}{bottom}{via}{sample}"
    return _symbol(name, dialect)


def _symbol(name: Symbol, dialect: Dialect) -> str:
    mark = dialect.mark if name.mark else ""
    sample = f"[{name.sample}]" if name.sample else ""
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
    digits = number.digits.replace(".", ",") if comma else number.digits
    if not number.exponent:
        return digits
    power = str(number.exponent)
    if dialect.high:
        power = "".join(dialect.high[c] for c in power)
    return digits + dialect.ten.format(n=power)
