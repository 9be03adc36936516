"""Dialects: how expressions, symbols and numbers are spelled. Tables; the printer and the functions here read them.

- `PLAIN` is ASCII that formula.parse reads back, `UNICODE` is for terminals; typeset.py has those of documents.
- `symbol(name, dialect)` spells a symbol or derivative, `shown(number, dialect, comma)` a printed number, `word` a name.

To add a dialect, add a `Dialect` with its spellings here if people type it, else in typeset.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.render.symbols import Derivative, Name, Symbol


class Typeset(Record):
    """How a dialect with real indices and fractions spells the atoms of a formula.

    letter, name (of several letters), number, sign, text: around {x}; joint: between atoms that stand together; sub, sup,
    both: {a} with index {b}, power {b}, index {b} and power {c}; escape: a user's text that means itself; fraction, tall:
    marks of a text with a fraction, of one higher than a bracket; signs: spellings of single signs.
    """

    letter: str
    name: str
    number: str
    sign: str
    text: str
    sub: str
    sup: str
    both: str
    escape: Callable[[str], str]
    fraction: str
    tall: tuple[str, ...] = ()
    joint: str = ""
    signs: Mapping[str, str] = {}


class Dialect(Record):
    """Spellings.

    times between short and between long factors; powers: digits set high; exponential, total and other forms use
    {x} (and {i}); functions: name → spelling; fractions: ratio → spelling; letters: replaced everywhere; function: the
    spelling of others; quotient, power: of {a} and {b}; brackets, tall: around {x} and around something high; via: what a
    path runs through; comma: the decimal comma; unraised: marks of a text that needs brackets before it gets a power;
    plus, minus: between terms; negative: a sign before one, signed: how a text with one begins; separator: between
    arguments; blank: a gap to fill in; linked: a number {x} that can be found by its step {id}; hat: over {x}; floor: {x}
    rounded down; old: after what was before an update; prime: of {x}, a derivative still to be taken;
    summed: a total without what is added up; ascii: drawings and words are in ASCII, too; typeset: atoms, where indices are real ones.
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
    approximately: str
    ellipsis: str
    functions: Mapping[str, str] = {}
    fractions: Mapping[tuple[int, int], str] = {}
    letters: Mapping[str, str] = {}
    high: Mapping[str, str] = {}
    low: Mapping[str, str] = {}
    function: str = "{x}"
    quotient: str = "{a}/{b}"
    ratio: str = ""
    power: str = "{a}^{b}"
    brackets: str = "({x})"
    tall: str = "({x})"
    via: str = "|{x}"
    comma: str = ","
    unraised: tuple[str, ...] = ()
    plus: str = " + "
    minus: str = " - "
    negative: str = "-"
    signed: re.Pattern[str] = re.compile("[-−]")
    separator: str = ", "
    blank: str = "______"
    linked: str = ""
    hat: str = "{x}hat"
    floor: str = "floor({x})"
    old: str = "_old"
    prime: str = "{x}'"
    summed: str = "Σ_{i} "
    ascii: bool = False
    typeset: Typeset | None = None


GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda",
    "μ": "mu", "ρ": "rho", "σ": "sigma", "Δ": "Delta", "∂": "d", "ŷ": "yhat", "φ": "phi", "ω": "omega", "π": "pi", "∇": "grad",
}  # fmt: skip

_ASCII = GREEK | {
    "≈": "~=", "…": "...", "–": "-", "−": "-", "·": "*", "½": "1/2", "≥": ">=", "×": "x", "≠": "!=", "→": "->", "⋆": "star", "∗": "conv",
    "“": '"', "”": '"', "’": "'",
}  # fmt: skip

PLAIN = Dialect(
    key="plain",
    times="*",
    wide_times=" * ",
    partial="d",
    mark="+",
    exponential="exp({x})",
    root="sqrt({x})",
    absolute="abs({x})",
    total="sum_{i}({x})",
    ten="e{n}",
    letters=GREEK,
    approximately="~=",
    ellipsis="...",
    unraised=("/",),
    summed="sum_{i} ",
    ascii=True,
)

UNICODE = Dialect(
    key="unicode",
    times="·",
    wide_times=" · ",
    partial="∂",
    mark="⁺",
    exponential="e^{x}",
    root="√({x})",
    absolute="|{x}|",
    total="Σ_{i} {x}",
    ten="×10{n}",
    functions={
        "sigmoid": "σ",
        "relu": "ReLU",
        "relu'": "ReLU'",
        "relu6": "ReLU6",
        "relu6'": "ReLU6'",
        "leaky_relu": "LeakyReLU",
        "leaky_relu'": "LeakyReLU'",
        "elu": "ELU",
        "elu'": "ELU'",
        "gelu": "GELU",
        "silu": "SiLU",
        "kl": "KL",
        "sqrt": "√",
        "pi": "π",
    },
    fractions={(1, 2): "½", (1, 3): "⅓", (1, 4): "¼", (2, 3): "⅔", (3, 4): "¾"},
    high=dict(zip("0123456789+-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾")),
    low=dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉")),
    approximately="≈",
    ellipsis="…",
    unraised=("×10", "/", *"⁰¹²³⁴⁵⁶⁷⁸⁹"),
    hat="{x}\u0302",
    floor="⌊{x}⌋",
    old="ᵒˡᵈ",
)

TYPED = (PLAIN, UNICODE)  # dialects whose symbols are looked up

# --- symbols ----------------------------------------------------------------------------------------------------------


def symbol(name: Name, dialect: Dialect) -> str:
    """The spelling of a symbol: w5, net_h1, a^(2)_1, dE/dw5."""
    if isinstance(name, Derivative):
        via = dialect.via.format(x=_symbol(name.via, dialect)) if name.via else ""
        top = _times_over(dialect.partial, name.order, dialect) + _symbol(name.top, dialect)
        bottom = dialect.partial + _times_over(_symbol(name.bottom, dialect), name.order, dialect)
        return (dialect.ratio or dialect.quotient).format(a=top, b=bottom) + via + _sample(name, dialect)
    return _symbol(name, dialect)


def _times_over(text: str, order: int, dialect: Dialect) -> str:
    """∂² in a second derivative, ∂ in a first."""
    if order == 1:
        return text
    return text + dialect.high[str(order)] if dialect.high else dialect.power.format(a=text, b=typed_digits(str(order), dialect))


def _sample(name: Name, dialect: Dialect) -> str:
    if not name.sample:
        return ""
    return sign("[", dialect) + (word(name.sample, dialect) if dialect.typeset else name.sample) + sign("]", dialect)


def _symbol(name: Symbol, dialect: Dialect) -> str:
    mark = {"+": dialect.mark, "old": dialect.old}[name.mark] if name.mark else ""
    sample = _sample(name, dialect)
    if dialect.typeset:
        low, high = word(name.sub, dialect, 2), dialect.typeset.joint.join(filter(None, (word(name.sup, dialect, 2), mark)))
        base = word(name.base, dialect)
        return _scripts(dialect.hat.format(x=base) if name.hat else base, low, high, dialect.typeset) + sample
    if name.typed:
        return letters(name.typed, dialect) + mark + sample
    text = dialect.hat.format(x=name.base) if name.hat else name.base
    if name.sup:
        text += "".join(dialect.high[c] for c in name.sup) if all(c in dialect.high for c in name.sup) else "^" + name.sup
    if name.sub:
        text += "".join(dialect.low[c] for c in name.sub) if all(c in dialect.low for c in name.sub) else "_" + name.sub
    return letters(text, dialect) + mark + sample


def _scripts(base: str, low: str, high: str, typeset: Typeset) -> str:
    if low and high:
        return typeset.both.format(a=base, b=low, c=high)
    return typeset.sub.format(a=base, b=low) if low else typeset.sup.format(a=base, b=high) if high else base


def letters(text: str, dialect: Dialect) -> str:
    """A text with the letters a dialect has no other way to write."""
    return "".join(dialect.letters.get(letter, letter) for letter in text) if dialect.letters and not text.isascii() else text


def spelled_in_ascii(text: str, strict: bool = False) -> str:
    """A sentence with its mathematical letters and signs in ASCII; other scripts stay. Strict: they are e for é, \\u4e2d for 中."""
    text = "".join(_ASCII.get(letter, letter) for letter in text)
    return text if text.isascii() or not strict else "".join(map(_strictly, text))


def _strictly(letter: str) -> str:
    """The letters of ASCII nearest to another one; its number where there are none."""
    if letter.isascii():
        return letter
    from unicodedata import combining, normalize

    found = "".join(part for part in normalize("NFKD", letter) if not combining(part))
    return found if found.isascii() and (found or combining(letter)) else f"\\u{ord(letter):04x}"


# --- numbers and names ------------------------------------------------------------------------------------------------


def shown(number: Shown, dialect: Dialect, comma: bool = False) -> str:
    """The spelling of a printed number; comma: a decimal comma."""
    digits = typed_digits(number.digits, dialect, comma)
    return digits + _power_of_ten(number.exponent, dialect) if number.exponent else digits


def _power_of_ten(exponent: int, dialect: Dialect) -> str:
    power = "".join(dialect.high[c] for c in str(exponent)) if dialect.high else typed_digits(str(exponent), dialect)
    return dialect.ten.format(n=power)


def typed_digits(text: str, dialect: Dialect, comma: bool = False) -> str:
    """The digits of a number; where it is typeset, with its power of ten and its fraction set as such."""
    if not dialect.typeset:
        return text.replace(".", dialect.comma) if comma else text
    negative, text = dialect.negative * text.startswith("-"), text.removeprefix("-")
    above, stroke, below = text.partition("/")
    if stroke:
        return negative + dialect.quotient.format(a=typed_digits(above, dialect, comma), b=typed_digits(below, dialect, comma))
    digits, power, exponent = text.lower().partition("e")
    spelled = dialect.typeset.escape(digits if power else text).replace(".", dialect.comma if comma else ".")
    return negative + dialect.typeset.number.format(x=spelled) + (_power_of_ten(int(exponent), dialect) if power else "")


def sign(text: str, dialect: Dialect) -> str:
    """A single sign, such as a bracket of an index."""
    return dialect.typeset.signs.get(text) or dialect.typeset.sign.format(x=text) if dialect.typeset else text


def bracketed(text: str, dialect: Dialect) -> str:
    """A text in brackets as high as it."""
    tall = dialect.typeset is not None and any(mark in text for mark in dialect.typeset.tall)
    return (dialect.tall if tall else dialect.brackets).format(x=text)


def function_name(name: str, dialect: Dialect) -> str:
    """The spelling of a function."""
    return dialect.functions.get(name) or dialect.function.format(x=dialect.typeset.escape(name) if dialect.typeset else name)


_GREEK_LETTERS = "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΦΨΩ∂∇ŷ"
_WORDS = rf"[{_GREEK_LETTERS}]|[A-Za-z_]+|[0-9.]+|'+|[(),+\-\[\]]|[^\x00-\x7f{_GREEK_LETTERS}]+"


def word(text: str, dialect: Dialect, longest: int = 1) -> str:
    """A letter, an index or a name in a typeset formula: names of more letters stand upright, what is no name is text."""
    typeset = dialect.typeset
    if typeset is None:
        return letters(text, dialect)
    parts = re.findall(_WORDS, text)
    if "".join(parts) != text or not text.isprintable():
        return typeset.text.format(x=typeset.escape(text))
    spelled: list[str] = []
    for part in parts:
        prime = typeset.signs.get("'", "") if part[0] == "'" else ""
        if prime and spelled:  # raised, or it would be as large as a letter
            spelled[-1] = typeset.sup.format(a=spelled[-1].strip(), b=(prime * len(part)).strip())
        elif prime:
            spelled.append(prime * len(part))
        else:
            spelled.append(_part(part, dialect, typeset, longest))
    return typeset.joint.join(spelled).strip()


def _part(part: str, dialect: Dialect, typeset: Typeset, longest: int) -> str:
    if part in _GREEK_LETTERS:
        return dialect.letters.get(part) or typeset.letter.format(x=part)
    if not part.isascii():
        return typeset.text.format(x=typeset.escape(part))
    if part[0].isdigit() or part[0] == ".":
        return typeset.number.format(x=part)
    if part[0].isalpha() or part[0] == "_":
        short = len(part) <= longest and part != "_"
        if short:
            return typeset.joint.join(typeset.letter.format(x=letter) for letter in part)
        return typeset.name.format(x=typeset.escape(part))
    return sign(part, dialect)
