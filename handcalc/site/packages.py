"""The packages that the browser's Python gets: wheels, made of what is installed here, the same bytes every time.

- `wheels()` are the files by their names: handcalc itself, and what it imports at every start.

To add one, add its name to `NEEDED`. It must be written in Python alone: what is compiled is left out.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from functools import cache
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from handcalc import __version__
from handcalc.disk.reading import names_in, our_bytes
from handcalc.errors import HandcalcError, Message
from handcalc.exercises.quizzes.markup import archive
from handcalc.problem.files import shipped_folder

NEEDED = ("click", "rich", "ruamel.yaml")
LEFT_OUT = (".pyc", ".so", ".pyd", ".dylib", ".pth", ".map")
_WHEEL = "Wheel-Version: 1.0\nGenerator: handcalc\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@cache
def wheels() -> dict[str, bytes]:
    """The wheels by their names, handcalc's own last. Raises HandcalcError where a package is not installed as files."""
    found: dict[str, bytes] = {}
    for name in NEEDED:
        try:
            package = distribution(name)
        except PackageNotFoundError:
            raise HandcalcError(Message("the package {name} is not installed, so it cannot be copied", name=name)) from None
        found.update([_wheel(name, package.version, dict(_installed(name, package)))])
    found.update([_wheel("handcalc", __version__, _own())])
    return found


def _installed(name: str, package: Distribution) -> Iterator[tuple[str, bytes]]:
    """The Python files of a package, and those beside them."""
    files = [file for file in package.files or () if _is_wanted(file.as_posix())]
    if not files:
        raise HandcalcError(Message("the files of the package {name} are not known; install it with pip", name=name))
    for file in files:
        yield file.as_posix(), our_bytes(str(package.locate_file(file)))


def _is_wanted(path: str) -> bool:
    """Whether a file is the package's, not that of whoever installed it."""
    return not path.endswith(LEFT_OUT) and ".dist-info/" not in path and not path.startswith("..") and "__pycache__" not in path


def _own() -> dict[str, bytes]:
    """handcalc and its problems, from a checkout as from an installed package."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = {f"handcalc/{path}": content for path, content in _under(package, "") if not path.startswith("problems/")}
    return files | {f"handcalc/problems/{path}": content for path, content in _under(shipped_folder(), "")}


def _under(folder: str, prefix: str) -> Iterator[tuple[str, bytes]]:
    for name in names_in(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            if name != "__pycache__" and not name.startswith("."):
                yield from _under(path, f"{prefix}{name}/")
        elif not name.endswith((*LEFT_OUT, ".po")) and not name.startswith("."):
            yield prefix + name, our_bytes(path)


def _wheel(name: str, version: str, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """A wheel's name and bytes."""
    stem = f"{name.replace('.', '_').replace('-', '_')}-{version}"
    about = {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "WHEEL": _WHEEL}
    everything = dict(sorted(files.items())) | {f"{stem}.dist-info/{file}": text.encode() for file, text in about.items()}
    record = f"{stem}.dist-info/RECORD"
    lines = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in everything.items()]
    return f"{stem}-py3-none-any.whl", archive(everything | {record: "\n".join([*lines, f"{record},,"]).encode() + b"\n"})


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()
