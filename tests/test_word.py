"""Word: markup in the order of the schema, every number the solution's, every user's text text, the same bytes."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any
from xml.etree import ElementTree

import pytest
from exports import derivation, hostile_problem, in_columns
from shipping import some

from handcalc.core.derivation import Derivation
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import OutputError, printable
from handcalc.loading.loader import loads, shipped
from handcalc.render.blocks import Digits, Equation, Plain, Table
from handcalc.render.formats.wordmath import WordFormulas, pieces, smaller, width
from handcalc.render.report import Chapter, Style, dialect_of, export
from handcalc.render.typeset import OMML

docx = pytest.importorskip("docx", reason="Word needs the package python-docx")
pytest.importorskip("typst", reason="drawings for Word need the package typst")

HOSTILE = [
    "<w:t>", "]]></w:t><w:t>", "&amp; &lt;", "\x00\x1b[31m\u202e", '"quoted" \'text\'', "\ufffe\u2066", "=cmd|'/c calc'!A1", "x" * 300,
    "{ INCLUDETEXT c:\\\\x }", "a\nb",
]  # fmt: skip
FEW = ("mazur-2-2-2", "zhou-four-people", "micrograd-readme", "softmax-cross-entropy", "xigua-thresholds", "adam-logistic")
PLAIN = Style(pictures=False)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"


def word(*found: Derivation, style: Style = PLAIN, language: str = "en") -> bytes:
    written = export(found, "word", style, language).content
    assert isinstance(written, bytes)
    return written


def part(content: bytes, name: str = "word/document.xml") -> ElementTree.Element:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return ElementTree.fromstring(archive.read(name))


def text_of(element: ElementTree.Element) -> str:
    """Words and formulas, one after the other."""
    return "".join(inner.text or "" for inner in element.iter() if inner.tag in (W + "t", M + "t")).replace("\u200b", "")


# --- the order of the schema ------------------------------------------------------------------------------------------

# element → its children, in order; ? may be left out, * and + may be repeated; "…" is anything that may stand in a formula
_ARGUMENT = "argPr? …*"
ORDER = {
    M + "oMath": "…*", M + "e": _ARGUMENT, M + "sub": _ARGUMENT, M + "sup": _ARGUMENT, M + "num": _ARGUMENT, M + "den": _ARGUMENT,
    M + "deg": _ARGUMENT, M + "r": "rPr? wrPr? t", M + "f": "fPr? num den", M + "sSub": "e sub", M + "sSup": "e sup",
    M + "sSubSup": "e sub sup", M + "rad": "radPr deg e", M + "d": "dPr? e+", M + "nary": "naryPr sub sup e", M + "m": "mPr mr+",
    M + "acc": "accPr e", M + "accPr": "chr", M + "limLow": "limLowPr? e lim", M + "lim": _ARGUMENT,
    M + "mr": "e+", M + "mPr": "mcs", M + "mcs": "mc+", M + "mc": "mcPr", M + "mcPr": "count mcJc", M + "naryPr": "chr limLoc supHide",
    M + "dPr": "begChr endChr", M + "fPr": "type", M + "radPr": "degHide", M + "argPr": "argSz", M + "rPr": "(nor|sty)",
    W + "p": "pPr (r|oMath|hyperlink|bookmarkStart|bookmarkEnd)*", W + "tbl": "tblPr tblGrid tr+", W + "tr": "trPr tc+",
    W + "tc": "tcPr (p|tbl)* p", W + "tblPr": "tblStyle? tblW tblLayout? tblCellMar? tblLook?", W + "tcPr": "tcW noWrap? vAlign",
    W + "pPr": "pStyle keepNext? pageBreakBefore? jc?", W + "rPr": "rStyle? rFonts? sz? szCs?", W + "body": "(p|tbl)+ sectPr",
    W + "r": "rPr? (t|tab|br|fldChar|instrText|drawing)",
}  # fmt: skip
FORMULA = "(?:(?:r|f|sSub|sSup|sSubSup|rad|d|nary|m|acc|limLow);)"


def faults(element: ElementTree.Element) -> Iterator[str]:
    """Elements whose children are not those that the schema asks for."""
    wanted = ORDER.get(element.tag)
    if wanted is not None:
        pattern = re.sub(r"[A-Za-z]+", r"(?:\g<0>;)", wanted).replace(" ", "").replace("…", FORMULA)
        foreign = "w" if element.tag.startswith(M) else ""
        found = "".join(foreign * child.tag.startswith(W) + child.tag.split("}")[1] + ";" for child in element)
        if not re.fullmatch(pattern, found):
            yield f"{element.tag.split('}')[1]}: {found}"
    if element.tag in (M + "t", W + "t", W + "instrText"):
        if not element.text:
            yield "an empty run"
    elif (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        yield f"letters beside the elements of {element.tag.split('}')[1]}"
    for child in element:
        yield from faults(child)


@pytest.mark.parametrize(
    "text",
    [
        "<m:f><m:den/><m:num/></m:f>", "<m:sSup><m:sup/><m:e/></m:sSup>", "<m:r><m:t>a</m:t><m:rPr><m:nor/></m:rPr></m:r>", "<m:r/>",
        "<m:e><m:t>a</m:t></m:e>", "<m:r><m:rPr><m:nor/><m:sty/></m:rPr><m:t>a</m:t></m:r>", "<m:r><m:t></m:t></m:r>", "<m:d/>",
        "<m:e>a</m:e>", "<m:e><m:r><m:t>a</m:t></m:r>a</m:e>",
    ],
)  # fmt: skip
def test_faults_are_found(text: str) -> None:
    assert list(faults(ElementTree.fromstring(f'<x xmlns:m="{M[1:-1]}">{text}</x>')))


def test_good_formulas_have_no_faults() -> None:
    text = "<m:f><m:num><m:argPr><m:argSz/></m:argPr><m:r><m:t>a</m:t></m:r></m:num><m:den><m:d><m:e/></m:d></m:den></m:f>"
    assert not list(faults(ElementTree.fromstring(f'<m:oMath xmlns:m="{M[1:-1]}">{text}</m:oMath>')))


@pytest.mark.parametrize("problem", some(FEW, FEW[::4]))
def test_problems_become_documents(problem: str) -> None:
    check_document(word(derivation(problem), style=Style(form="both", pictures=False)), derivation(problem).header.title)


TURNS = [
    ("", "key"),
    ("zhou", "worksheet"),
    ("nielsen", "formulas"),
    ("ng", "cloze"),
    ("bishop", "key"),
    ("heaton", "key"),
    ("d2l", "cloze"),
]


@pytest.mark.slow
@pytest.mark.parametrize("place, problem", list(enumerate(shipped())))
def test_all_problems_become_documents(place: int, problem: str) -> None:
    """Each in its own notation, and in one of the others with one of the views, in turn."""
    notation, view = TURNS[place % len(TURNS)]
    found = derivation(problem, 2)
    check_document(word(found, style=Style(form="both")), found.header.title)
    check_document(word(found, style=Style(notation, form="both", detail="full", view=view, pictures=False)), found.header.title)


def check_document(content: bytes, title: str) -> None:
    body = part(content)
    assert not list(faults(body))
    styles = {style.get(W + "styleId") for style in part(content, "word/styles.xml").iter(W + "style")}
    assert {style.get(W + "val") for style in body.iter(W + "pStyle")} <= styles
    opened = docx.Document(io.BytesIO(content))
    assert opened.paragraphs[0].style.name == "Title" and opened.paragraphs[0].text == (title or "Worked solution")
    assert opened.core_properties.title == (title or "Worked solution")[:255]


# --- every number -----------------------------------------------------------------------------------------------------


def shown(found: Derivation, style: Style) -> dict[str, str]:
    """id → printed number, from the JSON."""
    steps: list[dict[str, Any]] = json.loads(str(export([found], "json", Style(style.notation)).content))["steps"]
    return {step["id"]: step["shown"] for step in steps}


_SMALL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def canonical(number: str) -> str:
    """A printed number as the JSON has it."""
    number = number.strip(" \u2007\u2008\u200b=≈").translate(_SMALL).replace("−", "-").replace("×10", "e").replace(",", ".")
    return re.sub(r"e(-?)0*(\d+)$", r"e\1\2", number)


def test_numbers_are_read_back() -> None:
    assert [canonical(text) for text in ("= −0.5", "≈1.2×10−4", "0,5\u2007", "7.58256×10⁻¹⁰", "1.2e-05", "-1/3")] == [
        "-0.5", "1.2e-4", "0.5", "7.58256e-10", "1.2e-5", "-1/3",
    ]  # fmt: skip


def value_of(formula: ElementTree.Element) -> str:
    """The text of a formula, a fraction with its stroke."""
    fraction = formula.find(M + "f")
    if fraction is None:
        return text_of(formula)
    above, below = fraction.find(M + "num"), fraction.find(M + "den")
    assert above is not None and below is not None
    return "".join(text_of(child) for child in formula if child is not fraction) + text_of(above) + "/" + text_of(below)


def check_numbers(found: Derivation, style: Style) -> int:
    chapter = Chapter(found, dialect_of("word"), style)
    body = part(word(found, style=style))
    numbers = shown(found, style)
    last: dict[int, str] = {}
    for line in body.iter(W + "p"):
        start = re.match(r"\((\d+)\)", text_of(line))
        if start:
            last[int(start[1])] = value_of(line.findall(M + "oMath")[-1])
    blocks = list(chapter.blocks())
    worked = [block for block in blocks if isinstance(block, Equation) and block.step is not None and block.number]
    assert len(last) == len(worked)
    for block in worked:
        assert block.step is not None
        name = found.step_id(*block.step)
        assert canonical(last[block.number]) == canonical(numbers[name]), f"({block.number}) {name}"
    cells = [text_of(cell) for cell in body.iter(W + "tc") if cell.find(f"{W}tcPr/{W}noWrap") is not None]
    printed = Counter(canonical(cell) for cell in cells if re.match(r"[−\d]", cell))
    tables = [block for block in blocks if isinstance(block, Table)]
    expected = Counter(canonical(numbers[name]) for block in tables for name in in_columns(block, found))
    rows = [row for block in tables for row in (block.columns, *block.rows)]
    labels = Counter(canonical(item.text) for row in rows for item in row if isinstance(item, Plain) and item.text.isdigit())
    free = any(isinstance(item, Digits) for row in rows for item in row)  # numbers that are no steps
    assert not expected - printed and (free or printed - expected <= labels)  # rows and columns of grids have numbers too
    return len(worked)


@pytest.mark.parametrize("problem", some(FEW, FEW[::3]))
def test_every_number_is_that_of_the_json(problem: str) -> None:
    assert check_numbers(derivation(problem), PLAIN)


@pytest.mark.slow
def test_numbers_of_other_styles() -> None:
    assert check_numbers(derivation("mazur-2-2-2", 2), Style("zhou", comma=True, detail="full", pictures=False)) > 100
    assert check_numbers(derivation("tiny-linear-neuron", rounding=Rounding(exact=True)), PLAIN)


@pytest.mark.slow
@pytest.mark.parametrize("place, problem", list(enumerate(shipped())))
def test_every_number_of_every_problem(place: int, problem: str) -> None:
    for notation in ("", TURNS[place % len(TURNS)][0]):
        check_numbers(derivation(problem), Style(notation, detail="full", pictures=False))


# --- formulas ---------------------------------------------------------------------------------------------------------


def test_long_sums_are_parted() -> None:
    term = OMML.quotient.format(a=run("weight"), b=run("w")) + OMML.times + run("input_12")
    assert pieces(term + OMML.plus + term) == [term + OMML.plus + term]
    long = OMML.plus.join([term] * 6)
    assert [piece.startswith(OMML.plus) for piece in pieces(long)] == [False] + [True] * 5
    found = pieces(run("2") + OMML.times + OMML.tall.format(x=long))
    assert "".join(found).count("<m:d>") == 0 and len(found) == 6 and max(map(width, found)) < 30
    for piece in found:
        assert not list(faults(ElementTree.fromstring(f'<m:oMath xmlns:m="{M[1:-1]}">{piece}</m:oMath>')))


def run(text: str) -> str:
    return OMML.plus.replace("+", text)


def test_wide_matrices_are_smaller() -> None:
    found = derivation("mazur-2-2-2")
    formulas = WordFormulas(Chapter(found, OMML, PLAIN).reading, str)
    rows = tuple((Plain("12345678"),) * 12 for _ in range(2))
    wide, narrow = (smaller("".join(formulas.grid((Plain("a"), "=", rows))), letters) for letters in (74, 200))
    assert "<w:sz " not in narrow and wide.count('<w:sz w:val="14"/>') == wide.count("<m:t")
    assert not list(faults(ElementTree.fromstring(f'<m:oMath xmlns:m="{M[1:-1]}" xmlns:w="{W[1:-1]}">{wide}</m:oMath>')))


def test_matrices_beside_each_other_are_smaller() -> None:
    """Together they are too wide, each alone is not."""
    formulas = WordFormulas(Chapter(derivation("mazur-2-2-2"), OMML, PLAIN).reading, str)
    rows = tuple((Plain("12345678"),) * 4 for _ in range(2))
    one, two = ("".join(formulas.grid((Plain("a"), "=", *parts))) for parts in ((rows,), (rows, "·", rows, "·", rows)))
    assert "<w:sz " not in smaller(one, 74) and '<w:sz w:val="13"/>' in smaller(two, 74)


def test_lines_can_break_between_relations() -> None:
    body = part(word(derivation("mazur-2-2-2")))
    line = next(line for line in body.iter(W + "p") if text_of(line).startswith("(5)"))
    formulas = [text_of(formula) for formula in line.findall(M + "oMath")]
    assert formulas == ["neto1", "=w5·outh1+w6·outh2+b2", "≈0.40·0.593270+0.45·0.596884+0.60", "≈1.10591"]


def test_worksheets_have_lines_and_gaps() -> None:
    body = part(word(derivation("mazur-2-2-2"), style=Style(view="worksheet", pictures=False)))
    lines = [line for line in body.iter(W + "p") if text_of(line).startswith("(")]
    assert lines and all(line[-1].find(W + "tab") is not None and text_of(line).endswith("=") for line in lines)
    cloze = text_of(part(word(derivation("mazur-2-2-2"), style=Style(view="cloze", pictures=False))))
    assert cloze.count("_" * 10) > 100 and "0.593270" not in cloze


def beside(body: ElementTree.Element) -> list[list[str]]:
    """The texts of tables that stand beside each other."""
    rows = (row.findall(W + "tc") for row in body.iter(W + "tr"))
    return [[text_of(cell) for cell in cells] for cells in rows if all(cell.find(W + "tbl") is not None for cell in cells)]


def test_short_tables_stand_beside_each_other() -> None:
    first, *_ = beside(part(word(derivation("mazur-2-2-2"))))
    assert first[0].startswith("input") and first[1].startswith("Hidden layer")


def test_a_long_narrow_table_has_columns() -> None:
    numbers = {f"a{place}": place for place in range(30)}
    found = derive(loads(f"given: {json.dumps(numbers)}\nequations: {{f: {'+'.join(numbers)}}}\n"))
    [columns] = [row for row in beside(part(word(found, style=Style(pictures=False)))) if "quantity" in row[0]]
    assert len(columns) > 1 and all("quantity" in column for column in columns) and "29" in columns[-1]


# --- the whole --------------------------------------------------------------------------------------------------------


def test_several_problems_have_contents() -> None:
    problems = [derivation(name) for name in ("tiny-linear-neuron", "mazur-2-2-2", "micrograd-readme")]
    body = part(word(*problems))
    titles = [problem.header.title for problem in problems]
    assert [text_of(link) for link in body.iter(W + "hyperlink")] == titles
    anchors = [link.get(W + "anchor") for link in body.iter(W + "hyperlink")]
    assert anchors == [mark.get(W + "name") for mark in body.iter(W + "bookmarkStart")]
    opened = docx.Document(io.BytesIO(word(*problems)))
    assert [found.text for found in opened.paragraphs if found.style.name == "Heading 1"] == titles
    assert opened.paragraphs[0].text == "Worked solutions" and opened.core_properties.title == "Worked solutions"
    kinds = [char.get(W + "fldCharType") for char in body.iter(W + "fldChar")]
    assert kinds == ["begin", "separate", "end"] and "TOC" in "".join(code.text or "" for code in body.iter(W + "instrText"))


def test_pages_have_numbers_and_the_title() -> None:
    content = word(derivation("mazur-2-2-2"))
    section = docx.Document(io.BytesIO(content)).sections[0]
    assert section.header.paragraphs[0].text == "A step-by-step backpropagation example"
    assert section.footer.paragraphs[0].text == section.first_page_footer.paragraphs[0].text == "1 / 1"
    codes = [code.text for code in section.footer._element.iter(W + "instrText")]
    assert codes == [" PAGE ", " NUMPAGES "]
    assert (section.page_width.mm, section.page_height.mm) == (pytest.approx(210, abs=0.1), pytest.approx(297, abs=0.1))


def test_drawings_are_pictures_with_a_text() -> None:
    for detail, count in (("normal", 1), ("full", 2)):  # the lines have the numbers of the second drawing
        content = word(derivation("tiny-linear-neuron"), style=Style(detail=detail))
        body = part(content)
        names = [element.get("descr") for element in body.iter() if element.tag.endswith("docPr")]
        assert names == ["Drawing of the network"] * count
        assert len({element.get("id") for element in body.iter() if element.tag.endswith("docPr")}) == count
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("word/media/")]
        assert pictures and all(archive.read(name).startswith(b"\x89PNG") for name in pictures)
        assert not any("thumbnail" in name for name in archive.namelist())


def test_without_typst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(OutputError, match=r"pip install 'handcalc\[word\]'"):
        word(derivation("tiny-linear-neuron"), style=Style())
    assert word(derivation("tiny-linear-neuron"))


def test_chinese() -> None:
    content = word(derivation("xigua-thresholds"), language="zh")
    assert (
        "前向传播" in text_of(part(content))
        and 'w:hint="eastAsia"' in zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
    )
    assert docx.Document(io.BytesIO(content)).core_properties.language == "zh-CN"


# --- what is the user's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_texts_stay_text(text: str) -> None:
    content = word(hostile_problem(text))
    body = part(content)
    assert not list(faults(body))
    texts = [text_of(line) for line in body.iter(W + "p")]
    assert texts[0] == printable(text) and texts[1] == f"Source: {printable(text)}"
    assert any("[_a]" in line for line in texts) and any("[样本_b]" in line for line in texts)
    assert not any(element.tag == W + "instrText" for element in body.iter())
    assert docx.Document(io.BytesIO(content)).core_properties.title == printable(text)[:255]


# --- the same bytes ---------------------------------------------------------------------------------------------------


def test_the_same_bytes_twice() -> None:
    first = word(derivation("mazur-2-2-2"), style=Style())
    script = (
        "import hashlib; from handcalc import load, derive, render;"
        "print(hashlib.sha256(render(derive(load('mazur-2-2-2')), 'word')).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert other.stdout.strip() == sha256(first).hexdigest()
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None and archive.namelist()[0] == "[Content_Types].xml"


@pytest.mark.slow
@pytest.mark.skipif(which("soffice") is None, reason="LibreOffice is not installed")
def test_another_program_reads_it(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf", reason="PDF is read back with the package pypdf")
    (tmp_path / "report.docx").write_bytes(word(derivation("mazur-2-2-2"), derivation("xigua-thresholds"), style=Style(form="both")))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(tmp_path / "report.docx")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    found = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    assert 8 < len(found) < 25 and f"{len(found)} / {len(found)}" in found[-1]
    text = re.sub(r"\s", "", "".join(found))
    assert "Worksheets" not in text and "Worksolutions" not in text
    assert all(part in text for part in ("Workedsolutions", "Contents", "Forwardpass", "0.593270", "0.291028", "(40)"))
    assert "¿" not in text  # what LibreOffice writes for a missing operand
