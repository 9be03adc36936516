"""Hostile files, made from what the format knows: every key with values of wrong types, sizes, encodings and letters.

- `cases(kind, count, seed)` are so many `Case`s of problems, data or sheets: files, and the command that reads them; the same for a seed.
- `trial(case, folder)` runs one in a process of its own that may not take long or much: an `Outcome`. What is no failure, it says itself.
- `python tests/hostile.py 3000 500 300 --seed 1` tries so many of each kind and prints what failed; --keep FOLDER keeps its files.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import numpy
from ruamel.yaml import YAML

from handcalc.__main__ import GARBAGE
from handcalc.core.record import Record
from handcalc.deriving import derive
from handcalc.layers.sections import sections
from handcalc.loading.loader import load, shipped

SECONDS = 20  # of the processor, for one command
MEMORY = 1 << 30  # bytes that a command may hold
ADDRESSES = 6 << 30  # bytes that it may ask for; more ends in an error at once
KINDS = ("problems", "data", "sheets")

WORDS = [
    "", " ", "x1", "h1", "o1", "w1", "y", "loss", "rate", "net.h1", "a b", "\u202e\x9b31m", "\u2028", "e\u0301", "中文", "𝔸", "\ufeff",
    "<b>&amp;", "=1+1", "$x$", "\\input{x}", "#let x = 1", "`rm`", "{0}", "{file}", "%s", "../../etc/passwd", "/dev/zero", "-", "x" * 400,
    "a\nb", "null", "true", "0x1F", "1e400", "-1e308", "1e-320", "1/0", "1/3", "１．５", "−0.5", "–0.5", "0,5", ".nan", "-.inf", "9" * 200,
    "1_000", "z^z", "1/(z-z)", "exp(exp(z))", "(" * 60, "one_hot",
]  # fmt: skip
NUMBERS: list[Any] = [0, -1, 1, 2, 3, 0.5, -0.1, 1e308, -1e308, 5e-324, 10**15, 10**30, 4999, 100_000, True, None]
NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+(e-?[0-9]+)?")
DATA = {"d.csv": b"a,b,t\n0.1,0.2,1\n0.3,0.4,0\n", "w.csv": b"0.1,0.2\n0.3,0.4\n", "words.csv": "name,色,t\nA,青,是\nB,白,否\n".encode()}
FORMATS = ("terminal", "plain", "json", "csv", "markdown", "latex", "html", "svg", "notebook", "typst")
TYPED = ("0.5", "?", "1/3", "w1*x1", "", "help", "skip", "quit", "value", "net.h1", "(" * 99, "1e999", *WORDS)  # lines for practice
HANDED = ("from", "initial_state", "initial_cell", "keys_from", "input_from", "backward", "bidirectional")
NEWER: dict[str, tuple[Any, ...]] = {  # keys that make much of a network, each with values that often fit
    "optimizer": ("nesterov_ahead", "nesterov", {"nesterov_ahead": {"momentum": 0.9}}, {"momentum": 0.5}, "adadelta", "adamw"),
    "conventions": ({"momentum_form": "rate_inside"}, {"momentum_form": "average"}, {"momentum_form": "textbook"}, {"softmax": "fused"}),
    "text": ("Of {size} and {x1}", "{{x}}", "{", "{x1:9999d}", "{w1!r}", "{0.__class__}", "$x$\n\n# a", "<script>{x1}</script>"),
    "text_zh": ("大小 {x1}", "{没有}", "{x1}", "\u202e"),
    "equations": (
        {"y": "W @ x", "f": "sum(y)"}, {"y": "[a, b]"}, {"M": "[[a, b], [b, a]]", "f": "M*M"}, {"f": "x[1] + x[9]"}, {"f": "transpose(W)"},
        {"y": "softmax(x)", "f": "y[1]"}, {"f": "dot(x, x)"}, {"f": "W*x", "g": "x*W"},
    ),
    "given": ({"x": [1, 2], "W": [[1, 2], [3, 4]], "a": 1, "b": 2}, {"x": [], "W": []}, {"W": [[1], [2, 3]]}, {"x": [[[1]]]}, {"a": ".5"}),
    "activation": ({"softmax": {"jacobian": True}}, {"softmax": {"jacobian": True, "temperature": 0}}, {"softmax": {"temperature": 9}}),
    "standardize": ("sample", True), "input_gradients": (True,), "bidirectional": (True, False), "reverse": (True,),
    "seed": (0, -1, "a", 10**30, None), "weight_rows": ("inputs", "neurons"),
}  # fmt: skip
ANSWERS = ("loss=0.3", "grad.w1=0.1", "new.w1=x", "net.h1=1/3", "out.o1=0.75", "δ_o1=0.1385", "w5+=0.4", "y=1")


class Case(Record):
    """Files, and a command in their folder."""

    name: str
    files: dict[str, bytes]
    command: tuple[str, ...]


class Outcome(Record):
    """How a command ended: its exit code or signal, seconds of the processor, bytes, what it said last."""

    code: int
    seconds: float
    memory: int
    said: str

    @property
    def failure(self) -> str:
        """What is wrong with it; nothing where it only said what is wrong with the files."""
        if self.code not in (0, 1, 2):
            return f"ended with {self.code}"
        if self.seconds > SECONDS:
            return f"took {self.seconds:.0f} s"
        return f"held {self.memory >> 20} MiB" if self.memory > MEMORY else ""


# --- making -------------------------------------------------------------------------------------------------------------------


def cases(kind: str, count: int, seed: int) -> Iterator[Case]:
    """So many cases of a kind."""
    make: dict[str, Callable[[Random], tuple[dict[str, bytes], tuple[str, ...]]]] = {"problems": _problem, "data": _data, "sheets": _sheet}
    for number in range(count):
        random = Random(f"{seed} {kind} {number}")
        files, command = make[kind](random)
        yield Case(f"{kind}-{seed}-{number}", files, command)


def tree_of(name: str) -> Any:
    """A shipped problem as Python's lists and mappings."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(shipped()[name].read_text("utf-8")), default=str))


def value(random: Random, depth: int = 0) -> Any:
    """Anything that a file may hold."""
    kind = random.randrange(10 if depth < 3 else 5)
    if kind < 2:
        return random.choice(WORDS)
    if kind < 5:
        return random.choice(NUMBERS)
    if kind < 7:
        return [value(random, depth + 1) for _ in range(random.choice((0, 1, 2, 3, 30)))]
    if kind < 9:
        return {str(random.choice(WORDS)): value(random, depth + 1) for _ in range(random.randrange(4))}
    key = random.choice(sections()[random.choice([*sections()])])
    return {key.key: _example(key.example, random)}


def _example(example: str, random: Random) -> Any:
    """The example of a key, or something else."""
    try:
        found = YAML(typ="safe", pure=True).load(example) if random.random() < 0.7 else value(random, 1)
        return json.loads(json.dumps(found, default=str))
    except Exception:  # noqa: BLE001 - examples with anchors and the like
        return example


def _problem(random: Random) -> tuple[dict[str, bytes], tuple[str, ...]]:
    tree = tree_of(random.choice([*shipped()]))
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        tree = random.choice((_changed, _fitting, _renumbered, _spoilt, _newer, _handed))(tree, random)
    data = json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return {"p.yaml": _encoded(data, random), **DATA, **_beside(random)}, _command(random)


def _beside(random: Random) -> dict[str, bytes]:
    """What a learner types, and sheets of a class."""
    typed = "\n".join(random.choice(TYPED) for _ in range(random.choice((0, 3, 30))))
    sheets = {f"class/s{number}.txt": "\n".join(random.sample(ANSWERS, 3)).encode() for number in range(3)}
    return {"typed": typed.encode("utf-8", "surrogatepass"), **sheets}


def _newer(tree: Any, random: Random) -> Any:
    """Some of the keys that change much, each in a mapping that has a key of its name, or at the top."""
    top = {key.key for key in sections()["problem"]}
    held = [(place, key) for place in _mappings(tree) for key in NEWER if key in place]
    free = [(tree, key) for key in NEWER if key in top - {"given", "equations"} and isinstance(tree, dict)]
    for place, key in random.sample(held + free, min(len(held + free), random.choice((1, 1, 2)))):
        place[key] = random.choice(NEWER[key])
    return tree


def _handed(tree: Any, random: Random) -> Any:
    """A layer that takes what another one, itself or nobody hands on."""
    layers = tree.get("layers") if isinstance(tree, dict) else None
    layers = [layer for layer in layers if isinstance(layer, dict)] if isinstance(layers, list) else []
    for number, layer in enumerate(layers):
        if random.random() < 0.7:
            layer.setdefault("name", f"layer{number}")
    if layers:
        names = [layer.get("name", "y") for layer in layers] + ["input", "nobody", "layer0_forward"]
        key, other = random.choice(HANDED), random.choice(names)
        fitting = {"bidirectional": True, "backward": {name: inside for name, inside in random.choice(layers).items() if "weights" in name}}
        usual = {"from": other} if key.startswith("initial") else random.choice((other, [other, random.choice(names)]))
        random.choice(layers)[key] = fitting.get(key, usual)
    return tree


def _mappings(tree: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a tree."""
    if isinstance(tree, dict):
        yield tree
    for inside in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _mappings(inside)


def _changed(tree: Any, random: Random) -> Any:
    """A key of some section with its example or anything."""
    return _with(tree, random, lambda key: _example(key.example, random))


def _fitting(tree: Any, random: Random) -> Any:
    """A key of some section with a value as it may have, at the ends of what is allowed or just beyond."""
    return _with(tree, random, lambda key: of_shape(key.shape, random))


def _with(tree: Any, random: Random, made: Callable[[Any], Any]) -> Any:
    """The tree with one key more, or another value of it, in a section that it has or could have."""
    if not isinstance(tree, dict):
        return tree
    known = {key.key for key in sections()["problem"]}
    section = random.choice(["problem"] * 8 + [name for name in sections() if name in known or [*_places(tree, name)]])
    key = random.choice(sections()[section])
    chosen = random.choice([tree] if section == "problem" else [*_places(tree, section)] or [tree.setdefault(section, {})])
    if isinstance(chosen, dict):
        chosen[key.key] = made(key)
    return tree


def of_shape(shape: Any, random: Random, depth: int = 0) -> Any:
    """A value of a shape (a JSON Schema), at its ends, or now and then something else."""
    if random.random() < 0.04 or depth > 5:
        return value(random, 2)
    for key, made in SHAPES.items():
        if key in shape:
            return made(shape, random, depth)
    return value(random, 2)


def _of_type(shape: Any, random: Random, depth: int) -> Any:
    type = random.choice(shape["type"]) if isinstance(shape["type"], list) else shape["type"]
    least, most = shape.get("minimum", shape.get("exclusiveMinimum", -3)), shape.get("maximum", shape.get("exclusiveMaximum", 1000))
    match type:
        case "array":
            count = random.randint(shape.get("minItems", 0), min(shape.get("maxItems", 3), 3 + shape.get("minItems", 0)))
            return [of_shape(shape.get("items", {}), random, depth + 1) for _ in range(count)]
        case "object":
            known = shape.get("properties", {})
            names = [name for name in known if name in shape.get("required", ()) or random.random() < 1.5 / len(known)]
            more = random.sample(["h1", "o1", "w1", "W1", "grad.*", "y", "0.1"], 2) if "additionalProperties" in shape and not known else []
            inner = shape.get("additionalProperties", {})
            made = {name: of_shape(known[name], random, depth + 1) for name in names}
            return made | {name: of_shape(inner if isinstance(inner, dict) else {}, random, depth + 1) for name in more}
        case "integer":
            return random.choice((least, least + 1, least - 1, most, most + 1, 2, 1))
        case "number":
            return random.choice((least, least + 0.1, most, 0.5, 0.001, 0.9, 1e-300, 1e300))
        case "boolean":
            return random.random() < 0.5
        case "null":
            return None
    return random.choice(("h1", "o1", "w1", "y", "1/3", "z^2/(1 + abs(z))", "x1", "loss", random.choice(WORDS)))


SHAPES: dict[str, Callable[[Any, Random, int], Any]] = {
    "anyOf": lambda shape, random, depth: of_shape(random.choice(shape["anyOf"]), random, depth + 1),
    "oneOf": lambda shape, random, depth: of_shape(random.choice(shape["oneOf"]), random, depth + 1),
    "enum": lambda shape, random, depth: random.choice(shape["enum"]),
    "const": lambda shape, random, depth: shape["const"],
    "type": _of_type,
}


def _renumbered(tree: Any, random: Random) -> Any:
    """The same with some of its numbers replaced, and all else as it was."""
    if isinstance(tree, dict):
        return {key: _renumbered(inside, random) for key, inside in tree.items()}
    if isinstance(tree, list):
        return [_renumbered(inside, random) for inside in tree]
    if isinstance(tree, int | float | str) and NUMBER.fullmatch(str(tree)) and random.random() < 0.15:
        return random.choice(NUMBERS + ["1/3", "-0", ".5", "1e-17", "0.1000", "700", "-800"])
    return tree


def _places(tree: Any, section: str, name: str = "") -> Iterator[dict[str, Any]]:
    """The mappings in a file that a section describes: those under its key, or layers of its type."""
    if isinstance(tree, dict):
        if name == section or tree.get("type", "dense") == section or section == "layer" and "neurons" in tree:
            yield tree
        for key, inside in tree.items():
            yield from _places(inside, section, str(key))
    elif isinstance(tree, list):
        for inside in tree:
            yield from _places(inside, section, name)


def _spoilt(tree: Any, random: Random) -> Any:
    if isinstance(tree, dict) and tree and random.random() < 0.85:
        key = random.choice([*tree])
        kind = random.randrange(8)
        if kind == 0:
            return {other: inside for other, inside in tree.items() if other != key}
        if kind == 1:
            return {**tree, random.choice(WORDS): tree[key]}
        return {**tree, key: _spoilt(tree[key], random)}
    if isinstance(tree, list) and tree and random.random() < 0.85:
        place = random.randrange(len(tree))
        kind = random.randrange(8)
        if kind == 0:
            return tree[:place] + tree[place + 1 :]
        if kind == 1:
            return tree[:place] + [tree[place]] * random.choice((2, 3, 40)) + tree[place + 1 :]
        return [*tree[:place], _spoilt(tree[place], random), *tree[place + 1 :]]
    return random.choice((value(random), [tree], {"a": tree}, str(tree)))


def _encoded(data: bytes, random: Random) -> bytes:
    """Mostly as it is; else in another encoding, cut off, or with a byte changed."""
    kind = random.randrange(24)
    if kind < 21 or not data:
        return data
    if kind == 21:
        return data.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-32", "latin-1", "gb18030")), "replace")
    place = random.randrange(len(data))
    changed = (
        data[:place],
        data[:place] + bytes([random.randrange(256)]) + data[place + 1 :],
        data.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + data,
    )
    return random.choice((*changed, data[:place] + data[place:] * 2))


def _command(random: Random) -> tuple[str, ...]:
    shown = ("--format", random.choice(FORMATS), "--lang", random.choice(("en", "zh")))
    digits = random.choice(((), (), ("--decimals", "2", "--carry"), ("--significant", "1")))
    commands: list[tuple[str, ...]] = [
        ("solve", "p.yaml", *shown, *digits),
        ("solve", "p.yaml", *shown, "--iterations", "3", "--detail", "full", "--form", "both"),
        ("why", "p.yaml", random.choice(("w1", "loss", "grad.w1", "W1[1,1]", "out.o1"))),
        ("check", "p.yaml", *(part for answer in random.sample(ANSWERS, 3) for part in ("--answer", answer)), "--format", "json"),
        ("check", "p.yaml", "--blank"),
        ("audit", "p.yaml", "--number", random.choice(ANSWERS)),
        ("train", "p.yaml", "--iterations", "3", "--format", "json"),
        ("train", "p.yaml", "--epochs", "2", "--save", "s.yaml"),
        ("gradcheck", "p.yaml"),
        ("lint", "p.yaml", "--format", "json"),
        ("derive", "p.yaml", "loss"),
        ("generate", "p.yaml", "-n", "2", "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", "set"),
        (
            "export",
            "p.yaml",
            "--view",
            random.choice(("worksheet", "cloze", "key")),
            "-o",
            random.choice(("x.html", "x.md", "x.tex", "x.gift", "x.docx", "x.xml", "x.zip", "x.ipynb", "x.svg", "x.py", "x.slides.html")),
        ),
        ("practice", "p.yaml", "--no-state", "--seed", random.choice(("a", "", "\udc80")), "--log", "log.jsonl"),
        ("check", "p.yaml", "class", "--format", random.choice(("terminal", "json", "csv", "html")), "--jobs", "1"),
        ("audit", "p.yaml", "class/s0.txt", "--format", "json"),
        ("lint", "p.yaml", *shown[2:]),
        ("generate", "p.yaml", "-n", "1", "--seed", "\u202e", "--sheet", "html", "--key", "tex", "-o", "set"),
    ]
    return random.choice(commands[:2] * 3 + commands)


# --- data ---------------------------------------------------------------------------------------------------------------------


def _data(random: Random) -> tuple[dict[str, bytes], tuple[str, ...]]:
    if random.random() < 0.4:
        return _sound_data(random)
    if random.random() < 0.2:
        return _model(random)
    layers = (
        "layers: [{neurons: [%s], activation: sigmoid, weights: {random: xavier, seed: 1}}]\nloss: half_squared_error\nlearning_rate: 0.1\n"
    )
    ending = random.choice(("csv", "csv", "npz", "npy", "txt", "NPZ", "json"))
    name = f"d.{ending}"
    content = _table(random) if ending in ("csv", "txt", "json") else _arrays(random, ending)
    columns = random.choice(("[a, b]", "[a, b]", "a..b", "X", "X", "[a]", "X", "[色]", "x1..x9", "[]"))
    targets = random.choice(("targets: [t]\n", "targets: [t]\n", "targets: {classes: t}\n", "targets: T\n", ""))
    more = random.choice(("", "", "", "scale: 0.5", "codes: {色: one_hot}", "codes: {a: {x: 1}}", "codes: {t: [是, 否]}"))
    texts = [
        f"data: {{file: {name}, inputs: {columns}{', ' + more if more else ''}}}\n{targets}"
        + layers % random.choice(("y", "是, 否", "p, q, r")),
        f"data: {name}\ninputs: {columns}\n{targets}" + layers % "y",
        f"inputs: [1, 2]\nlayers: [{{neurons: 2, weights: {{file: {name}{random.choice(('', ', array: X', ', array: W'))}}}}}]\n",
        f"inputs: {{file: {name}}}\n" + layers % "y",
        f"data: d.csv\ninputs: [a, b]\ntargets: [t]\ntest: {{file: {name}}}\n" + layers % "y",
    ]
    files = {**DATA, "p.yaml": random.choice(texts).encode()}
    return {**files, name: _encoded(content, random)}, _command(random)


def _sound_data(random: Random) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """A file that is nearly right, and a problem that fits it."""
    rows = random.choice((1, 2, 3, 30, 3000))
    number = partial(random.choice, [0, 1, -1, 0.5, 0.1, 0.3] * 8 + [1e308, -1e308, 1e-320, 1e17, 700])
    head = "layers: [{neurons: [p, q], activation: %s, weights: {random: xavier, seed: 1}, bias: 0}]\nloss: %s\nlearning_rate: 0.1\n"
    head %= random.choice((("softmax", "cross_entropy"), ("sigmoid", "half_squared_error"), ("relu", "mean_squared_error")))
    head += random.choice(
        ("", "training: {mode: online}\n", "training: {mode: mini_batch, batch_size: 7, epochs: 2}\n", "standardize: sample\n")
    )
    if random.random() < 0.5:
        lines = ["a,b,t", *(f"{number()},{number()},{random.choice('pq')}" for _ in range(rows))]
        if random.random() < 0.2:
            lines[random.randrange(len(lines))] = random.choice(WORDS)
        text = "data: {file: d.csv, inputs: [a, b], targets: {classes: t}}\n" + random.choice(("", "test: {share: 0.3, seed: 1}\n"))
        return {"d.csv": _encoded("\n".join(lines).encode("utf-8", "surrogatepass"), random), "p.yaml": (text + head).encode()}, _command(
            random
        )
    stream = io.BytesIO()
    inputs = numpy.array([[float(number()) for _ in range(2)] for _ in range(rows)])
    targets = numpy.eye(2)[[random.randrange(2) for _ in range(rows)]]
    kind = random.choice(("f8", "f8", "f4", "f2", "i8", "u1", "?"))
    with numpy.errstate(all="ignore"):
        numpy.savez(stream, X=inputs.astype(kind), T=targets.astype(random.choice(("f8", "i4", "?"))))
    text = "data: {file: d.npz, inputs: X, targets: T}\n"
    return {"d.npz": _encoded(stream.getvalue(), random), "p.yaml": (text + head).encode()}, _command(random)


def _model(random: Random) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Weights of a trained network, more or less."""
    shapes = random.choice((((3, 2), (3,), (1, 3), (1,)), ((2, 2), (2,)), ((0, 2),), ((2, 2, 2),), ((3, 2), (2, 4)), ((400, 2), (1, 400))))
    prefix, numbers = (
        random.choice(("fc", "layers.", "", "../x", "\u202e", "lstm.weight_ih_l")),
        numpy.random.default_rng(random.randrange(99)),
    )
    arrays = {f"{prefix}{place}.{('weight', 'bias')[place % 2]}": numbers.normal(size=shape) for place, shape in enumerate(shapes)}
    ending = random.choice(("npz", "npz", "json", "json", "safetensors", "onnx", "keras", "h5", "pt"))
    stream = io.BytesIO()
    if ending == "json":
        tree: Any = {name: array.tolist() for name, array in arrays.items()}
        stream.write(json.dumps(_spoilt(tree, random)).encode("utf-8", "surrogatepass"))
    elif ending == "safetensors":
        flat = {name: array.astype("f4") for name, array in arrays.items()}
        head, place = {}, 0
        for name, array in flat.items():
            wrong = random.choice((0, 0, 0, 0, 1, -1, 1 << 60))
            head[name] = {"dtype": random.choice(("F32", "F32", "F64", "Q9")), "shape": [*array.shape]}
            head[name]["data_offsets"] = [place, place + array.nbytes + wrong]
            place += array.nbytes
        text = json.dumps(head).encode()
        stream.write(random.choice((len(text), len(text), len(text), 1 << 62)).to_bytes(8, "little") + text)
        stream.write(b"".join(array.tobytes() for array in flat.values()))
    else:
        numpy.savez(stream, **arrays)
    name = f"m.{ending}"
    more = (
        "--activations",
        random.choice(("relu", "relu,sigmoid", "tanh,z^z", "x" * 99)),
        "--weight-rows",
        random.choice(("neurons", "inputs")),
    )
    inputs = ("--inputs", random.choice(("0.5,0.3", "1", "1e400,x", "[[1,2],[3", "0.1,0.2;0.3,0.4", "", ";" * 50)), "--targets", "1")
    return {name: _encoded(stream.getvalue(), random)}, ("import", name, *random.choice((more, ())), *inputs, "-o", "made.yaml")


def _table(random: Random) -> bytes:
    separator = random.choice((",", ",", ",", ",", ";", "\t"))
    usual = ["a", "b", "t"]
    heading = random.choice((usual, usual, usual, ["name", "色", "t"], ["a", "a"], [random.choice(WORDS) for _ in range(3)], []))
    clean = random.random() < 0.5
    rows = [
        [str(round(random.random(), 2) if clean else _cell(random)) for _ in range(len(heading) or 2)]
        for _ in range(random.choice((0, 1, 2, 5, 300, 6000)))
    ]
    if rows and random.random() < 0.3:
        random.choice(rows).append("1")
    lines = [
        separator.join(f'"{cell}"' if "\n" in cell or separator in cell else cell for cell in row)
        for row in ([heading] if heading else []) + rows
    ]
    return random.choice(("\n", "\n", "\r\n", "\r")).join(lines).encode("utf-8", "surrogatepass")


def _cell(random: Random) -> Any:
    kind = random.randrange(30)
    return (
        random.choice(WORDS)
        if kind == 0
        else random.choice(NUMBERS)
        if kind < 3
        else random.choice(("是", "否"))
        if kind == 3
        else round(random.random(), 2)
    )


def _arrays(random: Random, ending: str) -> bytes:
    made = random.choice(
        (
            lambda: numpy.zeros(random.choice(((0, 2), (2, 0), (), (3,), (2, 2), (2, 2, 2), (5, 1), (1, 2)))),
            lambda: numpy.array([["1e4000", "1"]]).astype(numpy.longdouble),
            lambda: numpy.array([[1e308, float("nan")], [float("inf"), -1]]),
            lambda: numpy.array([["a", "b"]]),
            lambda: numpy.array([[1j, 2]]),
            lambda: numpy.array([[{}, None]], dtype=object),
            lambda: numpy.array([[0, 1], [1, 0]]).astype(random.choice(("int8", "uint64", "float16", "bool", ">f4", "M8[s]"))),
            lambda: numpy.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
        )
    )
    stream = io.BytesIO()
    if ending == "npy":
        numpy.save(stream, made(), allow_pickle=True)
        data = stream.getvalue()
        return data.replace(b"(2, 2)", random.choice((b"(9, 9)", b"(-2,2)", b"(2, a)"))) if random.random() < 0.3 else data
    names = random.choice((("X", "T"), ("X",), ("X", "T", "../x"), ()))
    numpy.savez(stream, **{name: made() if random.random() < 0.5 else numpy.ones((3, 2 - (name == "T"))) for name in names})
    return stream.getvalue()


# --- sheets -------------------------------------------------------------------------------------------------------------------


def _sheet(random: Random) -> tuple[dict[str, bytes], tuple[str, ...]]:
    problem = random.choice(
        ("mazur-2-2-2", "zhou-alice", "adam-logistic", "conv-pool-dense", "gomez-lstm", "micrograd-readme", "softmax-cross-entropy")
    )
    ids = [
        "net.h1",
        "out.o1",
        "grad.w1",
        "new.w5",
        "loss",
        "δ_o1",
        "W1[1,1]",
        "#2:w1",
        "after.loss",
        "E_total",
        "net.h1@1",
        "h1@t1",
        *WORDS,
    ]
    if random.random() < 0.7:
        ids = [*solved(problem)]
    count = random.choice((0, 1, 3, 10, 40, 40, 40, 2000))
    pairs = [(id, _answer(solved(problem).get(id, 1.0), random)) for id in random.sample(ids, min(count, len(ids)))]
    pairs += pairs[: random.choice((0, 0, 0, 0, 1, count))]
    ending = random.choice(("txt", "txt", "csv", "yaml", "json", "xlsx", "docx"))
    if ending == "csv":
        separator = random.choice((",", ";", "\t"))
        lines = [separator.join(("id", "answer")), *(separator.join(pair) for pair in pairs)]
    elif ending == "yaml":
        tree = {"answers": dict(pairs), "rounding": value(random), "name": random.choice(WORDS)}
        lines = [json.dumps(_spoilt(tree, random) if random.random() < 0.5 else tree, ensure_ascii=False)]
    else:
        lines = [random.choice(("# rounding: 4 decimals, carry", "# name: \u202ex", "")), *(f"{name} = {number}" for name, number in pairs)]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if ending in ("xlsx", "docx") and random.random() < 0.5:
        data = b"PK\x03\x04" + data
    file = f"s.{ending}"
    command = random.choice(("check", "check", "audit"))
    how = random.choice(("json", "terminal", "plain"))
    return {file: _encoded(data, random)}, (command, problem, file, "--format", how, "--lang", random.choice(("en", "zh")))


@cache
def solved(problem: str) -> dict[str, float]:
    """The steps of a shipped problem and their values."""
    return {step.id: step.value for step in derive(load(problem)).steps()}


def _answer(right: float, random: Random) -> str:
    """A right number, a rounded or slightly wrong one, or anything."""
    kind = random.randrange(10)
    made = (f"{right:.4f}", f"{right:.3g}", repr(right), f"{-right:.4f}", f"{right * 1.01:.4f}", f"{right:.2e}", f"0.5*2 = {right:.3f}")
    return made[kind] if kind < len(made) else str(_cell(random)) if kind < 9 else random.choice(WORDS)


# --- trying -------------------------------------------------------------------------------------------------------------------


def trial(case: Case, folder: Path) -> Outcome:
    """What becomes of a case, in a process of its own."""
    for name, content in case.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    before = int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()  # which the child has from the start
    child = os.fork()
    if not child:
        code = 99
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 2))
            resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.chdir(folder)
            for number, target in ((0, "typed" if "typed" in case.files else os.devnull), (1, "stdout"), (2, "stderr")):
                os.dup2(os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
            gc.set_threshold(*GARBAGE)
            from handcalc.cli import main

            try:
                main([*case.command])
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 98
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    said = (folder / "stderr").read_bytes().decode("utf-8", "replace").strip() if (folder / "stderr").exists() else ""
    return Outcome(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, max((used.ru_maxrss << 10) - before, 0), said[-300:])


def main_program() -> None:
    """Try many, and say what failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind in KINDS:
        parser.add_argument(kind, type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first of them that is tried")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    started = time.time()
    for kind in KINDS:
        codes: dict[int, int] = {}
        longest = largest = failures = 0.0
        for case in islice(cases(kind, getattr(chosen, kind), chosen.seed), chosen.first, None):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                found = trial(case, folder)
                codes[found.code] = codes.get(found.code, 0) + 1
                longest, largest = max(longest, found.seconds), max(largest, found.memory)
                if found.failure:
                    failures += 1
                    sys.stdout.write(f"{case.name}: {found.failure}: {' '.join(case.command)}: {found.said}\n")
                    if chosen.keep:
                        shutil.copytree(folder, chosen.keep / case.name, dirs_exist_ok=True)
        sys.stdout.write(f"{kind}: exit codes {codes}; {failures:.0f} failures; at most {longest:.1f} s, {largest / 2**20:.0f} MiB\n")
        sys.stdout.flush()
    sys.stdout.write(f"{time.time() - started:.0f} s\n")


if __name__ == "__main__":
    main_program()
