"""The site in a browser, over loopback: it loads, solves, marks, explains, in both languages, on a phone, from a link, without a network.

Needs Chromium with its driver, selenium, and Pyodide and CodeMirror in the folder that HANDCALC_NODE_MODULES names (else ./node_modules);
without them the tests are skipped. One browser is used for all of them: Python is loaded once, and again only where that is tested.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_browser import ARGUMENTS, AXE, BROWSER, DRIVER

from handcalc.disk.writing import write_folder
from handcalc.site.building import site
from handcalc.site.provided import PYODIDE, node_modules

selenium = pytest.importorskip("selenium", reason="selenium is not installed")
from selenium.webdriver import Chrome, ChromeOptions  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.webelement import WebElement  # noqa: E402

MODULES = Path(node_modules() or "node_modules")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DRIVER or not BROWSER, reason="there is no Chromium with chromedriver"),
    pytest.mark.skipif(
        not (MODULES / "pyodide").exists() or not (MODULES / "@codemirror" / "lang-yaml").exists(),
        reason=f"Pyodide and CodeMirror are not in {MODULES}: npm install pyodide@{PYODIDE} codemirror@6 @codemirror/lang-yaml@6, "
        "and HANDCALC_NODE_MODULES says where",
    ),
]
LONGEST = 40  # seconds
SMALL = """\
title: {title}
inputs: [2, 3]
targets: [1]
layers:
  - neurons: [y]
    weights: [[0.25, 0.5]]
loss: half_squared_error
learning_rate: 0.1
"""
HOSTILE = "'<img src=x onerror=\"document.title = `run`\"><script>document.title = `run`</script>'"


class Server:
    """Files over loopback, and what was asked for."""

    def __init__(self, folder: Path) -> None:
        asked: list[str] = []

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                asked.append(self.path)

        self.asked = asked
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """From now on nobody answers."""
        self.http.shutdown()
        self.http.server_close()


class SitePage:
    """A browser at the site, and what the tests do with it."""

    def __init__(self, folder: Path, address: str) -> None:
        options = ChromeOptions()
        for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
            options.add_argument(argument)
        options.binary_location = BROWSER or ""
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = Chrome(options=options, service=Service(DRIVER))
        self.address = address

    def size(self, width: int) -> None:
        """The width of the window."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def open(self, hash: str = "") -> None:
        """Load the page anew."""
        self.driver.get("about:blank")
        self.driver.get(self.address + hash)

    def part(self, name: str) -> WebElement:
        """The element with data-handcalc."""
        return self.driver.find_element(By.CSS_SELECTOR, f"[data-handcalc={name}]")

    def run(self, script: str, *arguments: Any) -> Any:
        """The answer of a script."""
        return self.driver.execute_script(script, *arguments)

    def until(self, found: Callable[[], Any]) -> Any:
        """Wait for something."""
        end = time.monotonic() + LONGEST
        while not (answer := found()):
            assert time.monotonic() < end, (self.state(), self.part("status").text, self.said()[:500])
            time.sleep(0.05)
        return answer

    def state(self) -> str:
        """loading, ready, working or broken."""
        return str(self.run("return document.body.dataset.state"))

    def said(self) -> str:
        """The text of the result."""
        return str(self.run("return document.querySelector('[data-handcalc=result]').textContent"))

    def ready(self) -> None:
        """Wait until nothing is loaded or worked on."""
        self.until(lambda: self.state() == "ready")

    def press(self, name: str) -> str:
        """Press a button and wait for its result."""
        self.run("document.querySelector('[data-handcalc=result]').replaceChildren()")
        self.run("document.querySelector(`[data-handcalc=${arguments[0]}]`).click()", name)
        self.until(self.said)
        self.ready()
        return self.said()

    def type(self, yaml: str) -> None:
        """Another problem."""
        self.run("document.querySelector('[data-handcalc=problem]').value = arguments[0]", yaml)

    def complaints(self) -> list[str]:
        """What the browser says went wrong, such as something that the policy forbids."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def hosts(self) -> set[str]:
        """The beginnings of addresses that were asked for since the last time."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        asked = [found["params"]["request"]["url"] for found in messages if found["method"] == "Network.requestWillBeSent"]
        return {"/".join(url.split("/")[:3]) for url in asked if not url.startswith(("chrome:", "data:", "about:", "blob:"))}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site") / "public"
    write_folder(site(None, "en"), str(folder), False)
    found = Server(folder)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def page(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SitePage]:
    found = SitePage(tmp_path_factory.mktemp("browser"), server.address)
    try:
        found.size(1400)
        found.open()
        found.ready()
        yield found
    finally:
        found.driver.quit()


def test_the_first_problem_is_solved(page: SitePage) -> None:
    assert "notation: mazur" in page.part("problem").get_attribute("value") and page.part("gallery").get_attribute("value") == "mazur-2-2-2"
    text = page.press("solve")
    assert "A step-by-step backpropagation example" in text and "0.3775" in text and "0.358916" in text
    assert page.part("solve").is_displayed() and page.part("status").text.startswith("Done in ")
    assert page.run("return document.querySelectorAll('.result .text .step').length") == 56


def test_the_result_is_gone_through_line_by_line(page: SitePage) -> None:
    page.press("solve")
    page.run("document.querySelector('.result .controls .next').click()")
    assert page.run("return document.querySelector('.result .text .current').dataset.step") == "net.h1"
    page.part("answers").send_keys("x" + Keys.ARROW_LEFT)
    assert page.run("return document.querySelector('.result .text .current').dataset.step") == "net.h1", "arrows of a field are its own"
    page.part("answers").clear()


def test_numbers_are_changed(page: SitePage) -> None:
    """As in an exported page: worked out again by its program, which is read and not run, other decimals, and trained on."""
    page.press("solve")
    page.run("document.querySelector('.result .change').open = true")
    first = page.run("return document.querySelector('.result [data-result=loss] .now').textContent")
    field = "document.querySelector('.result [data-given=w5]')"
    page.run(f"{field}.value = '1.5'; {field}.dispatchEvent(new Event('input'))")
    shown = page.run("return document.querySelector('.result [data-result=loss] .now').textContent")
    assert "0.2983" in first and "before" in shown and "0.2983" in shown and not shown.startswith(first)
    page.run("document.querySelector('.result .reset').click(); document.querySelector('.result .train').click()")
    assert "100 updates" in page.run("return document.querySelector('.result .curve').textContent")
    page.run("const slider = document.querySelector('.result .decimals input'); slider.value = 1; slider.dispatchEvent(new Event('input'))")
    decimals = page.run("return document.querySelector('.result .decimals output').textContent")
    places = page.run("return document.querySelector('.result .step[data-step=\"net.h1\"] .right').textContent").split(".")[-1]
    assert decimals.isdigit() and len(places) == int(decimals)


def test_long_results(page: SitePage) -> None:
    """What is packed of a long page is unpacked."""
    for name in ("small-gpt", "mazur-2-2-2"):
        page.run("part('gallery').value = arguments[0]; part('gallery').dispatchEvent(new Event('change'))", name)
        text = page.run("return gallery.then((problems) => problems.find((one) => one.name === arguments[0]).text)", name)
        page.until(lambda text=text: page.part("problem").get_attribute("value") == text)
        page.press("solve")
        assert page.run("return document.querySelectorAll('.result .text .step').length") == {"small-gpt": 445, "mazur-2-2-2": 56}[name]


def test_a_mistake_is_named(page: SitePage) -> None:
    page.part("answers").send_keys("net.h1 = 0.3775\ngrad.w5 = 0.0822\nnew.w5 = 0.4411\n")
    text = page.press("check")
    assert "2 of 3 marks" in text and "The gradient is added in the update" in text
    page.part("answers").clear()
    page.run("document.querySelector('[data-handcalc=blank]').click()")
    page.until(lambda: "net_h1" in page.part("answers").get_attribute("value"))
    page.ready()


def test_a_number_is_explained_and_a_sheet_is_empty(page: SitePage) -> None:
    page.part("step").send_keys("w5")
    text = page.press("why")
    assert "0.358916" in text and "0.3775" in text
    text = page.press("worksheet")
    assert "0.3775" not in text and page.run("return document.querySelectorAll('.result .blank').length") > 20


def test_files_are_downloaded(page: SitePage) -> None:
    page.run("window.saved = []; window.save = (name, content) => saved.push([name, new TextDecoder().decode(content)])")
    page.run("part('format').value = 'latex'; part('download').click()")
    ((name, content),) = page.until(lambda: page.run("return saved"))
    assert name == "solution.tex" and content.startswith("\\documentclass")
    page.ready()


def test_other_languages(page: SitePage) -> None:
    select = page.part("language")
    page.run("arguments[0].value = 'zh'; arguments[0].dispatchEvent(new Event('change'))", select)
    assert page.run("return document.documentElement.lang") == "zh-Hans"
    assert "已知" in page.press("solve")
    assert page.run("return [...part('gallery').options].find((one) => one.value === 'mazur-2-2-2').text").startswith("反向传播")
    page.run("arguments[0].value = 'en'; arguments[0].dispatchEvent(new Event('change'))", select)
    assert page.part("solve").text == "Solve" and "Given" in page.press("solve")


def test_errors_are_at_their_lines(page: SitePage) -> None:
    page.type("inputs: [1]\nlayer: 3\nlayers: [{neurons: 1, weights: [[2]]}]\n")
    said = page.until(lambda: page.part("errors").is_displayed() and page.part("errors").text)
    assert page.part("gallery").get_attribute("value") == "", "it is no example any more"
    assert said.startswith("Line 2") and 'did you mean "layers"' in said
    marked = "return [...document.querySelectorAll('.cm-lintRange-error')].map((one) => one.textContent)"
    assert page.run(marked) == ["layer: 3"]
    page.press("solve")
    assert "unknown key" in page.said() and page.part("errors").is_displayed()


def test_the_schema_is_offered(page: SitePage) -> None:
    page.type("inputs: [1]\nlayers:\n  - neurons: 1\n    act")
    page.run("document.querySelector('[data-handcalc=problem]').focus()")
    page.part("problem").send_keys(Keys.CONTROL + Keys.END)
    page.part("problem").send_keys("i")
    offered = page.until(lambda: page.run("return [...document.querySelectorAll('.cm-completionLabel')].map((one) => one.textContent)"))
    assert "activation" in offered
    time.sleep(0.2)  # the editor passes over keys that were on their way when it offered something
    page.part("problem").send_keys(Keys.ARROW_DOWN + Keys.ENTER + "sig")
    page.until(lambda: "sigmoid" in page.run("return [...document.querySelectorAll('.cm-completionLabel')].map((one) => one.textContent)"))
    page.part("problem").send_keys(Keys.ESCAPE)


def test_what_is_typed_is_not_run(page: SitePage) -> None:
    page.type(SMALL.format(title=HOSTILE))
    text = page.press("solve")
    assert "<script>" in text and page.run("return document.querySelectorAll('.result img, .result script:not([type])').length") == 0
    page.part("answers").clear()
    page.part("answers").send_keys('<img src=x onerror="document.title = 1"> = 3\n')
    page.press("check")
    assert page.driver.title not in ("run", "1")
    page.part("answers").clear()


def link(yaml: str) -> str:
    """The end of an address with a problem in it."""
    return "#p=" + urlsafe_b64encode(yaml.encode()).rstrip(b"=").decode()


def test_a_link_solves_by_itself(page: SitePage) -> None:
    yaml = SMALL.format(title="Über 中文")
    page.run("location.hash = arguments[0]", link(yaml))
    page.until(lambda: "Über" in page.said())
    page.ready()
    assert page.part("problem").get_attribute("value") == yaml and page.run("return address()") == link(yaml)
    page.run("location.hash = '#p=%%%'")
    page.until(lambda: "This link holds no problem." in page.said())


@pytest.mark.skipif(not AXE.exists(), reason=f"there is no {AXE}; set HANDCALC_NODE_MODULES to where axe-core is installed")
def test_no_serious_barriers(page: SitePage) -> None:
    page.run(AXE.read_text("utf-8"))
    page.run("part('gallery').value = 'mazur-2-2-2'; part('gallery').dispatchEvent(new Event('change'))")  # longer than the editor
    page.ready()
    for width in (390, 1400):
        page.size(width)
        for button in ("solve", "check"):
            page.press(button)
            found = page.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
            assert [
                f"{fault['help']}: {fault['nodes'][0]['html'][:200]}"
                for fault in found["violations"]
                if fault["impact"] in ("serious", "critical")
            ] == []


def test_a_phone(page: SitePage) -> None:
    page.size(390)
    for button in ("solve", "worksheet", "check"):
        page.press(button)
        assert page.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    page.type("layer: 3\n")
    page.until(lambda: page.part("errors").is_displayed())
    small = page.run(
        "return [...document.querySelectorAll('.bench button, .bench select')]"
        ".filter((one) => one.checkVisibility() && one.offsetHeight < 30).map((one) => one.textContent)"
    )
    assert small == []
    page.size(1400)


def test_sheets_of_a_class(page: SitePage, tmp_path: Path) -> None:
    page.type(SMALL.format(title="Class"))
    for name, answer in (("Ann", 2), ("Bo", 3)):
        (tmp_path / f"{name}.txt").write_text(f"net.y = {answer}\n")
    page.part("sheets").send_keys("\n".join(str(tmp_path / f"{name}.txt") for name in ("Ann", "Bo")))
    page.until(lambda: "Ann" in page.said() and "Bo" in page.said())
    page.ready()


def test_what_takes_too_long_is_stopped(page: SitePage) -> None:
    page.run("window.ended = run(['solve', PROBLEM, '--format', 'html', '--iterations', '900']).then((answer) => (window.answer = answer))")
    assert page.state() == "working"
    page.part("stop").click()
    assert page.state() == "loading"
    page.ready()
    assert page.run("return window.answer") is None and not page.part("stop").is_displayed()


def test_without_a_network(page: SitePage, server: Server) -> None:
    """After the first visit; and in all that was done nobody else was asked for anything, and nothing was forbidden."""
    page.until(lambda: page.run("return document.body.dataset.offline") == "ready")
    assert {path.split("?")[0] for path in server.asked} >= {"/", "/pyodide/pyodide.asm.wasm"}
    server.stop()
    page.open(link(SMALL.format(title="Linked")))
    page.until(lambda: "Linked" in page.said())
    page.ready()
    assert "Linked" in page.press("solve")
    assert page.hosts() == {server.address.rstrip("/")}
    assert [said for said in page.complaints() if "ERR_CONNECTION_REFUSED" not in said] == []
