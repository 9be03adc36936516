"""Reading a problem of equations: given numbers, quantities in order, and the one whose gradients are wanted."""

from __future__ import annotations

from handcalc.core.expr import ZERO, Number
from handcalc.errors import Message
from handcalc.problem.names import RESERVED
from handcalc.problem.reader import NAME_LENGTH, FileNode, is_quantity_name, near, quoted
from handcalc.problem.schema import GivenCell, NamedFormula, Problem

MARKS = "./∂+⁺"  # one of them is in every id or printed name of a step that is no quantity's own
EQUATION_KEYS = ("minimize", "parameters")
NETWORK_KEYS = (
    "layers", "inputs", "targets", "samples", "data", "test", "loss", "error", "report", "regularization", "input_gradients",
    "sample_reduction",
)  # fmt: skip


def equations(found: dict[str, FileNode], problem: Problem) -> Problem:
    """The problem with its equations; errors where a name is not known yet, or given twice."""
    for key in NETWORK_KEYS:
        if key in found:
            found[key].fail("does not go with equations")
    entries = found["equations"].mapping() if "equations" in found else {}
    if "equations" in found and entries is not None and not entries:
        found["equations"].fail("there is no equation")
    if entries and not found["equations"].within_limit(
        len(entries), "equations", "more than {limit} equations; set {variable} to raise the limit"
    ):
        entries = None
    given, fixed = _given(found, entries or {})
    defined = _defined(found, entries or {}, given)
    minimize = found["minimize"].text() or "" if "minimize" in found else ""
    if minimize and entries is not None and minimize not in entries:
        found["minimize"].fail("there is no equation {found}{near}", found=quoted(minimize), near=near(minimize, entries))
    parameters = _parameters(found, given)
    if parameters and not minimize and not fixed:
        found["parameters"].fail("minimize is missing: name the quantity whose gradients are wanted")
    if "learning_rate" in found and "parameters" not in found:
        found["learning_rate"].fail("parameters are missing: name the given numbers that are updated")
    return problem.replace(given=given, fixed=fixed, equations=defined, minimize=minimize, parameters=parameters)


def _given(found: dict[str, FileNode], equations: dict[str, FileNode]) -> tuple[dict[str, Number], tuple[GivenCell, ...]]:
    """Given numbers by name, and numbers in the place of what would be worked out: under a name that has an equation, or that is none."""
    entries = found["given"].mapping() or {} if "given" in found else {}
    fixed = {name: item for name, item in entries.items() if name in equations or not is_quantity_name(name) and _is_id(name)}
    for name, item in entries.items():
        if name not in fixed:
            _check_name(name, item, found)
    numbers = {name: item.number() or ZERO for name, item in entries.items() if name not in fixed}
    if not fixed:
        return numbers, ()
    from handcalc.loading.given import given_cells  # rarely there, so nobody else waits for it

    return numbers, given_cells(fixed.items())


def _is_id(name: str) -> bool:
    """Whether a text that is no name may be the id of a step, such as grad.z, or a printed name, such as ∂f/∂z."""
    return any(mark in name for mark in MARKS)


def _defined(found: dict[str, FileNode], entries: dict[str, FileNode], given: dict[str, Number]) -> tuple[NamedFormula, ...]:
    result: list[NamedFormula] = []
    known = dict.fromkeys(given)
    for name, item in entries.items():
        _check_name(name, item, found)
        expr = item.formula(known, entries)
        known[name] = None
        if expr is not None:
            result.append(NamedFormula(name, expr))
    return tuple(result)


def _check_name(name: str, item: FileNode, found: dict[str, FileNode]) -> None:
    if not is_quantity_name(name):
        template = "expected a letter, then letters, digits and _ (at most {limit}), and no constant such as pi; found {found}"
        item.fail(template, limit=NAME_LENGTH, found=quoted(name))
    if name == "rate" and "learning_rate" in found:
        item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message(RESERVED[name]))


def _parameters(found: dict[str, FileNode], given: dict[str, Number]) -> tuple[str, ...]:
    result = []
    for item in (found["parameters"].sequence() or ()) if "parameters" in found else ():
        name = item.text()
        if name is not None and name not in given:
            item.fail("there is no given number {found}{near}", found=item.shown, near=near(name, given))
        if name in result:
            item.fail("{found} is there twice", found=item.shown)
        result.append(name or "")
    return tuple(result)
