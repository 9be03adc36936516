"""What a user always wants: a file of settings, read as if its options were typed on every command line; and when there are colours.

- `preferences()` are the options of the file: $HANDCALC_CONFIG, else handcalc.toml in $XDG_CONFIG_HOME or ~/.config.
- `origin(error)` is where a value stands that is refused and was not typed.
- `colours()` is what --color says: True, False, or None where it depends on the terminal; `want_colours(word)` sets it.

A preference more is an entry of `PREFERENCES`, and the `envvar` of its option.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Any

from handcalc.disk.reading import contents, reason
from handcalc.errors import HandcalcError, Message, near

# options that may stand in the file, and what they are there
PREFERENCES: dict[str, type] = {"notation": str, "lang": str, "decimals": int, "significant": int, "color": str}
COLOURS = ("auto", "always", "never")
LONGEST = 100_000  # bytes of the file

_colours: ContextVar[str] = ContextVar("colours", default="auto")


def want_colours(word: str) -> None:
    """Colours as a word of COLOURS says."""
    _colours.set(word)


def colours() -> bool | None:
    """Whether colours are wanted; None: where there is a terminal, and NO_COLOR is not set."""
    return {"always": True, "never": False}.get(_colours.get())


def place() -> str:
    """The file of preferences, which need not exist; "" for none."""
    if "HANDCALC_CONFIG" in os.environ:
        return os.environ["HANDCALC_CONFIG"]
    folder = os.environ.get("XDG_CONFIG_HOME") or (os.path.join(os.environ["HOME"], ".config") if os.environ.get("HOME") else "")
    return os.path.join(folder, "handcalc.toml") if folder else ""


def origin(error: Exception) -> str:
    """The file or variable in which the value of an option stands that is refused; "" where it was typed."""
    import click
    from click.core import ParameterSource

    if not isinstance(error, click.BadParameter) or error.ctx is None or error.param is None:
        return ""
    source = error.ctx.get_parameter_source(error.param.name or "")
    return place() if source is ParameterSource.DEFAULT_MAP else str(error.param.envvar) if source is ParameterSource.ENVIRONMENT else ""


def preferences() -> dict[str, Any]:
    """Option → what is wanted. Raises HandcalcError for a file that cannot be read as it is meant."""
    path = place()
    if not path or not os.path.exists(path):
        return {}
    import tomllib

    try:
        found = tomllib.loads(contents(path, LONGEST).decode())
    except OSError as error:
        raise HandcalcError(Message("cannot be read: {reason}", f"{path}: ", reason=reason(error))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HandcalcError(Message("this is no TOML: {reason}", f"{path}: ", reason=str(error))) from None
    unknown = [key for key in found if key not in PREFERENCES]
    if unknown:
        text = "unknown key {found}{near}; known are {known}"
        hint, known = near(unknown[0], PREFERENCES), ", ".join(PREFERENCES)
        raise HandcalcError(Message(text, f"{path}: ", found=unknown[0], near=hint, known=known))
    for key, value in found.items():
        if type(value) is not PREFERENCES[key]:
            if PREFERENCES[key] is int:
                raise HandcalcError(Message("{key} must be a whole number", f"{path}: ", key=key))
            raise HandcalcError(Message("{key} must be a word in quotation marks", f"{path}: ", key=key))
    return found
