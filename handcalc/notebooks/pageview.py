"""The page of a solution below a cell, in a frame of its own: to go through, with the drawing and why each number is what it is.

- `page_bundle(derivation, style, language, height)` is what a notebook shows: HTML, and where anywidget is installed a widget as well, for
  front ends that show widgets only where they trust no HTML.

The frame runs the page's own script and nothing else: it has no access to the notebook.
"""

from __future__ import annotations

from html import escape
from importlib import import_module
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.render.report import Style, export

HEIGHT = 640  # of the frame, in pixels
LOOK = "box-sizing:border-box;width:100%;border:1px solid #8884"
FRAME = '<iframe sandbox="allow-scripts" title="handcalc" style="{look};height:{height}px" srcdoc="{page}"></iframe>'
MODULE = """
function render({ model, el }) {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.title = "handcalc";
  frame.style.cssText = model.get("look") + ";height:" + model.get("height") + "px";
  frame.srcdoc = model.get("page");
  el.replaceChildren(frame);
}
export default { render };
"""


def page_bundle(derivation: Derivation, style: Style, language: str, height: int = HEIGHT) -> dict[str, Any]:
    """MIME type → what a front end shows. Raises EvaluationError for a step without a value."""
    page = export((derivation,), "html", style, language).content
    assert isinstance(page, str)
    title = derivation.header.title or "handcalc"
    return {**_widget(page, height), "text/html": FRAME.format(look=LOOK, height=height, page=escape(page)), "text/plain": title}


def _widget(page: str, height: int) -> dict[str, Any]:
    """The page as a widget, where that is possible."""
    try:
        anywidget, traitlets = import_module("anywidget"), import_module("traitlets")
    except ImportError:
        return {}
    values = {"page": page, "look": LOOK, "height": height}
    named = {name: traitlets.Any().tag(sync=True) for name in values} | {"_esm": MODULE}
    bundle = type("PageWidget", (anywidget.AnyWidget,), named)(**values)._repr_mimebundle_()
    return dict(bundle[0] if isinstance(bundle, tuple) else bundle or {})
