"""The file that a page or slides are: one head for both, and a policy that allows their own style and scripts and nothing else.

- `page(language, title, style, body, script, …)` is the file, `dense(name)` a script of this folder as it stands in one.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from handcalc.render.formats.page import asset

_POLICY = "default-src 'none'; style-src {style}; font-src data:; script-src {script}; base-uri 'none'; form-action 'none'"
_PAGE = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body{classes}>
{body}
<script>{script}</script>
</body>
</html>
"""


def page(language: str, title: str, style: str, body: str, script: str, others: tuple[str, ...] = (), classes: str = "") -> str:
    """The file. title and body as they stand in it; script: the last of its scripts, others: those in the body; classes: of the body."""
    return _PAGE.format(
        language=language,
        policy=_POLICY.format(style=_hash(style), script=" ".join(map(_hash, dict.fromkeys((script, *others))))),
        title=title,
        style=style,
        classes=f' class="{classes}"' if classes else "",
        body=body,
        script=script,
    )


def dense(name: str) -> str:
    """A script without comments on lines of their own and without indentation."""
    text = re.sub(r"^\s*(//[^\n]*|/\*\*.*?\*/)\n", "", asset(name), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"^\s+", "", text, flags=re.MULTILINE)


def _hash(text: str) -> str:
    """What a policy calls an inline style or script by."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
