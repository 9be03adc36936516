"""The files of the site.

- `site(pyodide, language)` are all of them by their paths: the page, its parts, Python, the packages, the licences.
- `functions()` is functions.js, with which steps.js reads the programs of pages.

The site has one page. service.js is given the name of this very site (a digest of all that is in it) and the list of its files, so
that a browser keeps them, and asks again only when something is different. `python -m http.server` and any other server will do.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.metadata import distribution
from typing import Any

from handcalc.core.functions import FUNCTIONS
from handcalc.disk.jsontext import json_text
from handcalc.disk.reading import our_bytes, our_text
from handcalc.language import CATALOGUES, LANGUAGES, translator
from handcalc.layers.sections import json_schema
from handcalc.loading.loader import shipped, title_in
from handcalc.render.formats.html import embedded
from handcalc.render.formats.page import asset
from handcalc.render.formats.page.functions import javascript, number_of
from handcalc.render.formats.page.style import stylesheet
from handcalc.render.notation import profile, profiles
from handcalc.render.report import FORMATS, Format
from handcalc.render.typeset import xml_text
from handcalc.site.packages import NEEDED, wheels
from handcalc.site.provided import codemirror, licences, pyodide
from handcalc.site.texts import texts

STATIC = os.path.join(os.path.dirname(__file__), "static")
FIRST = "mazur-2-2-2"  # the problem that is there
NONCE = b64encode(sha256(b"handcalc").digest()[:12]).decode()  # by which the policy knows the styles that the editor makes
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; connect-src 'self'; worker-src 'self'; "
    "img-src 'self' data:; font-src data:; base-uri 'none'; form-action 'none'"
)
NAMES = {"en": "English", "zh": "中文"}


def site(copy: str | None, language: str) -> dict[str, str | bytes]:
    """Every file by its path. copy: a folder with Pyodide. Raises HandcalcError where something is not here."""
    python, editor, packages = pyodide(copy), codemirror(), wheels()
    files: dict[str, str | bytes] = {
        "index.html": _page(language, bool(editor)),
        "page.css": stylesheet(),
        **{name: asset(name) for name in ("page.js", "numbers.js", "rounds.js", "maps.js", "live.js")},
        "functions.js": functions(),
        "site.css": our_text(STATIC, "site.css"),
        "icon.svg": our_text(STATIC, "icon.svg"),
        "gallery.json": json_text(_gallery()),
        "packages.json": json_text([f"packages/{name}" for name in packages]),
        "licences.txt": "\n".join(_licences(editor)),
        **{name: our_text(STATIC, name) for name in ("site.js", "worker.js", "steps.js")},
        **{f"pyodide/{name}": content for name, content in python.items()},
        **{f"packages/{name}": content for name, content in packages.items()},
    }
    if editor:
        files["editor.js"] = our_text(STATIC, "editor.js")
        files["schema.json"] = json_text(json_schema())
        files |= {f"codemirror/{name}": content for name, content in editor.items()}
    return files | {"service.js": _service(files)}


def _page(language: str, editor: bool) -> str:
    """index.html, with its texts in the language that it begins with."""
    words = texts(translator(language))
    data = {known: texts(translator(known)) for known in LANGUAGES}
    page = our_text(STATIC, "index.html")
    fields = {name: xml_text(text) for name, text in words.items()} | {
        "lang": "zh-Hans" if language in CATALOGUES else language,
        "policy": POLICY.format(nonce=NONCE),
        "languages": _options((known, NAMES[known]) for known in LANGUAGES),
        "notations": _options((name, profile(name)["title"]) for name in profiles()),
        "formats": _options((format.name, f"{format.name} ({format.suffix})") for format in _formats()),
        "first": xml_text(FIRST),
        "texts": embedded(data),
        "modules": f'<script type="module" src="editor.js" data-nonce="{NONCE}"></script>\n' if editor else "",
    }
    for name, text in fields.items():
        page = page.replace(f"{{{name}}}", text)
    return page


def functions() -> str:
    """functions.js: the functions that programs of pages call, by their names there."""
    names = ", ".join(f"f{number_of(record)}" for record in FUNCTIONS.values())
    return f'"use strict";\nconst functions = (() => {{\n{javascript(FUNCTIONS)}\nreturn {{ {names} }};\n}})();\n'


def _options(rows: Iterator[tuple[str, str]]) -> str:
    return "".join(f'<option value="{xml_text(value)}">{xml_text(text)}</option>' for value, text in rows)


def _formats() -> list[Format]:
    """The formats of files that need no library, as texts list them."""
    return sorted((format for format in FORMATS.values() if format.suffix and not format.library), key=lambda format: format.rank)


def _gallery() -> list[dict[str, Any]]:
    """The shipped problems: name, title in every language and text of each."""
    read = {name: our_text(str(path)) for name, path in shipped().items()}
    return [{"name": name, "titles": {known: title_in(text, known) for known in LANGUAGES}, "text": text} for name, text in read.items()]


def _service(files: Mapping[str, str | bytes]) -> str:
    """service.js, which knows what is in the site."""
    digest = sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode() + (content.encode() if isinstance(content, str) else content))
    script = our_text(STATIC, "service.js")
    names = ["./", *(name for name in sorted(files) if name != "index.html")]
    return script.replace('"{site}"', json_text("handcalc-" + digest.hexdigest()[:16])).replace('["{files}"]', json_text(names, indent=1))


def _licences(editor: Mapping[str, bytes]) -> Iterator[str]:
    """The licences of what is copied."""
    from handcalc.site.provided import PYODIDE

    yield f"Pyodide {PYODIDE}: Mozilla Public License 2.0, https://github.com/pyodide/pyodide\n"
    for name in NEEDED:
        package = distribution(name)
        yield f"--- {name} {package.version}\n"
        for file in package.files or ():
            if ".dist-info/" in file.as_posix() and file.name.upper().startswith("LICEN"):
                yield our_bytes(str(package.locate_file(file))).decode("utf-8", "replace")
    if editor:
        from handcalc.site.provided import EDITOR

        for name, text in licences("codemirror", *EDITOR):
            yield f"--- {name}\n"
            yield text
