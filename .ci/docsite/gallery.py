"""The gallery: every problem that comes with handcalc, with its picture, its source and the page of its solution.

`write(folder, language, only)` writes gallery.md, and gallery/NAME.html, .svg and .yaml for each, or for those that `only` names. To add
a group, add its line to `GROUPS`.
"""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterator
from html import escape
from pathlib import Path

import handcalc
from handcalc.loading.loader import shipped, title_in
from handcalc.problem.files import shipped_folder
from handcalc.problem.schema import Problem

# titles, types of layers of which one suffices; a problem belongs to the last that fits, those of the course to none of them
GROUPS: tuple[tuple[tuple[str, str], set[str]], ...] = (
    (("Dense networks", "全连接网络"), {"dense"}),
    (("Normalisation and dropout", "归一化与丢弃"), {"batch_norm", "layer_norm", "rms_norm", "dropout"}),
    (
        ("Convolution and pooling", "卷积与池化"),
        {"conv1d", "conv2d", "conv_transpose2d", "conv_transpose1d", "upsample", "max_pool", "avg_pool", "global_avg_pool"},
    ),
    (("Recurrence, LSTM, GRU", "循环网络、LSTM、GRU"), {"rnn", "lstm", "gru"}),
    (("Attention and transformers", "注意力与 Transformer"), {"attention", "positional_encoding", "embedding"}),
    (("Formulas", "公式"), {"none"}),
)
COURSE = ("A course, from one neuron to attention", "课程：从一个神经元到注意力")

_TEXTS = {
    "en": {
        "title": "Gallery",
        "lead": "Every problem that comes with handcalc, worked out step by step. `handcalc solve NAME` prints one; the problem file is a "
        "start for your own.",
        "solution": "worked solution",
        "problem": "problem file",
    },
    "zh": {
        "title": "题目",
        "lead": "handcalc 自带的全部题目，每一步都已解出。`handcalc solve 名称 --lang zh` 在终端里显示；题目文件可以改成自己的题。",
        "solution": "解答",
        "problem": "题目文件",
    },
}


_ADDRESS = re.compile(r"https?://[^\s,;，；]+")


def write(folder: Path, language: str, only: Collection[str] = ()) -> None:
    """The gallery in a language, into the pages of the site."""
    place = folder / "gallery"
    place.mkdir()
    chinese = language == "zh"
    groups: dict[str, list[str]] = defaultdict(list)
    for name, path in _files(chinese):
        if only and name not in only:
            continue
        problem = handcalc.load(path)
        derivation = handcalc.derive(problem)
        for format in ("html", "svg"):
            (place / f"{name}.{format}").write_text(str(handcalc.render(derivation, format, language=language)), "utf-8")
        shutil.copyfile(path, place / f"{name}.yaml")
        groups[group_of(path, problem)[chinese]].append("\n".join(_card(name, path, problem, language)))
    for data in Path(shipped_folder()).glob("*.csv"):
        shutil.copyfile(data, place / data.name)
    text = _TEXTS[language]
    lines = ["---", "hide: [navigation]", "---", f"# {text['title']}", "", text["lead"], ""]
    for titles in (COURSE, *(titles for titles, _ in GROUPS)):
        if found := groups[titles[chinese]]:
            lines += [f"## {titles[chinese]}", "", '<div class="gallery">', *found, "</div>", ""]
    (folder / "gallery.md").write_text("\n".join(lines), "utf-8")


def _files(chinese: bool) -> Iterator[tuple[str, Path]]:
    yield from shipped().items()
    course = Path(shipped_folder(), "course-zh" if chinese else "course")
    yield from ((f"{course.name}-{path.stem}", path) for path in sorted(course.glob("*.yaml")))


def group_of(path: Path, problem: Problem) -> tuple[str, str]:
    if path.parent.name.startswith("course"):
        return COURSE
    types = {layer.type for layer in problem.layers} or {"none"}
    return next(titles for titles, kinds in reversed(GROUPS) if kinds & types)


def _linked(address: re.Match[str]) -> str:
    return f'<a href="{address[0]}">{address[0].split("/")[2]}</a>'


def _card(name: str, path: Path, problem: Problem, language: str) -> Iterator[str]:
    text, title = _TEXTS[language], escape(title_in(path.read_text("utf-8"), language))
    yield f'<div><a href="gallery/{name}.html" tabindex="-1" aria-hidden="true"><img src="gallery/{name}.svg" alt="" loading="lazy"></a>'
    yield f'<h3 id="{name}"><a href="gallery/{name}.html">{title}</a></h3>'
    yield f"<p>{_ADDRESS.sub(_linked, escape(problem.source))}</p>"
    yield f'<p><code>{name}</code> · <a href="gallery/{name}.html">{text["solution"]}</a>'
    yield f' · <a href="gallery/{name}.yaml">{text["problem"]}</a></p></div>'
