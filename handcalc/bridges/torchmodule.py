"""PyTorch: a module in a running program → layers.

- `brought(module)` walks an `nn.Sequential`, or one of the modules in `MODULES`; another is named and refused.
- `loss_of(loss)` and `optimizer_of(optimizer, …)` say what a criterion and an optimiser are in a problem file.

To add a module: a function from it to layers, and its line in `MODULES`. Nothing of torch is imported here: a module is known by the name
of its class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from handcalc.bridges.network import BroughtLayer, BroughtNetwork, dense, entry_of, reject, with_activation
from handcalc.errors import Message

# module → activation in a problem file
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "Identity": lambda module: "identity",
    "ReLU": lambda module: "relu",
    "Sigmoid": lambda module: "sigmoid",
    "Tanh": lambda module: "tanh",
    "LeakyReLU": lambda module: {"leaky_relu": {"slope": module.negative_slope}},
    "ELU": lambda module: {"elu": {"alpha": module.alpha}},
    "ReLU6": lambda module: "relu6",
    "Hardsigmoid": lambda module: "hard_sigmoid",
    "Hardtanh": lambda module: "hard_tanh" if (module.min_val, module.max_val) == (-1, 1) else _unknown(module, "min_val, max_val"),
    "GELU": lambda module: "gelu" if module.approximate == "none" else "gelu_tanh",
    "SiLU": lambda module: "silu",
    "Mish": lambda module: "mish",
    "Softsign": lambda module: "softsign",
    "Softplus": lambda module: "softplus" if module.beta == 1 else _unknown(module, "beta"),
    "Softmax": lambda module: "softmax" if module.dim in (-1, 1) else _unknown(module, "dim"),
    "LogSoftmax": lambda module: "log_softmax" if module.dim in (-1, 1) else _unknown(module, "dim"),
}


def _unknown(module: Any, option: str) -> Any:
    reject("{module} with this {option} is not known here", module=repr(module)[:80], option=option)


class ModulePlace:
    """Where a module stands: its name among the parameters, and how to get at them."""

    def __init__(self, name: str) -> None:
        self.name = name

    def of(self, parameter: str) -> str:
        """The name of one of its parameters."""
        return f"{self.name}.{parameter}" if self.name else parameter


def array(tensor: Any) -> Any:
    """The numbers of a tensor, as they are; 16-bit floats of the brain kind as 32-bit ones."""
    found = tensor.detach().cpu()
    return (found.float() if str(found.dtype) == "torch.bfloat16" else found).numpy().copy()


def _linear(module: Any, place: ModulePlace) -> BroughtLayer:
    bias = array(module.bias) if module.bias is not None else None
    return dense(array(module.weight), bias, f"{place.name or 'module'}: Linear", (place.of("weight"), place.of("bias")))


def _with_parameters(kind: str, module: Any, place: ModulePlace, **keys: Any) -> BroughtLayer:
    """weight and bias as they are in the module."""
    own: dict[str, Any] = {"type": kind}
    parameters = {}
    for key, name in (("weights", "weight"), ("bias", "bias")):
        if getattr(module, name, None) is not None:
            own[key] = array(getattr(module, name))
            parameters[key] = (place.of(name),)
    return BroughtLayer({**own, **keys}, f"{place.name or 'module'}: {type(module).__name__}", parameters)


def _convolution(module: Any, place: ModulePlace) -> BroughtLayer:
    if module.padding_mode != "zeros":
        _unknown(module, "padding_mode")
    kind = type(module).__name__.lower()
    keys = {"stride": list(module.stride), "dilation": list(module.dilation), "groups": module.groups}
    keys["padding"] = module.padding if isinstance(module.padding, str) else list(module.padding)
    return _with_parameters(kind, module, place, **_told(keys))


def _transposed(module: Any, place: ModulePlace) -> BroughtLayer:
    if module.groups != 1 or any(one != 1 for one in module.dilation):
        _unknown(module, "groups, dilation")
    kind = "conv_transpose" + type(module).__name__[-2:].lower()
    keys = {key: list(getattr(module, key)) for key in ("stride", "padding", "output_padding")}
    return _with_parameters(kind, module, place, **_told(keys))


def _upsampling(module: Any, place: ModulePlace) -> BroughtLayer:
    scale = module.scale_factor
    parts = scale if isinstance(scale, tuple) else (scale,)
    if module.mode != "nearest" or scale is None or any(one != int(one) for one in parts):
        _unknown(module, "mode, scale_factor")
    whole = [int(one) for one in parts]
    return BroughtLayer({"type": "upsample", "scale": whole if len(whole) > 1 else whole[0]}, f"{place.name}: {type(module).__name__}")


def _told(keys: dict[str, Any]) -> dict[str, Any]:
    """Without what is usual."""
    usual = {"stride": 1, "dilation": 1, "groups": 1, "padding": 0, "output_padding": 0}
    return {
        key: value
        for key, value in keys.items()
        if value not in (usual[key], [usual[key]] * (len(value) if isinstance(value, list) else 0))
    }


def _pair(value: Any) -> Any:
    return list(value) if isinstance(value, (tuple, list)) else value


def _pooling(module: Any, place: ModulePlace) -> BroughtLayer:
    kind = "max_pool" if type(module).__name__.startswith("Max") else "avg_pool"
    if module.ceil_mode or getattr(module, "dilation", 1) not in (1, (1, 1)) or getattr(module, "divisor_override", None):
        _unknown(module, "ceil_mode, dilation, divisor_override")
    keys: dict[str, Any] = {"type": kind, "kernel_size": _pair(module.kernel_size)}
    if module.stride != module.kernel_size:
        keys["stride"] = _pair(module.stride)
    if module.padding not in (0, (0, 0)):
        keys["padding"] = _pair(module.padding)
        if kind == "avg_pool" and not module.count_include_pad:
            keys["count_include_pad"] = False
    return BroughtLayer(keys, f"{place.name}: {type(module).__name__}")


def _global_pool(module: Any, place: ModulePlace) -> BroughtLayer:
    if module.output_size not in (1, (1, 1)):
        _unknown(module, "output_size")
    kind = "global_max_pool" if "Max" in type(module).__name__ else "global_avg_pool"
    return BroughtLayer({"type": kind}, f"{place.name}: {type(module).__name__}")


def _unflatten(module: Any, place: ModulePlace) -> BroughtLayer:
    sizes = list(module.unflattened_size)
    if module.dim not in (1, -1) or not all(isinstance(one, int) and one > 0 for one in sizes) or len(sizes) not in (2, 3):
        _unknown(module, "dim, unflattened_size")
    return BroughtLayer({"type": "reshape", "shape": sizes}, f"{place.name}: Unflatten")


def _flatten(module: Any, place: ModulePlace) -> BroughtLayer:
    if module.start_dim != 1 or module.end_dim != -1:
        _unknown(module, "start_dim, end_dim")
    return BroughtLayer({"type": "flatten"}, f"{place.name}: Flatten")


def _batch_norm(module: Any, place: ModulePlace) -> BroughtLayer:
    keys: dict[str, Any] = {"epsilon": module.eps}
    if module.running_mean is not None:
        if module.momentum is None:
            _unknown(module, "momentum")
        keys |= {"running_mean": array(module.running_mean), "running_var": array(module.running_var)}
        keys |= {"momentum": module.momentum} if module.training else {"mode": "eval"}
    return _with_parameters("batch_norm", module, place, **keys)


def _layer_norm(module: Any, place: ModulePlace) -> BroughtLayer:
    if len(module.normalized_shape) != 1:
        _unknown(module, "normalized_shape")
    return _with_parameters("layer_norm", module, place, epsilon=module.eps)


def _embedding(module: Any, place: ModulePlace) -> BroughtLayer:
    if module.padding_idx is not None or module.max_norm is not None:
        _unknown(module, "padding_idx, max_norm")
    return _with_parameters("embedding", module, place)


def _recurrent(module: Any, place: ModulePlace) -> BroughtLayer:
    kind = type(module).__name__.lower()
    if module.num_layers != 1 or module.bidirectional or getattr(module, "proj_size", 0):
        _unknown(module, "num_layers, bidirectional, proj_size")
    if not module.batch_first:
        _unknown(module, "batch_first=False")
    keys: dict[str, Any] = {"type": kind, "neurons": module.hidden_size}
    names = {"input_weights": "weight_ih_l0", "hidden_weights": "weight_hh_l0", "bias": "bias_ih_l0", "hidden_bias": "bias_hh_l0"}
    names = names if module.bias else {key: name for key, name in names.items() if "bias" not in key}
    parameters: dict[str, tuple[str, ...]] = {key: (place.of(name),) for key, name in names.items()}
    keys |= {key: array(getattr(module, name)) for key, name in names.items()}
    if kind == "rnn":
        keys["activation"] = module.nonlinearity
        if module.bias:
            keys["bias"] = keys["bias"] + keys.pop("hidden_bias")
            parameters["bias"] = (*parameters["bias"], *parameters.pop("hidden_bias"))
    if kind == "gru":
        keys["reset_after"] = True
    return BroughtLayer(keys, f"{place.name or 'module'}: {type(module).__name__}", parameters)


def _dropout(module: Any, place: ModulePlace) -> BroughtLayer | None:
    if module.training and module.p:
        text = "{module} draws at random in training: use module.eval(), or write its mask into the problem (type: dropout)"
        reject(text, module=f"{place.name} ({type(module).__name__})")
    return None


MODULES: dict[str, Callable[[Any, ModulePlace], BroughtLayer | None]] = {
    "Linear": _linear,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "ConvTranspose2d": _transposed,
    "ConvTranspose1d": _transposed,
    "Upsample": _upsampling,
    "MaxPool2d": _pooling,
    "AvgPool2d": _pooling,
    "AdaptiveAvgPool2d": _global_pool,
    "AdaptiveMaxPool2d": _global_pool,
    "Flatten": _flatten,
    "Unflatten": _unflatten,
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "LayerNorm": _layer_norm,
    "RMSNorm": lambda module, place: _with_parameters("rms_norm", module, place, epsilon=module.eps or 1.1920928955078125e-07),
    "GroupNorm": lambda module, place: _with_parameters("group_norm", module, place, groups=module.num_groups, epsilon=module.eps),
    "InstanceNorm2d": lambda module, place: _with_parameters("instance_norm", module, place, epsilon=module.eps),
    "Embedding": _embedding,
    "RNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "Dropout": _dropout,
}


def leaves(module: Any, name: str = "") -> list[tuple[str, Any]]:
    """The modules of a network in order, by name: those of an nn.Sequential, and of one in it."""
    if type(module).__name__ == "Sequential":
        return [leaf for key, part in module.named_children() for leaf in leaves(part, f"{name}.{key}" if name else key)]
    return [(name, module)]


def brought(module: Any) -> BroughtNetwork:
    """The layers of a module. Raises ModelError, naming a module that is not known."""
    layers: list[BroughtLayer] = []
    for name, leaf in leaves(module):
        kind = type(leaf).__name__
        if kind in ACTIVATIONS:
            with_activation(layers, ACTIVATIONS[kind](leaf), f"{name}: {kind}")
        elif kind in MODULES:
            made = MODULES[kind](leaf, ModulePlace(name))
            layers += [made] if made is not None else []
        else:
            parts = [f"model.{part}" for part, _ in leaf.named_children()]
            if parts and not name:
                text = "{found} says in Python in which order its parts are used; put them together as they are: nn.Sequential({parts})"
                reject(text, found=kind, parts=", ".join([*parts[:6], "…"]))
            text = "{found} is no module that is known here; an nn.Sequential of these can be brought: {known}"
            reject(text, found=f"{name}: {kind}" if name else kind, known=", ".join((*MODULES, *ACTIVATIONS)))
    if not layers:
        reject("there is no layer in it")
    return BroughtNetwork(_without_flatten(layers), type(module).__name__, _remarks(layers), entry_of(layers))


def _without_flatten(layers: list[BroughtLayer]) -> tuple[BroughtLayer, ...]:
    """A flatten at the start of plain features does nothing."""
    return tuple(layers)


def _remarks(layers: list[BroughtLayer]) -> tuple[Message, ...]:
    if any(len(names) > 1 for layer in layers for names in layer.parameters.values()):
        return (Message("PyTorch's RNN has two biases, which are added; here they are one."),)
    return ()


# --- criterion and optimiser ----------------------------------------------------------------------------------------------


def loss_of(loss: Any, outputs: int) -> tuple[str, str, str, list[Message]]:
    """(loss, sample_reduction, the activation that is inside the loss, remarks) of a criterion. Raises ModelError.

    outputs: n, the outputs of a sample; PyTorch's `mean` divides by samples times outputs, handcalc's losses by the samples alone.
    """
    kind, reduction = type(loss).__name__, getattr(loss, "reduction", "mean")
    if kind not in _LOSSES or reduction not in ("mean", "sum") or getattr(loss, "weight", None) is not None:
        _no_loss(getattr(loss, "__name__", repr(loss))[:80])
    return _LOSSES[kind](loss, reduction, outputs)


def _no_loss(found: str) -> NoReturn:
    text = "{found} is no loss that is known here; known are {known}, with the reductions mean and sum"
    reject(text, found=found, known=", ".join(_LOSSES))


def _by_outputs(word: str) -> Callable[[Any, str, int], tuple[str, str, str, list[Message]]]:
    """A loss whose mean is over outputs too."""

    def made(loss: Any, reduction: str, outputs: int) -> tuple[str, str, str, list[Message]]:
        return f"mean_{word}" if reduction == "mean" and outputs > 1 else word, reduction, "", []

    return made


def _squared(loss: Any, reduction: str, outputs: int) -> tuple[str, str, str, list[Message]]:
    if reduction == "sum":
        return "squared_error", "sum", "", []
    remark = Message("MSELoss is 1/n·Σ(t − o)²: its gradient is 2/n times that of ½Σ(t − o)², here {factor}.", factor=f"{2 / outputs:.4g}")
    return "mean_squared_error", "mean", "", [remark]


def _with_logits(loss: Any, reduction: str, outputs: int) -> tuple[str, str, str, list[Message]]:
    if getattr(loss, "pos_weight", None) is not None:
        _no_loss("BCEWithLogitsLoss(pos_weight)")
    word, _, _, remarks = _binary(loss, reduction, outputs)
    remark = Message("BCEWithLogitsLoss has the sigmoid in it; here it is the activation of the last layer.")
    return word, reduction, "sigmoid", [remark, *remarks]


def _classes(loss: Any, reduction: str, outputs: int) -> tuple[str, str, str, list[Message]]:
    smoothing = getattr(loss, "label_smoothing", 0)
    word = f"{{cross_entropy: {{smoothing: {smoothing!r}}}}}" if smoothing else "cross_entropy"
    remark = Message("CrossEntropyLoss has the softmax in it; here it is the activation of the last layer.")
    return word, reduction, "softmax", [remark]


def _huber(loss: Any, reduction: str, outputs: int) -> tuple[str, str, str, list[Message]]:
    delta = getattr(loss, "delta", None) or loss.beta
    smooth = f"/{delta!r}" if type(loss).__name__ == "SmoothL1Loss" and delta != 1 else ""
    divisor = f"/{outputs}" if reduction == "mean" and outputs > 1 else ""
    return f'"huber(t - o, {delta!r}){smooth}{divisor}"', reduction, "", []


_binary = _by_outputs("binary_cross_entropy")
_LOSSES: dict[str, Callable[[Any, str, int], tuple[str, str, str, list[Message]]]] = {
    "MSELoss": _squared,
    "L1Loss": _by_outputs("absolute_error"),
    "HuberLoss": _huber,
    "SmoothL1Loss": _huber,
    "BCELoss": _binary,
    "BCEWithLogitsLoss": _with_logits,
    "CrossEntropyLoss": _classes,
    "NLLLoss": lambda loss, reduction, outputs: ("negative_log_likelihood", reduction, "", []),
}


def optimizer_of(optimizer: Any) -> dict[str, Any]:
    """The keys of a problem that say what an optimiser does. Raises ModelError."""
    kind = type(optimizer).__name__
    if kind not in _OPTIMISERS:
        reject("{found} is no optimiser that is known here; known are {known}", found=kind, known=", ".join(_OPTIMISERS))
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    if any(group != groups[0] for group in groups):
        reject("parameter groups with settings of their own are not known here")
    group = groups[0]
    if group.get("maximize") or group.get("amsgrad") or group.get("lr_decay") or group.get("centered"):
        reject("{found} with {option} is not known here", found=kind, option="maximize, amsgrad, lr_decay, centered")
    if any(float(state.get("step", 0)) or state.get("momentum_buffer") is not None for state in optimizer.state.values()):
        reject("the optimiser has made updates already; give one that is new")
    keys: dict[str, Any] = {"learning_rate": float(group["lr"]), **_OPTIMISERS[kind](group)}
    decay = group.get("weight_decay", 0)
    if decay and kind != "AdamW":
        keys["weight_decay"] = decay
    if decay:
        keys["conventions"] = {"bias_decay": True}
    return keys


def _sgd(group: Any) -> dict[str, Any]:
    if group["nesterov"]:
        return {"optimizer": {"nesterov": {"momentum": group["momentum"]}}}
    if group["momentum"]:
        dampening = {"dampening": group["dampening"]} if group["dampening"] else {}
        return {"optimizer": {"momentum": {"momentum": group["momentum"], **dampening}}}
    return {}


def _adam(group: Any) -> dict[str, Any]:
    return {"beta1": group["betas"][0], "beta2": group["betas"][1], "epsilon": group["eps"]}


_OPTIMISERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "SGD": _sgd,
    "Adam": lambda group: {"optimizer": {"adam": _adam(group)}},
    "AdamW": lambda group: {"optimizer": {"adamw": {**_adam(group), "weight_decay": group["weight_decay"]}}},
    "RMSprop": lambda group: {"optimizer": {"rmsprop": {"rho": group["alpha"], "epsilon": group["eps"]}}},
    "Adagrad": lambda group: {"optimizer": {"adagrad": {"epsilon": group["eps"]}}},
    "Adadelta": lambda group: {"optimizer": {"adadelta": {"rho": group["rho"], "epsilon": group["eps"]}}},
}
