"""Formulas as the code of a framework of arrays.

- `LANGUAGES` has PyTorch, JAX and NumPy: how a script begins, how an array is written, what functions are called.
- `ArrayCode(language).of(expr, names, numbers)` is the code of a formula; a function that a framework has not is written out by its own
  formula (core/functions.py), and refused where it has none.

To add a framework of arrays: its record in `LANGUAGES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce

from handcalc.bridges.network import reject
from handcalc.bridges.writing import shortest
from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum
from handcalc.core.formula import any_name, parse
from handcalc.core.functions import function
from handcalc.core.record import Record


class Language(Record):
    """A framework of arrays: the lines at the beginning of a script; array: of numbers and sizes; stack: parts along a new last axis;
    functions: ours → a template; families: softmax and its like, of an array and an axis; gradients: the function that works them out;
    helpers: functions that a script has where it calls them; parameter: what follows an array that has a gradient."""

    name: str
    head: tuple[str, ...]
    make: str
    stack: str
    functions: Mapping[str, str]
    families: Mapping[str, str]
    gradients: str
    helpers: Mapping[str, tuple[str, ...]]
    parameter: str = ""

    def script(self, lines: Iterable[str]) -> str:
        """The whole text: head, the helpers that are called, lines."""
        body = "\n".join(lines)
        used = [line for name, helper in self.helpers.items() if f"{name}(" in body for line in (*helper, "", "")]
        return "\n".join((*self.head, *used, body)) + "\n"

    def array(self, numbers: list[float], shape: list[int]) -> str:
        """An array as it is typed."""
        if not shape:
            return f"{self.make}({shortest(numbers[0])})"
        return f"{self.make}([{', '.join(map(shortest, numbers))}]).reshape({', '.join(map(str, shape))})"


COMPARISON = (
    "",
    "",
    "def same(name, found, expected):",
    '    """Both agree, relative to the largest number."""',
    "    flat = found.reshape(-1).tolist()",
    '    assert len(flat) == len(expected), f"{name}: {len(flat)} numbers, expected {len(expected)}"',
    "    room = 1e-9 * max(map(abs, expected)) + 1e-14",
    "    for one, other in zip(flat, expected):",
    '        assert abs(one - other) <= room, f"{name}: {one}, by hand {other}"',
    '    print(f"{name}: {len(flat)} numbers agree")',
    "",
    "",
)


def _single(line: str) -> str:
    """With the room that single precision needs."""
    return line.replace("1e-9 * max(map(abs, expected)) + 1e-14", "1e-5 * max(map(abs, expected)) + 1e-6")


_TORCH_GRADIENTS = (
    "def gradients_of(total, parameters):",
    '    """By automatic differentiation."""',
    "    return torch.autograd.grad(total(*parameters), parameters)",
    "",
    "",
)
_JAX_GRADIENTS = (
    "def gradients_of(total, parameters):",
    '    """By automatic differentiation."""',
    "    return jax.grad(total, argnums=tuple(range(len(parameters))))(*parameters)",
    "",
    "",
)
_NUMPY_GRADIENTS = (
    "def gradients_of(total, parameters):",
    '    """By complex steps: the imaginary part of total(w + ih) is h times the slope, and nothing is subtracted."""',
    "    found = []",
    "    for place, parameter in enumerate(parameters):",
    "        slopes = np.zeros(parameter.shape)",
    "        for index in np.ndindex(parameter.shape):",
    "            shifted = [one.astype(complex) for one in parameters]",
    "            shifted[place][index] += 1e-30j",
    "            slopes[index] = total(*shifted).imag / 1e-30",
    "        found.append(slopes)",
    "    return found",
    "",
    "",
)

_PLAIN = {"exp": "{m}.exp({0})", "ln": "{m}.log({0})", "log": "{m}.log({0})", "sqrt": "{m}.sqrt({0})", "sin": "{m}.sin({0})",
          "cos": "{m}.cos({0})", "tan": "{m}.tan({0})", "tanh": "{m}.tanh({0})"}  # fmt: skip


def _of(module: str, **others: str) -> dict[str, str]:
    return {name: template.replace("{m}", module) for name, template in (_PLAIN | others).items()}


_TORCH_HELPERS = {
    "together": (
        "def together(values):",
        "    return torch.stack([torch.as_tensor(one, dtype=torch.float64) for one in values])",
    ),
    "held": ("def held(value):", '    """No gradient goes through it."""', "    return torch.as_tensor(value).detach()"),
}
_JAX_HELPERS = {
    "together": ("def together(values):", "    return jnp.stack([jnp.asarray(one, dtype=float) for one in values])"),
    "held": ("def held(value):", '    """No gradient goes through it."""', "    return jax.lax.stop_gradient(value)"),
}
_TORCH = Language(
    "PyTorch",
    ("import torch", "import torch.nn.functional as F", "", "torch.set_default_dtype(torch.float64)", *COMPARISON, *_TORCH_GRADIENTS),
    "torch.tensor",
    "torch.stack([{0}], -1)",
    _of(
        "torch", sigmoid="torch.sigmoid({0})", relu="torch.relu({0})", leaky_relu="torch.where({0} > 0, {0}, {1} * ({0}))",
        elu="F.elu({0}, {1})",
        gelu="F.gelu({0})", gelu_tanh='F.gelu({0}, approximate="tanh")', silu="F.silu({0})", softplus="F.softplus({0})", mish="F.mish({0})",
        softsign="F.softsign({0})", relu6="F.relu6({0})", hard_tanh="F.hardtanh({0})", erf="torch.erf({0})", abs="torch.abs({0})",
        sign="torch.sign({0})", max="torch.where(torch.as_tensor({0} >= {1}), {0}, {1})",
        min="torch.where(torch.as_tensor({0} <= {1}), {0}, {1})",
        huber="F.huber_loss({0}, torch.zeros_like({0}), reduction='none', delta={1})", kl="torch.xlogy({0}, {0} / {1})",
        hard_sigmoid="F.relu6({0} + 3) / 6", floor="torch.floor({0})",
    ),
    {
        "softmax": "torch.softmax({0}, {1})", "log_softmax": "torch.log_softmax({0}, {1})", "logsumexp": "torch.logsumexp({0}, {1})",
    },
    "gradients_of",
    _TORCH_HELPERS,
    ".requires_grad_()",
)  # fmt: skip
_JAX = Language(
    "JAX",
    ("import jax", "import jax.numpy as jnp", "", 'jax.config.update("jax_enable_x64", True)', *COMPARISON, *_JAX_GRADIENTS),
    "jnp.array",
    "jnp.stack([{0}], -1)",
    _of(
        "jnp", sigmoid="jax.nn.sigmoid({0})", relu="jax.nn.relu({0})", leaky_relu="jax.nn.leaky_relu({0}, {1})", elu="jax.nn.elu({0}, {1})",
        gelu="jax.nn.gelu({0}, approximate=False)", gelu_tanh="jax.nn.gelu({0})", silu="jax.nn.silu({0})", softplus="jax.nn.softplus({0})",
        mish="jax.nn.mish({0})", softsign="jax.nn.soft_sign({0})", relu6="jax.nn.relu6({0})", abs="jnp.abs({0})", sign="jnp.sign({0})",
        max="jnp.where({0} >= {1}, {0}, {1})", min="jnp.where({0} <= {1}, {0}, {1})", floor="jnp.floor({0})",
        erf="jax.scipy.special.erf({0})", kl="jax.scipy.special.xlogy({0}, {0} / {1})",
    ),
    {
        "softmax": "jax.nn.softmax({0}, {1})", "log_softmax": "jax.nn.log_softmax({0}, {1})",
        "logsumexp": "jax.scipy.special.logsumexp({0}, {1})",
    },
    "gradients_of",
    _JAX_HELPERS,
)  # fmt: skip
_NUMPY_HELPERS = {
    "erf": (
        "def erf(value):",
        '    """The error function of real numbers, and its slope, 2/√π·e^(-x²)."""',
        "    real = np.real(value)",
        "    slope = 1.1283791670955126 * np.exp(-(real**2))",
        "    return np.vectorize(math.erf)(real) + (1j * slope * np.imag(value) if np.iscomplexobj(value) else 0)",
    ),
    "together": ("def together(values):", "    return np.array(values)"),
    "held": ("def held(value):", '    """No slope goes through it."""', "    return np.real(value)"),
}
_NUMPY = Language(
    "NumPy",
    ("import math", "", "import numpy as np", *COMPARISON, *_NUMPY_GRADIENTS),
    "np.array",
    "np.stack([{0}], -1)",
    _of(
        "np",
        abs="np.where(np.real({0}) < 0, -({0}), {0})",
        # their slopes at 0 are those from below, which their formulas do not say
        leaky_relu="np.where(np.real({0}) > 0, {0}, {1} * ({0}))", elu="np.where(np.real({0}) > 0, {0}, {1} * (np.exp({0}) - 1))",
        relu="np.where(np.real({0}) > 0, {0}, 0)", floor="np.floor(np.real({0}))", erf="erf({0})",
        kl="np.where(np.real({0}) > 0, {0} * np.log(np.where(np.real({0}) > 0, {0}, 1) / {1}), 0)",
        sign="np.sign(np.real({0}))", max="np.where(np.real({0}) >= np.real({1}), {0}, {1})",
        min="np.where(np.real({0}) <= np.real({1}), {0}, {1})",
    ),
    {  # the largest is subtracted first, or large numbers would have no power
        "softmax": "(lambda e: e / e.sum({1}, keepdims=True))(np.exp({0} - np.real({0}).max({1}, keepdims=True)))",
        "log_softmax": "(lambda z: z - np.log(np.exp(z).sum({1}, keepdims=True)))({0} - np.real({0}).max({1}, keepdims=True))",
        "logsumexp": "(lambda z, top: np.log(np.exp(z - top).sum({1})) + top)({0}, np.real({0}).max({1}))",
    },
    "gradients_of",
    _NUMPY_HELPERS,
)  # fmt: skip
KERAS = Language(  # of its backends only TensorFlow multiplies matrices in double precision
    "Keras",
    (
        "import keras", "import numpy as np", "from keras import ops", *(_single(line) for line in COMPARISON),
    ),
    "np.array",
    "ops.stack([{0}], -1)",
    _of(
        "ops", sigmoid="ops.sigmoid({0})", relu="ops.relu({0})", leaky_relu="ops.leaky_relu({0}, {1})", elu="ops.elu({0}, {1})",
        gelu="ops.gelu({0}, approximate=False)", gelu_tanh="ops.gelu({0}, approximate=True)", silu="ops.silu({0})",
        softplus="ops.softplus({0})", softsign="ops.soft_sign({0})", relu6="ops.relu6({0})", abs="ops.abs({0})", sign="ops.sign({0})",
        max="ops.where({0} >= {1}, {0}, {1})", min="ops.where({0} <= {1}, {0}, {1})", erf="ops.erf({0})", floor="ops.floor({0})",
    ),
    {"softmax": "ops.softmax({0}, axis={1})", "log_softmax": "ops.log_softmax({0}, axis={1})"},
    "",
    {},
)  # fmt: skip
LANGUAGES = {"torch": _TORCH, "jax": _JAX, "numpy": _NUMPY}


class ArrayCode:
    """Formulas in one language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def of(self, expr: Expr, names: Mapping[str, str], numbers: Mapping[str, Number]) -> str:
        """The code of a formula; names: what stands for its names; numbers: of those that have a value. Raises ModelError."""
        writer = _WRITERS[type(expr)]
        return writer(self, expr, {**{name: _literal(value) for name, value in numbers.items()}, **names})

    def family(self, name: str, source: str, axis: int = -1) -> str:
        """softmax and its like, along an axis. Raises ModelError."""
        if name not in self.language.families:
            self._cannot(name)
        return self.language.families[name].format(source, axis)

    def call(self, name: str, arguments: list[str]) -> str:
        """A function; one that the framework has not is written out. Raises ModelError."""
        template = self.language.functions.get(name)
        if template is not None and len(arguments) <= 2:
            return template.format(*arguments)
        if template is not None:
            return reduce(lambda one, other: template.format(one, other), arguments)
        record = function(name)
        if name == "pi":
            return "3.141592653589793"
        if name == "identity":
            return arguments[0]
        if not record.definition:
            self._cannot(name)
        return f"({self.of(parse(record.definition, any_name), dict(zip(record.arguments, map('({})'.format, arguments))), {})})"

    def _cannot(self, what: str) -> None:
        reject("{what} cannot be written for {framework}", what=what, framework=self.language.name)


def _literal(value: Number) -> str:
    return repr(value.numerator / value.denominator) if value.denominator != 1 else str(value.numerator)


Names = Mapping[str, str]


def _ref(code: ArrayCode, expr: Ref, names: Names) -> str:
    return names[expr.quantity]


def _call(code: ArrayCode, expr: Call, names: Names) -> str:
    return code.call(expr.function, [code.of(one, names, {}) for one in expr.arguments])


_WRITERS: dict[type, Callable[..., str]] = {
    Number: lambda code, expr, names: _literal(expr),
    Ref: _ref,
    Sum: lambda code, expr, names: "(" + " + ".join(code.of(one, names, {}) for one in expr.terms) + ")",
    Product: lambda code, expr, names: "(" + " * ".join(code.of(one, names, {}) for one in expr.factors) + ")",
    Negation: lambda code, expr, names: f"(-({code.of(expr.operand, names, {})}))",
    Quotient: lambda code, expr, names: f"({code.of(expr.above, names, {})} / ({code.of(expr.below, names, {})}))",
    Power: lambda code, expr, names: f"({code.of(expr.base, names, {})} ** ({code.of(expr.exponent, names, {})}))",
    Call: _call,
}
