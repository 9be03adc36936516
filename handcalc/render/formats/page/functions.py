"""The functions of core/functions.py as JavaScript, read from their Python: a page has them from where everything else does.

- `javascript(names)` are the definitions of some functions: `f3` is that of number 3 of the table; and of what they call.

What is read: expressions, chosen values, comparisons, lists over the values of a family, and names of `math`, of which numbers.js has
those that it needs. A function that is more than that is an error that names it. Arithmetic is written as calls (add, mul …), because
numbers of a page are fractions or floats, as in an evaluation (core/instance.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from inspect import getsource
from typing import Any

from handcalc.core import functions
from handcalc.core.functions import FUNCTIONS, Function

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "power",
    ast.Gt: "> 0", ast.Lt: "< 0", ast.GtE: ">= 0", ast.LtE: "<= 0", ast.Eq: "=== 0", ast.NotEq: "!== 0",
}  # fmt: skip
_BUILT_IN = {"max": "max", "min": "min", "abs": "abs", "float": "float", "_rest": "rest"}


def number_of(record: Function) -> int:
    """The place of a function in the table, which its name in a page is made of."""
    return list(FUNCTIONS).index(record.name)


def javascript(names: Iterable[str]) -> str:
    """The text of definitions, one a line: helpers first. Raises OSError where there is no source."""
    lines: dict[str, str] = {}
    for record in sorted(map(FUNCTIONS.__getitem__, set(names)), key=number_of):
        value = _values()[record.name]
        for called in _helpers(value):
            lines.setdefault(called, f"const {called} = {_function(_defined()[called])};")
        exact = ", ".join(f"{place}n" for place in record.exact_at)
        kind = f"{{ rational: {_truth(record.rational)}, family: {_truth(record.family)}, exact: [{exact}] }}"
        lines[record.name] = f"const f{number_of(record)} = made({_function(value)}, {kind});"
    return "\n".join(lines.values())


def _truth(value: bool) -> str:
    return "true" if value else "false"


@cache
def _module() -> ast.Module:
    return ast.parse(getsource(functions))


@cache
def _defined() -> dict[str, ast.FunctionDef]:
    """The functions of the module, by name."""
    return {node.name: node for node in _module().body if isinstance(node, ast.FunctionDef)}


@cache
def _values() -> dict[str, ast.expr]:
    """What each record says its value is."""
    found = {}
    for node in ast.walk(_module()):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Function" and node.args:
            name, value = node.args[:2]
            if isinstance(name, ast.Constant):
                found[str(name.value)] = value
    return found


def _helpers(value: ast.AST) -> Iterator[str]:
    """The functions of the module that a value is made with, each after those that it calls itself."""
    for node in ast.walk(value):
        if isinstance(node, ast.Name) and node.id in _defined() and node.id not in _BUILT_IN:
            yield from _helpers(_defined()[node.id])
            yield node.id


def _function(node: ast.AST) -> str:
    """A function as one of JavaScript: a lambda, a definition, or the name of one."""
    match node:
        case ast.Lambda(args=arguments, body=body):
            return f"({_names(arguments)}) => {_written(body)}"
        case ast.FunctionDef(args=arguments, body=body):
            return f"({_names(arguments)}) => {{ {' '.join(map(_statement, body))} }}"
    return _written(node)


def _names(arguments: ast.arguments) -> str:
    return ", ".join(argument.arg for argument in arguments.args)


def _statement(node: ast.stmt) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return f"const {name} = {_written(value)};"
        case ast.Return(value=value) if value is not None:
            return f"return {_written(value)};"
    raise _not_read(node)


def _written(node: ast.AST) -> str:
    """An expression."""
    match node:
        case ast.Constant(value=float(number)):
            return repr(number)
        case ast.Constant(value=int(number)):
            return f"{number}n"
        case ast.Name(id=name):
            constant = getattr(functions, name, None)
            return repr(constant) if isinstance(constant, float) else _BUILT_IN.get(name, name)
        case ast.Attribute(value=ast.Name(id="math"), attr=name):
            return f"math.{name}"
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"neg({_written(operand)})"
        case ast.BinOp(left=left, op=operator, right=right):
            return f"{_OPERATORS[type(operator)]}({_written(left)}, {_written(right)})"
        case ast.IfExp(test=test, body=body, orelse=other):
            return f"({_condition(test)} ? {_written(body)} : {_written(other)})"
        case ast.Subscript(value=value, slice=place):
            return f"{_written(value)}[{_written(place)}]"
        case ast.Call(func=ast.Name(id="int"), args=[test]):
            return f"({_condition(test)} ? 1n : 0n)"
        case ast.Call(func=called, args=arguments):
            return f"{_written(called)}({', '.join(map(_written, arguments))})"
        case ast.ListComp(elt=body, generators=[one]) | ast.GeneratorExp(elt=body, generators=[one]) if not one.ifs:
            return f"{_written(one.iter)}.map(({_written(one.target)}) => {_written(body)})"
    raise _not_read(node)


def _condition(node: ast.AST) -> str:
    if isinstance(node, ast.Compare):
        sides: list[Any] = [node.left, *node.comparators]
        pairs = zip(sides, node.ops, sides[1:])
        return " && ".join(f"compare({_written(left)}, {_written(right)}) {_OPERATORS[type(sign)]}" for left, sign, right in pairs)
    return f"compare({_written(node)}, 0n) !== 0"


def _not_read(node: ast.AST) -> ValueError:
    return ValueError(f"core/functions.py: a page cannot have {ast.unparse(node)}; write the value as one expression")
