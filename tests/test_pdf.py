"""Typst source and PDF: complete in themselves, every number the solution's, no line in two, every user's text text."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from exports import derivation, hostile_problem, in_columns
from shipping import some

from handcalc.core.derivation import Derivation
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import OutputError, printable
from handcalc.loading.loader import loads, shipped
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render.blocks import Equation, Table
from handcalc.render.formats import fonts, typesetter
from handcalc.render.formats import typst as typst_document
from handcalc.render.formats.joined import joined
from handcalc.render.formats.pdf import document as pdf_document
from handcalc.render.formats.typstmath import PIECE_WIDTH, literal, pieces, width
from handcalc.render.report import Chapter, Style, dialect_of, export, reported

typst = pytest.importorskip("typst", reason="PDF needs the package typst")
pypdf = pytest.importorskip("pypdf", reason="PDF is read back with the package pypdf")

HOSTILE = [
    '#read("/etc/passwd")', '"); #panic("x', "$x$ <label> @ref *b* _c_ `d`", "// not a comment /* nor this", "\\u{41} \\", "= heading",
    "[#sys.version]", "\u202eright", "a\nb\x1b[31m", "<script>alert(1)</script>", "~ -- --- ...", "x" * 300,
]  # fmt: skip
FEW = ("mazur-2-2-2", "zhou-four-people", "micrograd-readme", "softmax-cross-entropy", "xigua-thresholds", "adam-logistic")
PLAIN = Style(pictures=False)


def source(found: Derivation, style: Style = PLAIN, language: str = "en") -> str:
    written = export([found], "typst", style, language).content
    assert isinstance(written, str)
    return written


def pdf(*found: Derivation, style: Style = PLAIN, language: str = "en") -> bytes:
    written = export(found, "pdf", style, language).content
    assert isinstance(written, bytes)
    return written


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages]


# --- every number -----------------------------------------------------------------------------------------------------


def shown(found: Derivation, style: Style) -> dict[str, str]:
    """id → printed number, from the JSON."""
    steps: list[dict[str, Any]] = json.loads(str(export([found], "json", Style(style.notation)).content))["steps"]
    return {step["id"]: step["shown"] for step in steps}


def canonical(number: str) -> str:
    """A number of Typst as the JSON has it."""
    for old, new in ((" times 10^(", "e"), ('","', "."), ("frac(", ""), (", ", "/"), (")", "")):
        number = number.replace(old, new)
    return re.sub(r"e(-?)0*(\d+)$", r"e\1\2", number.replace("^(", ""))


def test_numbers_are_read_back() -> None:
    assert [canonical(text) for text in ("-0.5", "1.2 times 10^(-10)", '0","5', "-frac(1, 3)")] == ["-0.5", "1.2e-10", "0.5", "-1/3"]


def lines(written: str) -> dict[int, str]:
    """Number of a line → its last part."""
    found = re.findall(r"^#worked\((\d+), .*\((?:\$[^$]*\$, )*\$(?:= |approx )?([^$]*)\$,\)\)$", written, re.MULTILINE)
    return {int(number): last for number, last in found}


def check_numbers(found: Derivation, style: Style) -> int:
    chapter = Chapter(found, dialect_of("typst"), style)
    written = source(found, style)
    numbers = shown(found, style)
    last = lines(written)
    blocks = list(chapter.blocks())
    worked = [block for block in blocks if isinstance(block, Equation) and block.step is not None and block.number]
    assert len(last) == len(worked)
    for block in worked:
        assert block.step is not None
        name = found.step_id(*block.step)
        assert canonical(last[block.number]) == canonical(numbers[name]), f"({block.number}) {name}"
    cells = re.findall(r'\(m\("[^"]*", \$([^$]*)\$\), \$', written)
    expected = [name for block in blocks if isinstance(block, Table) for name in in_columns(block, found)]
    assert [canonical(cell) for cell in cells] == [canonical(numbers[name]) for name in expected]
    return len(worked)


@pytest.mark.parametrize("problem", FEW)
def test_every_number_is_that_of_the_json(problem: str) -> None:
    assert check_numbers(derivation(problem), PLAIN)


def test_numbers_of_other_styles() -> None:
    assert check_numbers(derivation("mazur-2-2-2", 2), Style("zhou", comma=True, detail="full", pictures=False)) > 100
    assert check_numbers(derivation("tiny-linear-neuron", rounding=Rounding(exact=True)), PLAIN)


# --- every problem ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(["tiny-linear-neuron", "custom-formulas", "softmax-cross-entropy"], ["tiny-linear-neuron"]))
@pytest.mark.every
def test_problems_become_pdfs(problem: str) -> None:
    check_pdf(derivation(problem), Style(form="both"))


@pytest.mark.slow
@pytest.mark.parametrize("place, problem", list(enumerate(shipped())))
def test_all_problems_become_pdfs(place: int, problem: str) -> None:
    """Each in its own notation, and every second one, with two iterations, in one of all with one of the views, in turn: so many are there
    that every notation is seen in every view."""
    check_pdf(derivation(problem), Style(form="both"))
    turn, notation = divmod(place // 2, len(NOTATION_NAMES))
    view = ("worksheet", "formulas", "cloze", "key")[turn % 4]
    if place % 2:
        check_pdf(derivation(problem, 2), Style(NOTATION_NAMES[notation], form="both", view=view, pictures=False))


def check_pdf(found: Derivation, style: Style) -> None:
    """It is made, tagged, has its title, and its last line has the last number."""
    content = pdf(found, style=style)
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.metadata is not None and reader.metadata.title == (found.header.title or "Worked solution")
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = "".join(page.extract_text() for page in reader.pages).replace("\u200b", "")  # where a line may be broken
    last = max(map(int, re.findall(r"^#worked\((\d+),", source(found, style), re.MULTILINE)))
    assert f"({last})" in text and f"{len(reader.pages)} / {len(reader.pages)}" in text


@pytest.mark.parametrize("problem", ["mazur-2-2-2", "micrograd-readme"])
def test_english_needs_no_fonts_of_the_computer(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(typesetter, "installed")
    assert pdf(derivation(problem), style=Style(form="both")).startswith(b"%PDF")


# --- pages ------------------------------------------------------------------------------------------------------------


def torn(content: bytes) -> list[str]:
    """What the pages after the first begin with, where it is the middle of a formula. The running title is no part of it: it is the
    first text of a page, but the last one where pages were set in pieces."""
    title, *others = (page.split("\n") for page in pages(content))
    begins = [next(line.strip() for line in lines if line.strip() != title[0].strip()) for lines in others]
    return [text for text in begins if re.match(r"[=≈+−·]", text)]


LONG = Style("mazur", only=("backward",), pictures=False)


@pytest.mark.slow
def test_no_line_goes_over_the_end_of_a_page() -> None:
    assert not torn(pdf(derivation("zhou-four-people"), style=LONG))


@pytest.mark.slow
def test_torn_lines_are_found() -> None:
    written = source(derivation("zhou-four-people"), LONG)
    close = "    set par(leading: 0pt, spacing: 0pt)\n"
    loose = written.replace("breakable: breakable", "breakable: true").replace(
        close, close + "    set text(costs: (widow: 0%, orphan: 0%))\n"
    )
    assert loose.count("costs") > written.count("costs") and torn(typesetter.pdf(loose))


@pytest.mark.slow
@pytest.mark.parametrize(
    "problem, notation", [("zhou-four-people", "nielsen"), ("per-connection-bias-2-3-1", "zhou"), ("bishop-tanh-regression", "ng")]
)
def test_no_line_of_a_long_report_goes_over_the_end_of_a_page(problem: str, notation: str) -> None:
    content = pdf(derivation(problem, 2), style=Style(notation, detail="full", form="both"))
    assert len(pages(content)) > 10 and not torn(content)


@pytest.mark.slow
def test_no_line_of_a_report_in_pieces_goes_over_the_end_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """One page begins with a formula of three lines."""
    monkeypatch.setattr(typst_document, "WHOLE", 1000)
    content = pdf(derivation("zhou-four-people", 2), style=Style("nielsen", detail="full", form="both"))
    assert any(re.match(r"\(\d+\).*\n≈.*\n≈", page) for page in pages(content)) and not torn(content)


def test_pages_have_the_title_and_their_number() -> None:
    found = pages(pdf(derivation("mazur-2-2-2"), style=Style(detail="full", pictures=False)))
    assert len(found) > 1 and all(f"{number} / {len(found)}" in text for number, text in enumerate(found, 1))
    assert all(text.startswith("A step-by-step backpropagation example\n") for text in found[1:])


def test_several_problems_have_contents() -> None:
    problems = [derivation(name) for name in ("tiny-linear-neuron", "mazur-2-2-2", "micrograd-readme")]
    content = pdf(*problems, style=Style(only=("forward",)))
    found = pages(content)
    contents = re.findall(r"^(.*?)[ .]{2,}(\d+)$", found[0].split("Contents")[1], re.MULTILINE)
    titles = [problem.header.title for problem in problems]
    assert [title.strip() for title, _ in contents] == titles
    assert all(found[int(page) - 1].startswith(title) for title, page in contents)
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.metadata is not None and reader.metadata.title == "Worked solutions"
    assert [entry["/Title"] for entry in reader.outline if not isinstance(entry, list)] == titles


def test_iterations_are_levels_of_their_own() -> None:
    written = source(derivation("mazur-2-2-2", 2))
    assert re.findall(r'^#heading\(level: (\d), "(Given|Iteration \d|Error)"\)', written, re.MULTILINE) == [
        ("2", "Given"), ("2", "Iteration 1"), ("3", "Error"), ("2", "Iteration 2"), ("3", "Error"),
    ]  # fmt: skip


# --- long formulas ----------------------------------------------------------------------------------------------------


def test_formulas_are_parted_before_their_terms() -> None:
    assert pieces("a dot.op b + c - d") == ["a dot.op b", "+ c", "- d"]
    assert pieces("frac(a + b, c - d)^(e + f) + sqrt(g - h)") == ["frac(a + b, c - d)^(e + f)", "+ sqrt(g - h)"]
    assert pieces('2 dot.op (a + "x + (y")') == ['2 dot.op (a + "x + (y")']
    term = '"weight" dot.op "input"'
    inside = " + ".join([term] * 6)
    found = pieces(f"2 dot.op ({inside})^(2) - 1")
    assert found[:3] == ["2", rf"dot.op \({term}", f"+ {term}"] and found[-2:] == [rf"+ {term}\)^(2)", "- 1"]
    assert all(width(piece) <= PIECE_WIDTH for piece in found)


def test_wide_things_stay_on_the_page() -> None:
    """Nothing is written to the right of the margin."""
    numbers = ", ".join(f"0.{place + 1}2345" for place in range(14))
    text = f"""
title: wide
inputs: {{{", ".join(f"a_rather_long_name_of_input_{place}: 0.{place + 1}2345" for place in range(14))}}}
targets: [0.5]
layers:
  - {{neurons: 2, activation: tanh, weights: [[{numbers}], [{numbers}]], bias: 0.1}}
  - {{neurons: 1, activation: sigmoid, weights: [[0.1, 0.2]], bias: 0.1}}
loss: squared_error
learning_rate: 0.5
"""
    found = derive(loads(text, "wide.yaml"))
    content = pdf(found, style=Style(form="both", detail="full", pictures=False, only=("forward",)))
    assert 500 < rightmost(content) < 595 - 16 / 25.4 * 72


def rightmost(content: bytes) -> float:
    """Where the rightmost text begins, in points."""
    places: list[float] = []
    for page in pypdf.PdfReader(io.BytesIO(content)).pages:
        page.extract_text(visitor_text=lambda text, matrix, inner, *_: places.append(matrix[4] + inner[4]) if text.strip() else None)
    return max(places)


# --- what is the user's -----------------------------------------------------------------------------------------------


def test_hostile_texts_together_stay_text() -> None:
    read = re.sub(r"[\s\u200b]", "", "".join(pages(pdf(*(hostile_problem(text, "b_") for text in HOSTILE), style=Style(only=("given",))))))
    assert all(read.count(re.sub(r"\s", "", printable(text))) >= 2 for text in HOSTILE) and "root:" not in read


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[:2]))
def test_hostile_texts_stay_text(text: str) -> None:
    content = pdf(hostile_problem(text, "b_"), style=Style(only=("given",)))
    read = re.sub(r"[\s\u200b]", "", "".join(pages(content)))
    assert read.count(re.sub(r"\s", "", printable(text))) >= 2  # title and source
    assert "root:" not in read
    reader = pypdf.PdfReader(io.BytesIO(content))
    assert reader.metadata is not None and str(reader.metadata.title).replace("\u200b", "") == printable(text)


def test_a_source_cannot_read_files() -> None:
    for reading in ('#read("/etc/passwd")', '#read("../../etc/passwd")', '#image("x.png")'):
        with pytest.raises(typst.TypstError):
            typesetter.pdf(f'#set document(title: "x")\n{reading}')


def test_strings() -> None:
    assert literal('a"b\\c\n#d') == '"a\\"b\\\\c\\\\u000ad"'.replace("d", "#d", 1)
    assert literal("x" * 100).count("\u200b") == 2


# --- fonts ------------------------------------------------------------------------------------------------------------


def has_chinese_font() -> bool:
    try:
        return bool(fonts.installed("中"))
    except OutputError:
        return False


needs_chinese = pytest.mark.skipif(not has_chinese_font(), reason="no Chinese font on this computer (Debian, Ubuntu: fonts-noto-cjk)")


@needs_chinese
@pytest.mark.slow
def test_hostile_texts_stay_text_beside_chinese() -> None:
    read = re.sub(r"[\s\u200b]", "", "".join(pages(pdf(*map(hostile_problem, HOSTILE), style=Style(only=("given",))))))
    assert all(read.count(re.sub(r"\s", "", printable(text))) >= 2 for text in HOSTILE) and "root:" not in read
    assert read.count("样本") >= len(HOSTILE)


def test_where_fonts_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Typst itself: in its folders, and nowhere else where the computer's are to be ignored."""
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(typst, "Fonts", lambda **options: asked.append(options))
    monkeypatch.setenv("TYPST_FONT_PATHS", os.pathsep.join((str(tmp_path), "other")))
    monkeypatch.delenv("TYPST_IGNORE_SYSTEM_FONTS", raising=False)
    fonts._all.__wrapped__()
    monkeypatch.setenv("TYPST_IGNORE_SYSTEM_FONTS", "1")
    fonts._all.__wrapped__()
    folders = [str(tmp_path), "other"]
    assert asked == [
        {"include_system_fonts": True, "font_paths": folders},
        {"include_system_fonts": False, "font_paths": folders},
    ]


@needs_chinese
def test_chinese() -> None:
    text = "".join(pages(pdf(derivation("xigua-thresholds"), style=Style(only=("given", "forward")), language="zh")))
    assert "前向传播" in text and "隐藏层" in text and "用 BP 算法判断一个西瓜" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_missing_chinese_font_is_said(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for an English report with Chinese names."""
    monkeypatch.setattr(fonts, "CHINESE", {"No Such Family": "nowhere"})
    with pytest.raises(OutputError, match="fonts-noto-cjk"):
        pdf(derivation("xigua-thresholds"), language=language)


def test_a_missing_letter_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetter, "installed", lambda text: typst.Fonts(include_system_fonts=False))
    with pytest.raises(OutputError, match='no font on this computer has the letters ".*ก'):
        pdf(hostile_problem("ก"))


# --- the same bytes ---------------------------------------------------------------------------------------------------


def test_the_same_bytes_twice() -> None:
    first = pdf(derivation("mazur-2-2-2"), style=Style())
    script = (
        "import sys, hashlib; from handcalc import load, derive, render;"
        "print(hashlib.sha256(render(derive(load('mazur-2-2-2')), 'pdf')).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1])
    assert other.stdout.strip() == hashlib.sha256(first).hexdigest()


# --- drawings ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_drawings_are_inside() -> None:
    written = source(derivation("mazur-2-2-2"), Style(detail="full"))
    assert written.count('#drawing("Drawing of the network", "<svg') == 2
    assert pages(typesetter.pdf(written))


def test_an_index_is_not_joined_to_a_power() -> None:
    """W^{xf}_{j,i} of an LSTM: fj would be one sign."""
    source = str(export([derivation("gomez-lstm")], "typst", Style()).content)
    joined = re.findall(r"f</tspan><tspan[^>]*>\W*[fijl]", source)
    assert joined and all("\u200c" in found for found in joined)


def test_png() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="72" height="36"><rect width="72" height="36" fill="#2f6db3"/></svg>'
    found = typesetter.png(svg)
    assert found.startswith(b"\x89PNG") and found == typesetter.png(svg)
    wide, high = int.from_bytes(found[16:20], "big"), int.from_bytes(found[20:24], "big")
    assert (wide, high) == (pytest.approx(165, abs=1), pytest.approx(83, abs=1))  # 72 px are 54 pt, at 220 points per inch


# --- in pieces ---------------------------------------------------------------------------------------------------------

SEVERAL = ("tiny-linear-neuron", "mazur-2-2-2", "micrograd-readme")


def facts(content: bytes) -> dict[str, object]:
    """What a PDF says beside its looks: letters and links of its pages, bookmarks, what is read aloud, and on which page."""
    reader = pypdf.PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    places = {page.indirect_reference.idnum: place for place, page in enumerate(reader.pages)}
    tree = root["/StructTreeRoot"]
    keys = dict(zip(map(int, tree["/ParentTree"]["/Nums"][::2]), tree["/ParentTree"]["/Nums"][1::2]))

    def element(found: Any) -> Any:
        found = found.get_object()
        if isinstance(found, list):
            return [element(part) for part in found]
        if not isinstance(found, dict):
            return int(found)
        where = places[found.raw_get("/Pg").idnum] if "/Pg" in found else None
        return [str(found.get("/S")), str(found.get("/Alt")), where, element(found["/K"]) if "/K" in found else []]

    def bookmarks(found: list[Any], depth: int = 0) -> list[tuple[object, ...]]:
        nested = [bookmarks(one, depth + 1) if isinstance(one, list) else [bookmark(one, depth)] for one in found]
        return [one for part in nested for one in part]

    def bookmark(found: Any, depth: int) -> tuple[object, ...]:
        return depth, found["/Title"], reader.get_destination_page_number(found), found["/Left"], found["/Top"]

    def owners(page: Any) -> list[Any]:
        marked = keys[int(page["/StructParents"])].get_object() if "/StructParents" in page else []
        return [[str(one.get_object().get("/S")), str(one.get_object().get("/Alt"))] for one in marked]

    links = [annotation.get_object()["/Dest"] for page in reader.pages for annotation in page.get("/Annots", [])]
    return {
        "letters": [sorted(re.sub(r"[\s\u200b]", "", page.extract_text())) for page in reader.pages],
        "bookmarks": bookmarks(reader.outline),
        "aloud": element(tree["/K"]),
        "owners": [owners(page) for page in reader.pages],
        "heads": len(tree["/IDTree"]["/Names"]) // 2,
        "links": [(places[page.idnum], *map(float, point)) for page, _, *point in links],
        "metadata": dict(reader.metadata or {}),
        "catalogue": [str(root.get(key)) for key in ("/Lang", "/MarkInfo", "/ViewerPreferences")],
        "pages": re.findall(r"NPages>(\d+)<", root["/Metadata"].get_data().decode()),
    }


@pytest.fixture
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst_document, "WHOLE", 1000)
    monkeypatch.setattr(typst_document, "PIECE", 10_000)


@pytest.mark.parametrize("problems", some([SEVERAL[:2], SEVERAL, ("mazur-2-2-2",)], [SEVERAL[:2]]))
def test_pieces_joined_are_the_whole(problems: tuple[str, ...], short_pieces: None) -> None:
    """Pages, numbers, bookmarks, links and what is read aloud are those of the document that is set at once; so are the bytes, again."""
    report = reported([derivation(name) for name in problems], "pdf", PLAIN)
    document = typst_document.source(report)
    assert len(document.pieces) > 1 and any(piece.above for piece in document.pieces)
    content = joined(document)
    assert facts(content) == facts(typesetter.pdf(document.whole()))
    assert content == pdf_document(report)


def test_pieces_end_before_headings(short_pieces: None) -> None:
    found = typst_document.source(reported([derivation("mazur-2-2-2")], "pdf", PLAIN)).pieces
    assert [piece.above for piece in found][0] == ()
    assert all("level: 1" in piece.above[0] and re.match(r"#(par|heading|headed)\(", piece.text) for piece in found[1:])


def test_short_documents_are_one_piece() -> None:
    several = reported([derivation(name) for name in SEVERAL], "pdf", PLAIN)
    assert len(typst_document.source(several).pieces) == 1


def test_without_the_package_that_joins_it_is_set_at_once(short_pieces: None, monkeypatch: pytest.MonkeyPatch) -> None:
    report = reported([derivation("mazur-2-2-2")], "pdf", PLAIN)
    monkeypatch.setitem(sys.modules, "pypdf", None)
    assert pdf_document(report) == typesetter.pdf(typst_document.source(report).whole())


DEEP = """
import random, sys
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.render.report import Style, export

drawn = random.Random(1)
numbers = [[f"[{', '.join(f'{drawn.uniform(-1, 1):.2f}' for _ in range(10))}]" for _ in range(10)] for _ in range(12)]
layers = "".join(f"  - {{neurons: 10, activation: sigmoid, weights: [{', '.join(rows)}], bias: 0.1}}\\n" for rows in numbers)
inputs = ", ".join(f"x{place}: 0.{place}5" for place in range(10))
text = f"inputs: {{{inputs}}}\\ntargets: [{', '.join(['0.5'] * 10)}]\\nlayers:\\n{layers}loss: squared_error\\nlearning_rate: 0.5\\n"
assert len(export([derive(loads(text, "deep.yaml"))], "pdf", Style()).content) > 1_000_000
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the largest memory of a process is read from /proc")
def test_a_long_document_takes_little_memory() -> None:
    """Twelve layers of ten: 1,100 MiB where it is set at once."""
    found = subprocess.run([sys.executable, "-c", DEEP], stdout=subprocess.PIPE, text=True, check=True)
    assert int(found.stdout) / 1024 < 450
