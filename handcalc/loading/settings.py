"""Reading how a problem is to be worked: rounding, conventions, training, and what is trained."""

from __future__ import annotations

from typing import Any

from handcalc.core.rounding import DEFAULT_SIGNIFICANT, DIGITS_LIMIT, Rounding
from handcalc.errors import Message
from handcalc.problem.fields import STOPS, choices, keys
from handcalc.problem.names import is_parameter, name_of, parameter_names, printed_weights
from handcalc.problem.reader import Item, near
from handcalc.problem.schema import Conventions, Problem, Training

DECIMALS_LIMIT = 15
FLAGS = ("bias_update", "adam_bias_correction", "bias_decay")  # conventions that are yes or no


def add_settings(found: dict[str, Item], problem: Problem) -> Problem:
    """The problem with learning rate, schedule, optimiser, training, update, conventions, rounding and tasks."""
    if "learning_rate" in found:
        problem = problem.replace(learning_rate=found["learning_rate"].number(positive=True))
    if "input_gradients" in found:
        problem = problem.replace(input_gradients=found["input_gradients"].flag() is True)
    if {"optimizer", "weight_decay", "clipping"} & {*found}:
        from handcalc.loading.optimisers import add_optimizer  # rarely there, so nobody else waits for it

        problem = add_optimizer(found, problem)
    if "training" in found:
        problem = problem.replace(training=_training(found["training"]))
    if "schedule" in found:
        from handcalc.loading.schedules import add_schedule  # rarely there, so nobody else waits for it

        problem = add_schedule(found["schedule"], problem)
    if problem.equations and problem.learning_rate is not None:
        _check_ids(found, problem)
    if "update" in found:
        problem = _update(found["update"], problem)
    problem = _conventions(found, problem)
    if "update" in found:
        problem = _frozen(found["update"], problem)
    if "rounding" in found:
        problem = problem.replace(rounding=rounding(found["rounding"]))
    if "tasks" in found:
        from handcalc.loading.tasks import add_tasks  # rarely there, so nobody else waits for it

        problem = add_tasks(found["tasks"], problem)
    return problem


def _check_ids(found: dict[str, Item], problem: Problem) -> None:
    """An error where an equation has the name of a quantity of the update."""
    numbers = problem.optimizer.numbers
    counted = problem.schedule is not None or problem.optimizer.name in ("adam", "adamw")
    used = {"count": counted, "rate0": problem.schedule is not None, "norm": "clip_norm" in numbers}
    taken = {*numbers, *(name for name, there in used.items() if there)}
    for key in ("given", "equations"):
        for name, item in ((found[key].mapping() or {}) if key in found else {}).items():
            if name in taken:
                item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message("a quantity of the update"))


def chosen(found: dict[str, Item], section: str, key: str, default: str = "") -> str:
    """A key with a closed list of words; the default where it is not given or wrong."""
    return (found[key].choice(choices(section, key)) if key in found else None) or default


def _training(item: Item) -> Training:
    part = item.section(keys("training"))
    stop = part["stop"].section((*STOPS, "patience")) if "stop" in part else {}
    limits = {key: entry.number(positive=True) for key, entry in stop.items() if key != "patience"}
    if "patience" in stop and "change" not in stop:
        stop["patience"].fail("goes with change only")
    mode = chosen(part, "training", "mode", "batch")
    if mode == "mini_batch" and "batch_size" not in part:
        part["mode"].fail("mini-batches need a batch_size, the number of samples in one")
    elif mode != "mini_batch" and "batch_size" in part:
        part["batch_size"].fail("goes with mode: mini_batch only")
    return Training(
        mode,
        (part["batch_size"].whole(1, 1_000_000) or 0) if "batch_size" in part else 0,
        (part["epochs"].whole(1, 100_000_000) or 0) if "epochs" in part else 0,
        chosen(part, "training", "order", "given"),
        limits.get("loss"),
        (part["seed"].whole(0, 10**9) or 0) if "seed" in part else 0,
        limits.get("change"),
        limits.get("gradient"),
        (stop["patience"].whole(1, 1_000_000) or 1) if "patience" in stop else 1,
    )


def _update(item: Item, problem: Problem) -> Problem:
    part = item.section(keys("update"))
    trained = "biases" not in part or part["biases"].flag() is not False
    return problem.replace(trained_biases=trained)


def _frozen(item: Item, problem: Problem) -> Problem:
    """The parameters that are not trained, by their names, their ids, or as they are printed."""
    part = item.section(keys("update")) if item.kind == "mapping" else {}
    printed = printed_weights(problem)
    frozen = set()
    for entry in (part["frozen"].sequence() or ()) if "frozen" in part else ():
        name = entry.text()
        if name is not None and not is_parameter(name, problem):
            called = name_of(name, problem)
            hint = Message(', it is called "{name}"', name=called) if called else near(name, parameter_names(problem))
            if name in printed:
                name = printed[name]
            else:
                entry.fail("there is no parameter {found}{near}", found=entry.shown, near=hint)
        frozen.add(name or "")
    return problem.replace(frozen=frozenset(frozen))


def _conventions(found: dict[str, Item], problem: Problem) -> Problem:
    part = found["conventions"].section(keys("conventions")) if "conventions" in found else {}
    taken: dict[str, Any] = {key: item.choice(choices("conventions", key)) for key, item in part.items() if key not in FLAGS}
    taken |= {key: item.flag() for key, item in part.items() if key in FLAGS and key != "bias_update"}
    if "sample_reduction" in found:
        reduction = found["sample_reduction"].choice(choices("problem", "sample_reduction"))
        if taken.setdefault("sample_reduction", reduction) != reduction:
            found["sample_reduction"].fail("conventions say otherwise; leave one of both out")
    if "bias_update" in part:
        trained = part["bias_update"].flag() is not False
        if "update" in found and trained != problem.trained_biases:
            part["bias_update"].fail("update: biases says otherwise; leave one of both out")
        problem = problem.replace(trained_biases=trained)
    if taken.get("hidden_error_weights") == "updated" and problem.learning_rate is not None:
        recurrent = any(layer.type in ("rnn", "lstm", "gru") for layer in problem.layers)
        if recurrent or "clip_norm" in problem.optimizer.numbers:
            what = Message("a recurrent layer") if recurrent else Message("clipping by the norm")
            part["hidden_error_weights"].fail("{what} needs the error before there are updated weights; write old", what=what)
    return problem.replace(conventions=Conventions(**{key: value for key, value in taken.items() if value is not None}))


def rounding(item: Item) -> Rounding:
    """The `rounding:` of a problem or of an answer sheet."""
    part = item.section(keys("rounding"))
    decimals, significant = digits(item, part)
    overrides = []
    for pattern, entry in (part["overrides"].mapping() or {}).items() if "overrides" in part else ():
        inner = entry.section(("decimals", "significant"))
        if entry.kind == "mapping" and not inner:
            entry.fail("give decimals or significant")
        overrides.append((pattern, *digits(entry, inner)))
    return Rounding(
        decimals,
        significant or (DEFAULT_SIGNIFICANT if decimals is None else None),
        carry="carry" in part and part["carry"].flag() is True,
        ties=chosen(part, "rounding", "ties", "half_up"),
        overrides=tuple(overrides),
        exact="exact" in part and part["exact"].flag() is True,
    )


def digits(item: Item, part: dict[str, Item]) -> tuple[int | None, int | None]:
    """(decimals, significant), at least one of them None."""
    if "decimals" in part and "significant" in part:
        item.fail("give decimals or significant, not both")
    if "decimals" in part:
        return part["decimals"].whole(0, DECIMALS_LIMIT), None
    return None, part["significant"].whole(1, DIGITS_LIMIT) if "significant" in part else None
