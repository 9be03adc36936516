"""The one place where files are written: whole or not at all, only regular files are replaced, and nothing that has been read.

- `write(content, path, force, inputs)` writes a file, `check_target(path, force, inputs)` says beforehand whether it may.
- `write_folder(files, folder, force, inputs)` writes a folder of files, `check_folder(folder, force)` says whether it may,
  `make_folder(folder)` makes one.
- `replace_own(text, path)` writes a file of the program's own, `appending(path, inputs)` is one that grows line by line, `put_aside(path)`
  gives one another name.

A link is followed: what it leads to is written, and the link stays. Pipes, devices and sockets are refused.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from handcalc.disk.reading import of_system, was_read
from handcalc.errors import HandcalcError, Message, OutputError

PREFIX = ".handcalc-"  # how names of files begin that are not complete yet
SPOOLED = 2**23  # letters of a text that is kept in memory


def check_target(output: str, force: bool, inputs: tuple[str, ...] = (), own: bool = False) -> None:
    """Whether a file may be written. own: it is the program's, which has read it itself. Raises OutputError."""
    where = f"{output}: "
    try:
        mode = os.stat(output).st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise _not_written(output, error) from None
    if was_read(output) and not own or any(os.path.exists(source) and os.path.samefile(source, output) for source in inputs):
        raise OutputError(Message("this is the file that is read; give another name", where))
    if stat.S_ISDIR(mode):
        raise OutputError(Message("this is a folder; give a file", where))
    if not stat.S_ISREG(mode):
        raise OutputError(Message("this is no file but a pipe or a device; leave the name out and redirect the output to it: >", where))
    if not force:
        raise OutputError(Message("the file exists; use --force to overwrite it", where))


def write(content: str | bytes | Iterable[str], output: str, force: bool, inputs: tuple[str, ...] = ()) -> None:
    """A file, whole or not at all, never over an input and over another file only with force. Raises OutputError."""
    check_target(output, force, inputs)
    try:
        _replace(content, output)
    except (OSError, ValueError) as error:
        raise _not_written(output, error) from None


@contextmanager
def spooled(pieces: Iterable[str]) -> Iterator[Iterator[str]]:
    """The lines of a text of which all is made before anything is asked for; of a long one, in a file without a name.

    Raises OutputError where there is no room for it.
    """
    try:
        file = _gathered(iter(pieces))
    except OSError as error:
        raise _not_written("stdout", error) from None
    with file:
        yield iter(file)


def _gathered(pieces: Iterator[str]) -> IO[str]:
    """All of a text, to be read. Raises OSError."""
    short = io.StringIO(newline="")
    for piece in pieces:
        short.write(piece)
        if short.tell() > SPOOLED:
            break
    else:
        short.seek(0)
        return short
    import tempfile  # slow to import, and hardly ever wanted

    with ExitStack() as failed:
        file = failed.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))
        file.write(short.getvalue())
        file.writelines(pieces)
        file.seek(0)
        failed.pop_all()
    return file


def replace_own(text: str, path: str) -> None:
    """A file that the program keeps for itself, in a folder that is made where it is not there. Raises OSError."""
    os.makedirs(os.path.dirname(path) or os.curdir, exist_ok=True)
    if os.path.exists(path) and not os.path.isfile(path):
        raise OSError("this is no file")
    _replace(text, path)


def put_aside(path: str, other: str) -> None:
    """Give a file of the program's own another name. Raises OSError."""
    os.replace(path, other)


@contextmanager
def appending(path: str, inputs: tuple[str, ...], own: bool = False) -> Iterator[Callable[[str], None]]:
    """What adds a text to a file, at once; a file that is there grows. own: as for check_target. Raises OutputError."""
    check_target(path, True, inputs, own)
    try:
        with open(path, "a", encoding="utf-8") as file:

            def add(text: str) -> None:
                try:
                    file.write(text)
                    file.flush()
                except OSError as error:
                    raise _not_written(path, error) from None

            yield add
    except OSError as error:
        raise _not_written(path, error) from None


def _replace(content: str | bytes | Iterable[str], output: str) -> None:
    """Write beside the file, or beside what a link leads to, then take its place; its permissions stay. Raises OSError."""
    import tempfile

    target = os.path.realpath(output)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=PREFIX)
    try:
        with open(handle, "wb") as file:
            for piece in (content,) if isinstance(content, (str, bytes)) else content:
                file.write(piece.encode() if isinstance(piece, str) else piece)
        os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode) if os.path.exists(target) else 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:  # also after Ctrl-C nothing is left
        with suppress(OSError):
            os.unlink(temporary)
        raise


# --- folders ------------------------------------------------------------------------------------------------------------------


def write_folder(files: Mapping[str, str | bytes], folder: str, force: bool, inputs: tuple[str, ...] = ()) -> None:
    """Files by their paths in a folder. A folder that is there needs force; then files of other names stay in it.

    Everything is written beside it first, and moved when it is complete. Raises OutputError.
    """
    import shutil
    import tempfile

    folder = folder.rstrip("/" + os.sep) or folder
    check_folder(folder, force)
    for name in files:
        check_target(_inside(folder, name), force, inputs)
    target = os.path.realpath(folder)
    parent = os.path.dirname(target)
    try:
        os.makedirs(parent, exist_ok=True)
        staged = tempfile.mkdtemp(dir=parent, prefix=PREFIX)
    except (OSError, ValueError) as error:
        raise _not_written(folder, error) from None
    try:
        _stage(files, staged)
        _move(files, staged, target)
    except OSError as error:
        raise _not_written(folder, error) from None
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_folder(folder: str, force: bool) -> None:
    """Whether a folder may be written. Raises OutputError."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise OutputError(Message("this is a file; give a folder", f"{folder}: "))
    if os.path.isdir(folder) and not force:
        raise OutputError(Message("the folder exists; use --force to write into it", f"{folder}: "))


def make_folder(folder: str) -> None:
    """A folder for files to come, unless it is there. Raises OutputError."""
    try:
        os.makedirs(folder or os.curdir, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _not_written(folder, error) from None


def _inside(folder: str, name: str) -> str:
    return os.path.join(folder, *name.split("/"))


def _stage(files: Mapping[str, str | bytes], staged: str) -> None:
    for name, content in files.items():
        target = _inside(staged, name)
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
        target = os.path.realpath(_inside(folder, name))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.replace(_inside(staged, name), target)


def _not_written(output: str, error: OSError | ValueError) -> OutputError:
    return OutputError(Message("cannot be written: {reason}", f"{output}: ", reason=of_system(error)))


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
