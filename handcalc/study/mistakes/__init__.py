"""The catalogue of mistakes: what students get wrong, each a rewrite of definitions in the one graph.

- `MISTAKES` lists every entry in the order a sheet is worked; `MISTAKES[slug]` is one.
- entry.py says what an entry is; forward.py, losses.py, output.py, hidden.py, update.py and optimisers.py hold those of any network,
  maps.py, sharing.py, recurrent.py, attention.py and normalisation.py those of other layers than dense ones.

To add a mistake, write its rule and one `Mistake` in the file of its phase. The laws of the tests then inject it into
every problem it applies to and expect it to be named.
"""

from __future__ import annotations

from handcalc.study.mistakes.attention import ATTENTION
from handcalc.study.mistakes.entry import Mistake
from handcalc.study.mistakes.forward import FORWARD
from handcalc.study.mistakes.hidden import HIDDEN
from handcalc.study.mistakes.losses import LOSSES
from handcalc.study.mistakes.maps import MAPS
from handcalc.study.mistakes.normalisation import NORMALISATION
from handcalc.study.mistakes.optimisers import OPTIMISERS
from handcalc.study.mistakes.output import OUTPUT
from handcalc.study.mistakes.recurrent import RECURRENT
from handcalc.study.mistakes.sharing import SHARING
from handcalc.study.mistakes.update import UPDATE

_OF_LAYERS = (*MAPS, *SHARING, *RECURRENT, *ATTENTION, *NORMALISATION)
_ALL = (*FORWARD, *LOSSES, *OUTPUT, *HIDDEN, *UPDATE, *OPTIMISERS, *_OF_LAYERS)

MISTAKES: dict[str, Mistake] = {mistake.slug: mistake for mistake in _ALL}
