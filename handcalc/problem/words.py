"""Words of the file that stand for something: losses, optimisers, schedules, rules of initial values, ends of training.

- One record a word, with everything that is known about it: `LOSSES`, `OPTIMISERS`, `SCHEDULES`, `INITIAL`.
- Keys (fields.py), readers (loading/), the JSON Schema, the documentation and reports are made from these tables.

To add a loss, a schedule or a rule, add its record. An optimiser also needs its rule in models/optimisers.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.problem.values import ABOVE_0, BELOW_1, FROM_0, UPDATES, Shape


class NamedLoss(Record):
    """A loss: its word, what a report calls it, the formula of one term in o (output) and t (target), and how terms become E.

    mean: averaged over the outputs, not summed; placewise: summed over the outputs of a token, time or place, averaged over those
    form: terms, fused (on net inputs), whole (a formula of `sums` over the outputs) or
    direct (no loss at all)
    numbers: those that may be typed with it, and their usual values
    target: what stands in the place of t, in t and n (the number of outputs); weighted: whether classes may have weights
    sums: name → the term that is summed over the outputs, and the formula of its sum s; spellings: what else it is called in problem files
    """

    word: str
    title: Template
    formula: str = ""
    mean: bool = False
    form: str = "terms"
    numbers: Mapping[str, str] = {}
    target: str = ""
    weighted: bool = False
    sums: Mapping[str, tuple[str, str]] = {}
    placewise: bool = False
    spellings: tuple[str, ...] = ()

    @property
    def usual(self) -> str:
        """The formula with the usual numbers in it."""
        return re.sub(r"\w+", lambda name: self.numbers.get(name[0], name[0]), self.formula)


class PenaltyForm(Record):
    """What stands before Σw²: λ, halved or not, over the number m of samples or not. |w| is never halved."""

    word: str
    halved: bool
    averaged: bool


class NamedOptimiser(Record):
    """An optimiser: its word, its numbers and their usual values (PyTorch's; 0.9 for a momentum).

    either_root: whether √s + ε may also be √(s + ε); counts: whether it knows the number of the update; ahead: whether its gradient is
    taken where the velocity will have led; spellings: what else it is called in problem files, keys: its numbers, besides what keys are
    called everywhere.
    """

    word: str
    numbers: Mapping[str, str] = {}
    either_root: bool = False
    counts: bool = False
    ahead: bool = False
    spellings: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...]] = {}


class NamedSchedule(Record):
    """A schedule: its word, the learning rate as a formula in `rate`, the one at the start, and t, what is counted, from 0.

    numbers: their usual values (PyTorch's), "" where they must be given; doc and example as those of a key; like: its name in
    PyTorch, "" where there is none.
    """

    word: str
    formula: str
    numbers: Mapping[str, str]
    doc: Template
    example: str
    like: str = ""


class InitialRule(Record):
    """A rule by which numbers are drawn: how they are spread, and how widely.

    wide: the standard deviation of normal numbers, the ends of even ones (− and +); a formula in the sizes of the layer;
    spellings: what else it is called in problem files.
    """

    word: str
    spread: str
    wide: str
    spellings: tuple[str, ...] = ()


# --- losses -----------------------------------------------------------------------------------------------------------

FUSED = "softmax_cross_entropy"
DIRECT = NamedLoss("direct", "No loss is given: the error is target minus output, and the delta rule starts from it.", form="direct")
DEFAULT_LOSS = "half_squared_error"

_SMOOTHED: dict[str, Any] = {"numbers": {"smoothing": "0"}, "target": "(1 - smoothing)*t + smoothing/n", "weighted": True}

_LOSSES = (
    NamedLoss("half_squared_error", "half squared error, summed over the outputs", "1/2*(t - o)^2",  # ½Σ(t−o)²
              spellings=("half_sse", "half_mse", "quadratic", "quadratic_cost", "squared_loss", "l2", "l2_loss",
                         "平方和误差", "平方损失", "二次代价", "二次代价函数", "半平方误差")),
    NamedLoss("squared_error", "squared error, summed over the outputs", "(t - o)^2",  # Σ(t−o)²
              spellings=("sse", "se", "sum_of_squares", "sum_squared_error", "quadratic", "squared_loss", "l2", "l2_loss",
                         "误差平方和", "平方误差", "平方损失", "平方和误差")),
    NamedLoss("mean_squared_error", "squared error, averaged over the outputs", "(t - o)^2", mean=True,  # 1/n Σ(t−o)²
              spellings=("mse", "MSELoss", "mean_square_error", "l2", "l2_loss", "均方误差", "均方差", "均方误差损失")),
    NamedLoss("cross_entropy", "cross-entropy", "-t*ln(o)", **_SMOOTHED,  # −Σ t ln o
              spellings=("ce", "categorical_cross_entropy", "cross_entropy_error", "CrossEntropyLoss", "log_loss",
                         "交叉熵", "交叉熵损失", "交叉熵误差", "多分类交叉熵")),
    NamedLoss("mean_cross_entropy", "cross-entropy, averaged over tokens, times or places", "-t*ln(o)", placewise=True,  # −1/m Σ t ln o
              **_SMOOTHED, spellings=("mean_ce", "sequence_cross_entropy", "平均交叉熵", "序列交叉熵")),
    NamedLoss("binary_cross_entropy", "binary cross-entropy, summed over the outputs",
              "-(positive_weight*t*ln(o) + (1 - t)*ln(1 - o))", numbers={"positive_weight": "1"},
              spellings=("bce", "logistic_loss", "log_loss", "二元交叉熵", "二分类交叉熵",
                         "二值交叉熵", "对数损失", "对率损失")),
    NamedLoss("mean_binary_cross_entropy", "binary cross-entropy, averaged over the outputs",
              "-(positive_weight*t*ln(o) + (1 - t)*ln(1 - o))", mean=True, numbers={"positive_weight": "1"},
              spellings=("BCELoss",)),
    NamedLoss("negative_log_likelihood", "negative log-likelihood, of outputs that are logarithms", "-t*o", **_SMOOTHED,  # −Σ t·o
              spellings=("nll", "NLLLoss", "负对数似然", "负对数似然损失")),
    NamedLoss("mean_negative_log_likelihood", "negative log-likelihood, averaged over tokens, times or places", "-t*o", placewise=True,
              **_SMOOTHED, spellings=("mean_nll", "平均负对数似然")),
    NamedLoss("kl_divergence", "Kullback-Leibler divergence of the outputs from the targets", "kl(t, o)",  # Σ t ln(t/o)
              spellings=("kl", "kld", "kullback_leibler", "KL散度", "相对熵")),
    NamedLoss("absolute_error", "absolute error, summed over the outputs", "abs(t - o)",  # Σ|t−o|
              spellings=("l1", "sae", "绝对误差", "绝对值误差")),
    NamedLoss("mean_absolute_error", "absolute error, averaged over the outputs", "abs(t - o)", mean=True,  # 1/n Σ|t−o|
              spellings=("mae", "L1Loss", "平均绝对误差")),
    # ½e² for |e| ≤ δ, else δ(|e| − δ/2)
    NamedLoss("huber", "Huber loss, summed over the outputs", "huber(t - o, delta)", numbers={"delta": "1"},
              spellings=("胡贝尔损失",)),
    NamedLoss("mean_huber", "Huber loss, averaged over the outputs", "huber(t - o, delta)", mean=True, numbers={"delta": "1"},
              spellings=("HuberLoss", "SmoothL1Loss")),
    NamedLoss("log_cosh", "log-cosh loss, summed over the outputs", "log_cosh(t - o)",  # Σ ln cosh(t − o)
              spellings=("对数双曲余弦损失",)),
    NamedLoss("hinge", "hinge loss, summed over the outputs", "max(0, 1 - t*o)",  # Σ max(0, 1 − t·o)
              spellings=("hinge_loss", "合页损失", "铰链损失")),
    NamedLoss("multiclass_hinge", "multiclass hinge loss: margins of the other classes over the right one", "(1 - t)*max(0, o - r + 1)",
              sums={"r": ("t*o", "s")},  # Σ_{j≠y} max(0, o_j − r + 1), r = o_y = Σ t·o
              spellings=("svm_loss", "multiclass_svm", "multiclass_svm_loss", "weston_watkins",
                         "多分类合页损失", "多类合页损失", "多类SVM损失")),
    NamedLoss("cosine", "1 minus the cosine of the angle between outputs and targets", "1 - d/(p*q)", form="whole",
              sums={"d": ("t*o", "s"), "p": ("t^2", "sqrt(s)"), "q": ("o^2", "sqrt(s)")},  # 1 − Σto/(√Σt²·√Σo²)
              spellings=("cosine_similarity", "cosine_embedding", "余弦损失")),
    NamedLoss(FUSED, "softmax and cross-entropy in one step", form="fused", **_SMOOTHED,
              spellings=("softmax_ce", "softmax_with_loss", "cross_entropy_with_logits", "softmax_cross_entropy_with_logits",
                         "CrossEntropyLoss", "softmax交叉熵")),
)  # fmt: skip
LOSSES = {loss.word: loss for loss in _LOSSES}

_PENALTY_FORMS = (
    PenaltyForm("half", halved=True, averaged=False),  # λ/2·Σw²: Bishop; Goodfellow, Bengio, Courville
    PenaltyForm("half_mean", halved=True, averaged=True),  # λ/(2m)·Σw²: Ng; Nielsen
    PenaltyForm("mean", halved=False, averaged=True),  # λ/m·Σw²
    PenaltyForm("sum", halved=False, averaged=False),  # λ·Σw²: ridge regression; Keras
)
PENALTY_FORMS = {form.word: form for form in _PENALTY_FORMS}

# --- updates ----------------------------------------------------------------------------------------------------------

DAMPENING = "dampening"  # the share of the gradient that a velocity does not take

_VELOCITY = {"momentum": ("beta", "β", "gamma", "γ", "rho", "ρ", "decay", "m")}
_AVERAGE = {"rho": ("gamma", "γ", "beta2", "β2", "smoothing")}
_MOMENTS = {"beta1": ("b1", "rho1", "ρ1"), "beta2": ("b2", "rho2", "ρ2"), "epsilon": ("delta", "δ"), "weight_decay": ("lambda", "λ", "wd")}
_ADAM = {"beta1": "0.9", "beta2": "0.999", "epsilon": "1e-8"}

_OPTIMISERS = (
    NamedOptimiser("sgd", spellings=("gd", "gradient_descent", "stochastic_gradient_descent", "梯度下降", "随机梯度下降")),
    NamedOptimiser("momentum", {"momentum": "0.9", DAMPENING: "0"}, keys=_VELOCITY,
                   spellings=("sgd_momentum", "sgd with momentum", "heavy_ball", "动量", "动量法")),
    NamedOptimiser("nesterov", {"momentum": "0.9"}, keys=_VELOCITY, spellings=("nag", "nesterov_momentum", "涅斯捷罗夫动量")),
    NamedOptimiser("nesterov_ahead", {"momentum": "0.9"}, ahead=True, keys=_VELOCITY,
                   spellings=("lookahead_nesterov", "nesterov_lookahead", "nesterov_textbook", "前瞻涅斯捷罗夫动量")),
    NamedOptimiser("adagrad", {"epsilon": "1e-10"}, either_root=True, keys=_MOMENTS),
    NamedOptimiser("rmsprop", {"rho": "0.99", "epsilon": "1e-8"}, either_root=True, keys={**_AVERAGE, **_MOMENTS}, spellings=("rms",)),
    NamedOptimiser("adadelta", {"rho": "0.9", "epsilon": "1e-6"}, keys={**_AVERAGE, **_MOMENTS}),
    NamedOptimiser("adam", _ADAM, either_root=True, counts=True, keys=_MOMENTS),
    NamedOptimiser("adamw", {**_ADAM, "weight_decay": "0.01"}, either_root=True, counts=True, keys=_MOMENTS),
)  # fmt: skip
OPTIMISERS = {optimiser.word: optimiser for optimiser in _OPTIMISERS}
DEFAULT_OPTIMISER = "sgd"
IN_PLACE = "nesterov"  # remembers the same as one whose gradient is taken ahead, and takes its own where the parameters are

_SCHEDULES = (
    NamedSchedule("step", "rate*factor^floor(t/every)", {"every": "", "factor": "0.1"},
                  "rate·factor^⌊t/every⌋; factor 0.1 if not given", "{every: 10, factor: 0.5}", "StepLR"),
    NamedSchedule("exponential", "rate*factor^t", {"factor": ""}, "rate·factor^t", "{factor: 0.95}", "ExponentialLR"),
    NamedSchedule("inverse_time", "rate/(1 + decay*t)", {"decay": ""}, "rate/(1 + decay·t)", "{decay: 0.1}"),
    NamedSchedule("cosine", "lowest + (rate - lowest)*(1 + cos(pi*min(t, iterations)/iterations))/2", {"iterations": "", "lowest": "0"},
                  "half a cosine from rate to lowest, which is 0 if not given", "{iterations: 100}", "CosineAnnealingLR"),
    NamedSchedule("linear", "rate*(start + (end - start)*min(t, iterations)/iterations)",
                  {"iterations": "", "start": "1/3", "end": "1"}, "from rate·start to rate·end; 1/3 and 1 if not given",
                  "{iterations: 5, start: 0.1}", "LinearLR: warm-up, or decay"),
)  # fmt: skip
SCHEDULES = {schedule.word: schedule for schedule in _SCHEDULES}

# --- numbers that go with these words ---------------------------------------------------------------------------------

# number of an optimiser, a schedule or a loss → what it may be
RANGES: Mapping[str, Shape] = {
    "momentum": BELOW_1, DAMPENING: BELOW_1, "rho": BELOW_1, "beta1": BELOW_1, "beta2": BELOW_1, "weight_decay": BELOW_1, "epsilon": FROM_0,
    "every": UPDATES, "iterations": UPDATES, "factor": ABOVE_0, "decay": ABOVE_0, "lowest": FROM_0, "start": FROM_0, "end": FROM_0,
    "delta": ABOVE_0, "smoothing": BELOW_1, "positive_weight": ABOVE_0,
}  # fmt: skip

# --- the beginning and the end of training ----------------------------------------------------------------------------

_INITIAL = (
    InitialRule("normal", "normal", "1", ("gaussian", "gauss", "randn", "正态", "高斯")),
    InitialRule("uniform", "even", "1", ("even", "rand", "均匀")),
    InitialRule("xavier", "even", "sqrt(6/(inputs + neurons))", ("glorot",)),  # Glorot and Bengio, 2010
    InitialRule("he", "normal", "sqrt(2/inputs)", ("kaiming",)),  # He et al., 2015
)
INITIAL = {rule.word: rule for rule in _INITIAL}
STOPS = ("loss", "change", "gradient")
