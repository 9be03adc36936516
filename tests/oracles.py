"""What the tests compare handcalc with: SymPy, high-precision values, central differences.

- `to_sympy(expr)` is the same formula in SymPy; `SYMPY` says what each of our functions is there, definitions apart.
- `precise(expression, values)` is a SymPy expression's value with 40 digits.
- `central(f, x)` is a derivative by five-point central differences.
- `law(examples)` are the settings of property tests: so many examples in the slow run, a fifth of them in the quick one; the same
  every time, unless HANDCALC_EXAMPLES asks for that many times more, drawn at random.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import sympy
from hypothesis import HealthCheck, settings

from handcalc.core.expr import Expr, Ref
from handcalc.errors import HandcalcError
from handcalc.proof import symbolic
from handcalc.proof.symbolic import symbol

DIGITS = 40
MORE = int(os.environ.get("HANDCALC_EXAMPLES", "0"))
SHARE = settings.default.max_examples / 100 if settings.default else 1.0  # as conftest.py has it for the run


def law(examples: int) -> settings:
    """Settings of a property test with so many examples."""
    return settings(
        max_examples=max(round(examples * SHARE), min(examples, 10)) * max(MORE, 1),
        derandomize=not MORE,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


def _piecewise(test: Any, then: Any, otherwise: Any) -> Any:
    return sympy.Piecewise((then, test), (otherwise, True))


def _larger(a: Any, b: Any, tie: Any) -> Any:
    return sympy.Piecewise((1, a > b), (0, a < b), (tie, True))


def _slope(z: Any, below: Any, above: Any, at_zero: Any) -> Any:
    return sympy.Piecewise((above, z > 0), (below, z < 0), (at_zero, True))


def _within(z: Any, low: Any, high: Any, below: Any, inside: Any, above: Any) -> Any:
    return sympy.Piecewise((below, z <= low), (above, z >= high), (inside, True))


def _huber(e: Any, d: Any) -> Any:
    size = _piecewise(e >= 0, e, -e)
    return _piecewise(size <= d, e**2 / 2, d * (size - d / 2))


# name → the function in SymPy, of its arguments; a family function gets (entries, at)
SYMPY: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda z: 1 / (1 + sympy.exp(-z)),
    "bipolar_sigmoid": lambda z: 2 / (1 + sympy.exp(-z)) - 1,
    "tanh": sympy.tanh,
    "relu": lambda z: _piecewise(z > 0, z, 0),
    "leaky_relu": lambda z, slope: _piecewise(z > 0, z, slope * z),
    "elu": lambda z, alpha: _piecewise(z > 0, z, alpha * (sympy.exp(z) - 1)),
    "relu6": lambda z: _within(z, 0, 6, 0, z, 6),
    "hard_sigmoid": lambda z: _within(z, -3, 3, 0, (z + 3) / 6, 1),
    "hard_tanh": lambda z: _within(z, -1, 1, -1, z, 1),
    "gelu": lambda z: z * (1 + sympy.erf(z / sympy.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (z + sympy.Rational(44715, 1000000) * z**3))) / 2,
    "silu": lambda z: z / (1 + sympy.exp(-z)),
    "swish": lambda z, beta: z / (1 + sympy.exp(-beta * z)),
    "mish": lambda z: z * sympy.tanh(sympy.log(1 + sympy.exp(z))),
    "softsign": lambda z: z / (1 + _piecewise(z >= 0, z, -z)),
    "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
    "identity": lambda z: z,
    "step": lambda z: _piecewise(z >= 0, 1, 0),
    "bipolar_step": lambda z: _piecewise(z >= 0, 1, -1),
    "sign": lambda z: _slope(z, -1, 1, 0),
    "softmax": lambda z, at: sympy.exp(z[at]) / sum(map(sympy.exp, z)),
    "exp": sympy.exp,
    "ln": sympy.log,
    "log": sympy.log,
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "sqrt": sympy.sqrt,
    "abs": lambda x: _piecewise(x >= 0, x, -x),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "erf": sympy.erf,
    "floor": lambda x: sympy.Piecewise(*((step - 1, x < step) for step in range(-8, 9))),  # SymPy's has no derivative
    "pi": lambda: sympy.pi,
    "max": lambda a, b: _piecewise(a >= b, a, b),
    "min": lambda a, b: _piecewise(a <= b, a, b),
    "huber": _huber,
    "log_cosh": lambda e: sympy.log(sympy.cosh(e)),
    "kl": lambda t, o: t * sympy.log(t / o),
    "log_softmax": lambda z, at: z[at] - sympy.log(sum(map(sympy.exp, z))),
    "logsumexp": lambda z, at: sympy.log(sum(map(sympy.exp, z))),
    "relu'": lambda z, at_zero: _slope(z, 0, 1, at_zero),
    "leaky_relu'": lambda z, slope: _slope(z, slope, 1, slope),
    "elu'": lambda z, alpha: _piecewise(z > 0, 1, alpha * sympy.exp(z)),
    "relu6'": lambda z: _within(z, 0, 6, 0, 1, 0),
    "hard_sigmoid'": lambda z: _within(z, -3, 3, 0, sympy.Rational(1, 6), 0),
    "hard_tanh'": lambda z: _within(z, -1, 1, 0, 1, 0),
    "max'": _larger,
}


def to_sympy(expr: Expr) -> Any:
    """An instance formula (no totals) as a SymPy expression of the functions above."""
    return symbolic.to_sympy(expr, SYMPY)


def precise(expression: Any, values: Mapping[Ref, float]) -> Any:
    """The value with 40 digits, an mpmath number; floats enter exactly. ValueError where SymPy made an infinity."""
    if sympy.sympify(expression).has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ValueError(f"no finite value: {expression}")
    with mpmath.workdps(DIGITS):
        compute = sympy.lambdify([symbol(ref) for ref in values], expression, "mpmath")
        return mpmath.mpmathify(compute(*(mpmath.mpf(value) for value in values.values())))


def central(f: Callable[[float], float], x: float) -> float:
    """f′(x) by five-point central differences, with the first step whose half gives the same to nine digits, else the best."""
    best, least = math.nan, math.inf
    for h in (1e-3, 1e-4, 1e-6, 1e-8):
        whole, half = _five_points(f, x, h), _five_points(f, x, h / 2)
        error = abs(whole - half)
        if error < least:
            best, least = half, error
        if least <= 1e-9 * max(1.0, abs(best)):
            break
    return best


def _five_points(f: Callable[[float], float], x: float, h: float) -> float:
    """NaN where f is not defined at one of them."""
    try:
        return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)
    except (ArithmeticError, ValueError, HandcalcError):
        return math.nan


def close(got: float, expected: float, tolerance: float = 1e-9) -> bool:
    """Equal but for rounding errors: relative for large numbers, absolute below 1."""
    return abs(got - expected) <= tolerance * max(1.0, abs(expected))
