"""What a reader changes in a page, and sees change: fields for the given numbers, what comes out, updates that go on.

- `controls(program, reading, formulas, translate)` is the part of the panel; live.js fills it.

Fields hold numbers as they were typed. Everything else of the page is printed again by the program (program.py).
"""

from __future__ import annotations

from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.errors import Message, Template, printable
from handcalc.language import Translate
from handcalc.render.formats.page.mathml import PageFormulas
from handcalc.render.formats.page.plane import Plane
from handcalc.render.formats.page.program import LiveProgram
from handcalc.render.items import Name
from handcalc.render.typeset import xml_text

UPDATES_LIMIT = 1000
_TITLES: dict[str, Template] = {
    "input": "Inputs", "target": "Targets", "weight": "Weights", "bias": "Biases", "rate": "Learning rate",
}  # kind → title of its fields  # fmt: skip
_OTHERS: Template = "Other numbers"
_BOX = """\
<details class="change" data-was="{was}" data-stale="{stale}" hidden><summary>{title}</summary>
<p class="hint">{hint}</p>
<div class="fields">
{fields}
</div>
<p class="trouble" role="alert" data-overflow="{overflow}" data-power="{power}" data-zero="{zero}" data-undefined="{undefined}"
data-number="{number}"></p>
<div class="results" aria-live="polite">{results}</div>
<div class="choices"><button type="button" class="reset" disabled>{reset}</button>
<label><input type="checkbox" class="comparing"> {comparing}</label></div>
{training}<div class="maps">{maps}</div></details>
"""
_TRAINING = """\
<div class="choices"><label>{updates} <input class="updates" type="number" min="1" max="{limit}" value="100" inputmode="numeric"></label>
<button type="button" class="train">{train}</button> <button type="button" class="take" hidden>{take}</button></div>
<div class="curve" role="status" data-text="{course}"></div>
<div class="choices"><label hidden>{moment} <input class="moments" type="range" min="0" step="1"> <output></output></label></div>
"""
_SURFACE = """\
<div><div class="choices over"><label>{across} <select class="across"></select></label>
<label>{up} <select class="up"></select></label></div>
<div class="surface" data-text="{surface}"></div></div>
"""
_PLANE = """\
<div class="plane" data-title="{title}" data-now="{now}" data-then="{then}" data-above="{above}" data-below="{below}"
data-largest="{largest}" data-heights="{heights}">{names}</div>
"""


def controls(program: LiveProgram | None, plane: Plane | None, formulas: PageFormulas, translate: Translate) -> str:
    """The fields and what belongs to them; without a program, that there are none. plane: where there are two inputs."""
    if program is None:
        text = Message("The network is large: its numbers cannot be changed here.").text(translate)
        return f'<p class="hint">{xml_text(text)}</p>\n'
    derivation, reading = program.derivation, formulas.reading

    def say(text: Message) -> str:
        return xml_text(text.text(translate))

    fields = "\n".join(
        f"<fieldset><legend>{say(title)}</legend>{''.join(_field(wanted, program, formulas) for wanted in cells)}</fieldset>"
        for title, cells in _groups(program)
    )
    after = derivation.graph.after(derivation.loss) if derivation.loss else ""
    results = [(name, ()) for name in (derivation.loss, after) if name and not derivation.graph[name].axes]
    training, maps = "", ""
    if program.lasts and results:
        training = _TRAINING.format(
            updates=say(Message("Updates")),
            limit=UPDATES_LIMIT,
            train=say(Message("Go on and draw the loss")),
            take=say(Message("Go on from there")),
            moment=say(Message("Seen after update")),
            course=say(Message("{count} updates: the loss goes from {before} to {after}.", **_kept("count", "before", "after"))),
        )
        maps = _SURFACE.format(
            across=say(Message("Loss over")),
            up=say(Message("and")),
            surface=say(
                Message(
                    "The darker, the larger the loss, from {low} to {high}; the other numbers are as they are now. "
                    "The line is the way of {count} updates.",
                    **_kept("low", "high", "count"),
                )
            ),
        )
    if plane:
        names = "".join(f"<span>{formulas.name(Name(Ref(*one), bare=True))}</span>" for one in plane.outputs)
        maps += _PLANE.format(names=names, **{name: say(text) for name, text in _plane_texts().items()})
    return _BOX.format(
        was=say(Message("(before: {number})", **_kept("number"))),
        stale=say(Message("of the numbers as given:")),
        title=say(Message("Change numbers")),
        hint=say(Message("Everything is worked out again as you type.")),
        fields=fields,
        overflow=say(Message("{step}: the number is too large (overflow)", **_kept("step"))),
        power=say(
            Message(
                "{step}: e to this power is too large. A solution of these numbers subtracts the largest exponent from all of them first; "
                "this page stays as it was.",
                **_kept("step"),
            )
        ),
        zero=say(Message("{step}: division by zero", **_kept("step"))),
        undefined=say(Message("{step}: the function is not defined there", **_kept("step"))),
        number=say(Message("{found} is no number; type one such as 0.5, -1, 1e-3 or 1/3", **_kept("found"))),
        results="".join(_result(one, reading.derivation.step_id(one), formulas) for one in results),
        reset=say(Message("As given")),
        comparing=say(Message("Show what the lines were before")),
        training=training,
        maps=maps,
    )


def _plane_texts() -> dict[str, Message]:
    """What is said of the plane of two inputs."""
    return {
        "title": Message("What the network answers to other inputs; the stronger the colour, the surer. The marks are the samples."),
        "now": Message("With the numbers as they are now:"),
        "then": Message("After {count} updates:", **_kept("count")),
        "above": Message("{name} above {number}", **_kept("name", "number")),
        "below": Message("{name} below {number}", **_kept("name", "number")),
        "largest": Message("{name} is the largest", **_kept("name")),
        "heights": Message("The darker, the larger {name}, from {low} to {high}.", **_kept("name", "low", "high")),
    }


def _kept(*names: str) -> dict[str, str]:
    """Places of a text that the script fills."""
    return {name: f"{{{name}}}" for name in names}


def _groups(program: LiveProgram) -> list[tuple[Message, list[Cell]]]:
    """Titles, with the given numbers that stand below each."""
    found: dict[Template, list[Cell]] = {title: [] for title in (*_TITLES.values(), _OTHERS)}
    for wanted in program.given:
        found[_TITLES.get(program.owner[wanted][wanted[0]].kind, _OTHERS)].append(wanted)
    titles = [Message(_TITLES[kind]) for kind in _TITLES] + [Message(_OTHERS)]
    return [(title, cells) for title, cells in zip(titles, found.values()) if cells]


def _field(wanted: Cell, program: LiveProgram, formulas: PageFormulas) -> str:
    reading = formulas.reading
    round = program.first_round(wanted)
    number = reading.shown(wanted, round).plain
    step = xml_text(printable(program.owner[wanted].cell_id(wanted)))
    return (
        f"<label><span>{formulas.name(Name(Ref(*wanted)))} =</span> "
        f'<input data-given="{step}" value="{number.replace(".", ",") if reading.comma else number}" '
        f'autocomplete="off" spellcheck="false" size="7"></label>'
    )


def _result(wanted: Cell, step: str, formulas: PageFormulas) -> str:
    name = formulas.name(Name(Ref(*wanted)))
    return f'<p data-result="{xml_text(step)}">{name} <span class="now"></span></p>'
