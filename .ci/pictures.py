"""Makes the pictures of docs/pictures that are made of the program's own output alone.

    python .ci/pictures.py [NAME …]      all of them, or some: step.svg, pdf.png, worksheet.png, word.png, page.png …

step.svg is the drawing of a network in which one number after the other appears, with its line below: an SVG whose animation is in
it, without a script. Readers that know no animation show all numbers. word.png needs LibreOffice and pdftoppm. Pictures of a page are what
Chromium shows, which needs selenium and chromedriver; site.png needs Pyodide and CodeMirror, too (HANDCALC_NODE_MODULES).
"""

from __future__ import annotations

import math
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from handcalc import derive, load
from handcalc.core.derivation import Derivation
from handcalc.errors import Message
from handcalc.loading.loader import shipped
from handcalc.render.blocks import Equation, Heading, Paragraph
from handcalc.render.formats.terminal import page_on
from handcalc.render.formats.textequations import TextEquations
from handcalc.render.report import Chapter, Style, dialect_of, export

PICTURES = Path(__file__).resolve().parents[1] / "docs/pictures"
PROBLEM = "mazur-2-2-2"
SVG = "http://www.w3.org/2000/svg"
SECONDS = 2.0  # that a line is shown
PAUSE = 4.0  # with all numbers, before it begins again
LIT = "#f2b90f"
LARGEST_LINE = 15.0  # size of its letters
FOOT = 74.0  # height of the lines below the drawing
NARROW = 0.54  # em of an average letter
PAGE = 500  # width of one page of a picture of two


def solved(problem: str) -> Derivation:
    """A shipped problem, worked out."""
    return derive(load(shipped()[problem]))


# --- step by step -----------------------------------------------------------------------------------------------------


def step_svg() -> bytes:
    """The drawing with its numbers one after the other."""
    found = solved(PROBLEM)
    ElementTree.register_namespace("", SVG)
    root = ElementTree.fromstring(str(export([found], "svg", Style()).content))
    shown = {str(number.get("data-cell")) for number in root.iter() if number.get("data-cell")}
    frames = [frame for frame in _frames(found) if frame[0] in shown]
    length = len(frames) * SECONDS + PAUSE
    wide, high = float(str(root.get("width"))), float(str(root.get("height")))
    root.set("height", f"{high + FOOT:g}")
    root.set("viewBox", f"0 0 {wide:g} {high + FOOT:g}")
    paper = next(part for part in root if part.get("class") == "paper")
    paper.set("height", f"{high + FOOT:g}")
    ElementTree.SubElement(paper, "animate", id="all", attributeName="x", values="0;0", dur=f"{length:g}s", begin="0s;all.end")
    for place, (step, sentence, line) in enumerate(frames):
        begin, end = place * SECONDS, (place + 1) * SECONDS
        _appear(root, step, begin)
        _light(root, step, begin, end)
        for text, y, size, colour in ((sentence, high + 24, 14.0, "#5f6368"), (line, high + 52, LARGEST_LINE, "#1c1c1c")):
            fits = min(size, (wide - 20) / max(1, len(text)) / NARROW)
            words = ElementTree.SubElement(root, "text", x=f"{wide / 2:g}", y=f"{y:g}", fill=colour, visibility="hidden")
            words.set("font-size", f"{fits:.4g}")
            words.set("text-anchor", "middle")
            _spell(words, text, fits)
            _set(words, "visibility", "visible", begin, end)
    written: bytes = ElementTree.tostring(root, "utf-8")
    return written + b"\n"


def _frames(found: Derivation) -> Iterator[tuple[str, str, str]]:
    """Id, sentence and line of every step, in the order of the solution."""
    chapter = Chapter(found, dialect_of("terminal"), Style(prose=True))
    writer = TextEquations(chapter.reading, str, page_on(None))
    sentence = ""
    for block in chapter.blocks():
        if isinstance(block, Heading) and block.level == 2:
            sentence = ""
        elif isinstance(block, Paragraph) and isinstance(block.text, Message):
            sentence = writer.spell(block.text)
        elif isinstance(block, Equation) and block.step is not None:
            yield found.step_id(*block.step), sentence, writer.formula(block)


def _spell(words: ElementTree.Element, text: str, size: float) -> None:
    """A line with its indices below the line."""
    low = f"{0.2 * size:.3g}"
    plain, *others = re.split(r"(?<=\w)_(\w+)", text)
    words.text = plain
    for index, after in zip(others[::2], others[1::2]):
        below = ElementTree.SubElement(words, "tspan", {"dy": low, "font-size": f"{0.72 * size:.3g}"})
        below.text = index
        ElementTree.SubElement(words, "tspan", {"dy": f"-{low}"}).text = after


def _appear(root: ElementTree.Element, step: str, begin: float) -> None:
    """Texts with the number of a step are there from a moment on."""
    for text in root.iter(f"{{{SVG}}}text"):
        if any(part.get("data-cell") == step for part in text.iter()) and begin > 0:
            _set(text, "visibility", "hidden", 0, begin)


def _light(root: ElementTree.Element, step: str, begin: float, end: float) -> None:
    """Where a number belongs to is lit."""
    for group in root.iter(f"{{{SVG}}}g"):
        own = [part for part in group if part.get("class") in ("shape", "line")]
        if own and any(part.get("data-cell") == step for part in group.iter()):
            _set(own[0], "stroke", LIT, begin, end)
            _set(own[0], "stroke-width", "5", begin, end)


def _set(element: ElementTree.Element, attribute: str, value: str, begin: float, end: float) -> None:
    ElementTree.SubElement(element, "set", attributeName=attribute, to=value, begin=f"all.begin+{begin:g}s", dur=f"{end - begin:g}s")


# --- pages ------------------------------------------------------------------------------------------------------------


def beside(pages: list[bytes]) -> bytes:
    """Two pages beside each other, as a PNG."""
    import typst

    with TemporaryDirectory() as folder:
        for place, page in enumerate(pages[:2]):
            (Path(folder) / f"{place}.png").write_bytes(page)
        images = "".join(f'image("{place}.png", width: {PAGE}pt),' for place in range(len(pages[:2])))
        source = f"#set page(width: auto, height: auto, margin: 0pt, fill: luma(190))\n#grid(columns: 2, column-gutter: 9pt, {images})\n"
        (Path(folder) / "main.typ").write_text(source, "utf-8")
        made: bytes = typst.compile(Path(folder) / "main.typ", format="png", ppi=74)
        return made


def pages_of(view: str) -> bytes:
    """The first two pages of a PDF."""
    import typst

    source = str(export([solved(PROBLEM)], "typst", Style(view=view)).content)
    pages = typst.compile(source.encode(), format="png", ppi=144, ignore_system_fonts=True)
    return beside(pages if isinstance(pages, list) else [pages])


def word_png() -> bytes:
    """The first two pages of a Word document, as LibreOffice shows them."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "a.docx").write_bytes(bytes(export([solved(PROBLEM)], "word", Style()).content))  # type: ignore[arg-type]
        for command in ("soffice --headless --convert-to pdf a.docx", "pdftoppm -r 144 -png -l 2 a.pdf p"):
            subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
        return beside([path.read_bytes() for path in sorted(Path(folder).glob("p*.png"))])


# --- in a browser -----------------------------------------------------------------------------------------------------

GO = "const at = chapters[0].data; chapters[0].mark(at.lines.indexOf(at.ids.indexOf('{step}'))); "
TO_LINE = "document.querySelector('.text .current').scrollIntoView({block: 'center', behavior: 'instant'})"
CHECKED = """
document.querySelector('[data-handcalc=answers]').value = 'net.h1 = 0.3775\\nnew.w5 = 0.4411\\ngrad.w5 = 0.0822';
document.querySelector('[data-handcalc=result]').replaceChildren();
document.querySelector('[data-handcalc=check]').click();
"""


@contextmanager
def browser(width: int, height: int) -> Iterator[Any]:
    """Chromium without a screen."""
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    with TemporaryDirectory() as folder:
        options = ChromeOptions()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}"):
            options.add_argument(argument)
        options.binary_location = shutil.which("chromium") or ""
        driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [still, {"name": "prefers-color-scheme", "value": "light"}]})
        try:
            yield driver
        finally:
            driver.quit()


def shown_png(problem: str, format: str, width: int, height: int, script: str) -> bytes:
    """What a browser shows of a problem in a format, after a script."""
    with browser(width, height) as driver, TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        content = str(export([solved(problem)], format, Style()).content)
        page.write_text(content if format != "svg" else f"<body style='margin:0'>{content}", "utf-8")
        driver.get(page.as_uri())
        time.sleep(1)
        driver.execute_script(script)
        time.sleep(1)
        picture: bytes = driver.get_screenshot_as_png()
        return picture


def lstm_png() -> bytes:
    """A drawing, as large as it is."""
    size = re.search(r'width="([\d.]+)" height="([\d.]+)"', str(export([solved("gomez-lstm")], "svg", Style()).content))
    assert size is not None
    return shown_png("gomez-lstm", "svg", math.ceil(float(size[1])), math.ceil(float(size[2])), "")


class Silent(SimpleHTTPRequestHandler):
    """Gives files of a folder, and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def site_png() -> bytes:
    """The site with a sheet that was checked."""
    from handcalc.disk.writing import write_folder
    from handcalc.site.building import site

    with TemporaryDirectory() as parent, browser(1280, 1150) as driver:
        folder = str(Path(parent) / "public")
        write_folder(site(None, "en"), folder, False)
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        driver.get(f"http://127.0.0.1:{server.server_port}/")
        for script in (CHECKED, "scrollTo(0, 0)"):
            while driver.execute_script("return document.body.dataset.state") != "ready":
                time.sleep(0.2)
            driver.execute_script(script)
            time.sleep(1)
        picture: bytes = driver.get_screenshot_as_png()
        server.shutdown()
        server.server_close()
        return picture


MADE: dict[str, Callable[[], bytes]] = {
    "step.svg": step_svg,
    "pdf.png": lambda: pages_of("key"),
    "worksheet.png": lambda: pages_of("worksheet"),
    "word.png": word_png,
    "page.png": lambda: shown_png(PROBLEM, "html", 1400, 800, GO.format(step="grad.w1") + TO_LINE),
    "lstm.png": lstm_png,
    "slides.png": lambda: shown_png(PROBLEM, "slides", 1280, 720, "document.querySelectorAll('.step')[12].scrollIntoView()"),
    "site.png": site_png,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or MADE:
        (PICTURES / name).write_bytes(MADE[name]())
        print(f"written: docs/pictures/{name}")
