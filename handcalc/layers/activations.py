"""Reading activations: the word of one, with its numbers, or a formula in z; one for a layer, or one per neuron.

- `activations(item, neurons)` reads them, `one_activation(item)` one of single numbers; `applied(activation, net)` puts it on something.
- `has_slope(activation)` says whether a gradient goes through one.
- `usual(name)` is one by its word; `SPELLINGS` says what else it is called in problem files.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.derivative import differentiate
from handcalc.core.expr import ONE, ZERO, Call, Expr, Number, Ref, number, rewrite, walk
from handcalc.core.functions import ACTIVATIONS, function
from handcalc.layers import FILES
from handcalc.problem.reader import FileNode, is_name, quoted, suggestion
from handcalc.problem.schema import Activation
from handcalc.problem.spellings import Spellings

SOFTMAX = Activation("softmax")
IDENTITY = Activation("identity", Ref("z"))
TEMPERATURE = "temperature"  # the number of a function of a whole layer: what every z is divided by
JACOBIAN = "jacobian"  # whether the matrix of its derivatives is a step

# what else activations are called in problem files
SPELLINGS: Spellings = {
    "sigmoid": (
        "sigm",
        "logistic",
        "logistic_sigmoid",
        "logsig",
        "σ",
        "对率函数",
        "对数几率函数",
        "逻辑函数",
        "逻辑斯谛函数",
        "S型函数",
        "sigmoid函数",
    ),
    "bipolar_sigmoid": ("双极性S型函数", "双极S型函数", "双极性sigmoid"),
    "tanh": ("tansig", "hyperbolic_tangent", "th", "双曲正切", "双曲正切函数", "tanh函数"),
    "relu": ("rectifier", "rectified_linear_unit", "poslin", "修正线性单元", "线性整流", "整流线性单元", "relu函数"),
    "leaky_relu": ("lrelu", "带泄露的relu", "带泄漏的relu"),
    "elu": ("exponential_linear_unit", "指数线性单元"),
    "gelu": ("gaussian_error_linear_unit", "高斯误差线性单元"),
    "silu": ("sigmoid_linear_unit",),
    "identity": ("linear", "none", "id", "purelin", "no_activation", "线性", "线性函数", "恒等", "恒等函数", "无"),
    "step": ("heaviside", "unit_step", "binary_step", "threshold", "hardlim", "阶跃", "阶跃函数", "单位阶跃函数"),
    "sign": ("sgn", "signum", "符号", "符号函数"),
    "softmax": ("softargmax", "softmax函数", "归一化指数函数"),
}


def has_slope(activation: Activation) -> bool:
    """Whether the output moves with the net input: that of 2·step(z) − 1 does not, its derivative is 0 wherever there is one."""
    return activation.formula is None or differentiate(activation.formula, Ref("z")) != ZERO


def activations(item: FileNode | None, neurons: tuple[str, ...]) -> tuple[Activation, ...]:
    """One activation for the whole layer, or one per neuron; none after an error."""
    if item is None:
        return (IDENTITY,)
    if item.kind != "sequence":
        one = _activation(item)
        return (one,) if one else ()
    parts = item.sequence() or []
    if neurons and len(parts) != len(neurons):
        item.fail("one activation per neuron is expected: {wanted}, found {found}", wanted=len(neurons), found=len(parts))
    known = tuple(activation for part in parts if (activation := _activation(part)))
    whole = next((activation for activation in known if activation.formula is None), None)
    if whole and set(known) != {whole}:
        item.fail("{name} takes the whole layer; give it alone", name=whole.name)
    return (whole,) if whole else known


def one_activation(item: FileNode | None, usual: Activation = IDENTITY) -> Activation | None:
    """The activation of single numbers, the usual one where none is given; None after an error."""
    found = _activation(item) if item is not None else usual
    if item is not None and found is not None and found.formula is None:
        item.fail("{name} takes the whole layer; here every number has its activation by itself", name=found.name)
        return None
    return found


def applied(activation: Activation, net: Expr) -> Expr:
    """f(net) of an activation of single numbers."""
    assert activation.formula is not None, activation.name
    return rewrite(activation.formula, lambda node: net if isinstance(node, Ref) else None)


def _activation(item: FileNode) -> Activation | None:
    options: dict[str, FileNode] = {}
    if item.kind == "mapping":
        entries = item.mapping() or {}
        if len(entries) != 1:
            item.fail("expected one activation such as {example}", example="{leaky_relu: {slope: 0.01}}")
            return None
        (typed, inner), *_ = entries.items()
        name = inner.stands_for(ACTIVATIONS, SPELLINGS, typed)
        if not name:
            if name is None:
                _unknown(inner, typed)
            return None
        known = (TEMPERATURE, JACOBIAN) if function(name).family else function(name).arguments[1:]
        options = inner.section(known) if inner.kind != "null" else {}
    else:
        text = item.text()
        name = item.stands_for(ACTIVATIONS, SPELLINGS) if text is not None else ""
        if not name:
            return _formula(item, text) if name is None and text is not None else None
    least = 0 if function(name).family else None  # a temperature is above 0
    jacobian = function(name).family and JACOBIAN in options and options.pop(JACOBIAN).flag() is True
    found = usual(name, {key: found for key, item in options.items() if (found := item.number(above=least)) is not None})
    return found.replace(jacobian=True) if jacobian else found


def usual(name: str, numbers: Mapping[str, Number] = {}) -> Activation:
    """An activation by its word, with these numbers and the usual ones for others."""
    record = function(name)
    if record.family:
        temperature = numbers.get(TEMPERATURE)
        return Activation(name, temperature=None if temperature in (None, ONE) else temperature)
    if name == "identity":
        return IDENTITY
    others = (numbers.get(key, number(default)) for key, default in zip(record.arguments[1:], record.defaults))
    return Activation(name, Call(name, (Ref("z"), *others)))


def _formula(item: FileNode, text: str) -> Activation | None:
    """An activation typed as a formula in z."""
    if is_name(text) and text != "z" and not text.isdigit():
        _unknown(item, text)
        return None
    written = item.formula({"z"})
    if written is not None and not any(isinstance(node, Ref) for node in walk(written)):
        item.fail("the formula of an activation must use {name}, found {found}", name="z", found=item.shown)
    return Activation(text, written) if written is not None else None


def _unknown(item: FileNode, name: str) -> None:
    if name.lower() in FILES:
        item.fail("{name} is a layer of its own, below this one: {example}", name=name, example=f"{{type: {name.lower()}, …}}")
        return
    item.fail("unknown activation {found}{near}", found=quoted(name), near=suggestion(name, ACTIVATIONS))
