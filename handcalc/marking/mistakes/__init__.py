"""The catalogue of mistakes: what students get wrong, each a rewrite of definitions in the one graph.

- `MISTAKES` lists every entry in the order a sheet is worked; `MISTAKES[slug]` is one.
- entry.py says what an entry is; forward.py, losses.py, comparing.py, output.py, hidden.py, penalties.py, update.py and optimisers.py hold
  those of any network, maps.py, sharing.py, recurrent.py, attention.py and normalisation.py those of other layers than dense ones;
  equations.py rules for equations, anyline.py slips of any calculation.

To add a mistake, write its rule and one `Mistake` in the file of its phase. The laws of the tests then inject it into
every problem it applies to and expect it to be named.
"""

from __future__ import annotations

from handcalc.marking.mistakes.anyline import ANY_LINE
from handcalc.marking.mistakes.attention import ATTENTION
from handcalc.marking.mistakes.comparing import COMPARING
from handcalc.marking.mistakes.entry import Mistake
from handcalc.marking.mistakes.forward import FORWARD
from handcalc.marking.mistakes.hidden import HIDDEN
from handcalc.marking.mistakes.joining import GATES
from handcalc.marking.mistakes.losses import LOSSES
from handcalc.marking.mistakes.maps import MAPS
from handcalc.marking.mistakes.normalisation import NORMALISATION
from handcalc.marking.mistakes.optimisers import OPTIMISERS
from handcalc.marking.mistakes.output import OUTPUT
from handcalc.marking.mistakes.penalties import REGULARISATION
from handcalc.marking.mistakes.recurrent import RECURRENT
from handcalc.marking.mistakes.sharing import SHARING
from handcalc.marking.mistakes.update import UPDATE

_OF_LAYERS = (*MAPS, *SHARING, *RECURRENT, *ATTENTION, *NORMALISATION, *GATES)
_ALL = (*FORWARD, *LOSSES, *COMPARING, *OUTPUT, *HIDDEN, *REGULARISATION, *UPDATE, *OPTIMISERS, *_OF_LAYERS, *ANY_LINE)

MISTAKES: dict[str, Mistake] = {mistake.slug: mistake for mistake in _ALL}
