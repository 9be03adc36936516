"""A folder of files, written whole or not at all: `write_folder(files, folder, force, inputs)`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping

from handcalc.cli.output import check_target, write
from handcalc.errors import HandcalcError, Message, OutputError


def write_folder(files: Mapping[str, str | bytes], folder: str, force: bool, inputs: tuple[str, ...] = ()) -> None:
    """Files by their paths in a folder. A folder that is there needs force; then files of other names stay in it.

    Everything is written beside it first, and moved when it is complete. Raises OutputError.
    """
    folder = folder.rstrip("/" + os.sep) or folder
    check_folder(folder, force)
    for name in files:
        check_target(os.path.join(folder, *name.split("/")), force, inputs)
    parent = os.path.dirname(folder) or os.curdir
    try:
        os.makedirs(parent, exist_ok=True)
        staged = tempfile.mkdtemp(dir=parent, prefix=".handcalc-")
    except OSError as error:
        raise OutputError(Message("cannot be written: {reason}", f"{folder}: ", reason=error.strerror or str(error))) from None
    try:
        _stage(files, staged)
        _move(files, staged, folder)
    except OSError as error:
        raise OutputError(Message("cannot be written: {reason}", f"{folder}: ", reason=error.strerror or str(error))) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_folder(folder: str, force: bool) -> None:
    """Whether a folder may be written. Raises OutputError."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise OutputError(Message("this is a file; give a folder", f"{folder}: "))
    if os.path.isdir(folder) and not force:
        raise OutputError(Message("the folder exists; use --force to write into it", f"{folder}: "))


def _stage(files: Mapping[str, str | bytes], staged: str) -> None:
    for name, content in files.items():
        target = os.path.join(staged, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            write(content, target, False)
        except HandcalcError:
            raise OSError("a file cannot be written") from None


def _move(files: Mapping[str, str | bytes], staged: str, folder: str) -> None:
    """The folder as a whole where there is none yet, else file by file."""
    if not os.path.isdir(folder):
        os.chmod(staged, 0o777 & ~_umask())
        os.rename(staged, folder)
        return
    for name in files:
        target = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(os.path.join(staged, *name.split("/")), target)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
