"""The table of functions: value, definition, partial derivatives, domain and kinks; one record each.

- `function(name)` finds a record; `FUNCTIONS` is the table in the order it is listed to users, `ACTIVATIONS` those that layers name.
- definitions.py puts the formulas of a record on arguments.

To add a function, write one record; with `layer=True` it is an activation. `partials` are formulas in the argument names
and `y`, the function's own value; the laws of tests/ compare them with central differences and with SymPy, and `definition`
with `value`. For a function of a whole family (softmax) the partial with respect to member k uses `y` (the entry taken),
`yk` (entry k) and `same` (1 for k = the entry taken, else 0).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from handcalc.core.record import Record
from handcalc.errors import Template

SMALL = 1e-6  # a sum above is no noise of terms of a usual size: it is not asked
NOISE = 1e-13  # two numbers that differ by less than this, of themselves, differ by their rounding errors


class Function(Record):
    """One function.

    name: as typed in a problem; value: the value from numbers; arguments: their names in the formulas below;
    partials: ∂/∂argument as formulas; definition: a formula in simpler functions, "" for a primitive;
    doc: one line; defaults: values of trailing arguments that may be left out; rational: exact in fractions;
    exact_at: arguments with an exact value; kinks: where the derivative jumps; safe: a range for tests;
    family: a function of a whole family, `at` choosing the entry; member: the family function whose entries are `yk`;
    jumps: its value does, at a kink or where two arguments are equal;
    limit: it has a limit where its definition has no value;
    worked: show the definition when numbers are put in; variadic: takes two arguments or more; layer: layers may name it as activation.
    """

    name: str
    value: Callable[..., Any]
    arguments: tuple[str, ...]
    partials: tuple[str, ...]
    definition: str = ""
    doc: Template = ""
    defaults: tuple[str, ...] = ()
    rational: bool = False
    exact_at: tuple[int, ...] = ()
    kinks: tuple[int, ...] = ()
    jumps: bool = False
    limit: bool = False
    safe: tuple[float, float] = (-3.0, 3.0)
    family: bool = False
    member: str = ""
    worked: bool = False
    variadic: bool = False
    layer: bool = False


def _rest(z: Any) -> float:
    """What a fraction is more than the float next to it."""
    return 0.0 if type(z) is float else float(z - type(z)(float(z)))


def _exp(z: Any) -> float:
    return math.exp(float(z)) * (1 + _rest(z))


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z > -700 else math.exp(z)


def _softplus(z: float) -> float:
    return math.log1p(math.exp(z)) if z < 30 else z + math.log1p(math.exp(-z))


def _softmax(values: Sequence[float], at: int) -> float:
    top = max(values)
    powers = [math.exp(value - top) for value in values]
    return powers[at] / math.fsum(powers)


def _log_sum_exp(values: Sequence[float], at: int) -> float:
    top = max(values)
    return float(top) + math.log(math.fsum(math.exp(value - top) for value in values))


def _log_softmax(values: Sequence[float], at: int) -> float:
    return float(values[at]) - _log_sum_exp(values, at)


def _step(z: Any) -> int:
    return 1 if z >= 0 else 0


def _sign(z: Any) -> int:
    return int(z > 0) - int(z < 0)


def _slope(z: Any, below: Any, above: Any, at_zero: Any) -> Any:
    return above if z > 0 else below if z < 0 else at_zero


def _inside(z: Any, low: Any, high: Any) -> int:
    return 1 if low < z < high else 0


def _hard_sigmoid(z: Any) -> Any:
    return 0 if z <= -3 else 1 if z >= 3 else (z + 3) / 6


def _hard_sigmoid_slope(z: Any) -> Any:
    return (1 + 0 * z) / 6 if -3 < z < 3 else 0


def _gelu_tanh(z: float) -> float:
    return z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


def _log_cosh(e: float) -> float:
    return abs(e) + math.log1p(math.exp(-2 * abs(e))) - math.log(2)


def _relative_entropy(t: float, o: float) -> float:
    return t * math.log(t / o) if t else 0.0


def _larger(a: Any, b: Any, tie: Any) -> Any:
    return tie if abs(a - b) <= NOISE * max(abs(a), abs(b)) else 1 if a > b else 0


def _huber(e: Any, d: Any) -> Any:
    return e * e / 2 if abs(e) <= d else d * (abs(e) - d / 2)


_RECORDS = (
    # --- activations, as named in problem files --------------------------------------------------------------------
    Function("sigmoid", _sigmoid, ("z",), ("y*(1 - y)",), "1/(1 + exp(-z))", "logistic function", exact_at=(0,), worked=True, layer=True),
    Function("bipolar_sigmoid", lambda z: 2 * _sigmoid(z) - 1, ("z",), ("(1 + y)*(1 - y)/2",), "2/(1 + exp(-z)) - 1",
             "logistic function scaled to −1 … 1", exact_at=(0,), worked=True, layer=True),
    Function("tanh", math.tanh, ("z",), ("1 - y^2",), "(exp(z) - exp(-z))/(exp(z) + exp(-z))", "hyperbolic tangent", exact_at=(0,),
             layer=True),
    Function("relu", lambda z: max(z, 0), ("z",), ("relu'(z)",), "max(0, z)", "rectified linear unit",
             rational=True, kinks=(0,), worked=True, layer=True),
    Function("leaky_relu", lambda z, slope: z if z > 0 else slope * z, ("z", "slope"), ("leaky_relu'(z, slope)", "min(0, z)"),
             "max(0, z) + slope*min(0, z)", "ReLU with a slope below 0", ("0.01",), rational=True, kinks=(0,), layer=True),
    Function("elu", lambda z, alpha: z if z > 0 else alpha * math.expm1(z), ("z", "alpha"),
             ("elu'(z, alpha)", "exp(min(0, z)) - 1"), "max(0, z) + alpha*(exp(min(0, z)) - 1)",
             "exponential linear unit", ("1",), kinks=(0,), layer=True),
    Function("relu6", lambda z: min(max(z, 0), 6), ("z",), ("relu6'(z)",), "max(0, min(6, z))", "ReLU cut off at 6",
             rational=True, kinks=(0, 6), safe=(-3.0, 9.0), worked=True, layer=True),
    Function("hard_sigmoid", _hard_sigmoid, ("z",), ("hard_sigmoid'(z)",), "max(0, min(6, z + 3))/6",
             "straight line from 0 at −3 to 1 at 3 (PyTorch's)", rational=True, kinks=(-3, 3), safe=(-6.0, 6.0), worked=True, layer=True),
    Function("hard_tanh", lambda z: min(max(z, -1), 1), ("z",), ("hard_tanh'(z)",), "max(-1, min(1, z))", "z cut off at −1 and 1",
             rational=True, kinks=(-1, 1), worked=True, layer=True),
    Function("gelu", lambda z: z / 2 * (1 + math.erf(z / math.sqrt(2))), ("z",),
             ("(1 + erf(z/sqrt(2)))/2 + z*exp(-z^2/2)/sqrt(2*pi)",), "z/2*(1 + erf(z/sqrt(2)))",
             "Gaussian error linear unit", exact_at=(0,), worked=True, layer=True),
    Function("gelu_tanh", _gelu_tanh, ("z",),
             ("(1 + tanh(sqrt(2/pi)*(z + 0.044715*z^3)))/2"
              " + z/2*(1 - tanh(sqrt(2/pi)*(z + 0.044715*z^3))^2)*sqrt(2/pi)*(1 + 0.134145*z^2)",),
             "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z^3)))", "GELU by tanh", exact_at=(0,), worked=True, layer=True),
    Function("silu", lambda z: z * _sigmoid(z), ("z",), ("sigmoid(z)*(1 + z*(1 - sigmoid(z)))",), "z/(1 + exp(-z))",
             "sigmoid linear unit (swish)", exact_at=(0,), worked=True, layer=True),
    Function("swish", lambda z, beta: z * _sigmoid(beta * z), ("z", "beta"),
             ("beta*y + sigmoid(beta*z)*(1 - beta*y)", "z*sigmoid(beta*z)*(z - y)"), "z/(1 + exp(-beta*z))",
             "SiLU with a factor beta inside", ("1",), worked=True, layer=True),
    Function("mish", lambda z: z * math.tanh(_softplus(z)), ("z",),
             ("tanh(softplus(z)) + z*(1 - tanh(softplus(z))^2)*sigmoid(z)",), "z*tanh(ln(1 + exp(z)))", "z times tanh of softplus",
             exact_at=(0,), worked=True, layer=True),
    Function("softsign", lambda z: z / (1 + abs(z)), ("z",), ("1/(1 + abs(z))^2",), "z/(1 + abs(z))", "z over 1 + its size",
             rational=True, worked=True, layer=True),
    Function("softplus", _softplus, ("z",), ("sigmoid(z)",), "ln(1 + exp(z))", "smooth ReLU", worked=True, layer=True),
    Function("identity", lambda z: z, ("z",), ("1",), "z", "no activation", rational=True, layer=True),
    Function("step", _step, ("z",), ("0",), "1 - max(0, sign(-z))", "1 from 0 upwards, else 0", rational=True, kinks=(0,),
             jumps=True, safe=(0.5, 3.0), layer=True),
    Function("bipolar_step", lambda z: 2 * _step(z) - 1, ("z",), ("0",), "1 - 2*max(0, sign(-z))", "1 from 0 upwards, else −1",
             rational=True, kinks=(0,), jumps=True, safe=(0.5, 3.0), layer=True),
    Function("sign", _sign, ("z",), ("0",), "", "−1, 0 or 1", rational=True, kinks=(0,), jumps=True, safe=(0.5, 3.0),
             layer=True),
    Function("softmax", _softmax, ("z",), ("y*(same - yk)",), "", "e^z over Σ e^z", family=True, member="softmax", worked=True, layer=True),
    Function("log_softmax", _log_softmax, ("z",), ("same - yk",), "", "ln of softmax", family=True, member="softmax", worked=True,
             layer=True),
    # --- elementary functions, for formulas --------------------------------------------------------------------------
    Function("exp", _exp, ("x",), ("y",), "", "e^x", exact_at=(0,)),
    Function("ln", math.log, ("x",), ("1/x",), "", "natural logarithm", exact_at=(1,), safe=(0.2, 3.0)),
    Function("log", math.log, ("x",), ("1/x",), "ln(x)", "natural logarithm", exact_at=(1,), safe=(0.2, 3.0)),
    Function("log10", math.log10, ("x",), ("1/(x*ln(10))",), "ln(x)/ln(10)", "log base 10", exact_at=(1, 10, 100, 1000), safe=(0.2, 3.0)),
    Function("log2", math.log2, ("x",), ("1/(x*ln(2))",), "ln(x)/ln(2)", "log base 2", exact_at=(1, 2, 4, 8), safe=(0.2, 3.0)),
    Function("sqrt", math.sqrt, ("x",), ("1/(2*y)",), "", "square root", exact_at=(0, 1, 4), safe=(0.2, 3.0)),
    Function("abs", abs, ("x",), ("sign(x)",), "", "absolute value", rational=True, kinks=(0,)),
    Function("sin", math.sin, ("x",), ("cos(x)",), "", "sine", exact_at=(0,)),
    Function("cos", math.cos, ("x",), ("-sin(x)",), "", "cosine", exact_at=(0,)),
    Function("tan", math.tan, ("x",), ("1 + y^2",), "", "tangent", exact_at=(0,), safe=(-1.2, 1.2)),
    Function("erf", math.erf, ("x",), ("2/sqrt(pi)*exp(-x^2)",), "", "error function", exact_at=(0,)),
    Function("floor", math.floor, ("x",), ("0",), "", "the largest whole number not above x", rational=True, kinks=tuple(range(-99, 100)),
             jumps=True),
    Function("pi", lambda: math.pi, (), (), "", "π"),
    Function("max", max, ("a", "b"), ("max'(a, b, 1)", "max'(b, a, 0)"), "", "the largest", rational=True, variadic=True),
    Function("min", min, ("a", "b"), ("max'(b, a, 1)", "max'(a, b, 0)"), "", "the smallest", rational=True, variadic=True),
    Function("huber", _huber, ("e", "d"), ("max(-d, min(d, e))", "max(0, abs(e) - d)"), "min(abs(e), d)*(abs(e) - min(abs(e), d)/2)",
             "½e² near 0, linear beyond d", ("1",), rational=True, safe=(-0.8, 0.8)),
    Function("log_cosh", _log_cosh, ("e",), ("tanh(e)",), "ln((exp(e) + exp(-e))/2)", "ln of cosh, near ½e² at 0", exact_at=(0,),
             worked=True),
    Function("kl", _relative_entropy, ("t", "o"), ("ln(t/o) + 1", "-t/o"), "t*ln(t/o)", "t·ln(t/o), 0 where t is 0", safe=(0.2, 3.0),
             limit=True, worked=True),
    Function("logsumexp", _log_sum_exp, ("z",), ("yk",), "", "ln of the sum of all e^z", family=True, member="softmax", worked=True),
    # --- derivatives with a name of their own: slopes that jump -------------------------------------------------------
    Function("relu'", lambda z, at_zero: _slope(z, 0, 1, at_zero), ("z", "at_zero"), ("0", "0"),
             "max(0, sign(z)) + at_zero*(1 - abs(sign(z)))", "slope of ReLU", ("0",), rational=True, kinks=(0,), jumps=True),
    Function("leaky_relu'", lambda z, slope: _slope(z, slope, 1, slope), ("z", "slope"), ("0", "step(-z)"),
             "max(0, sign(z)) + slope*(1 - max(0, sign(z)))", "slope of leaky ReLU", rational=True, kinks=(0,), jumps=True),
    Function("elu'", lambda z, alpha: 1 if z > 0 else alpha * math.exp(z), ("z", "alpha"), ("step(-z)*y", "step(-z)*exp(min(0, z))"),
             "max(0, sign(z)) + alpha*exp(min(0, z))*(1 - max(0, sign(z)))", "slope of ELU", kinks=(0,), jumps=True),
    Function("relu6'", lambda z: _inside(z, 0, 6), ("z",), ("0",), "max(0, sign(3 - abs(z - 3)))", "slope of ReLU6", rational=True,
             kinks=(0, 6), jumps=True, safe=(-3.0, 9.0)),
    Function("hard_sigmoid'", _hard_sigmoid_slope, ("z",), ("0",), "max(0, sign(3 - abs(z)))/6",
             "slope of hard sigmoid", rational=True, kinks=(-3, 3), jumps=True, safe=(-6.0, 6.0)),
    Function("hard_tanh'", lambda z: _inside(z, -1, 1), ("z",), ("0",), "max(0, sign(1 - abs(z)))", "slope of hard tanh", rational=True,
             kinks=(-1, 1), jumps=True),
    Function("max'", _larger, ("a", "b", "tie"), ("0", "0", "0"), "relu'(a - b, tie)", "1 if a is larger, 0 if smaller, else `tie`",
             ("1",), rational=True, jumps=True),
)  # fmt: skip

FUNCTIONS: dict[str, Function] = {record.name: record for record in _RECORDS}

# Activations a layer may name, in the order of the documentation.
ACTIVATIONS = tuple(record.name for record in _RECORDS if record.layer)


def function(name: str) -> Function:
    """The record of a function. Raises KeyError naming it where there is none."""
    return FUNCTIONS[name]
