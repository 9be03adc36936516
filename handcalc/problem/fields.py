"""The file format, key by key: limits and words are said here once.

- `SECTIONS` lists every key with shape, meaning and example: reading, the check for unknown keys, the JSON Schema and
  docs/problem-format.md are all made from it. Sections of data, tests and schedules are in datakeys.py, `generate` in
  generatekeys.py; those of layers are in the
  records of their types, and layers/sections.py has all together.
- `read_section(node, name)` reads one, key by key; `keys(section)` and `choices(section, key)` ask the table.

To add a key: one `Key` here, and where its value goes in loading/. How shapes are made and read is in values.py; words that
stand for something, such as losses, have records in words.py.
"""

from __future__ import annotations

from handcalc.core.rounding import DIGITS_LIMIT
from handcalc.problem.datakeys import COLUMNS, DATA_KEYS, TARGET_COLUMNS
from handcalc.problem.generatekeys import GENERATE_KEYS
from handcalc.problem.reader import FileNode
from handcalc.problem.spellings import KEYS, meanings
from handcalc.problem.values import (
    ABOVE_0,
    COUNT,
    FLAG,
    FROM_0,
    INNER_SHARE,
    LINE,
    LIST,
    NAME,
    NULL,
    NUMBER,
    OBJECT,
    SEED,
    SHARE,
    TEXT,
    UPDATES,
    Key,
    Section,
    Shape,
    either,
    mapping,
    named,
    read_entries,
    section,
    several,
    whole,
    word,
    words,
)
from handcalc.problem.words import DIRECT, INITIAL, LOSSES, OPTIMISERS, PENALTY_FORMS, RANGES, STOPS, NamedLoss, NamedOptimiser

NOTATION_NAMES = (
    "mazur", "nielsen", "bishop", "goodfellow", "zhou", "han", "negnevitsky", "mitchell", "ng", "d2l", "nndl", "dlfs", "heaton",
)  # fmt: skip
ROWS_OF = ("neurons", "inputs")  # what a row of a matrix belongs to
CLASS_WEIGHTS = "class_weights"  # what each output counts in a loss
INSIDE = "epsilon_inside"  # whether ε is under the root, √(s + ε), not beside it, √s + ε

DECIMALS = whole(0, 15)
SIGNIFICANT = whole(1, DIGITS_LIMIT)

_OF_LAYERS = ("type", "neurons", "activation", "weights", "bias", "threshold")  # keys that most layers have

_AT_LEAST_1: Shape = {"type": "integer", "minimum": 1}  # as many as the limits allow
_NUMBERS = several(either(NUMBER, LIST))
_MATRIX = several(either(_NUMBERS, NUMBER))
_NAMES = several(either(several(NAME), NAME))
_EDGES = named({**LIST, "minItems": 3, "maxItems": 3})
_FILE = mapping({"file": TEXT, "array": TEXT}, "file")
_BIAS = named(either(NUMBER, {**LIST, "minItems": 2, "maxItems": 3}))
RANDOM = mapping({"random": word(*INITIAL), "scale": ABOVE_0, "seed": SEED}, "random", "seed")
_BIASES = either(NUMBER, _NUMBERS, _BIAS, word("zeros"), _FILE, RANDOM, NULL)
DIGITS = mapping({"decimals": DECIMALS, "significant": SIGNIFICANT}, one=True)
_RULES: Shape = {**named(LINE), "propertyNames": {"not": {"enum": ["biases", "frozen"]}}}  # parameter → its new value, in equations
_ASKED = several(either(TEXT, section("task")))
_STOP = mapping({**dict.fromkeys(STOPS, ABOVE_0), "patience": COUNT})


def loss_shapes(loss: NamedLoss) -> dict[str, Shape]:
    """The keys of a loss."""
    return {key: RANGES[key] for key in loss.numbers} | ({CLASS_WEIGHTS: several(FROM_0)} if loss.weighted else {})


def _loss() -> Shape:
    """A word, a formula, or {word: {numbers}}."""
    inside = {word: either(mapping(shapes), NULL) for word, loss in LOSSES.items() if (shapes := loss_shapes(loss))}
    return either(word(*LOSSES), TEXT, mapping(inside, one=True))


def option_shapes(optimiser: NamedOptimiser) -> dict[str, Shape]:
    """The keys of an optimiser."""
    return {key: RANGES[key] for key in optimiser.numbers} | ({INSIDE: FLAG} if optimiser.either_root else {})


def _optimiser() -> Shape:
    """A word, {word: {numbers}}, or {name: word, numbers}."""
    inside = {name: either(mapping(option_shapes(optimiser)), NULL) for name, optimiser in OPTIMISERS.items()}
    beside = [mapping({"name": word(name), **option_shapes(optimiser)}, "name") for name, optimiser in OPTIMISERS.items()]
    return either(word(*OPTIMISERS), mapping(inside, one=True), *beside)


SECTIONS: dict[str, tuple[Key, ...]] = {
    "problem": (
        Key("handcalc", word("1"), "format version, optional", "1"),
        Key("title", TEXT, "title of the exercise", "A step-by-step backpropagation example"),
        Key("title_zh", TEXT, "the title in reports in Chinese", "反向传播分步示例"),
        Key("text", TEXT, "a word problem around it; {name} is the number that is given for a name",
            '"A house of {size} hundred square metres"'),
        Key("text_zh", TEXT, "the text in reports in Chinese", '"一所 {size} 百平方米的房子"'),
        Key("source", TEXT, "where it comes from", "Matt Mazur, 2015"),
        Key("notation", word(*NOTATION_NAMES), "notation profile", "mazur"),
        Key("language", word("en", "zh"), "language of the report", "en"),
        Key("inputs", either(_FILE, named(NUMBER), _NUMBERS, COLUMNS), "input values; a mapping names them, a list makes x1, x2 …",
              "{i1: 0.05, i2: 0.10}"),
        Key("input_shape", several(whole(1, 100_000)), "size of the inputs in every direction, where they are one list or come from a file",
              "[1, 28, 28]"),
        Key("standardize", word("population", "sample"),
              "inputs less their mean, over their standard deviation, with n or n − 1 in the variance",
              "population"),
        Key("targets", either(named(NUMBER), _NUMBERS, NUMBER, TARGET_COLUMNS),
              "targets by output neuron, or in order, or the name of the class; leave out for a forward pass only", "{o1: 0.01, o2: 0.99}"),
        Key("samples", several(section("sample")), "several samples, instead of inputs and targets",
              "[{name: Alice, inputs: [-2, -1], targets: [1]}]"),
        Key("data", either(TEXT, section("data")), "CSV or NPZ file beside the problem; inputs and targets name its columns or arrays",
              "people.csv"),
        Key("test", either(INNER_SHARE, TEXT, section("test"), several(section("sample"))),
              "samples to test with: a share of all, another file, or a list", "0.2"),
        Key("layers", several(OBJECT), "layers after the inputs, in order"),
        Key("loss", _loss(), "loss function, or a formula in o and t", "half_squared_error"),
        Key("error", word(DIRECT.word), "direct: no loss; only e = t − o and delta rules", "direct"),
        Key("input_gradients", FLAG, "whether ∂E/∂x of the inputs is worked out as well", "true"),
        Key("learning_rate", either(ABOVE_0, named(ABOVE_0)),
              "η of the update, without it there is no update; or one for each layer or parameter", "0.5"),
        Key("schedule", either(TEXT, section("schedule")), "how η changes with the updates; or a formula in rate and t",
              "{step: {every: 10, factor: 0.5}}"),
        Key("optimizer", _optimiser(), "optimiser, with its numbers if they are not the usual ones",
              "{adam: {beta1: 0.9, beta2: 0.999, epsilon: 1e-8}}"),
        Key("report", _loss(), "a loss worked out beside the one that is minimised; written like loss", "squared_error"),
        Key("regularization", section("regularization"), "penalties on large weights, in the loss itself", "{l2: 0.1, form: half_mean}"),
        Key("weight_decay", ABOVE_0,
              "λ of weight decay; not in the loss: added to the gradient as λ·w, apart from it with adamw", "0.01"),
        Key("clipping", section("clipping"), "limit of the gradients", "{norm: 1}"),
        Key("update", either(section("update"), _RULES), "what is trained; in equations, the new value of a parameter by a formula",
              "{biases: false}"),
        Key("training", section("training"), "how several samples and iterations are used", "{mode: online}"),
        Key("sample_reduction", word("mean", "sum"), "how the losses of several samples become one", "mean"),
        Key("given", named(either(NUMBER, _NUMBERS)),
              "equations: given numbers; in any problem: numbers in the place of what is worked out, by id or printed name",
              "{net.h1: 3, grad.out.o1: 0.5}"),
        Key("equations", named(LINE), "equations: quantities in order, instead of layers", "{z: w*x + b, f: sigmoid(z)}"),
        Key("minimize", TEXT, "equations: the quantity whose gradients are wanted", "f"),
        Key("parameters", several(TEXT), "equations: the given names that are updated", "[w, b]"),
        Key("rounding", section("rounding"), "digits shown, and whether rounded results are carried on", "{decimals: 4, carry: true}"),
        Key("conventions", section("conventions"), "what teachers disagree on", "{hidden_error_weights: updated}"),
        Key("tasks", either(_ASKED, section("tasks")), "what is asked, and what it is worth", "[grad.w5, new.*, backward]"),
        Key("generate", section("generate"), "how the exercise is set with other numbers; other commands pass it over",
              "{numbers: {weights: {from: -0.9, to: 0.9, step: 0.1}}}"),
    ),
    "sample": (
        Key("name", NAME, "name of the sample", "Alice"),
        Key("inputs", either(_FILE, named(NUMBER), _NUMBERS), "input values"),
        Key("targets", either(named(NUMBER), _NUMBERS, NUMBER, TEXT), "targets, or the name of the class"),
    ),
    **DATA_KEYS,
    **GENERATE_KEYS,
    "update": (
        Key("biases", FLAG, "whether biases and thresholds are trained", "false"),
        Key("frozen", several(NAME), "parameters that are not trained", "[w1, b2]"),
    ),
    "regularization": (
        Key("l2", FROM_0, "λ of the squared weights", "0.1"),
        Key("l1", FROM_0, "λ of the absolute values of the weights", "0.01"),
        Key("form", word(*PENALTY_FORMS), "what stands before the sum; m is the number of samples", "half_mean"),
        Key("biases", FLAG, "whether biases and thresholds are in the penalty too", "false"),
    ),
    "clipping": (
        Key("norm", ABOVE_0, "largest norm of all gradients together", "1"),
        Key("value", ABOVE_0, "largest size of each gradient", "0.5"),
    ),
    "training": (
        Key("mode", word("batch", "online", "mini_batch"), "one update for all samples, one after each, or per mini-batch", "online"),
        Key("batch_size", COUNT, "samples in a mini-batch", "2"),
        Key("epochs", UPDATES, "how often training goes through all samples", "1000"),
        Key("order", word("given", "shuffled"), "order of the samples in an epoch", "given"),
        Key("seed", SEED, "seed of the shuffling", "1"),
        Key("stop", _STOP, "when training ends", "{loss: 1e-3, change: 1e-9, gradient: 1e-6}"),
    ),
    "rounding": (
        Key("decimals", DECIMALS, "decimal places", "4"),
        Key("significant", SIGNIFICANT, "significant digits", "6"),
        Key("carry", FLAG, "round each result before it is used again, as on paper", "true"),
        Key("ties", word("half_up", "half_even", "truncate"), "what happens to a 5", "half_up"),
        Key("overrides", named(DIGITS), "other digits for some ids",
              '{"grad.*": {significant: 3}}'),
        Key("exact", FLAG, "compute in fractions where the problem allows it", "true"),
    ),
    "tasks": (
        Key("ask", either(TEXT, _ASKED), "what is asked", "[net.*, {ask: new.w5, marks: 2}]"),
        Key("marks", FROM_0, "marks for each task that does not say otherwise; 1 if not given", "2"),
        Key("decimals", DECIMALS, "decimal places wanted", "4"),
        Key("significant", SIGNIFICANT, "significant digits wanted", "3"),
        Key("follow_through", SHARE, "share of the marks where an answer follows from an earlier wrong one; 1 if not given", "0.5"),
        Key("imprecise", SHARE, "share of the marks for too few digits; 1/2 if not given", "0"),
        Key("rounded", SHARE, "share of the marks where only numbers rounded on the way make the difference; 1 if not given", "0.5"),
        Key("conventions", word("allow", "deny"), "whether answers that are right under another convention have their marks", "allow"),
    ),
    "task": (
        Key("ask", either(TEXT, several(TEXT)), "an id, a symbol, a pattern with * and ?, a phase, or a list of them",
              "[grad.net.o1, grad.net.o2]"),
        Key("marks", FROM_0, "marks for each of them", "2"),
        Key("decimals", DECIMALS, "decimal places wanted", "4"),
        Key("significant", SIGNIFICANT, "significant digits wanted", "3"),
    ),
    "conventions": (
        Key("bias_update", FLAG, "whether biases are trained (same as update: biases)", "true"),
        Key("hidden_error_weights", word("old", "updated"), "weights used to send the error back", "old"),
        Key("relu_at_zero", word("0", "1", "0.5"), "the slope of ReLU at exactly 0", "0"),
        Key("max_ties", word("first", "split"), "who gets the gradient where several are the largest: the first, or all", "first"),
        Key("softmax", word("steps", "shifted", "at_once"),
            "softmax in three steps (e^z, their sum, the quotients); with the largest z subtracted first; or in one line", "shifted"),
        Key("softmax_loss", word("split", "fused"), "softmax and cross-entropy as two steps or one", "split"),
        Key("convolution", word("cross_correlation", "flipped"), "whether a kernel is laid over the input as it is, or turned round",
              "flipped"),
        Key("weight_numbering", word("by_target", "by_source"), "in which order unnamed weights are numbered w1, w2 …", "by_target"),
        Key("sample_reduction", word("mean", "sum"), "as sample_reduction", "mean"),
        Key("momentum_form", word("framework", "textbook", "rate_inside", "average"),
              "velocity: μv + g, taken times η; μv − ηg, added; μv + ηg, subtracted; or μv + (1 − μ)g, taken times η", "framework"),
        Key("adam_bias_correction", FLAG, "whether Adam corrects its averages for their start at 0", "true"),
        Key("bias_decay", FLAG, "whether weight decay is for biases too", "false"),
    ),
}  # fmt: skip


def read_section(node: FileNode, name: str, plain: str = "") -> Section:
    """A section of the file; plain: the key for which a value may stand that is no mapping, such as `data: FILE`."""
    shapes = {key.key: key.shape for key in SECTIONS[name]}
    if node.kind != "mapping" and plain:
        return Section({plain: node}, shapes)
    return read_entries(node, shapes, _home if name == "problem" else str)


def _home(key: str) -> str:
    """Where a key belongs that is none of the problem itself: training: {epochs: …}; "" where it belongs nowhere."""
    for name in ("training", "rounding", "update", "conventions", "clipping", "regularization"):
        found = meanings(key, keys(name), KEYS)
        if found:
            return f"{name}: {{{found[0]}: …}}"
    optimiser = next((one for one in OPTIMISERS.values() if key in one.numbers), None)
    if optimiser is not None:
        return f"optimizer: {{{optimiser.word}: {{{key}: …}}}}"
    found = meanings(key, _OF_LAYERS, KEYS)
    return f"layers: [{{{found[0]}: …}}]" if found else ""


def keys(name: str) -> tuple[str, ...]:
    """The keys allowed in a section, in the order of the documentation."""
    return tuple(key.key for key in SECTIONS[name])


def choices(name: str, key: str) -> tuple[str, ...]:
    """The words a key may have, as typed; none where it holds something else."""
    return next(words(found.shape) for found in SECTIONS[name] if found.key == key)
