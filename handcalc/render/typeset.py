r"""Dialects of documents, with real indices, roots and fractions: LaTeX, MathML, Typst and the formulas of Word.

- `LATEX`, `MATHML`, `TYPST`, `OMML`; `TYPESET` lists them.
- `latex_text(text)`, `xml_text(text)`, `typst_text(text)`: a user's text that means itself in that language.

Everything a user wrote goes through one of these three functions: it is text, never a command, a tag or code.
"""

from __future__ import annotations

import re

from handcalc.errors import printable
from handcalc.render.dialects import Dialect, Typeset

# --- LaTeX ------------------------------------------------------------------------------------------------------------

_COMMANDS = {
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\varepsilon ", "ζ": r"\zeta ", "η": r"\eta ",
    "θ": r"\theta ", "ι": r"\iota ", "κ": r"\kappa ", "λ": r"\lambda ", "μ": r"\mu ", "ν": r"\nu ", "ξ": r"\xi ", "π": r"\pi ",
    "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "υ": r"\upsilon ", "φ": r"\varphi ", "χ": r"\chi ", "ψ": r"\psi ", "ω": r"\omega ",
    "Γ": r"\Gamma ", "Δ": r"\Delta ", "Θ": r"\Theta ", "Λ": r"\Lambda ", "Ξ": r"\Xi ", "Π": r"\Pi ", "Σ": r"\Sigma ", "Φ": r"\Phi ",
    "Ψ": r"\Psi ", "Ω": r"\Omega ", "∂": r"\partial ", "∇": r"\nabla ", "ŷ": r"\hat{y}",
}  # fmt: skip

_SPECIAL = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "`": "{`}", "[": "{[}", "]": "{]}", "*": "{*}", **{letter: "\\" + letter for letter in "{}$&#%_"},
    **{letter: f"${command.strip()}$" for letter, command in _COMMANDS.items()}, "≈": r"$\approx$", "−": "$-$",
    "·": r"$\cdot$", "½": r"$\frac{1}{2}$", "≥": r"$\ge$", "≤": r"$\le$", "×": r"$\times$", "–": r"\textendash{}",
    "…": r"\ldots{}", "“": "``", "”": "''", "’": "'",
    "⁺": "$^{+}$", "Σ": r"$\sum$", "⋆": r"$\star$", "∗": r"$\ast$", "√": r"$\surd$", "²": "$^{2}$",
    "✓": r"$\surd$", "✗": r"$\times$", "→": r"$\to$",
}  # fmt: skip


def latex_text(text: str) -> str:
    """A text that means itself in LaTeX: on one line, without commands, and with signs that every engine has."""
    return re.sub("-(?=-)", "-{}", "".join(_SPECIAL.get(letter, letter) for letter in printable(text)))


LATEX = Dialect(
    key="latex",
    times=r" \cdot ",
    wide_times=r" \cdot ",
    partial=r"\partial ",
    mark="+",
    exponential="e^{{{x}}}",
    root=r"\sqrt{{{x}}}",
    absolute=r"\left\lvert {x} \right\rvert",
    total=r"\sum_{{{i}}} {x}",
    ten=r" \times 10^{{{n}}}",
    functions={
        "sigmoid": r"\sigma",
        "relu": r"\operatorname{ReLU}",
        "relu'": r"\operatorname{ReLU}'",
        "relu6": r"\operatorname{ReLU6}",
        "relu6'": r"\operatorname{ReLU6}'",
        "leaky_relu": r"\operatorname{LeakyReLU}",
        "leaky_relu'": r"\operatorname{LeakyReLU}'",
        "elu": r"\operatorname{ELU}",
        "elu'": r"\operatorname{ELU}'",
        "max'": r"\operatorname{max}'",
        "gelu": r"\operatorname{GELU}",
        "silu": r"\operatorname{SiLU}",
        "kl": r"\operatorname{KL}",
        "pi": r"\pi",
        "log10": r"\log_{10}",
        "log2": r"\log_{2}",
        **{name: "\\" + name for name in ("tanh", "ln", "log", "sin", "cos", "tan", "max", "min")},
    },
    letters=_COMMANDS,
    approximately=r"\approx",
    ellipsis=r"\cdots",
    function=r"\operatorname{{{x}}}",
    quotient=r"\frac{{{a}}}{{{b}}}",
    power="{a}^{{{b}}}",
    tall=r"\left({x}\right)",
    via=r"\big\vert_{{{x}}}",
    comma="{,}",
    unraised=("^", r"\frac", r"\times"),
    blank=r"\underline{\hspace{4em}}",
    hat=r"\hat{{{x}}}",
    floor=r"\left\lfloor {x} \right\rfloor",
    old=r"\mathrm{old}",
    summed=r"\sum_{{{i}}} ",
    typeset=Typeset(
        letter="{x}",
        name=r"\mathrm{{{x}}}",
        number="{x}",
        sign="{x}",
        text=r"\text{{{x}}}",
        sub="{a}_{{{b}}}",
        sup="{a}^{{{b}}}",
        both="{a}_{{{b}}}^{{{c}}}",
        escape=latex_text,
        fraction=r"\frac",
        tall=("^", r"\frac", r"\sum", r"\left", r"\sqrt", r"\big"),
        signs={"'": r"\prime ", "≠": r"\neq "},
    ),
)

# --- XML: MathML for pages, OMML for Word -----------------------------------------------------------------------------

_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_NAMED = {name: name for name in ("tanh", "ln", "log", "sin", "cos", "tan", "max", "min")} | {
    "sigmoid": "σ", "relu": "ReLU", "relu'": "ReLU′", "leaky_relu": "LeakyReLU", "leaky_relu'": "LeakyReLU′", "elu": "ELU", "elu'": "ELU′",
    "max'": "max′", "relu6": "ReLU6", "relu6'": "ReLU6′", "gelu": "GELU", "silu": "SiLU", "kl": "KL", "pi": "π",
}  # fmt: skip


def xml_text(text: str) -> str:
    """A text that means itself in HTML and XML, in an element or in quotation marks, on one line."""
    return "".join(_XML.get(letter, letter) for letter in printable(text))


MATHML = Dialect(
    key="mathml",
    times="<mo>·</mo>",
    wide_times="<mo>·</mo>",
    partial="<mi>∂</mi>",
    mark="<mo>+</mo>",
    exponential="<msup><mi>e</mi><mrow>{x}</mrow></msup>",
    root="<msqrt>{x}</msqrt>",
    absolute="<mrow><mo>|</mo>{x}<mo>|</mo></mrow>",
    total="<munder><mo>∑</mo><mrow>{i}</mrow></munder><mrow>{x}</mrow>",
    ten="<mo>×</mo><msup><mn>10</mn><mrow>{n}</mrow></msup>",
    functions={name: f"<mi>{spelled}</mi>" for name, spelled in _NAMED.items()},
    letters={"ŷ": '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>', "Δ": '<mi mathvariant="normal">Δ</mi>'},
    approximately="<mo>≈</mo>",
    ellipsis="<mo>⋯</mo>",
    function="<mi>{x}</mi>",
    quotient="<mfrac><mrow>{a}</mrow><mrow>{b}</mrow></mfrac>",
    power="<msup><mrow>{a}</mrow><mrow>{b}</mrow></msup>",
    brackets='<mrow><mo stretchy="false">(</mo>{x}<mo stretchy="false">)</mo></mrow>',
    tall="<mrow><mo>(</mo>{x}<mo>)</mo></mrow>",
    via='<mo form="postfix" stretchy="true" symmetric="false">|</mo><msub><mspace depth="0.35em"></mspace><mrow>{x}</mrow></msub>',
    unraised=("<msup", "<mfrac", "<mo>×"),
    plus='<mo form="infix">+</mo>',
    minus='<mo form="infix">−</mo>',
    negative='<mo form="prefix">−</mo>',
    signed=re.compile('(<mrow[^>]*>)?<mo form="prefix">−'),
    separator="<mo>,</mo>",
    blank='<mtext class="blank">\u2003\u2003</mtext>',
    linked='<mrow data-cell="{id}">{x}</mrow>',
    hat='<mover accent="true"><mrow>{x}</mrow><mo>^</mo></mover>',
    floor="<mrow><mo>⌊</mo>{x}<mo>⌋</mo></mrow>",
    old="<mi>old</mi>",
    prime="<msup><mrow>{x}</mrow><mo>′</mo></msup>",
    summed="<munder><mo>∑</mo><mrow>{i}</mrow></munder>",
    typeset=Typeset(
        letter="<mi>{x}</mi>",
        name="<mi>{x}</mi>",
        number="<mn>{x}</mn>",
        sign="<mtext>{x}</mtext>",
        text="<mtext>{x}</mtext>",
        sub="<msub><mrow>{a}</mrow><mrow>{b}</mrow></msub>",
        sup="<msup><mrow>{a}</mrow><mrow>{b}</mrow></msup>",
        both="<msubsup><mrow>{a}</mrow><mrow>{b}</mrow><mrow>{c}</mrow></msubsup>",
        escape=xml_text,
        fraction="<mfrac",
        tall=("<mfrac", "<munder", "<msqrt"),
        signs={"'": "<mo>′</mo>"},
    ),
)

_RUN = "<m:r><m:t>{x}</m:t></m:r>"
_UPRIGHT = '<m:r><m:rPr><m:sty m:val="p"/></m:rPr><m:t>{x}</m:t></m:r>'
_WORDS = '<m:r><m:rPr><m:nor/></m:rPr><m:t xml:space="preserve">{x}</m:t></m:r>'  # also brackets, which need no other half then
_LARGE = '<m:argPr><m:argSz m:val="1"/></m:argPr>'  # in a line of text too, a fraction has letters of full size

OMML = Dialect(
    key="omml",
    times=_UPRIGHT.format(x="·"),
    wide_times=_UPRIGHT.format(x="·"),
    partial=_RUN.format(x="∂"),
    mark=_WORDS.format(x="+"),
    exponential="<m:sSup><m:e>" + _RUN.format(x="e") + "</m:e><m:sup>{x}</m:sup></m:sSup>",
    root='<m:rad><m:radPr><m:degHide m:val="1"/></m:radPr><m:deg/><m:e>{x}</m:e></m:rad>',
    absolute='<m:d><m:dPr><m:begChr m:val="|"/><m:endChr m:val="|"/></m:dPr><m:e>{x}</m:e></m:d>',
    total='<m:nary><m:naryPr><m:chr m:val="∑"/><m:limLoc m:val="undOvr"/><m:supHide m:val="1"/></m:naryPr><m:sub>{i}</m:sub><m:sup/>'
    "<m:e>{x}</m:e></m:nary>",
    ten=_UPRIGHT.format(x="×") + "<m:sSup><m:e>" + _UPRIGHT.format(x="10") + "</m:e><m:sup>{n}</m:sup></m:sSup>",
    functions={name: (_RUN if len(spelled) == 1 else _WORDS).format(x=spelled) for name, spelled in _NAMED.items()},
    approximately=_UPRIGHT.format(x="≈"),
    ellipsis=_UPRIGHT.format(x="⋯"),
    function=_WORDS,
    quotient=f"<m:f><m:num>{_LARGE}{{a}}</m:num><m:den>{_LARGE}{{b}}</m:den></m:f>",
    power="<m:sSup><m:e>{a}</m:e><m:sup>{b}</m:sup></m:sSup>",
    brackets=_WORDS.format(x="(") + "{x}" + _WORDS.format(x=")"),
    tall="<m:d><m:e>{x}</m:e></m:d>",
    via="<m:sSub><m:e>" + _WORDS.format(x="|") + "</m:e><m:sub>{x}</m:sub></m:sSub>",
    unraised=("<m:sSup>", "<m:f>", "×"),
    plus=_UPRIGHT.format(x="+"),
    minus=_UPRIGHT.format(x="−"),
    negative=_UPRIGHT.format(x="−"),
    signed=re.compile(re.escape(_UPRIGHT.format(x="−"))),
    separator=_WORDS.format(x=", "),
    blank=_WORDS.format(x="_" * 10),
    floor='<m:d><m:dPr><m:begChr m:val="⌊"/><m:endChr m:val="⌋"/></m:dPr><m:e>{x}</m:e></m:d>',
    hat='<m:acc><m:accPr><m:chr m:val="\u0302"/></m:accPr><m:e>{x}</m:e></m:acc>',
    old=_WORDS.format(x="old"),
    prime="<m:sSup><m:e>{x}</m:e><m:sup>" + _UPRIGHT.format(x="′") + "</m:sup></m:sSup>",
    summed="<m:limLow><m:e>" + _UPRIGHT.format(x="∑") + "</m:e><m:lim>{i}</m:lim></m:limLow>",
    typeset=Typeset(
        letter=_RUN,
        name=_WORDS,
        number=_UPRIGHT,
        sign=_WORDS,
        text=_WORDS,
        sub="<m:sSub><m:e>{a}</m:e><m:sub>{b}</m:sub></m:sSub>",
        sup="<m:sSup><m:e>{a}</m:e><m:sup>{b}</m:sup></m:sSup>",
        both="<m:sSubSup><m:e>{a}</m:e><m:sub>{b}</m:sub><m:sup>{c}</m:sup></m:sSubSup>",
        escape=xml_text,
        fraction="<m:f>",
        tall=("<m:f>", "<m:nary>", "<m:rad>"),
        signs={"'": _UPRIGHT.format(x="′")},
    ),
)

# --- Typst ------------------------------------------------------------------------------------------------------------


def typst_text(text: str) -> str:
    """A text that means itself between the quotation marks of a string of Typst, on one line."""
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


TYPST = Dialect(
    key="typst",
    times=" dot.op ",
    wide_times=" dot.op ",
    partial="∂ ",
    mark="+",
    exponential="e^({x})",
    root="sqrt({x})",
    absolute="abs({x})",
    total="sum_({i}) {x}",
    ten=" times 10^({n})",
    functions={name: spelled if len(spelled) == 1 else f'"{spelled}"' for name, spelled in _NAMED.items()},
    letters={"ŷ": "hat(y)"},
    approximately="approx",
    ellipsis="dots.c",
    function='"{x}"',
    quotient="frac({a}, {b})",
    ratio="dfrac({a}, {b})",
    power="{a}^({b})",
    via='class("normal", lr(\\|, size: #1.3em))_({x})',
    comma='","',
    unraised=("^", "frac(", " times "),
    blank='class("normal", #box(width: 16mm, height: 5mm, stroke: (bottom: 0.5pt)))',
    hat="hat({x})",
    old='"old"',
    summed="sum_({i}) ",
    typeset=Typeset(
        letter="{x} ",
        name='"{x}"',
        number="{x}",
        sign="\\{x}",
        text='"{x}"',
        sub="{a}_({b})",
        sup="{a}^({b})",
        both="{a}_({b})^({c})",
        escape=typst_text,
        fraction="frac(",
        signs={"+": "+", "-": "-", "'": "prime "},
    ),
)

TYPESET = {dialect.key: dialect for dialect in (LATEX, MATHML, OMML, TYPST)}
