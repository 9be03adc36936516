"""Reading how a problem is to be worked: rounding, conventions, training, and what is trained."""

from __future__ import annotations

from handcalc.errors import Message
from handcalc.layers import layer_type
from handcalc.loading.equations import add_rules
from handcalc.loading.rates import add_rates
from handcalc.loading.rounding import override_places, rounding
from handcalc.problem.fields import keys, read_section
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Conventions, Problem, Training
from handcalc.problem.values import Section
from handcalc.problem.words import DAMPENING, OPTIMISERS, STOPS


def add_settings(found: Section, problem: Problem) -> Problem:
    """The problem with learning rate, schedule, optimiser, training, update, conventions, rounding, tasks and `generate`."""
    problem = problem.replace(**found.read(("input_gradients",)))
    if "learning_rate" in found:
        problem = add_rates(found["learning_rate"], problem)
    if {"optimizer", "weight_decay", "clipping"} & {*found}:
        from handcalc.loading.optimisers import add_optimizer  # rarely there, so nobody else waits for it

        problem = add_optimizer(found, problem)
    if "training" in found:
        problem = problem.replace(training=_training(found["training"]))
    if "schedule" in found:
        from handcalc.loading.schedules import add_schedule  # rarely there, so nobody else waits for it

        problem = add_schedule(found["schedule"], problem)
    if "layers" not in found and problem.learning_rate is not None:
        _check_ids(found, problem)
    update = Section({}, {})
    if "update" in found and problem.equations and {*(found["update"].mapping() or {})} - {*keys("update")}:  # formulas
        problem = add_rules(found["update"], problem)
    elif "update" in found:
        update = read_section(found["update"], "update")
    problem = _conventions(found, problem.replace(trained_biases=update.value("biases", True)))
    if "frozen" in update:
        from handcalc.loading.frozen import add_frozen  # rarely there, so nobody else waits for it

        problem = add_frozen(update, problem)  # by the names that the conventions give
    if "rounding" in found:
        problem = problem.replace(rounding=rounding(found["rounding"]), overridden=override_places(found["rounding"]))
    if "tasks" in found:
        from handcalc.loading.tasks import add_tasks  # rarely there, so nobody else waits for it

        problem = add_tasks(found["tasks"], problem)
    if "generate" in found:
        from handcalc.loading.generating import generating  # rarely there, so nobody else waits for it

        problem = problem.replace(generating=generating(found["generate"]))
    return problem


def _check_ids(found: dict[str, FileNode], problem: Problem) -> None:
    """An error where an equation has the name of a quantity of the update."""
    numbers = problem.optimizer.numbers
    counted = problem.schedule is not None or OPTIMISERS[problem.optimizer.name].counts
    used = {"count": counted, "rate0": problem.schedule is not None, "norm": "clip_norm" in numbers}
    taken = {*numbers, *(name for name, there in used.items() if there)}
    for key in ("given", "equations"):
        for name, item in ((found[key].mapping() or {}) if key in found else {}).items():
            if name in taken:
                item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message("a quantity of the update"))


def _training(item: FileNode) -> Training:
    part = read_section(item, "training")
    stop = part.inside("stop")
    if "patience" in stop and "change" not in stop:
        stop["patience"].fail("goes with change only")
    mode = part.value("mode")
    if mode == "mini_batch" and "batch_size" not in part:
        part["mode"].fail("mini-batches need a batch_size, the number of samples in one")
    elif mode != "mini_batch" and "batch_size" in part:
        part["batch_size"].fail("goes with mode: mini_batch only")
    ends = {f"stop_{key}": found for key, found in stop.read(STOPS).items()}
    return Training(**part.read(("mode", "batch_size", "epochs", "order", "seed")), **stop.read(("patience",)), **ends)


def _conventions(found: Section, problem: Problem) -> Problem:
    part = read_section(found["conventions"], "conventions") if "conventions" in found else Section({}, {})
    taken = part.read(Conventions._fields)
    if "sample_reduction" in found:
        reduction = found.value("sample_reduction")
        if "sample_reduction" in part and taken.get("sample_reduction") != reduction:
            found["sample_reduction"].fail("conventions say otherwise; leave one of both out")
        taken["sample_reduction"] = reduction
    if "bias_update" in part:
        trained = part.value("bias_update", True)
        if "update" in found and trained != problem.trained_biases:
            part["bias_update"].fail("update: biases says otherwise; leave one of both out")
        problem = problem.replace(trained_biases=trained)
    dampening = problem.optimizer.numbers.get(DAMPENING)
    if taken.get("momentum_form") == "average" and dampening is not None and dampening.numerator:
        part["momentum_form"].fail("an average has the share 1 − μ of the gradient; it goes without dampening")
    if taken.get("hidden_error_weights") == "updated" and problem.learning_rate is not None:
        recurrent = any(layer_type(layer.type).is_recurrent for layer in problem.layers)
        if recurrent or "clip_norm" in problem.optimizer.numbers:
            what = Message("a recurrent layer") if recurrent else Message("clipping by the norm")
            part["hidden_error_weights"].fail("{what} needs the error before there are updated weights; write old", what=what)
    return problem.replace(conventions=Conventions(**{key: value for key, value in taken.items() if value is not None}))
