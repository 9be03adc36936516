r"""Mathematics as it is typed in LaTeX and Markdown, on one line: `without_typesetting(text)`.

`\frac{\partial E}{\partial w_5} &= \mathbf{0.0822} \\` is `∂E/∂w_5 = 0.0822`, a bmatrix is `[0.1 0.2; 0.3 0.4]`. To read another
command: a line in `_COMMANDS`.
"""

from __future__ import annotations

import re

_GROUP = r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac{_GROUP}{_GROUP}")
_WRAPPER = re.compile(rf"\\(?:mathrm|mathbf|mathit|boldsymbol|bm|text|textbf|operatorname|boxed|mathcal|vec|overrightarrow){_GROUP}")
_HAT = re.compile(r"\\(?:wide)?(hat|tilde)\s*(?:\{([^{}]*)\}|(\w))")
_MATRIX = re.compile(r"\\begin\{([a-zA-Z]*matrix|array)\}(?:\{[^{}]*\})?(.*?)\\end\{\1\}", re.DOTALL)
_AROUND = re.compile(
    r"\\(?:begin|end)\{(?:align|aligned|equation|gather|gathered|split|eqnarray|cases|multline)\*?\}"
    r"|\\(?:nonumber|displaystyle|quad|qquad|left|right)\b|\\[,;! ]"
)
_COMMANDS = {
    r"\partial": "∂", r"\cdot": "·", r"\times": "×", r"\approx": "≈", r"\leftarrow": "←", r"\gets": "←", r"\rightarrow": "→",
    r"\Rightarrow": "⇒", r"\to": "→", r"\simeq": "≈", r"\%": "%",
}  # fmt: skip
_MARKS = {"hat": "\u0302", "tilde": "\u0303"}
_SIGNS = re.compile(r"\$|`|\\[()\[\]]")


def without_typesetting(text: str) -> str:
    """A text without the commands and signs of LaTeX and Markdown."""
    plain = re.sub(r"(?<![\w*])\*\*(?=\S)(.+?)(?<=\S)\*\*(?![\w*])", r"\1", text)  # bold
    plain = re.sub(r"^\*(?=\S)([^*=]+?)(?<=\S)\*(?=\s*[=≈:：])", r"\1", plain)  # a name in italics
    if "\\" in plain:
        plain = _MATRIX.sub(_rows, plain)
        plain = _AROUND.sub(" ", plain)
        for _ in range(4):  # one in another
            plain = _WRAPPER.sub(r"\1", plain)
        plain = _HAT.sub(lambda found: (found[2] or found[3]) + _MARKS[found[1]], plain)
        plain = _FRACTION.sub(_quotient, plain)
        for command, sign in _COMMANDS.items():
            plain = re.sub(re.escape(command) + r"(?![a-zA-Z])" + r"\s*" * (sign == "∂"), sign, plain)
        plain = re.sub(r"\\\\[\s$]*$", "", plain)
    plain = re.sub(r"\s*&\s*(?=[=≈≃←])", " ", plain)
    return _SIGNS.sub("", plain).strip()


def _rows(found: re.Match[str]) -> str:
    """A matrix as [a b; c d]."""
    rows = (" ".join(part.strip() for part in row.split("&")) for row in re.split(r"\\\\(?:\[[^\]]*\])?|\\cr\b", found[2]))
    return f"[{'; '.join(row for row in rows if row.strip())}]"


def _quotient(fraction: re.Match[str]) -> str:
    return "/".join(f"({part})" if re.search(r"[-+*·\s]", part.replace(r"\partial ", "")) else part for part in fraction.groups())
