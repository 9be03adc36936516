"""Other spellings of the words of a problem file: `Relu`, `MSE`, 均方误差, `lr`, 标题 are read as what they mean.

- `meanings(text, known, spellings)` are the words, of those that may stand there, that a text stands for: one, none, or several
  where it is ambiguous. Case, width, `-`, `_` and blanks make no difference.
- `KEYS` are other names of keys, `WORDS` of the words that a key may hold, of notations and of languages; each is by our own word, so
  a key has them in every section. `of(table)` are those that records carry: losses, optimisers, rules of initial values. Those of
  activations are in layers/activations.py, those of layer types in their records.

To add a spelling, add it behind its word here, or in the `spellings` of its record. It must not be a word of its own at the same
place; where two words have it, whoever types it is asked which is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Protocol

Spellings = Mapping[str, tuple[str, ...]]
_NOTHING = str.maketrans("", "", "-_ ")
LONGEST = 60  # letters of a text that may be a spelling


class Spelled(Protocol):
    """A record with other names."""

    @property
    def spellings(self) -> tuple[str, ...]: ...


def of(table: Mapping[str, Spelled]) -> Spellings:
    """The spellings that the records of a table carry, by their words."""
    return {word: record.spellings for word, record in table.items()}


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """A text without what makes no difference: case, width, `-`, `_`, blanks."""
    if not text.isascii():
        from unicodedata import normalize

        text = normalize("NFKC", text)
    return text.casefold().translate(_NOTHING)


def meanings(text: str, known: Iterable[str], spellings: Spellings) -> tuple[str, ...]:
    """The known words that a text stands for: itself, else what differs in nothing that matters, else what it is another name of."""
    words = tuple(known)
    if text in words:
        return (text,)
    if not text or len(text) > LONGEST:
        return ()
    plain = folded(text)
    same = tuple(word for word in words if folded(word) == plain)
    return same or tuple(word for word in words if any(folded(other) == plain for other in spellings.get(word, ())))


# --- keys -------------------------------------------------------------------------------------------------------------

KEYS: Spellings = {
    # the problem
    "title": ("题目", "标题", "题名"),
    "title_zh": ("中文标题", "中文题目"),
    "text": ("story", "题干", "题文"),
    "text_zh": ("中文题干", "中文题文"),
    "source": ("reference", "来源", "出处"),
    "notation": ("记号", "记法", "符号"),
    "language": ("lang", "语言"),
    "inputs": ("input", "features", "输入", "输入值"),
    "input_shape": ("shape", "输入形状"),
    "targets": ("target", "labels", "label", "expected", "desired", "目标", "目标值", "目标输出", "期望输出", "期望值", "标签", "真实值"),
    "samples": ("sample", "examples", "样本", "样例"),
    "data": ("dataset", "数据", "数据集"),
    "test": ("test_set", "测试", "测试集"),
    "layers": ("层", "各层", "网络", "网络层"),
    "loss": ("loss_function", "cost", "cost_function", "error_function", "criterion", "objective",
             "损失", "损失函数", "代价函数", "误差函数", "目标函数"),
    "error": ("误差",),
    "input_gradients": ("输入梯度",),
    "learning_rate": ("lr", "eta", "η", "alpha", "α", "rate", "step_size", "学习率", "学习速率", "步长"),
    "schedule": ("lr_schedule", "scheduler", "学习率调度", "学习率衰减"),
    "regularization": ("regularisation", "penalty", "ridge", "lasso", "正则化", "正则项", "惩罚项"),
    "optimizer": ("optimiser", "优化器", "优化算法"),
    "weight_decay": ("权重衰减", "权值衰减"),
    "clipping": ("gradient_clipping", "clip", "梯度裁剪", "梯度截断"),
    "update": ("updates", "更新"),
    "training": ("train", "训练"),
    "sample_reduction": ("reduction", "样本归约"),
    "given": ("givens", "known", "已知", "已知量", "已知数"),
    "equations": ("equation", "方程", "公式", "等式"),
    "minimize": ("minimise", "最小化", "求最小"),
    "parameters": ("params", "参数"),
    "rounding": ("round", "舍入", "取近似", "取近似值"),
    "conventions": ("convention", "约定"),
    "tasks": ("task", "questions", "任务", "问题", "小题"),
    # samples, data, tests
    "name": ("名称", "名字", "姓名"),
    "file": ("path", "文件", "文件名"),
    "array": ("数组",),
    "classes": ("class", "类别"),
    "scale": ("scale_factor", "缩放"),
    "share": ("fraction", "p", "rate", "probability", "drop_rate", "dropout_rate", "drop_prob", "比例", "丢弃率"),
    "seed": ("random_seed", "random_state", "随机种子", "种子"),
    "random": ("init", "随机"),
    # what is trained, and how
    "biases": ("bias", "偏置"),
    "frozen": ("freeze", "冻结", "固定"),
    "norm": ("范数",),
    "value": ("值",),
    "mode": ("模式", "方式"),
    "batch_size": ("批大小", "批量大小"),
    "epochs": ("epoch", "max_epochs", "轮数", "训练轮数"),
    "order": ("顺序",),
    "stop": ("stopping", "停止", "停止条件"),
    "patience": ("耐心",),
    "per": ("每",),
    "formula": ("公式",),
    # optimisers and schedules
    "momentum": ("mu", "μ", "动量", "动量系数"),
    "rho": ("ρ", "decay", "decay_rate", "alpha", "α", "beta", "β"),
    "beta1": ("β1",),
    "beta2": ("β2",),
    "epsilon": ("eps", "ε"),
    "delta": ("δ",),
    "step": ("StepLR", "step_decay", "阶梯"),
    "exponential": ("ExponentialLR", "exponential_decay", "指数"),
    "inverse_time": ("inverse_time_decay", "1/t", "反比"),
    "cosine": ("CosineAnnealingLR", "cosine_annealing", "余弦"),
    "linear": ("LinearLR", "warm_up", "线性"),
    "every": ("step_size",),
    "factor": ("gamma", "γ"),
    # rounding and tasks
    "decimals": ("decimal_places", "places", "digits", "小数位", "小数位数", "小数"),
    "significant": ("significant_digits", "significant_figures", "sig_figs", "有效数字", "有效位数"),
    "carry": ("逐步舍入", "每步舍入"),
    "ties": ("舍入方式",),
    "overrides": ("例外",),
    "exact": ("精确",),
    "ask": ("asked", "求", "问"),
    "marks": ("points", "分", "分数", "分值"),
    # conventions
    "bias_update": ("update_biases", "偏置更新"),
    "hidden_error_weights": ("隐藏层误差的权重",),
    "relu_at_zero": ("relu_at_0",),
    "convolution": ("卷积",),
    "weight_numbering": ("权重编号",),
    "momentum_form": ("动量形式",),
    "adam_bias_correction": ("bias_correction", "偏差修正"),
    "bias_decay": ("偏置衰减",),
    # layers
    "type": ("kind", "layer_type", "类型"),
    "neurons": ("units", "nodes", "neuron", "神经元", "结点", "节点", "单元"),
    "activation": ("activations", "activation_function", "act", "激活", "激活函数", "传递函数"),
    "weights": ("weight", "w", "kernel", "kernels", "gamma", "γ", "权重", "权值", "连接权", "卷积核", "核"),
    "weight_names": ("names", "权重名称", "权重名"),
    "weight_rows": ("rows", "权重的行"),
    "bias": ("biases", "b", "beta", "β", "偏置", "偏置项", "偏差"),
    "threshold": ("thresholds", "theta", "θ", "阈值"),
    "filters": ("out_channels", "channels", "输出通道", "输出通道数"),
    "stride": ("strides", "步幅", "步长"),
    "padding": ("pad", "填充", "补零"),
    "output_padding": ("输出填充",),
    "top": ("above", "上"),
    "bottom": ("below", "下"),
    "left": ("before", "左"),
    "right": ("after", "右"),
    "dilation": ("空洞", "膨胀"),
    "kernel_size": ("kernel", "pool_size", "size", "window", "窗口", "窗口大小", "核大小", "池化窗口"),
    "input_weights": ("weight_ih", "Wx", "W_ih", "W_xh", "U", "输入权重"),
    "hidden_weights": ("weight_hh", "Wh", "W_hh", "recurrent_weights", "隐藏权重", "循环权重"),
    "hidden_bias": ("bias_hh", "隐藏偏置"),
    "initial_state": ("h0", "初始状态", "初态"),
    "initial_cell": ("c0", "初始细胞", "初始单元状态"),
    "gates": ("gate", "门"),
    "returns": ("返回",),
    "truncate": ("truncation", "截断"),
    "reverse": ("go_backwards", "backwards", "逆序"),
    "bidirectional": ("双向",),
    "backward": ("backward_layer", "反向层"),
    "heads": ("num_heads", "头数"),
    "query_weights": ("Wq", "查询权重"),
    "key_weights": ("Wk", "键权重"),
    "value_weights": ("Wv", "值权重"),
    "output_weights": ("Wo", "输出权重"),
    "mask": ("掩码",),
    "from": ("来自",),
    "input_from": ("输入来自",),
    "slope": ("negative_slope", "斜率"),
    # what a gate is called
    "input": ("i", "输入门"),
    "forget": ("f", "遗忘门"),
    "output": ("o", "输出门"),
    "reset": ("r", "重置门"),
    "candidate": ("g", "n", "cell", "候选", "候选值", "候选状态"),
}  # fmt: skip

# --- phases of a solution, as tasks and options name them -------------------------------------------------------------

PHASE_WORDS: Spellings = {
    "given": ("已知", "已知条件"),
    "forward": ("forward_pass", "forward_propagation", "前向传播", "正向传播", "前向计算"),
    "error": ("误差", "误差计算"),
    "backward": ("backward_pass", "backpropagation", "backprop", "反向传播", "误差反向传播", "反向计算"),
    "update": ("updates", "更新", "参数更新", "权值更新"),
}

# --- words that a key may hold ----------------------------------------------------------------------------------------

WORDS: Spellings = {
    "true": ("yes", "on", "是", "真", "对"),
    "false": ("no", "off", "否", "假", "错"),
    "zeros": ("zero", "全零", "零"),
    # languages and notations
    "en": ("english", "英文", "英语"),
    "zh": ("chinese", "zh_CN", "cn", "zh_Hans", "中文", "汉语", "简体中文"),
    "mazur": ("matt mazur",),
    "nielsen": ("michael nielsen",),
    "bishop": ("PRML", "模式识别与机器学习"),
    "goodfellow": ("花书", "deep learning book"),
    "zhou": ("周志华", "西瓜书", "机器学习（周志华）", "watermelon", "watermelon book"),
    "han": ("han and kamber", "韩家炜"),
    "negnevitsky": ("michael negnevitsky",),
    "mitchell": ("tom mitchell",),
    "ng": ("andrew ng", "吴恩达"),
    "d2l": ("dive into deep learning", "动手学深度学习", "李沐"),
    "nndl": ("邱锡鹏", "神经网络与深度学习", "蒲公英书"),
    "dlfs": ("鱼书", "深度学习入门", "斋藤康毅", "deep learning from scratch"),
    "heaton": ("jeff heaton",),
    # samples and training
    "mean": ("average", "平均", "均值"),
    "sum": ("total", "求和", "总和"),
    "batch": ("full", "full_batch", "accumulated", "批量", "全批量", "累积BP", "累积"),
    "online": ("stochastic", "sequential", "per_sample", "standard_BP", "在线", "随机", "标准BP", "逐样本"),
    "mini_batch": ("小批量",),
    "given": ("in_order", "fixed", "给定"),
    "shuffled": ("shuffle", "random", "打乱", "随机"),
    "update": ("step", "更新", "次"),
    "epoch": ("轮",),
    # rounding
    "half_up": ("round_half_up", "四舍五入"),
    "half_even": ("bankers", "banker's", "round_half_even", "四舍六入五成双", "银行家舍入"),
    "truncate": ("truncated", "cut_off", "cut", "floor", "截断", "截尾", "去尾", "去尾法", "舍去"),
    # conventions and options
    "allow": ("允许",),
    "deny": ("forbid", "不允许"),
    "old": ("before", "旧"),
    "updated": ("new", "after", "新", "更新后"),
    "new": ("新",),
    "first": ("第一个",),
    "split": ("分开", "平分"),
    "fused": ("together", "合并"),
    "cross_correlation": ("correlation", "互相关"),
    "flipped": ("convolution", "true convolution", "翻转"),
    "framework": ("pytorch",),
    "neurons": ("neuron", "outputs", "pytorch", "神经元"),
    "inputs": ("input", "keras", "输入"),
    "all": ("全部",),
    "last": ("最后",),
    "train": ("training", "训练"),
    "eval": ("evaluation", "test", "inference", "评估", "推断"),
    "causal": ("因果",),
    "same": ("相同",),
    "valid": ("不填充",),
    "direct": ("直接",),
}  # fmt: skip
