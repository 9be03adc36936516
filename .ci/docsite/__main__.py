"""The site of the documentation: MkDocs with the theme Material, in English and in Chinese, with a gallery of the shipped problems.

    python .ci/docsite -o FOLDER [--url ADDRESS]      build it into a new folder
    python .ci/docsite --check [--only PROBLEM …]     build it, for a look whether it can be; the gallery has these problems only

Pages are those of navigation.py: files of the repository as they are, with links turned to where pages stand on the site, and in Chinese
NAME.zh.md where there is one. The folder zh/ is the Chinese site. Nothing is loaded from another host, neither here nor by a reader.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

import gallery  # noqa: E402
from links import wrong  # noqa: E402
from navigation import LANGUAGES, entries, listed  # noqa: E402

import handcalc  # noqa: E402

_LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
_ENGLISH_ONLY = '!!! note ""\n    本页只有英文。\n'
DESCRIPTIONS = {
    "en": "Neural-network arithmetic worked out as on paper: every forward, error, chain-rule and update step.",
    "zh": "像做手算题那样，一步一步解神经网络习题：前向传播、误差、链式法则、参数更新。",
}
# How the reference of Python is printed.
REFERENCE = {
    "docstring_style": None,  # Markdown
    "show_root_heading": True,
    "show_root_full_path": False,
    "show_source": False,
    "show_signature_annotations": True,
    "separate_signature": True,
    "show_bases": False,
    "heading_level": 3,
    "members_order": "source",
}
# Words are separated by all that is no letter, and between Chinese characters, so that a word is found within a sentence.
SEPARATOR = r"[\s\u200b\u3000\-,:!=\[\]()\"`/、。，．？！；：（）《》“”]+|(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])(?=\w)"


def pages(folder: Path, language: str, only: Collection[str] = ()) -> None:
    """All pages in a language, as Markdown, and what they show."""
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "docs" / "pictures", folder / "pictures")
    shutil.copyfile(HERE / "site.css", folder / "site.css")
    gallery.write(folder, language, only)
    for entry in entries():
        file = ROOT / entry.made_of if entry.made_of else HERE / entry.page
        own = file.with_suffix(f".{language}.md")
        if own.exists():
            file = own
        if file.exists():
            text = relinked(file).replace("{{exports}}", exports())
            if language != "en" and file != own:
                text = re.sub(r"^# .*\n", lambda title: f"{title[0]}\n{_ENGLISH_ONLY}", text, count=1, flags=re.MULTILINE)
            (folder / entry.page).write_text(text, "utf-8")


def relinked(file: Path) -> str:
    """The text of a page, its links as they are on the site."""
    placed = {entry.made_of or f".ci/docsite/{entry.page}": entry.page for entry in entries()}

    def target(found: re.Match[str]) -> str:
        path = os.path.relpath(os.path.normpath(file.parent / found[0]), ROOT)
        path = re.sub(r"\.zh\.md$", ".md", path)
        if path in placed:
            return placed[path]
        return re.sub(r"^docs/|^problems(?=/[^/]+\.yaml$)", lambda top: "gallery" if top[0] == "problems" else "", path)

    return _LINK.sub(lambda found: target(found) if (file.parent / found[0]).exists() else found[0], file.read_text("utf-8"))


def exports() -> str:
    """What handcalc offers, functions before errors, as MkDocs wants it named; render is a package too."""
    names = sorted(handcalc.__all__, key=lambda name: (not name.islower(), name))
    return "\n\n".join(f"::: handcalc.{name}{'.render' if name == 'render' else ''}" for name in names)


def configuration(language: str, url: str) -> dict[str, object]:
    """What a language adds to mkdocs.yml."""
    below = {"en": "", "zh": "zh/"}  # where each begins
    up = "../" if below[language] else ""
    return {
        "INHERIT": str(HERE / "mkdocs.yml"),
        "docs_dir": "pages",
        "site_description": DESCRIPTIONS[language],
        **({"site_url": url.rstrip("/") + "/" + below[language]} if url else {}),
        "theme": {"language": language, "custom_dir": str(HERE / "overrides")},
        "extra": {"alternate": [{"name": name, "lang": other, "link": up + below[other] or "./"} for other, name in LANGUAGES.items()]},
        "plugins": {
            "search": {"lang": ["en"], "separator": SEPARATOR},
            "mkdocstrings": {"default_handler": "python", "handlers": {"python": {"paths": [str(ROOT)], "options": REFERENCE}}},
        },
        "nav": listed(language),
    }


def build(site: Path, work: Path, only: Collection[str] = (), url: str = "") -> None:
    """The whole site in a folder; work: an empty folder for what it is made of. Raises CalledProcessError with what MkDocs said."""
    for language in LANGUAGES:
        place = work / language
        pages(place / "pages", language, only)
        (place / "mkdocs.yml").write_text(json.dumps(configuration(language, url), ensure_ascii=False), "utf-8")
        target = site if language == "en" else site / language
        where = ("--config-file", str(place / "mkdocs.yml"), "--site-dir", str(target))
        environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", *where],
            check=True,
            env=environment,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
    (site / "zh" / "404.html").unlink()  # a server knows one


def main() -> int:
    """Build the site; with --check, in a folder that is removed."""
    parser = argparse.ArgumentParser(prog="python .ci/docsite")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("-o", "--output", type=Path, help="a new folder for the site")
    where.add_argument("--check", action="store_true", help="only say what is wrong")
    parser.add_argument("--url", default="", help="where it will be, for its page of missing pages and its site map")
    parser.add_argument("--only", nargs="+", default=(), metavar="PROBLEM", help="problems of the gallery")
    wanted = parser.parse_args()
    if wanted.output and wanted.output.exists() and (not wanted.output.is_dir() or any(wanted.output.iterdir())):
        parser.error(f"{wanted.output} is there, and not empty")
    with tempfile.TemporaryDirectory() as folder:
        site = (wanted.output or Path(folder, "site")).resolve()
        try:
            build(site, Path(folder, "work"), wanted.only, wanted.url)
        except subprocess.CalledProcessError as error:
            print(error.stderr, file=sys.stderr)
            return 1
        found = list(wrong(site))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
