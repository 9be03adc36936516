"""The documentation as a site (.ci/docsite): its pages, its links. The gate builds it."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from handcalc.loading.loader import load, shipped

ROOT = Path(__file__).parents[1]
HERE = ROOT / ".ci" / "docsite"
DOCS = ROOT / "docs"
TUTORIALS = sorted(path.name.removesuffix(".md") for path in DOCS.glob("tutorial-*.md") if not path.name.endswith(".zh.md"))


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its modules can be imported."""
    monkeypatch.syspath_prepend(str(HERE))
    for name in ("gallery", "links", "navigation"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_every_page_is_in_the_navigation() -> None:
    from navigation import entries

    there = {entry.made_of for entry in entries() if entry.made_of}
    pages = {f"docs/{path.name}" for path in DOCS.glob("*.md") if not path.name.endswith((".in.md", ".zh.md"))}
    assert there == pages | {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"}


def test_navigation_has_both_languages() -> None:
    from navigation import entries, listed

    english, chinese = listed("en"), listed("zh")
    assert english[0] == {"Start": "index.md"} and chinese[0] == {"首页": "index.md"}
    assert str(chinese).count(".md") == len(entries()) == len({entry.page for entry in entries()})


@pytest.mark.parametrize("name", TUTORIALS)
def test_tutorials_have_the_same_commands_in_both_languages(name: str) -> None:
    def commands(file: Path) -> list[list[str]]:
        found = re.findall(r"^\$ (handcalc .*)$", file.read_text("utf-8"), re.MULTILINE)
        assert found
        return [re.sub(r" --lang zh| --notation \w+", "", command).split() for command in found]

    assert commands(DOCS / f"{name}.md") == commands(DOCS / f"{name}.zh.md")


def test_every_command_of_a_tutorial_is_in_a_block_that_is_run() -> None:
    for name in TUTORIALS:
        for file in (DOCS / f"{name}.md", DOCS / f"{name}.zh.md"):
            blocks = re.findall(r"^```(\w*)\n(.*?)^```", file.read_text("utf-8"), re.DOTALL | re.MULTILINE)
            assert {kind for kind, text in blocks if "handcalc" in text} <= {"console"}, file
            assert all(text.count("$ handcalc") == 1 for kind, text in blocks if kind == "console"), file


def test_every_problem_has_a_group() -> None:
    import gallery

    groups = {name: gallery.group_of(path, load(name)) for name, path in shipped().items()}
    assert groups["gomez-lstm"][0] == "Recurrence, LSTM, GRU" and groups["micrograd-readme"][0] == "Formulas"
    assert set(groups.values()) == {titles for titles, _ in gallery.GROUPS}


def test_gallery(tmp_path: Path) -> None:
    import gallery

    gallery.write(tmp_path, "zh", ("zhou-neuron", "course-zh-01-neuron"))
    page = (tmp_path / "gallery.md").read_text("utf-8")
    assert "## 全连接网络" in page and "## 课程：从一个神经元到注意力" in page and "Victor Zhou" in page
    assert '<a href="gallery/zhou-neuron.html">一个神经元</a>' in page
    assert "前向传播" in (tmp_path / "gallery" / "zhou-neuron.html").read_text("utf-8")
    assert (tmp_path / "gallery" / "zhou-neuron.yaml").read_bytes() == shipped()["zhou-neuron"].read_bytes()


def parts(text: str) -> tuple[set[str], list[str]]:
    """The anchors of a page in Markdown, as GitHub and the site both make them, and where it links to."""
    prose = re.sub(r"^(`{3,}).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    anchors = set(re.findall(r"""<\w+ (?:id|name)=["']([^"']+)""", prose))
    for line in re.findall(r"^#+ +(.*?)\s*$", prose, re.MULTILINE):
        title, _, own = line.partition("{#")
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", title.strip()).replace("`", "")
        anchors.add(own.rstrip("}") or re.sub(r"[^\w\- ]", "", shown.lower()).strip().replace(" ", "-"))
    return anchors, re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose))


def lost_links(text: str, folders: Sequence[Path], language: str, made: Collection[str] = ()) -> list[str]:
    """Links of a page that lead nowhere: as files on GitHub, and on the site in a language, where pages have NAME.zh.md instead.

    folders: where its links begin, the first that has the file; made: names of pages that the site makes.
    """
    found = []
    for link in parts(text)[1]:
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", path) or path in made:
            continue
        target = next((folder / path for folder in folders if (folder / path).exists()), folders[0] / path)
        if not path:
            there = [anchor in parts(text)[0]]
        else:
            pages = [target, *target.parent.glob(target.name.removesuffix("md") + f"{language}.md")]
            there = [page.exists() and (not anchor or anchor in parts(page.read_text("utf-8"))[0]) for page in pages]
        if not all(there):
            found.append(link)
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_links_of_the_sources_lead_somewhere_in_both_languages(language: str) -> None:
    """An English page may link to one that has a Chinese form: then the anchor must be in both (a word of its own, {#word}, or none)."""
    from navigation import entries

    made = {entry.page for entry in entries() if not entry.made_of}
    lost = {}
    for entry in entries():
        file = ROOT / entry.made_of if entry.made_of else HERE / entry.page
        own = file.with_suffix(f".{language}.md")
        file = own if own.exists() else file
        folders = [file.parent] if entry.made_of else [HERE, DOCS]
        if file.exists() and (found := lost_links(file.read_text("utf-8"), folders, language, made)):
            lost[file.name] = found
    assert lost == {}


def test_anchors_of_one_language_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\n## The `key` [one](b.md)\n\n## Both {#both}\n", "utf-8")
    (tmp_path / "a.zh.md").write_text("# 甲\n\n## 都有 {#both}\n\n```\n# no-title\n```\n", "utf-8")
    links = ["a.md", "a.md#the-key-one", "a.md#both", "a.md#no-title", "b.md", "#here", "https://example.org/#x"]
    text = "## Here\n" + " ".join(f"[x]({link})" for link in links) + " `[x](c.md)`"
    assert lost_links(text, [tmp_path], "en") == ["a.md#no-title", "b.md"]
    assert lost_links(text, [tmp_path], "zh") == ["a.md#the-key-one", "a.md#no-title", "b.md"]


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    from links import wrong

    (tmp_path / "zh").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="top-of-it">…</h1><a href="zh/">there</a><a href="zh/index.html#here">there</a><a href="#top-of-it"></a>'
        '<a href="https://example.org/">elsewhere</a><img src="data:image/png;base64,AA=="><link rel="canonical" href="https://example.org/">'
        '<a href="none.html">none</a><a href="zh/index.html#none">none</a><a href="../x.html">out</a>'
        '<script src="//example.org/x.js"></script>',
        "utf-8",
    )
    (tmp_path / "zh" / "index.html").write_text('<p id="here"></p><a href="../index.html">back</a><a href="/index.html">back</a>', "utf-8")
    (tmp_path / "a.css").write_text("p { background: url(x.png) } @import 'https://example.org/a.css'; ", "utf-8")
    assert sorted(wrong(tmp_path)) == [
        "a.css loads https://example.org/a.css",
        "index.html links to ../x.html: outside of the site",
        "index.html links to none.html: no such file",
        "index.html links to zh/index.html#none: no such place on the page",
        "index.html loads //example.org/x.js",
    ]
