"""Sheets and keys on paper: the code of the variant and the name of the student stand on every page, whatever prints it."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

import pytest
from test_generate import manifest, run

pytestmark = pytest.mark.slow

NAMES = {"7": "Ada Müller", "8": "王小明"}


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sheets and keys of two students, one by one and together."""
    folder = tmp_path_factory.mktemp("handouts")
    (folder / "list.csv").write_text("id,name\n" + "".join(f"{id},{name}\n" for id, name in NAMES.items()), encoding="utf-8")
    formats = [word for format in ("html", "pdf", "docx", "tex") for word in ("--sheet", format, "--key", format)]
    for name, more in (("each", []), ("all", ["--together"])):
        arguments = ["--students", str(folder / "list.csv"), "--seed", "a", "-o", str(folder / name), *formats, *more]
        run("generate", "mazur-2-2-2", *arguments)
    return folder


def on_paper(path: Path, folder: Path) -> bytes:
    """What a program prints of a file, as PDF."""
    if path.suffix == ".pdf":
        return path.read_bytes()
    if path.suffix == ".docx":
        if shutil.which("soffice") is None:
            pytest.skip("LibreOffice is not installed")
        command = ["soffice", f"-env:UserInstallation=file://{folder}/office", "--headless", "--convert-to", "pdf", "--outdir", str(folder)]
        subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)
        return (folder / f"{path.stem}.pdf").read_bytes()
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    driver, browser = shutil.which("chromedriver"), shutil.which("chromium") or shutil.which("google-chrome")
    if not driver or not browser:
        pytest.skip("there is no Chromium with chromedriver")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    options.binary_location = browser
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        chrome.get(path.as_uri())
        return b64decode(chrome.print_page())
    finally:
        chrome.quit()


def pages(path: Path, folder: Path) -> list[str]:
    """The text of every page, without spaces."""
    pypdf = pytest.importorskip("pypdf", reason="PDF is read back with the package pypdf")
    return [re.sub(r"\s", "", normalize("NFKC", page.extract_text())) for page in pypdf.PdfReader(BytesIO(on_paper(path, folder))).pages]


@pytest.mark.parametrize("suffix", ["html", "pdf", "docx"])
def test_the_code_is_on_every_page(suffix: str, handed_out: Path, tmp_path: Path) -> None:
    variants = manifest(handed_out / "each")["variants"]
    codes = {variant["code"]: variant["student"]["name"].replace(" ", "") for variant in variants}
    code, name = next(iter(codes.items()))
    for kind in ("sheet", "key"):
        found = pages(handed_out / "each" / code / f"{kind}.{suffix}", tmp_path)
        assert len(found) > 1 and all(code in page and name in page for page in found), (kind, len(found))
    found = pages(handed_out / "all" / f"sheets.{suffix}", tmp_path)
    of_pages = [[code for code in codes if code in page] for page in found]
    assert all(of_pages) and {*map(len, of_pages[1:])} == {1}, "each page is of one student; the first may be the contents"
    assert all(codes[one] in page for those, page in zip(of_pages, found) for one in those)


def test_latex_has_the_code_in_the_heads_of_pages(handed_out: Path) -> None:
    codes = [variant["code"] for variant in manifest(handed_out / "each")["variants"]]
    heads = re.findall(r"\\markright\{(.*)\}\\thispagestyle", (handed_out / "all" / "sheets.tex").read_text(encoding="utf-8"))
    assert len(heads) == len(codes) and all(code in head for code, head in zip(codes, heads))
