"""Reading a problem of equations: given numbers, quantities in order, the one whose gradients are wanted, and rules of updating.

- `equations(found, problem)` is the problem with them; `add_rules(item, problem)` reads `update: {w: w - f/grad.w}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from handcalc.core.expr import ZERO, Expr, Number, Ref, references
from handcalc.errors import Message
from handcalc.loading.schedules import batch_size
from handcalc.problem.fields import read_section
from handcalc.problem.names import RESERVED
from handcalc.problem.reader import NAME_LENGTH, FileNode, is_quantity_name, listed, near, quoted
from handcalc.problem.schema import GivenCell, NamedFormula, Problem, Sample, Tensor

MARKS = "./∂+⁺"  # one of them is in every id or printed name of a step that is no quantity's own
EQUATION_KEYS = ("minimize", "parameters")
NETWORK_KEYS = (
    "layers", "inputs", "targets", "data", "test", "standardize", "loss", "error", "report", "regularization", "input_gradients",
)  # fmt: skip


def equations(found: dict[str, FileNode], problem: Problem) -> Problem:
    """The problem with its equations; errors where a name is not known yet, or given twice."""
    for key in NETWORK_KEYS:
        if key in found:
            text = "does not go with equations"
            if key in ("inputs", "targets"):
                text = "does not go with equations; numbers stand under given, or under samples"
            found[key].fail(text)
    entries = found["equations"].mapping() if "equations" in found else {}
    if "equations" in found and entries is not None and not entries:
        found["equations"].fail("there is no equation")
    if entries and not found["equations"].within_limit(
        len(entries), "equations", "more than {limit} equations; set {variable} to raise the limit"
    ):
        entries = None
    given, tables, fixed = _given(found, entries or {})
    names, samples = _samples(found, (*given, *tables))
    defined = _defined(found, entries or {}, dict.fromkeys((*given, *names)), tables)
    minimize = found["minimize"].text() or "" if "minimize" in found else ""
    if minimize and entries is not None and minimize not in entries:
        found["minimize"].fail("there is no equation {found}{near}", found=quoted(minimize), near=near(minimize, entries))
    if any(equation.index for equation in defined if equation.name == minimize):
        found["minimize"].fail("{found} is a list; what is minimised is a single number, such as a sum", found=quoted(minimize))
    parameters = _parameters(found, (*given, *tables))
    if parameters and not minimize and not fixed:
        found["parameters"].fail("minimize is missing: name the quantity whose gradients are wanted")
    if "learning_rate" in found and "parameters" not in found and "update" not in found:
        found["learning_rate"].fail("parameters are missing: name the given numbers that are updated")
    return problem.replace(given=given, tables=tables, fixed=fixed, equations=defined, minimize=minimize, parameters=parameters,
                           inputs=names, samples=samples)  # fmt: skip


def _samples(found: dict[str, FileNode], given: Collection[str]) -> tuple[tuple[str, ...], tuple[Sample, ...]]:
    """The names that every sample has numbers for, inputs then targets, and the samples."""
    result: list[Sample] = []
    names: tuple[str, ...] = ()
    for number, entry in enumerate((found["samples"].sequence() or ()) if "samples" in found else (), 1):
        part = read_section(entry, "sample")
        own = {name: item for key in ("inputs", "targets") if key in part for name, item in (part[key].mapping() or {}).items()}
        names = names or tuple(own)
        if set(own) != set(names) or not own:
            entry.fail("every sample needs the same inputs: {wanted}, found {found}", wanted=listed(names), found=listed(own))
            continue
        for name, item in own.items() if not result else ():
            _check_name(name, item, found)
            if name in given:
                item.fail("{name} is given already; use a new name for the new value", name=quoted(name))
        called = (part["name"].name() if "name" in part else None) or str(number)
        result.append(Sample(called, tuple(own[name].number() or ZERO for name in names), None))
    return names, tuple(result)


def add_rules(item: FileNode, problem: Problem) -> Problem:
    """The problem with the rules of its update: new values of given numbers, in order, each a formula of its own."""
    entries = item.mapping() or {}
    names = dict.fromkeys((*problem.given, *problem.inputs, *problem.tables, *(equation.name for equation in problem.equations)))
    if problem.learning_rate is not None:
        names["rate"] = None
    ids = _derivatives(problem, names)
    given = (*problem.given, *problem.tables)
    result: list[NamedFormula] = []
    for name, entry in entries.items():
        if name not in given:
            entry.fail("there is no given number {found}{near}", found=quoted(name), near=near(name, given))
        rule = _rule_over_lists(name, entry, problem, names, ids) if problem.tables else _alone(name, entry.formula(names, ids=ids))
        _check_alone(entry, rule.formula if rule else None, problem)
        if rule is not None:
            result.append(rule)
        ids[f"new.{name}"] = Ref(f"new.{name}")
    by_rate = [name for name in problem.parameters if name not in entries]
    if by_rate and problem.learning_rate is None:
        item.fail("a learning_rate is missing for {names}, for which there is no formula here", names=listed(by_rate))
    return problem.replace(rules=tuple(result), parameters=tuple(dict.fromkeys((*problem.parameters, *entries))))


def _alone(name: str, formula: Expr | None) -> NamedFormula | None:
    return None if formula is None else NamedFormula(name, formula)


def _rule_over_lists(name: str, entry: FileNode, problem: Problem, names: Collection[str], ids: Mapping[str, Expr]) -> NamedFormula | None:
    """The rule of a given number or list, where there are lists: of the same size."""
    from handcalc.loading.arrayformulas import Arrays, sized, sizes_of  # rarely there, so nobody else waits for it

    sizes = sizes_of(problem.tables, problem.equations)
    symbols = {one: (one, sizes.get(one, ())) for one in names}
    gradients = {f"grad.{one}": size for one, size in sizes.items()}
    second = {f"grad2.{one}" for one, size in sizes.items() if size}
    for symbol, ref in ids.items():
        assert isinstance(ref, Ref)
        if ref.quantity not in second:
            symbols[symbol] = ref.quantity, gradients.get(ref.quantity, ())
    return sized(name, entry, Arrays(symbols), sizes.get(name, ()))


def _check_alone(entry: FileNode, formula: Expr | None, problem: Problem) -> None:
    """An error where a formula uses a number of every sample and an update has several."""
    each = set(problem.inputs)
    for equation in problem.equations:
        if each & {ref.quantity for ref in references(equation.formula)}:
            each.add(equation.name)
    used = [ref.quantity for ref in references(formula) if ref.quantity in each] if formula is not None else []
    if used and batch_size(problem) > 1:
        text = "{name} has a number for every sample; write training: {example}, or use the gradient, which is that of all of them"
        entry.fail(text, name=quoted(used[0]), example="{mode: online}")


def _derivatives(problem: Problem, names: Collection[str]) -> dict[str, Expr]:
    """Ids and symbols of the derivatives of what is minimised by all that it depends on: grad.w, df/dw, df_dw, grad2.w."""
    formulas = {equation.name: equation.formula for equation in problem.equations}
    reached = {problem.minimize} & {*formulas}
    pending = list(reached)
    while pending:
        used = {ref.quantity for ref in references(formulas[pending.pop()])} - reached
        pending += used & {*formulas}
        reached |= used
    found: dict[str, Expr] = {}
    for name in reached - {problem.minimize}:
        found |= {f"grad.{name}": Ref(f"grad.{name}"), f"grad2.{name}": Ref(f"grad2.{name}")}
        if f"d{problem.minimize}_d{name}" not in names:
            found[f"d{problem.minimize}_d{name}"] = Ref(f"grad.{name}")
        if f"d{problem.minimize}" not in names:
            found |= dict.fromkeys((f"d{problem.minimize}/d{name}", f"∂{problem.minimize}/∂{name}"), Ref(f"grad.{name}"))
    return found


def _given(
    found: dict[str, FileNode], equations: dict[str, FileNode]
) -> tuple[dict[str, Number], dict[str, Tensor], tuple[GivenCell, ...]]:
    """Given numbers by name, lists and matrices of them, and numbers in the place of what would be worked out: under a name that has an
    equation, or that is none."""
    entries = found["given"].mapping() or {} if "given" in found else {}
    fixed = {name: item for name, item in entries.items() if name in equations or not is_quantity_name(name) and _is_id(name)}
    for name, item in entries.items():
        if name not in fixed:
            _check_name(name, item, found)
    listed = {name: item for name, item in entries.items() if name not in fixed and item.kind == "sequence"}
    numbers = {name: item.number() or ZERO for name, item in entries.items() if name not in fixed and name not in listed}
    tables: dict[str, Tensor] = {}
    cells: tuple[GivenCell, ...] = ()
    if listed:
        from handcalc.loading.arrayformulas import table  # rarely there, so nobody else waits for it

        tables = {name: values for name, item in listed.items() if (values := table(item)) is not None}
    if fixed:
        from handcalc.loading.given import given_cells  # the same

        cells = given_cells(fixed.items())
    return numbers, tables, cells


def _is_id(name: str) -> bool:
    """Whether a text that is no name may be the id of a step, such as grad.z, or a printed name, such as ∂f/∂z."""
    return any(mark in name for mark in MARKS)


def _defined(
    found: dict[str, FileNode], entries: dict[str, FileNode], given: Collection[str], tables: Mapping[str, Tensor]
) -> tuple[NamedFormula, ...]:
    if tables:
        from handcalc.loading.arrayformulas import defined  # rarely there, so nobody else waits for it

        for name, item in entries.items():
            _check_name(name, item, found)
        return defined(entries, given, tables)
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
    if name == "rate" and "learning_rate" in found or name == "loss" and "samples" in found:
        item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message(RESERVED[name]))


def _parameters(found: dict[str, FileNode], given: Collection[str]) -> tuple[str, ...]:
    result = []
    for item in (found["parameters"].sequence() or ()) if "parameters" in found else ():
        name = item.text()
        if name is not None and name not in given:
            item.fail("there is no given number {found}{near}", found=item.shown, near=near(name, given))
        if name in result:
            item.fail("{found} is there twice", found=item.shown)
        result.append(name or "")
    return tuple(result)
