"""When a training ends by itself: the loss, its change, or the gradient is small enough.

- `Stopping(trainer)` has the rules of `training: {stop: …}`; `advance(count)` goes on and says which of them ended it.

They look after every epoch; in batch mode that is every update. Without a rule on the change or the gradient nobody looks, and
the updates run in one piece.
"""

from __future__ import annotations

import math

from handcalc.core.expr import Number
from handcalc.training.trainer import Trainer


class Stopping:
    """The rules of one training, and what they have seen. Numbers that no rule is about are −∞."""

    def __init__(self, trainer: Trainer) -> None:
        training = trainer.problem.training
        self.trainer = trainer
        self.loss = 0.0 if trainer.direct and training.stop_loss is None else _float(training.stop_loss)
        self._change = _float(training.stop_change)
        self._gradient = _float(training.stop_gradient)
        self._patience = training.patience
        self._looks = max(self._change, self._gradient) > -math.inf
        self._before = math.inf
        self._still = 0  # looks in a row at which the loss had hardly changed

    def begin(self, loss: float) -> str:
        """The rule that is met before the first update, and "" for none; loss: that of all samples."""
        self._before = loss
        if loss <= self.loss:
            return "loss"
        return "gradient" if self._is_flat() else ""

    def advance(self, count: int) -> str:
        """So many updates more; the rule that ended them early (loss, change or gradient), or ""."""
        trainer = self.trainer
        if not self._looks:
            return "loss" if trainer.advance(count, self.loss) else ""
        last = trainer.done + count
        while trainer.done < last:
            if trainer.advance(min(last - trainer.done, trainer.epoch - trainer.done % trainer.epoch), self.loss):
                return "loss"
            if trainer.done % trainer.epoch == 0 and (reason := self._look()):
                return reason
        return ""

    def _look(self) -> str:
        if self._change > -math.inf:
            loss = self.trainer.loss()
            self._still = self._still + 1 if abs(loss - self._before) <= self._change else 0
            self._before = loss
            if self._still >= self._patience:
                return "change"
        return "gradient" if self._is_flat() else ""

    def _is_flat(self) -> bool:
        return self._gradient > -math.inf and self.trainer.gradient_norm() <= self._gradient


def _float(literal: Number | None) -> float:
    return -math.inf if literal is None else literal.numerator / literal.denominator
