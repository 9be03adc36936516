"""A worksheet that is filled in on the page: fields in the place of blanks, what is known of them, a bar to check and save.

- `SheetFields(fields, translate)`: `answer(blank)` is a field, `bar()` what stands below the sheet, `data()` what sheet.js reads.

What is right was worked out before (render/answerfields.py); the page looks typed numbers up.
"""

from __future__ import annotations

from typing import Any

from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.render.answerfields import AnswerField, AnswerFields
from handcalc.render.items import Blank
from handcalc.render.typeset import xml_text

_FIELD = (
    '<span class="field"><input class="answer" data-answer="{id}" aria-label="{label}" title="{digits}" autocomplete="off" '
    'autocapitalize="off" spellcheck="false" size="9"><span class="said"></span></span>'
)
_BAR = """\
<section class="marking" aria-label="{label}" hidden>
<button type="button" class="check">{check}</button>
<p class="score" role="status" data-text="{score}" data-left="{left}"></p>
<label>{name} <input class="student" autocomplete="name" size="14"></label>
<button type="button" class="save" data-file="{file}">{save}</button>
<details class="written"><summary>{as_text}</summary><textarea readonly rows="8" aria-label="{as_text}"></textarea></details>
<p class="hint">{hint}</p>
</section>
"""


class SheetFields:
    """The fields of one chapter, each made once."""

    def __init__(self, fields: AnswerFields, translate: Translate) -> None:
        self.fields = fields
        self.translate = translate
        self.made: dict[str, AnswerField] = {}

    def answer(self, blank: Blank) -> str:
        """The field of a blank; nothing where it is not a step's."""
        found = self.fields.field(*blank.step) if blank.step is not None else None
        if found is None:
            return ""
        self.made.setdefault(found.id, found)
        digits = found.digits.text(self.translate)
        label = f"{found.name}, {digits}"
        return _FIELD.format(id=xml_text(found.id), label=xml_text(label), digits=xml_text(digits))

    def bar(self, name: str) -> str:
        """Buttons, the score, the sheet as text; name: that of its file."""

        def say(text: Message) -> str:
            return xml_text(text.text(self.translate))

        kept = {key: f"{{{key}}}" for key in ("marks", "most", "count")}
        return _BAR.format(
            label=say(Message("Check and save")),
            check=say(Message("Check")),
            score=say(Message("{marks} of {most} marks", marks=kept["marks"], most=kept["most"])),
            left=say(Message("{count} not answered", count=kept["count"])),
            name=say(Message("Name")),
            save=say(Message("Save the sheet")),
            file=xml_text(name),
            as_text=say(Message("The sheet as text")),
            hint=say(
                Message("Enter checks one answer. What follows from an earlier wrong answer is seen when the saved sheet is checked.")
            ),
        )

    def data(self) -> dict[str, Any]:
        """fields: id → name, sign, decimals, marks, and what is known of numbers; reasons: verdict and text; and what a sheet says."""
        say = self.translate
        return {
            "salt": self.fields.salt,
            "shares": dict(self.fields.shares),
            "head": [printable(line) for line in self.fields.head],
            "naming": Message("# name:").text(say),
            "fields": {
                printable(one.id): [one.name, one.flip, one.places, one.marks, dict(one.known), [*one.before]] for one in self.made.values()
            },
            "reasons": [[reason.verdict, _text(reason.text, say)] for reason in self.fields.reasons()],
            "otherwise": Message("Not right, and none of the frequent slips.").text(say),
            "follows": Message("Not right; nor is an earlier answer, from which it may follow.").text(say),
            "longer": Message("Right to the digits that are asked; those beyond are not.").text(say),
            "unreadable": Message("{found} is no number; type one such as 0.5, -1, 1e-3 or 1/3", found="{found}").text(say),
        }


def _text(text: Message | str, translate: Translate) -> str:
    return " ".join((text.text(translate) if isinstance(text, Message) else text).split("\n"))
