"""handcalc site."""

from __future__ import annotations

import sys
from gettext import gettext

import click

from handcalc.cli.endings import check_folder_name
from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, language_option, output_options
from handcalc.cli.output import say
from handcalc.disk.writing import check_folder, write_folder
from handcalc.errors import Message


@click.command(cls=Translated)
@click.option("--pyodide", metavar="FOLDER", type=FileName(), help="A copy of Pyodide; else the one that npm has installed here.")
@language_option("Language that the site begins with; its readers may choose another.")
@output_options
def command(pyodide: str | None, settings: Settings) -> None:
    """Write a web site that runs handcalc in the browser, with nothing installed.

    The site is a folder of files for any web server. Pyodide, which is Python for browsers, and CodeMirror, the editor, are copied into
    it; where they are missing, it is said what to type. What readers type stays in their browsers.

    Example: handcalc site -o public
    """
    if settings.output is None:
        raise click.UsageError(gettext("say where with -o FOLDER"))
    check_folder_name(settings.output)
    check_folder(settings.output, settings.force)
    from handcalc.site.building import site

    language = settings.lang or "en"
    files = site(pyodide, language)
    write_folder(files, settings.output, settings.force)
    translate = settings.translator()
    size = sum(len(content.encode() if isinstance(content, str) else content) for content in files.values())
    text = Message("Site: {count} files, {size} MB in {folder}", count=len(files), size=f"{size / 1e6:.1f}", folder=settings.output)
    say(text.text(translate), sys.stderr)
    if "editor.js" not in files:
        from handcalc.site.provided import INSTALL

        say(
            Message("CodeMirror is not here, so problems are typed into a plain field; to have it, type: {line}", line=INSTALL).text(
                translate
            ),
            sys.stderr,
        )
