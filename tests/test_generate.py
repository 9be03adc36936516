"""`handcalc generate`: variants that differ, solve and mark themselves all right; the same bytes everywhere; nothing half-written."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from shipping import KINDS, loaded, some
from variants import complaints, first, generator, net, recomputed

from handcalc import check, derive, load
from handcalc.cli import group
from handcalc.errors import HandcalcError, OutputError, ProblemError
from handcalc.exercises.draw import LETTERS, Draws, folded, is_code
from handcalc.exercises.generate import Generator
from handcalc.exercises.manifest import verify
from handcalc.exercises.numbers import ExerciseTemplate, in_notation
from handcalc.exercises.students import read_students
from handcalc.loading.loader import loads, shipped
from handcalc.marking.mistakes import MISTAKES
from handcalc.render import read
from handcalc.render.dialects import PLAIN

WITH_LOSS = [name for name in shipped() if loaded(name).loss or loaded(name).minimize]
QUICK = "  require: [nice, -visible]\n"  # what other numbers would show takes a second to find out
DRAWN = (
    "{inputs: {from: 0.1, to: 0.9, step: 0.1}, weights: {from: -0.9, to: 0.9, step: 0.1, not: [0]}, biases: {choose: [0.2, 0.35, -0.4]}}"
)


def run(*arguments: str, code: int = 0) -> str:
    """What a command prints; the exit code is the one expected."""
    done = CliRunner().invoke(group, [*map(str, arguments)], standalone_mode=False)
    found = 2 if isinstance(done.exception, HandcalcError) else done.return_value or 0
    if done.exception is not None and found == 0:
        raise done.exception
    assert found == code, done.output
    return done.output + "".join(f"{message}\n" for message in getattr(done.exception, "messages", ()))


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


# --- draws --------------------------------------------------------------------------------------------------------------


def test_draws_are_those_of_the_contract() -> None:
    """SHA-256 of handcalc/1, seed, variant, name, attempt and block, read as integers of 64 bits."""
    for name, attempt, count in (("w1", 0, 10), ("net.h1@Alice", 7, 19), ("权重", 499, 3)):
        digest = hashlib.sha256("\0".join(("handcalc/1", "seed", "17", name, str(attempt), "0")).encode()).digest()
        expected = int.from_bytes(digest[:8], "big") % count
        assert Draws("seed", "17").index(name, attempt, count) == expected


def test_no_index_is_likelier_than_others() -> None:
    count = (1 << 63) + 1  # half of all integers must be passed over
    found = [Draws("a", str(key)).index("w", 0, count) for key in range(40)]
    assert all(0 <= index < count for index in found) and len({*found}) == 40
    counts = [0] * 7
    for key in range(7000):
        counts[Draws("a", str(key)).index("w", 0, 7)] += 1
    assert all(850 < number < 1150 for number in counts)


def test_codes_have_six_letters_and_one_that_checks_them() -> None:
    code = Draws("a", "1").code("mazur-2-2-2")
    stem, _, letters = code.rpartition("-")
    assert stem == "mazur-2-2-2" and len(letters) == 7 and {*letters} <= {*LETTERS} and is_code(code)
    assert LETTERS.index(letters[-1]) == sum(map(LETTERS.index, letters[:-1])) % 32
    other = "0" if letters[2] != "0" else "1"
    assert not is_code(f"{stem}-{letters[:2]}{other}{letters[3:]}")
    assert folded("Übung 3 (a)") == "bung3a" and folded("练习") == "problem"


# --- numbers ------------------------------------------------------------------------------------------------------------


def test_only_numbers_change_in_the_text(tmp_path: Path) -> None:
    made = generator(net(numbers=DRAWN), tmp_path)
    text = made.variant("1").text
    assert text != made.template.text and "# a comment that stays" in text
    spelled = re.compile(r"-?\d+\.\d+")
    assert spelled.sub("#", text.split("loss:")[0]) == spelled.sub("#", made.template.text.split("loss:")[0])
    assert text.split("loss:")[1] == made.template.text.split("loss:")[1]


def test_numbers_are_drawn_from_what_is_said(tmp_path: Path) -> None:
    numbers = "{inputs: {from: 0.1, to: 0.9, step: 0.1}, 'w*': {choose: [0.25, -0.5, 0.75]}, w3: keep, b1: like, biases: keep}"
    template = ExerciseTemplate(str(_written(tmp_path, net(numbers=numbers))))
    seen: dict[str, set[str]] = {}
    for attempt in range(200):
        for name, text in template.drawn(Draws("a", "1"), attempt).items():
            seen.setdefault(name, set()).add(text)
    assert seen["x1"] == {f"0.{digit}" for digit in range(1, 10)}
    assert seen["w1"] == seen["w6"] == {"0.25", "-0.5", "0.75"}
    assert seen["w3"] == {"0.83"} and seen["b2"] == {"-0.36"} and len(seen["b1"]) > 30
    assert all(re.fullmatch(r"-?0\.\d\d", text) and abs(float(text)) <= 0.36 and float(text) for text in seen["b1"])
    rate = next(slot.name for slot in template.slots if slot.role == "learning_rate")
    assert seen[rate] == {"0.5"}


def test_ranges_of_millions_of_numbers_are_not_written_out(tmp_path: Path) -> None:
    """A number is drawn by its place in the range, those that are not wanted left out."""
    started = time.process_time()
    numbers = "{'w*': {from: 0, to: 400000, step: 0.05}, inputs: {from: -0.1, to: 0.3, step: 0.1, not: [0, 0.1, 0.05]}}"
    template = ExerciseTemplate(str(_written(tmp_path, net(numbers=numbers))))
    drawn = [template.drawn(Draws("a", "1"), attempt) for attempt in range(40)]
    assert len({one["w1"] for one in drawn}) == 40 and all(float(one["w1"]) * 20 % 1 == 0 for one in drawn)
    assert {one["x1"] for one in drawn} == {"-0.1", "0.2", "0.3"}
    assert time.process_time() - started < 3


def test_what_adds_up_to_one_changes_places() -> None:
    template = ExerciseTemplate("dlfs-simplenet")
    names = [slot.name for slot in template.slots if slot.role == "targets"]
    found = {tuple(template.drawn(Draws("a", "1"), attempt)[name] for name in names) for attempt in range(60)}
    assert found == {("1", "0", "0"), ("0", "1", "0"), ("0", "0", "1")}


@pytest.mark.parametrize("name", some(shipped(), ("mazur-2-2-2", "conv-pool-dense", "gomez-lstm", "linear-y-ax-b")))
def test_numbers_in_the_text_are_those_of_the_solution(name: str) -> None:
    """What is worked with numbers put in the place of others is what the text gives that has them."""
    from handcalc.exercises.asked import Exercise, Worked
    from handcalc.loading.loader import loads

    template = ExerciseTemplate(name)
    for attempt in range(3):
        numbers = template.drawn(Draws("b", "1"), attempt)
        worked = Worked(template.exercise, template.cells(numbers))
        own = Worked(Exercise(loads(template.text_with(numbers), folder=template.folder)))
        error = worked.solves()
        assert (error is None) == (own.solves() is None)
        for wanted, again in zip(template.exercise.cells, own.exercise.cells) if error is None else ():
            assert worked.number(wanted) == pytest.approx(own.number(again), rel=1e-12, abs=1e-15), template.exercise.id(wanted)


def test_keeping_a_number_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    plain = generator(net(numbers=DRAWN) + "  require: []\n", tmp_path)
    kept = generator(net(numbers=DRAWN[:-1] + ", w3: keep}") + "  require: []\n", tmp_path)
    for attempt in range(5):
        before, after = (made.template.drawn(Draws("a", "1"), attempt) for made in (plain, kept))
        assert after.pop("w3") == "0.83"
        assert after == {name: text for name, text in before.items() if name != "w3"}


# --- variants -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_key_says_which_slips_to_expect(tmp_path: Path) -> None:
    """Each wrong answer beside its mistake, which check finds in a sheet with that answer, the others right."""
    run("generate", "mazur-2-2-2", "-n", "1", "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(tmp_path / "set"))
    variant = manifest(tmp_path / "set")["variants"][0]
    problem = load(tmp_path / "set" / variant["problem"])
    key = _read(tmp_path / "set" / variant["code"] / "key.txt").partition("Frequent slips")[2]
    found = [re.split(r"\s{2,}", line) for line in key.partition("if it says")[2].splitlines()[2:]]  # below the heading and its rule
    rows = [row if row[0] else ["", found[place - 1][1], *row[1:]] for place, row in enumerate(found) if len(row) > 2]
    right = {id: answer["shown"] for id, answer in variant["answers"].items()}
    named = 0
    for place, (id, (_, _, wrong, words)) in enumerate(zip((id for id in right for _ in range(2)), rows, strict=True)):
        assert rows[place - place % 2][1] == right[id] != wrong
        found = next(answer for answer in check(problem, {**right, id: wrong}).answers if answer.id == id)
        assert found.verdict not in ("correct", "rounded")
        named += any(words.partition(",")[0] in MISTAKES[slug].name for slug in found.mistakes)
    assert named > 0.6 * len(rows) == 0.6 * 2 * len(right)


def test_the_slips_of_a_key_have_the_sign_of_the_letter(tmp_path: Path) -> None:
    """g and e of Zhou are minus the derivative."""
    run("generate", "xigua-thresholds", "-n", "1", "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(tmp_path / "set"))
    variant = manifest(tmp_path / "set")["variants"][0]
    key = _read(tmp_path / "set" / variant["code"] / "key.txt")
    worked = re.search(r"g₁ = .*≈ (-?[\d.]+)$", key, re.MULTILINE)
    row = re.search(r"^g₁ +(-?[\d.]+)", key, re.MULTILINE)
    assert worked and row and worked[1] == row[1] != variant["answers"]["grad.net.y1"]["shown"]


@pytest.mark.parametrize("name", ["xigua-3.0", "xigua-3.0-alpha"])
def test_words_of_a_file_are_not_drawn(name: str) -> None:
    """A code such as 否: 0 is no number of a sample. The rate and the seeds of the weights stand in the problem's own file."""
    assert {slot.role for slot in ExerciseTemplate(name).slots} == {"learning_rate", "seeds"}


SEEDED = net(w1="0", w2="0").replace(
    "weights: {w1: [x1, h1, 0], w2: [x2, h1, 0], w3: [x1, h2, 0.83], w4: [x2, h2, 0.24]}", "weights: {random: uniform, seed: 7}"
)


def test_weights_of_a_seed_get_another_one(tmp_path: Path) -> None:
    """What is judged is what the new seed draws; all else of the file is as it was."""
    made = generator(SEEDED.replace("  numbers: keep\n", "  numbers: {seeds: like, biases: keep}\n  require: []\n"), tmp_path)
    numbers = made.template.drawn(Draws("a", "1"), 0)
    assert 1 <= int(numbers["seed.W1"]) <= 9999 and numbers["b1"] == "0.15"
    variant = made.variant("1")
    assert f"weights: {{random: uniform, seed: {numbers['seed.W1']}}}" in variant.text
    weights = [one for cell, one in made.template.cells(numbers).items() if cell[0] == "W1"]
    assert weights == [one for row in loads(variant.text).layers[0].weights.rows for one in row]
    assert len({*weights}) == 4


@pytest.mark.parametrize(
    "said, wanted",
    [
        ("{seeds: keep}", {"7"}),
        ("keep", {"7"}),
        ("{seed.W1: {choose: [3, 4]}}", {"3", "4"}),
        ("{seeds: {from: 10, to: 30, step: 10}}", {"10", "20", "30"}),
        ("{'*': keep, seed.*: {choose: [5]}}", {"5"}),
        ("{'*': {choose: [0.5]}, seeds: {choose: [6]}}", {"6"}),
    ],
)
def test_which_seeds(said: str, wanted: set[str], tmp_path: Path) -> None:
    made = generator(SEEDED.replace("numbers: keep", f"numbers: {said}"), tmp_path)
    assert {made.template.drawn(Draws("a", "1"), attempt)["seed.W1"] for attempt in range(30)} == wanted


def test_wrong_seeds(tmp_path: Path) -> None:
    for said, complaint in (
        ("{seeds: {choose: [0.5]}}", "a seed is a whole number from 0 to 1000000000"),
        ("{W1_1: keep}", "no num"),
    ):
        with pytest.raises(ProblemError, match=f"net.yaml:.*: generate.numbers: {complaint}"):
            generator(SEEDED.replace("numbers: keep", f"numbers: {said}"), tmp_path).template.drawn(Draws("a", "1"), 0)


@pytest.mark.parametrize("said", ["", "notation: bishop\n"])
def test_a_variant_is_in_the_notation_of_its_sheet(said: str, tmp_path: Path) -> None:
    """So the filled-in table is marked with the problem beside it, also where a letter stands for the negative."""
    (tmp_path / "net.yaml").write_text(net(numbers=DRAWN) + QUICK + said, encoding="utf-8")
    run("generate", tmp_path / "net.yaml", "-n", "1", "--seed", "a", "--notation", "zhou", "--sheet", "txt", "-o", tmp_path / "set")
    (variant,) = manifest(tmp_path / "set")["variants"]
    problem, table = (tmp_path / "set" / variant["code"] / name for name in ("problem.yaml", "answers.csv"))
    assert load(problem).notation == "zhou" and verify(str(tmp_path / "set")) == []
    derivation = derive(load(problem))
    reading = read(derivation, "zhou", PLAIN)
    lines, answers = _read(table).splitlines(), iter(variant["answers"].items())
    for place in range(len(lines) - len(variant["answers"]), len(lines)):
        name, answer = next(answers)
        turned = reading.turned(derivation.graph.find(name))
        lines[place] += answer["shown"].removeprefix("-") if turned and answer["shown"][0] == "-" else "-" * turned + answer["shown"]
    table.write_text("\n".join(lines), encoding="utf-8")
    assert f"{len(variant['answers'])} of {len(variant['answers'])} marks" in run("check", problem, table)


def test_a_notation_that_cannot_be_written_into_a_template(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(net(numbers=DRAWN) + QUICK + "...\n", encoding="utf-8")
    said = run("generate", tmp_path / "net.yaml", "-n", "1", "--notation", "zhou", "-o", tmp_path / "set", code=2)
    assert said.endswith("net.yaml: write the notation into the template: notation: zhou\n") and not (tmp_path / "set").exists()
    assert in_notation('{"title": "x"}', "zhou") == '{"notation": "zhou", "title": "x"}'


def test_a_set_is_not_checked_like_a_problem(tmp_path: Path) -> None:
    run("generate", "tiny-linear-neuron", "-n", "1", "--seed", "a", "--sheet", "txt", "-o", tmp_path / "set")
    for file in (tmp_path / "set", tmp_path / "set" / "manifest.json"):
        with pytest.raises(click.UsageError, match=r"is a set of variants; give --from .* such as .*problem\.yaml"):
            run("check", file, "--answer", "w=1", code=2)


def test_what_is_left_of_an_earlier_set_is_said(tmp_path: Path) -> None:
    """Whoever prints all sheets of the folder would hand it out."""
    for seed, said in (("a", 0), ("a", 0), ("b", 1)):
        force = ["--force"] if (tmp_path / "set").exists() else []
        done = run("generate", "tiny-linear-neuron", "-n", "1", "--seed", seed, "--sheet", "txt", "-o", tmp_path / "set", *force)
        assert done.count("still there from an earlier set: ") == said
    codes = {path.name for path in (tmp_path / "set").iterdir() if path.is_dir()}
    [old] = codes - {variant["code"] for variant in manifest(tmp_path / "set")["variants"]}
    assert done.endswith(f"earlier set: {tmp_path / 'set' / old}\n")


def test_nothing_to_draw(tmp_path: Path) -> None:
    made = generator(net(numbers="keep") + "  require: []\n", tmp_path)
    with pytest.raises(OutputError, match="no number is drawn: all are kept, or come from another file"):
        made.variant("2", (made.variant("1"),))


@pytest.mark.parametrize("name", some(WITH_LOSS, ("xigua-thresholds",)))
def test_every_problem_gives_variants(name: str, tmp_path: Path) -> None:
    """Different, solving, each key marking itself all right; thirty of each are in benchmarks/acceptance.py."""
    count = 12 if name in KINDS and name != "xigua-thresholds" else 4
    run("generate", name, "-n", str(count), "--seed", "a", "-o", str(tmp_path / "set"), "--sheet", "txt", "--key", "txt")
    data = manifest(tmp_path / "set")
    texts = {(tmp_path / "set" / variant["problem"]).read_text(encoding="utf-8") for variant in data["variants"]}
    assert len(texts) == count == len({variant["code"] for variant in data["variants"]})
    for variant in data["variants"]:
        problem = load(tmp_path / "set" / variant["problem"])
        marking = check(problem, {id: answer["shown"] for id, answer in variant["answers"].items()})
        assert {answer.verdict for answer in marking.answers} <= {"correct", "rounded"}, [
            a for a in marking.answers if a.verdict != "correct"
        ]
        assert is_code(variant["code"]) and f"variant: {variant['code']}" in _read(tmp_path / "set" / variant["code"] / "answers.csv")
        sheet = _read(tmp_path / "set" / variant["code"] / "sheet.txt")
        assert variant["code"] in sheet and "6 significant" not in sheet
    assert verify(str(tmp_path / "set" / "manifest.json")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mazur-2-2-2", "xigua-thresholds", "conv-pool-dense"])
def test_the_same_bytes_everywhere(name: str, tmp_path: Path) -> None:
    """Another hash seed, locale and folder; also PDF and Word, a second later."""
    arguments = ["generate", name, "-n", "3", "--seed", "a", "-o", "set", "--sheet", "pdf", "--sheet", "docx", "--sheet", "html"]
    for number, extra in enumerate(({"PYTHONHASHSEED": "0"}, {"PYTHONHASHSEED": "1", "LC_ALL": "de_DE"}, {"LC_ALL": "zh_CN.UTF-8"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **extra}
        subprocess.run([sys.executable, "-m", "handcalc", *arguments], cwd=folder, env=environment, check=True, capture_output=True)
    one, other, third = (files(tmp_path / str(number) / "set") for number in range(3))
    assert one == other == third and len(one) == 3 * 6 + 1


@pytest.mark.parametrize("count", some((100, 5), (5,)))
def test_variants_keep_the_rules_of_nice(count: int, tmp_path: Path) -> None:
    """Worked out again with NumPy alone, from the text of each; without `require` some break them."""
    made = generator(net(numbers=DRAWN), tmp_path)
    variants = []
    for key in range(count):
        variants.append(made.variant(str(key), variants))
    for variant in variants:
        assert complaints(variant.text) == []
        expected = recomputed(variant.text)["answers"]
        assert {id: value for id, (value, _) in variant.answers.items()} == pytest.approx(expected, rel=1e-12)
        assert all(float(Fraction(shown)) == pytest.approx(expected[id], abs=0.5e-4) for id, (_, shown) in variant.answers.items())
    loose = generator(net(numbers=DRAWN) + "  require: []\n", tmp_path)
    assert any(complaints(loose.variant(str(key)).text) for key in range(40))
    shown = [[text for _, text in variant.answers.values()] for variant in variants]
    for place, one in enumerate(shown):
        assert all(sum(a != b for a, b in zip(one, other)) >= 0.8 * len(one) for other in shown[:place])


def test_it_says_how_many_there_are(tmp_path: Path) -> None:
    made = generator(
        net(numbers="{w1: {choose: [0.31, 0.33]}, inputs: keep, targets: keep, weights: keep, biases: keep}") + "  tries: 20\n", tmp_path
    )
    first_one = made.variant("1")
    with pytest.raises(OutputError, match=r"only 1 variants differ in 0\.8 of their answers: \d+ of 20 further draws"):
        made.variant("2", [first_one])


# --- students -----------------------------------------------------------------------------------------------------------

LIST = 'name;group;id\nAna;A;17\n"Li; 雷";B;s-2\n=1+1;C;<b>\n'


def test_a_known_name_stands_on_the_sheet(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("id,name\n1,Ada * {x}\n2,\n", encoding="utf-8")
    formats = ("--sheet", "md", "--sheet", "txt", "--key", "txt")
    run("generate", "course/01-neuron", "--students", str(tmp_path / "list.csv"), "--seed", "t", "-o", str(tmp_path / "set"), *formats)
    ada, other = (_read(next(tmp_path.glob(f"set/{one['code']}/sheet.txt"))) for one in manifest(tmp_path / "set")["variants"])
    assert "Name: Ada * {x}   Date: ____" in ada and "Name: ____" not in ada
    assert "Name: 2   Date: ____" in other


@pytest.mark.slow
def test_a_late_student_changes_nobody_elses_sheet(tmp_path: Path) -> None:
    template = _written(tmp_path, net(numbers=DRAWN) + QUICK)
    (tmp_path / "list.csv").write_text(LIST, encoding="utf-8")
    (tmp_path / "late.csv").write_text("\ufeffid,name\nnew,Zoe\n17,Ana\n", encoding="utf-8")
    run("generate", str(template), "--students", str(tmp_path / "list.csv"), "--seed", "t", "-o", str(tmp_path / "one"))
    run("generate", str(template), "--students", str(tmp_path / "late.csv"), "--seed", "t", "-o", str(tmp_path / "two"))
    run("generate", str(template), "--for", "17", "--seed", "t", "-o", str(tmp_path / "three"))
    run("generate", str(template), "--for", "17", "--students", str(tmp_path / "late.csv"), "--seed", "t", "-o", str(tmp_path / "four"))
    data = manifest(tmp_path / "one")
    assert [variant["student"] for variant in data["variants"]] == [
        {"id": "17", "name": "Ana"}, {"id": "s-2", "name": "Li; 雷"}, {"id": "<b>", "name": "=1+1"}
    ]  # fmt: skip
    code = data["variants"][0]["code"]
    for other in ("two", "four"):
        assert {name: text for name, text in files(tmp_path / other).items() if name.startswith(code)} == {
            name: text for name, text in files(tmp_path / "one").items() if name.startswith(code)
        }
    assert (tmp_path / "three" / code / "problem.yaml").read_bytes() == (tmp_path / "one" / code / "problem.yaml").read_bytes()
    assert [variant["code"] for variant in manifest(tmp_path / "four")["variants"]] == [code]
    with open(tmp_path / "one" / "students.csv", encoding="utf-8-sig") as file:
        assert [row["variant"] for row in csv.DictReader(file)] == [variant["code"] for variant in data["variants"]]
    assert "# name: Ana" in _read(tmp_path / "one" / code / "answers.csv")
    page = _read(tmp_path / "one" / data["variants"][2]["code"] / "sheet.html")
    assert "<b></" not in page.replace("<b></b>", "") and "=1+1" in page
    said = run("generate", str(template), "--for", "x", "--students", str(tmp_path / "late.csv"), "-o", str(tmp_path / "five"), code=2)
    assert 'the list has no student "x"' in said
    assert verify(str(tmp_path / "one" / "manifest.json")) == [] == verify(str(tmp_path / "four" / "manifest.json"))


def test_headings_of_a_list_may_be_chinese(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("学号,姓名,班级\n2024001,王芳,1\n", encoding="utf-8")
    (student,) = read_students(str(tmp_path / "list.csv")).students
    assert student.json == {"id": "2024001", "name": "王芳"}


BAD_LISTS = [
    ("id,name\n1,A\n1,B\n", 'list.csv:3: the student "1" is there twice'),
    ("id,name\n,A\n", "list.csv:2: a student without id"),
    ("id,name\n", "expected a row of headings"),
]


@pytest.mark.parametrize(("text", "said"), BAD_LISTS)
def test_wrong_lists_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert said in run("generate", "mazur-2-2-2", "--students", str(tmp_path / "list.csv"), "-o", str(tmp_path / "set"), code=2)
    assert not (tmp_path / "set").exists()


# --- files --------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_verify_names_what_differs(tmp_path: Path) -> None:
    template = _written(tmp_path, net(numbers=DRAWN) + QUICK)
    folder = tmp_path / "set"
    run("generate", str(template), "-n", "3", "--seed", "v", "-o", str(folder), "--together", "--sheet", "txt", "--key", "txt")
    assert {"sheets.txt", "keys.txt", "manifest.json"} <= {*files(folder)}
    path, data = str(folder / "manifest.json"), manifest(folder)
    codes = [variant["code"] for variant in data["variants"]]
    assert run("generate", "--verify", path).strip() == "everything is as it was made"
    problem = folder / data["variants"][1]["problem"]
    text = problem.read_text(encoding="utf-8")
    problem.write_text(re.sub(r"(w1: \[x1, h1, -?0\.)(\d)", lambda found: f"{found[1]}{(int(found[2]) + 1) % 10}", text), encoding="utf-8")
    assert run("generate", "--verify", path, code=1).split() == [codes[1]]
    problem.write_text(text, encoding="utf-8")
    (folder / codes[2] / "answers.csv").unlink()
    assert verify(path) == [codes[2]]
    changed = json.loads(json.dumps(data))
    changed["variants"][0]["answers"]["out.y"]["shown"] = "0.1234"
    (folder / "manifest.json").write_text(json.dumps(changed), encoding="utf-8")
    assert verify(path) == [codes[0], codes[2]]
    (folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "keys.txt").write_text("", encoding="utf-8")
    assert verify(path) == codes
    template.write_text(net(numbers=DRAWN, t="0.8") + QUICK, encoding="utf-8")
    assert verify(path) == codes


def test_nothing_is_half_written_or_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    template = _written(tmp_path, net(numbers=DRAWN) + QUICK)
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "mine.txt").write_text("kept", encoding="utf-8")
    arguments = ["generate", str(template), "-n", "2", "--seed", "v", "-o", str(folder), "--sheet", "txt", "--key", "txt"]
    assert "the folder exists; use --force" in run(*arguments, code=2)
    assert [*files(folder)] == ["mine.txt"]
    run(*arguments, "--force")
    before = files(folder)
    assert before["mine.txt"] == b"kept" and len(before) == 2 * 4 + 2

    def broken(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("handcalc.disk.writing._stage", broken)
    assert "cannot be written: No space left on device" in run(*arguments, "--force", code=2)
    assert files(folder) == before and not [*tmp_path.glob(".handcalc-*")]
    assert "cannot be written" in run(*arguments[:6], "-o", str(tmp_path / "new"), code=2)
    assert not (tmp_path / "new").exists()


def test_the_template_is_never_overwritten(tmp_path: Path) -> None:
    template = _written(tmp_path, net(numbers=DRAWN) + QUICK, "manifest.json")
    assert "give another name" in run("generate", str(template), "-n", "1", "-o", str(tmp_path), "--force", code=2)
    assert template.read_text(encoding="utf-8") == net(numbers=DRAWN) + QUICK


def test_data_beside_the_template_goes_with_every_variant(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("x,y\n0.5,0.7\n0.8,0.1\n", encoding="utf-8")
    layers = "layers: [{neurons: [o], activation: sigmoid, weights: {w: [x, o, 0.4]}, bias: {b: 0.3}}]\n"
    text = "data: points.csv\ninputs: [x]\ntargets: [y]\n" + layers
    template = _written(tmp_path, text + "loss: half_squared_error\nlearning_rate: 0.5\ngenerate: {require: []}\n")
    run("generate", str(template), "-n", "2", "--seed", "a", "-o", str(tmp_path / "set"), "--sheet", "txt", "--key", "txt")
    for variant in manifest(tmp_path / "set")["variants"]:
        assert load(tmp_path / "set" / variant["problem"]).samples[1].inputs[0].text == "0.8"
        assert "points.csv" in variant["files"]
    (tmp_path / "deep").mkdir()
    outside = _written(tmp_path / "deep", template.read_text(encoding="utf-8").replace("points.csv", "../points.csv"))
    assert "is outside the folder of the template" in run("generate", str(outside), "-n", "1", "-o", str(tmp_path / "no"), code=2)


def test_a_new_seed_is_printed(tmp_path: Path) -> None:
    template = _written(tmp_path, net(numbers=DRAWN) + QUICK)
    said = run("generate", str(template), "-n", "1", "-o", str(tmp_path / "one"), "--sheet", "txt", "--key", "txt")
    seed = manifest(tmp_path / "one")["seed"]
    assert f"seed: {seed}" in said and len(seed) == 8


WRONG = [
    (["mazur-2-2-2"], "say how many with -n N"),
    ([], "give a template, or --verify MANIFEST"),
    (["mazur-2-2-2", "-n", "2", "--for", "7"], "give -n or students, not both"),
    (["mazur-2-2-2", "--for", ""], "--for needs the id of a student"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_command_lines(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(group, ["generate", *arguments])
    assert done.exit_code == 2 and said in done.output


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"handcalc": 2, "variants": []}', '{"handcalc": 1, "variants": [{}]}', '{"handcalc": 1, "variants": []}']
)
def test_what_is_no_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(HandcalcError, match=r"manifest\.json: "):
        verify(str(tmp_path / "manifest.json"))


def _written(folder: Path, text: str, name: str = "net.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")


def test_the_first_draw_is_tried_first(tmp_path: Path) -> None:
    """Attempts are counted: the numbers of a variant are those of its last attempt."""
    made = generator(net(numbers=DRAWN), tmp_path)
    variant = made.variant("1")
    numbers = made.template.drawn(Draws("a", "1"), variant.tries - 1)
    assert made.template.text_with(numbers) == variant.text
    assert variant.tries == 1 or made.refuses(first(made)) is not None
    assert sum(made.refused.values()) == variant.tries - 1


@pytest.mark.slow
def test_several_processes_write_the_same_files(monkeypatch: pytest.MonkeyPatch) -> None:
    from handcalc.exercises import sheets

    made = generator_of("micrograd-readme")
    handouts = [sheets.Handout.of(made.variant(str(key)), made.template.folder) for key in range(4)]
    paper = sheets.Paper(("plain",), ("html",))
    alone = [sheets.files_of(handout, paper) for handout in handouts]
    monkeypatch.setattr(sheets, "PER_PROCESS", 1)
    monkeypatch.setattr(sheets, "processors", lambda: 2)
    assert sheets.all_files(handouts, paper) == alone


def generator_of(name: str) -> Generator:
    """A generator of variants of a shipped problem."""
    return Generator(ExerciseTemplate(name), "a")
