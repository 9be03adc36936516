"""What the site consists of, in order, with titles in both languages. To add a page, add its line to `NAVIGATION`."""

from __future__ import annotations

from typing import NamedTuple

LANGUAGES = {"en": "English", "zh": "中文"}


class Entry(NamedTuple):
    """A page or a group of pages.

    titles: in English and Chinese; page: its file on the site; made_of: the file in the repository, none for pages that the site alone
    has, NAME.md and NAME.zh.md beside this module or made by the program; inside: the entries of a group.
    """

    titles: tuple[str, str]
    page: str = ""
    made_of: str = ""
    inside: tuple[Entry, ...] = ()

    def title(self, language: str) -> str:
        return self.titles[tuple(LANGUAGES).index(language)]


def _docs(name: str, english: str, chinese: str) -> Entry:
    return Entry((english, chinese), f"{name}.md", f"docs/{name}.md")


NAVIGATION = (
    Entry(("Start", "首页"), "index.md"),
    Entry(
        ("Tutorials", "教程"),
        inside=(
            _docs("tutorial-student", "For students", "学生：检查自己的手算"),
            _docs("tutorial-teacher", "For teachers", "教师：出题与批改"),
            _docs("tutorial-blogger", "For writers", "写作者：把推导放进文章"),
            Entry(("A short tour", "功能一览"), "tour.md", "README.md"),
        ),
    ),
    Entry(("Gallery", "题目"), "gallery.md"),
    Entry(
        ("Reference", "参考"),
        inside=(
            _docs("problem-format", "Problem format", "题目文件"),
            _docs("cli", "Command line", "命令行"),
            _docs("layers", "Layers", "层"),
            _docs("training", "Training", "训练"),
            _docs("derive", "Derivatives", "求导"),
            _docs("notations", "Notations", "记号"),
            _docs("reports", "Reports", "导出"),
            _docs("checking", "Checking", "批改"),
            _docs("mistakes", "Mistakes", "常见错误"),
            _docs("exercises", "Exercises", "出题与练习"),
            _docs("cluster", "A cluster", "集群批改"),
            _docs("frameworks", "Frameworks", "深度学习框架"),
            _docs("notebooks", "Notebooks", "笔记本"),
            _docs("site", "In the browser", "在浏览器里"),
        ),
    ),
    Entry(("Python", "Python"), "api.md"),
    Entry(
        ("Development", "开发"),
        inside=(
            _docs("architecture", "Architecture", "结构"),
            Entry(("Contributing", "参与开发"), "contributing.md", "CONTRIBUTING.md"),
            Entry(("Changes", "更新记录"), "changelog.md", "CHANGELOG.md"),
        ),
    ),
)


def entries(within: tuple[Entry, ...] = NAVIGATION) -> list[Entry]:
    """All pages, in order."""
    return [found for entry in within for found in (entries(entry.inside) if entry.inside else [entry])]


def listed(language: str, within: tuple[Entry, ...] = NAVIGATION) -> list[dict[str, object]]:
    """The key `nav` of MkDocs."""
    return [{entry.title(language): listed(language, entry.inside) if entry.inside else entry.page} for entry in within]
