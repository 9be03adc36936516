"""The one place where files are read: regular files only, never more than is asked for, and every one is remembered.

- `opened(path)` is a file to read from, `contents(path, most)` its bytes, `standard_input(most)` what is piped in, `names_in(folder)` what
  is in a folder; `our_text(…)` and `our_bytes(…)` are files that come with the program. `reason(error)` says in our words why something
  cannot be read.
- `beside(folder, name)` is a file that another one names, and whether it lies outside the folder of that one. `staying_inside()` says
  whether such files are refused: they are, unless `inside_only(False)` is in force, as on the command line without --safe.
- Under `remembering()`, `was_read(path)` says whether a file has been read, by whatever name: it may not be overwritten then.

Pipes, devices and sockets are refused before they are opened, for they may never end. Only what the shell hands over, such as /dev/fd/63,
may be a pipe, and only where a user names it (`typed`).
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, NamedTuple

from handcalc.errors import HandcalcError, Message, Template

Identity = tuple[int, int]  # device and inode: the same for every name of a file

_SHELL = re.compile(r"/dev/stdin|/dev/fd/\d+|/proc/self/fd/\d+")
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_KINDS: tuple[tuple[int, Template], ...] = (
    (stat.S_IFDIR, "this is a folder; give a file"),
    (stat.S_IFIFO, "this is a pipe; give a file, or - for standard input"),
    (stat.S_IFSOCK, "this is a socket; give a file"),
    (stat.S_IFCHR, "this is a device, which may be larger than any limit; give a file"),
    (stat.S_IFBLK, "this is a device, which may be larger than any limit; give a file"),
)  # fmt: skip

# what systems say themselves, in English
_SYSTEM: dict[int, Template] = {
    errno.ENOENT: "No such file or directory",
    errno.EACCES: "Permission denied",
    errno.EPERM: "Operation not permitted",
    errno.ENOTDIR: "Not a directory",
    errno.EISDIR: "Is a directory",
    errno.ENOSPC: "No space left on device",
    errno.EROFS: "Read-only file system",
    errno.ENAMETOOLONG: "File name too long",
}

_inside_only: ContextVar[bool] = ContextVar("inside_only", default=True)
_read: ContextVar[set[Identity] | None] = ContextVar("read", default=None)


class NoFileError(OSError):
    """Something that may not be read. message: why."""

    def __init__(self, template: Template) -> None:
        super().__init__(template)
        self.message = Message(template)


class Beside(NamedTuple):
    """A file that another one names. outside: whether it lies outside the folder of that one, links followed."""

    path: str
    outside: bool


# --- files ----------------------------------------------------------------------------------------------------------------


def opened(path: str, typed: bool = False) -> IO[bytes]:
    """A regular file to read from. typed: by a user on the command line. Raises OSError, ValueError."""
    if typed and _SHELL.fullmatch(path):
        return open(path, "rb")
    _check(os.stat(path).st_mode)
    handle = os.open(path, _FLAGS)
    file = os.fdopen(handle, "rb")
    try:
        status = os.fstat(handle)
        _check(status.st_mode)  # what was there before may have been exchanged
    except BaseException:
        file.close()
        raise
    read = _read.get()
    if read is not None:
        read.add((status.st_dev, status.st_ino))
    return file


def _check(mode: int) -> None:
    for kind, template in _KINDS:
        if stat.S_IFMT(mode) == kind:
            raise NoFileError(template)


def contents(path: str, most: int, typed: bool = False) -> bytes:
    """The first bytes of a file, one more than `most` where there are more. Raises what `opened` raises."""
    with opened(path, typed) as file:
        return file.read(most + 1)


def standard_input(most: int) -> bytes:
    """The first bytes of standard input, one more than `most` where there are more. Raises OSError, ValueError."""
    if sys.stdin is None or sys.stdin.buffer.closed:
        raise closed_input()
    return sys.stdin.buffer.read(most + 1)


def closed_input() -> NoFileError:
    """The error of an input that nobody gives."""
    return NoFileError("standard input is closed")


def size(path: str) -> int:
    """The bytes in a regular file. Raises OSError, ValueError."""
    status = os.stat(path)
    _check(status.st_mode)
    return status.st_size


def reason(error: Exception) -> Message | str:
    """Why a file cannot be read."""
    if isinstance(error, NoFileError):
        return error.message
    if isinstance(error, ValueError):
        return Message("this is no name of a file")
    return of_system(error)


def of_system(error: Exception) -> Message | str:
    """Why the system says no: in the reader's language, where that is a common reason."""
    said = _SYSTEM.get(getattr(error, "errno", None) or 0)
    return Message(said) if said else getattr(error, "strerror", None) or str(error)


def names_in(folder: str) -> list[str]:
    """The names in a folder, in order. Raises HandcalcError."""
    try:
        return sorted(os.listdir(folder))
    except (OSError, ValueError) as error:
        raise HandcalcError(Message("cannot be read: {reason}", f"{folder}: ", reason=reason(error))) from None


def our_bytes(*parts: str) -> bytes:
    """A file that comes with the program."""
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def our_text(*parts: str) -> str:
    """A text that comes with the program."""
    return our_bytes(*parts).decode("utf-8")


# --- inside a folder --------------------------------------------------------------------------------------------------------


@contextmanager
def inside_only(wanted: bool | None) -> Iterator[None]:
    """Meanwhile files that a file names are read only where they lie in its folder; or everywhere. None: as it is."""
    token = _inside_only.set(_inside_only.get() if wanted is None else wanted)
    try:
        yield
    finally:
        _inside_only.reset(token)


def stay_inside(wanted: bool) -> None:
    """From now on the same, as a process of its own is told."""
    _inside_only.set(wanted)


def staying_inside() -> bool:
    """Whether files outside the folder of the file that names them are refused."""
    return _inside_only.get()


def beside(folder: str | None, name: str) -> Beside:
    """The file that another one names, which lies in `folder`, or nowhere. Raises NoFileError where it may not be read, ValueError."""
    if folder is None and staying_inside():
        raise NoFileError("a text of its own has no folder, so it reads no files; say which with folder")
    real = os.path.realpath(folder or os.curdir)
    path = os.path.join(folder or "", name)
    target = os.path.realpath(path)
    outside = target != real and not target.startswith(os.path.join(real, ""))
    if outside and staying_inside():
        raise NoFileError("it is outside the folder of the problem, where nothing is read with --safe, nor in Python without safe=False")
    return Beside(path, outside)


# --- what has been read -------------------------------------------------------------------------------------------------------


@contextmanager
def remembering() -> Iterator[None]:
    """Meanwhile every file that is read is remembered."""
    token = _read.set(set())
    try:
        yield
    finally:
        _read.reset(token)


def was_read(path: str) -> bool:
    """Whether a file that is there has been read, by this name or another."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return False
    return (status.st_dev, status.st_ino) in (_read.get() or ())
