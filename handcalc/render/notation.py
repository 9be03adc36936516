"""Notation profiles: which letter each quantity has. A profile is a JSON file in notations/, nothing else.

- `profile(name)` reads one, `profiles()` lists them; `Notation(profile, …).name(ref)` is the symbol of a reference,
  concrete or with general indices; `notation_for(derivation, name)` is the notation to read a derivation in.

A profile holds: `units` (what {unit} is: name, number in its layer, or global number), `first_layer` (number of the
first layer after the inputs), `delta_sign` and `bias_sign` (−1: the letter stands for the negative of ∂E/∂net, of a
bias), `update` (gradient: w − η·∂E/∂w; delta: Δw = η·δ·x), perhaps `vectors` (rows: in matrix forms a vector is a row), `bp` (updates after
each sample or after all are called standard and accumulated BP), `biases_apart` (the book's net inputs are without them), and `symbols`:
templates base^sup_sub by role. A role may have variants `_output` (last layer), `_general` (symbolic indices), `_shared` (one bias for a
layer). `~` instead of `^`: the superscript is needed only with several hidden layers. Fields: {name}, {unit}, {layer}, {to}, {from},
{param}.

To add a notation, copy a profile and change its letters; the laws of tests/ check it on every problem.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref, references
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Position, are_places, shift_index
from handcalc.core.numbering import Weights, numbered
from handcalc.core.quantity import Letter, Quantity
from handcalc.disk.reading import names_in, our_text
from handcalc.render.symbols import Derivative, Name, Symbol, place_text, typed

FOLDER = os.path.join(os.path.dirname(__file__), "notations")
DEFAULT = "mazur"
WIDTHS = {"out": 1, "weight": 2}  # directions in a network of dense layers


@cache
def profile(name: str) -> dict[str, Any]:
    """A profile by name. Raises FileNotFoundError for an unknown one."""
    import json

    loaded: dict[str, Any] = json.loads(our_text(FOLDER, f"{name}.json"))
    return loaded


def profiles() -> list[str]:
    """The names of all profiles, the default first."""
    return sorted(
        (file.removesuffix(".json") for file in names_in(FOLDER) if file.endswith(".json")), key=lambda name: (name != DEFAULT, name)
    )


def notation_for(derivation: Derivation, name: str = "") -> Notation:
    """A notation put on a derivation: the given one, else the problem's own, else the default."""
    header = derivation.header
    chosen = name or header.notation or DEFAULT
    by_source = header.conventions.get("weight_numbering") == "by_source"
    return Notation(profile(chosen), derivation.graph, derivation.loss, chosen == header.notation, by_source)


class Notation:
    """A profile put on a graph.

    own: whether the names typed in the problem are part of this notation; by_source: unnamed weights are numbered in
    the order they leave a neuron instead of entering one; loss: the quantity that is differentiated.
    """

    def __init__(self, data: dict[str, Any], graph: Graph, loss: str = "", own: bool = True, by_source: bool = False) -> None:
        self.data = data
        self._put = loss, own, by_source
        self.symbols: dict[str, str] = data["symbols"]
        self.graph = graph
        self.own = own or "{param}" in self.symbols["weight"]
        self.last = max((quantity.layer for quantity in graph), default=0)
        self.objective = typed(graph[loss].word) if loss in graph and graph[loss].kind == "variable" else Symbol(self.symbols["E"])
        self._others: bool | None = None
        self._names: dict[tuple[str, tuple[Position, ...]], Name] = {}
        self._numbers = self._numbered(by_source)
        self._offsets = self._layer_offsets()
        self._sources: dict[int, int] = {}  # layer → the one before it

    def on(self, graph: Graph) -> Notation:
        """The same notation put on the graph of another round."""
        return Notation(self.data, graph, *self._put)

    # --- numbers ---

    def _numbered(self, by_source: bool) -> dict[tuple[str, tuple[int, ...]], str]:
        """w1, w2 … for weights without a name, in the order of the layers."""
        weights = [quantity for quantity in self.graph if quantity.kind == "weight" and len(quantity.axes) == 2]
        if self._several():
            return {}
        taken = {name for quantity in self.graph for name in (quantity.names or {}).values()}
        positions = self.graph.positions
        return numbered({q.name: Weights(q.size, positions(q.name), q.names or {}) for q in weights}, taken, by_source)

    def _several(self) -> bool:
        """Whether there are other layers than dense ones, whose cells are written with places and layers."""
        if self._others is None:
            self._others = any(
                quantity.kind == "part"
                or quantity.kind == "out"
                and not all(axis.labels for axis in quantity.axes[-1:])
                or quantity.kind in ("out", "weight")
                and len(quantity.axes) - quantity.sampled != WIDTHS[quantity.kind]
                for quantity in self.graph
                if not quantity.of
            )
        return self._others

    def _layer_offsets(self) -> dict[int, int]:
        """Global number of the first unit of each layer, less one; the inputs are layer 0."""
        layers = [quantity for quantity in self.graph if quantity.kind in ("input", "net") and quantity.axes and not quantity.stage]
        sizes = {quantity.layer: quantity.axes[-1].size for quantity in layers}
        offsets, count = {}, 0
        for layer in sorted(sizes):
            offsets[layer] = count
            count += sizes[layer]
        return offsets

    def _before(self, layer: int) -> int:
        """The layer whose units a layer takes in."""
        if layer not in self._sources:
            net = self.graph.in_layer(layer, "net")
            formula = self.graph[net].definition if net else None
            taken = [self.graph[one.quantity] for one in references(formula)] if formula is not None else []
            rows = [one.layer for one in taken if one.kind in ("out", "input") and one.layer < layer and _is_row(one)]
            self._sources[layer] = rows[0] if rows else layer - 1
        return self._sources[layer]

    # --- symbols ---

    def name(self, reference: Ref, told: Sequence[str] = ("sample", "time")) -> Name:
        """The symbol of a cell, or of a quantity with general indices; told: in brackets behind it."""
        quantity = self.graph[reference.quantity]
        along = [self._along(place, axis) for place, axis in zip(reference.indices, quantity.axes) if axis.role in told] if told else ()
        found = self._of_any_sample(quantity, reference)
        return found.replace(sample=",".join(along)) if along else found

    def whole(self, quantity: Quantity, places: tuple[Position | None, ...] = ()) -> Name:
        """The symbol of a whole quantity: without indices but those of a member of its family, with its layer; weights in capitals."""
        member = _member(places, quantity.axes)
        name = self.name(Ref(quantity.name, quantity.index))
        layer = quantity.layer if len([q for q in self.graph if q.kind == "net" and not q.stage]) > 1 else 0
        capital = self._parameter(quantity).kind == "weight" and quantity.kind not in ("state", "memory")

        def bare(symbol: Symbol) -> Symbol:
            letter = symbol.base.removeprefix("Δ")
            base = symbol.base.replace(letter, letter.upper()) if capital and len(letter) == 1 and letter.isascii() else symbol.base
            fixed = "" if symbol.typed else "".join(filter(str.isdigit, symbol.sub))  # the 0 of w_k0, the 1 of β_1
            sub = ",".join(filter(None, (fixed, member)))
            return symbol.replace(base=base, sub=sub, sample="", typed="", sup=symbol.sup or (f"({layer})" if layer else ""))

        if isinstance(name, Derivative):
            alone = quantity.through is not None and not self.graph[quantity.through.quantity].axes  # a penalty: its name is all of it
            via = name.via.replace(sub="", typed="") if name.via and name.via.sub and not alone else name.via
            top = name.top if name.top == self.objective else bare(name.top)
            return name.replace(top=top, bottom=bare(name.bottom), via=via, sample="")
        return bare(name)

    def _parameter(self, quantity: Quantity) -> Quantity:
        """What a gradient, a change, a velocity belongs to."""
        while quantity.of is not None:
            quantity = self.graph[quantity.of.quantity]
        return quantity

    def rows_are_sources(self, quantity: Quantity) -> bool:
        """Whether the matrix of a weight, or of what is derived from one, has a row for each source: its letters are from, to."""
        quantity = self._parameter(quantity)
        if quantity.kind != "weight" or quantity.letter is not None:
            return False
        template = self._template("weight", quantity.layer)
        template = self.symbols["weight_general"] if "{param}" in template else template
        return template.find("{from}") < template.find("{to}")

    def _base(self, quantity: Quantity, reference: Ref, of: Ref) -> Ref:
        if of.indices == quantity.index:
            return Ref(of.quantity, reference.indices)
        places = {index.letter: place for index, place in zip(quantity.index, reference.indices)}
        return Ref(of.quantity, tuple(shift_index(place, places) for place in of.indices))

    def _of_any_sample(self, quantity: Quantity, reference: Ref) -> Name:
        """The symbol without its sample and time, which is the same for all samples, however many there are."""
        if not are_places(reference.indices):
            return self._made(quantity, reference)
        wanted = reference.quantity, reference.indices[quantity.sampled :]
        found = self._names.get(wanted)
        if found is None:
            found = self._names[wanted] = self._made(quantity, reference)
        return found

    def _made(self, quantity: Quantity, reference: Ref) -> Name:
        if quantity.of is None:
            return self._own_symbol(quantity, reference)
        return self._derived(quantity, reference, self._base(quantity, reference, quantity.of))

    def _derived(self, quantity: Quantity, reference: Ref, base: Ref) -> Name:
        inner = self.graph[base.quantity]
        symbol = self.name(base, ())
        if quantity.kind == "gradient" and quantity.role == "second":
            assert isinstance(symbol, Symbol)
            return Derivative(self.objective, symbol, order=2)
        if quantity.kind == "gradient":
            if inner.kind == "net" and self._template("delta", inner.layer):
                return self._fill(self._template("delta", inner.layer), self._fields(inner, base), inner)
            assert isinstance(symbol, Symbol)
            if self.symbols.get("gradient"):
                return symbol.replace(base=self.symbols["gradient"].format(x=symbol.base), typed=symbol.typed and "d" + symbol.typed)
            return Derivative(self.objective, symbol)
        assert isinstance(symbol, Symbol)
        if quantity.kind == "path":
            assert quantity.through is not None
            source = self._base(quantity, reference, quantity.through)
            consumer = self.graph[source.quantity]
            single = len([axis for axis in consumer.axes if axis.role not in ("sample", "time")]) == 1
            told = consumer.kind == "net" or not self._several()  # by its neuron alone
            if self.data["units"] == "name" and single and told:
                via = typed(self._place(source.indices[-1], consumer.axes[-1], "name", consumer.layer))
            else:
                through = self.name(source, ())
                assert isinstance(through, Symbol)
                via = through
            return Derivative(self.objective, symbol, via)
        if quantity.kind == "local":
            assert quantity.wrt is not None
            below = self.name(self._base(quantity, reference, quantity.wrt), ())
            assert isinstance(below, Symbol)
            return Derivative(symbol, below)
        if quantity.kind in ("rate", "hyper"):
            rate = self._fill(self.symbols["rate"], {}, quantity)
            under = symbol.typed or ",".join(filter(None, (symbol.base, symbol.sub)))
            return Symbol(rate.base, under + ",0" * (quantity.kind == "hyper"), "" if symbol.typed else symbol.sup)
        if quantity.kind in ("memory", "state") and quantity.letter is not None:
            return _remembered(quantity, quantity.letter, symbol)
        if quantity.role == "ahead":
            return symbol.replace(hat=True, typed=symbol.typed and f"ahead.{symbol.typed}")
        if quantity.kind == "change":
            return symbol.replace(base="Δ" + symbol.base, typed=symbol.typed and "Δ" + symbol.typed)
        return symbol.replace(mark="+")  # updated, a running mean after a batch, or re-computed after the update

    def _own_symbol(self, quantity: Quantity, reference: Ref) -> Symbol:
        """The symbol of what is derived from nothing else, which names of what is derived from it are made of."""
        kind = quantity.kind
        if kind in ("given", "variable"):
            return _placed(typed(quantity.word), quantity.word, self._fields(quantity, reference).get("name", ""))
        if kind == "hyper" and quantity.role == "rate":
            return self._fill(self.symbols["rate"], {}, quantity).replace(sub="0")
        if kind in ("hyper", "memory", "state") and not (kind == "hyper" and quantity.axes):
            return self._of_optimiser(quantity)
        if kind == "loss" and quantity.letter is not None:
            return Symbol(quantity.letter.base or self.symbols["E"], quantity.letter.above)
        if kind in ("loss", "rate"):
            return self._fill(self.symbols[kind], {}, quantity)
        if quantity.letter is not None:
            return self._lettered(quantity, quantity.letter, reference)
        concrete = all(isinstance(place, int) for place in reference.indices)
        if kind in ("weight", "bias", "threshold") and concrete:
            named = (quantity.names or {}).get(reference.places) if self.own else None
            if named is None and "{param}" in self._template(kind, quantity.layer):
                named = self._numbers.get((quantity.name, reference.places))
                if named is None and kind == "weight" and not self._several():
                    unnamed = self.graph.core((quantity.name, reference.places))
                    _, numbers = quantity.labels(reference.places)
                    return Symbol(quantity.word, ",".join(numbers), typed=unnamed)
            if named is not None:
                return typed(named)
        role = kind
        if kind in ("bias", "threshold"):
            form = [axis.role for axis in quantity.axes]
            if not form:
                template = self._template(kind + "_shared", quantity.layer) or self.symbols.get(
                    kind + "_general", self._template(kind, quantity.layer)
                )
                if "{layer}" not in template and kind + "_shared" not in self.symbols:
                    template = template.partition("_")[0] + "^({layer})"
                return self._fill(template, self._fields(quantity, reference), quantity)
            if len(form) == 2:
                return self._fill("b^({layer})_{to}{from}", self._fields(quantity, reference), quantity)
        template = self._template(role, quantity.layer)
        fields = self._fields(quantity, reference)
        placed = all(type(place) is int for axis, place in zip(quantity.axes, reference.indices) if axis.role not in ("sample", "time"))
        numbered = not placed or fields.get("name", "").replace(",", "").isdigit()  # an input called 1 cannot be printed as 1
        if "{param}" in template or (template == "{name}" and numbered):
            template = self.symbols[kind + "_general"]
        symbol = self._fill(template, fields, quantity)
        if self._needs_layer(quantity, concrete) and "{layer}" not in template:
            return symbol.replace(sup=f"({quantity.layer})")
        return symbol

    def _needs_layer(self, quantity: Quantity, concrete: bool) -> bool:
        """Whether a place alone does not say which layer a cell belongs to: maps, tokens, weights of several layers."""
        own = [axis for axis in quantity.axes if axis.role not in ("sample", "time")]
        if quantity.kind in ("weight", "bias"):
            return self._several() and sum(1 for other in self.graph if other.kind == quantity.kind and other.letter is None) > 1
        named = bool(own) and any(axis.labels for axis in own)
        return quantity.kind in ("net", "out") and self._several() and not (concrete and named)

    def _lettered(self, quantity: Quantity, letter: Letter, reference: Ref) -> Symbol:
        """What has a letter of its own: a part that a layer works out on the way, or one of several weights of a layer, such as W with
        xi above it for the input gate's of x; with the layer where several have one."""
        several = sum(1 for q in self.graph if (q.kind, q.role) == (quantity.kind, quantity.role) and not q.stage and not q.of) > 1
        fields = self._fields(quantity, reference)
        sub = fields.get("unit" if quantity.kind == "step" else "name") or ",".join(filter(None, (fields.get("to"), fields.get("from"))))
        return Symbol(letter.base, sub, letter.above + f"({quantity.layer})" * several, hat=letter.hat)

    def _of_optimiser(self, quantity: Quantity) -> Symbol:
        """A number of an optimiser, such as μ, which a notation may write in its own way."""
        if quantity.role in self.symbols:
            return Symbol(self.symbols[quantity.role])
        assert quantity.letter is not None, f"{quantity.name} has no letter"
        return Symbol(quantity.letter.base, quantity.letter.above, mark="old" if quantity.kind == "memory" else "")

    def _template(self, role: str, layer: int) -> str:
        if layer == self.last and role + "_output" in self.symbols:
            return self.symbols[role + "_output"]
        return self.symbols.get(role, "")

    def _fields(self, quantity: Quantity, reference: Ref) -> dict[str, str]:
        own = [(axis, place) for axis, place in zip(quantity.axes, reference.indices) if axis.role not in ("sample", "time")]
        axes, places = [axis for axis, _ in own], [place for _, place in own]
        layer = quantity.layer or (self.last if quantity.kind in ("target", "error", "loss_term") else 0)
        fields = {"layer": str(quantity.layer - 1 + int(self.data["first_layer"]))}
        if quantity.kind in ("weight", "bias", "threshold"):
            unit = self.data["units"]
            fields["to"] = self._place(places[0], axes[0], unit, layer) if places else ""
            fields["from"] = self._rest(quantity, places, axes, unit, self._before(layer))
        elif places:
            fields["name"] = ",".join(self._place(place, axis, "name", layer) for place, axis in zip(places, axes))
            if len(places) == 1:
                fields["unit"] = self._place(places[-1], axes[-1], self.data["units"], layer)
            else:
                fields["unit"] = fields["name"]
        return fields

    def _rest(self, quantity: Quantity, places: list[Position], axes: list[Axis], unit: str, layer: int) -> str:
        """The places of a parameter after the first; merged ones as one number, where they are numbers."""
        if quantity.merged and all(isinstance(place, int) for place in places):
            return str(quantity.numbers(tuple(place for place in places if isinstance(place, int)))[-1])
        return ",".join(self._place(place, axis, unit, layer) for place, axis in zip(places[1:], axes[1:]))

    def _along(self, place: Position, axis: Axis) -> str:
        """A sample or a time, beside the symbol: Alice, t=2."""
        text = self._place(place, axis, "name", 0)
        return f"t={text}" if axis.role == "time" and isinstance(place, int) else text

    def _place(self, place: Position, axis: Axis, units: str, layer: int) -> str:
        if not isinstance(place, int):
            return place_text(place, axis.first)
        if units == "name" or (units == "global" and axis.labels and all(label.isdigit() for label in axis.labels)):
            return axis.label(place)
        return str(place + 1 + (self._offsets.get(layer, 0) if units == "global" else 0))

    def _fill(self, template: str, fields: dict[str, str], quantity: Quantity) -> Symbol:
        if template == "{name}":
            return typed(fields["name"])
        pair = "{to}{from}" in template or "{from}{to}" in template
        if pair and any(len(fields[key].rstrip("'")) > 1 for key in ("to", "from")):
            template = template.replace("{to}{from}", "{to},{from}").replace("{from}{to}", "{from},{to}")
        head, _, sub = template.partition("_")
        needed = "~" not in head or self.last > 2
        base, _, sup = head.replace("~", "^").partition("^")
        return Symbol(base, sub.format(**fields), sup.format(**fields) if needed else "")

    # --- signs ---

    def sign(self, quantity: Quantity) -> int:
        """−1 where this notation's letter stands for the negative of the quantity."""
        base = quantity
        if quantity.of is not None and quantity.kind in ("gradient", "change", "updated"):
            base = self.graph[quantity.of.quantity]
            if quantity.kind == "gradient" and base.kind == "net" and self._template("delta", base.layer):
                return int(self.data["delta_sign"])
        return int(self.data["bias_sign"]) if base.kind == "bias" and not self.own else 1


def _placed(name: Symbol, word: str, place: str) -> Symbol:
    """A cell of a list or matrix that somebody named: W_{1,2}, and of W1 W^(1)_{1,2}; the name alone where it is no list."""
    return name.replace(sub=place, sup=name.sub and f"({name.sub})", typed=f"{word}[{place}]") if place else name


def _remembered(quantity: Quantity, letter: Letter, symbol: Symbol) -> Symbol:
    """What an optimiser keeps of a parameter: v_w5, and v_w5 with a prime for the old one."""
    name = symbol.typed or ",".join(filter(None, (symbol.base, symbol.sub)))
    return Symbol(letter.base, name, symbol.sup if not symbol.typed else "", "old" if quantity.kind == "memory" else "", hat=letter.hat)


def _member(places: tuple[Position | None, ...], axes: tuple[Axis, ...]) -> str:
    """The index of a member of a family: t, with its number t=2, or :,t where directions stand before it."""
    while places and places[-1] is None:
        places = places[:-1]
    spelled = (":" if place is None else "t=" * (axis.role == "time") + axis.label(place) if isinstance(place, int)
               else place_text(place, axis.first) for place, axis in zip(places, axes))  # fmt: skip
    return ",".join(spelled)


def _is_row(quantity: Quantity) -> bool:
    """Whether its numbers are features, of a sample, a time or a token."""
    return all(axis.role in ("sample", "time", "token") for axis in quantity.axes[:-1])
