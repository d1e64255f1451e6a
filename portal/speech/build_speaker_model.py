"""Turn the published CAM++ weights into an ONNX file. Runs at set-up, never while serving.

CAM++ (Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", Interspeech 2023; weights by 3D-Speaker, Apache-2.0) turns filter banks
into a speaker embedding. Its weights come as a PyTorch file. PyTorch itself is not needed: the
file is a zip of raw arrays and a pickle that names them, and that pickle is read here by an
unpickler that can build nothing but those arrays.

The graph differs from the original in one way. The original averages the context mask over the
whole input, so every window has to be run by itself and overlapping windows cost double. Here
the mask is averaged over the 1.5 s around each frame, which is what a window centred there would
see. One pass then serves every overlapping window, at a third of the work; see
``docs/decisions/diarization.md`` for the measured difference.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

Weights = dict[str, NDArray[np.float32]]

CONTEXT_STEP = 25
"""The context mask is the same for so many frames of 20 ms, and averages three times as many."""

BLOCKS = ((12, 1), (24, 2), (16, 2))
"""(layers, dilation) of each densely connected block."""

EPSILON = 1e-5


class UnexpectedWeights(Exception):
    """The file is not the CAM++ checkpoint this builder knows."""


class _ArrayUnpickler(pickle.Unpickler):
    """Reads the table of a PyTorch zip file. Refuses every global but the four it needs, so that
    a malicious file can at worst fail to load."""

    def __init__(self, stream: IO[bytes], archive: zipfile.ZipFile, root: str) -> None:
        super().__init__(stream)
        self._archive = archive
        self._root = root

    def find_class(self, module: str, name: str) -> Any:
        match (module, name):
            case ("collections", "OrderedDict"):
                return OrderedDict
            case ("torch._utils", "_rebuild_tensor_v2"):
                return _array
            case ("torch", "FloatStorage"):
                return np.float32
            case ("torch", "LongStorage"):
                return np.int64
        raise UnexpectedWeights(f"refused to load {module}.{name}")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        kind, dtype, key, _device, count = pid
        if kind != "storage":
            raise UnexpectedWeights(f"refused to load a {kind}")
        return np.frombuffer(self._archive.read(f"{self._root}/data/{key}"), dtype, count)


def _array(
    storage: NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
) -> NDArray[Any]:
    size = int(np.prod(shape))
    natural = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    if any(n > 1 and s != want for n, s, want in zip(shape, strides, natural, strict=True)):
        raise UnexpectedWeights("an array is not stored in row order")
    return storage[offset : offset + size].reshape(shape)


def _axis(number: int) -> NDArray[np.int64]:
    return np.array([number], np.int64)


def read_weights(path: Path) -> Weights:
    """The arrays of a PyTorch checkpoint by name.

    Raises UnexpectedWeights when the file holds anything but plain arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            table = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(table) as stream:
                loaded = _ArrayUnpickler(stream, archive, table.removesuffix("/data.pkl")).load()
    except (zipfile.BadZipFile, StopIteration, pickle.UnpicklingError, KeyError) as error:
        raise UnexpectedWeights(str(error)) from error
    if not isinstance(loaded, dict):
        raise UnexpectedWeights("no table of arrays in the file")
    return {name: array for name, array in loaded.items() if array.dtype == np.float32}


class _Graph:
    """Nodes and weights of the network, in the order in which it computes."""

    def __init__(self, weights: Weights) -> None:
        from onnx import helper, numpy_helper

        self._helper = helper
        self._from_array = numpy_helper.from_array
        self._weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        self.constants[name] = self._from_array(np.ascontiguousarray(value), name)
        return name

    def weight(self, name: str) -> str:
        if name not in self._weights:
            raise UnexpectedWeights(f"{name} is missing")
        return self.constant(name, self._weights[name])

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"x{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def norm(self, x: str, name: str, *, affine: bool = True) -> str:
        mean = self.weight(f"{name}.running_mean")
        variance = self.weight(f"{name}.running_var")
        if affine:
            scale, shift = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        else:
            size = len(self._weights[f"{name}.running_mean"])
            scale = self.constant(f"{name}.weight", np.ones(size, np.float32))
            shift = self.constant(f"{name}.bias", np.zeros(size, np.float32))
        return self.add("BatchNormalization", x, scale, shift, mean, variance, epsilon=EPSILON)

    def norm_relu(self, x: str, name: str) -> str:
        return self.add("Relu", self.norm(x, name))

    def conv(self, x: str, name: str, *, bias: bool = False, **attributes: Any) -> str:
        inputs = [x, self.weight(f"{name}.weight")]
        if bias:
            inputs.append(self.weight(f"{name}.bias"))
        return self.add("Conv", *inputs, **attributes)

    def residual(self, x: str, name: str, *, stride: int) -> str:
        pads = [1, 1, 1, 1]
        y = self.conv(x, f"{name}.conv1", pads=pads, strides=[stride, 1])
        y = self.norm_relu(y, f"{name}.bn1")
        y = self.norm(self.conv(y, f"{name}.conv2", pads=pads), f"{name}.bn2")
        if stride != 1:
            x = self.conv(x, f"{name}.shortcut.0", strides=[stride, 1])
            x = self.norm(x, f"{name}.shortcut.1")
        return self.add("Relu", self.add("Add", y, x))

    def context_masked(self, x: str, name: str, *, dilation: int) -> str:
        y = self.conv(x, f"{name}.linear_local", pads=[dilation, dilation], dilations=[dilation])
        context = self.add(
            "AveragePool",
            x,
            kernel_shape=[3 * CONTEXT_STEP],
            strides=[CONTEXT_STEP],
            pads=[CONTEXT_STEP, CONTEXT_STEP],
        )
        # The original adds the mean of the input and that of a 2 s piece: the same thing here.
        context = self.add("Add", context, context)
        context = self.add("Relu", self.conv(context, f"{name}.linear1", bias=True))
        mask = self.add("Sigmoid", self.conv(context, f"{name}.linear2", bias=True))
        mask = self.add("Unsqueeze", mask, self.constant("axis3", _axis(3)))
        steps = self.constant("steps", np.array([0, 0, -1, CONTEXT_STEP], np.int64))
        y = self.add("Mul", self.add("Reshape", y, steps), mask)
        return self.add("Reshape", y, self.constant("joined", np.array([0, 0, -1], np.int64)))


def build(weights: Weights) -> onnx.ModelProto:
    """The network as ONNX.

    Input ``fbank``: float32 (1, frames of 10 ms, 80), log mel energies less their mean; the number
    of frames is a multiple of ``2 * CONTEXT_STEP``. Input ``windows``: float32 (windows, frames
    of 20 ms), for each window the share of each frame in it, adding up to 1. Output
    ``embeddings``: float32 (windows, 192), not normalised.
    """
    from onnx import TensorProto, helper

    g = _Graph(weights)
    x = g.add("Transpose", "fbank", perm=[0, 2, 1])
    x = g.add("Unsqueeze", x, g.constant("axis1", _axis(1)))
    x = g.norm_relu(g.conv(x, "head.conv1", pads=[1, 1, 1, 1]), "head.bn1")
    for layer in ("head.layer1", "head.layer2"):
        x = g.residual(x, f"{layer}.0", stride=2)
        x = g.residual(x, f"{layer}.1", stride=1)
    x = g.conv(x, "head.conv2", pads=[1, 1, 1, 1], strides=[2, 1])
    x = g.norm_relu(x, "head.bn2")
    x = g.add("Reshape", x, g.constant("flat", np.array([0, 320, -1], np.int64)))
    x = g.conv(x, "xvector.tdnn.linear", pads=[2, 2], strides=[2])
    x = g.norm_relu(x, "xvector.tdnn.nonlinear.batchnorm")
    for block, (layers, dilation) in enumerate(BLOCKS, 1):
        for number in range(1, layers + 1):
            name = f"xvector.block{block}.tdnnd{number}"
            y = g.norm_relu(x, f"{name}.nonlinear1.batchnorm")
            y = g.norm_relu(g.conv(y, f"{name}.linear1"), f"{name}.nonlinear2.batchnorm")
            y = g.context_masked(y, f"{name}.cam_layer", dilation=dilation)
            x = g.add("Concat", x, y, axis=1)
        x = g.norm_relu(x, f"xvector.transit{block}.nonlinear.batchnorm")
        x = g.conv(x, f"xvector.transit{block}.linear")
    x = g.norm_relu(x, "xvector.out_nonlinear.batchnorm")
    frames = g.add("Squeeze", g.add("Transpose", x, perm=[0, 2, 1]), g.constant("first", _axis(0)))
    mean = g.add("MatMul", "windows", frames)
    square = g.add("MatMul", "windows", g.add("Mul", frames, frames))
    variance = g.add("Sub", square, g.add("Mul", mean, mean))
    floor = g.constant("floor", np.array(1e-6, np.float32))
    pooled = g.add("Concat", mean, g.add("Sqrt", g.add("Max", variance, floor)), axis=1)
    dense = weights["xvector.dense.linear.weight"][:, :, 0].T
    x = g.add("MatMul", pooled, g.constant("dense", dense))
    x = g.norm(x, "xvector.dense.nonlinear.batchnorm", affine=False)
    g.nodes.append(helper.make_node("Identity", [x], ["embeddings"]))
    graph = helper.make_graph(
        g.nodes,
        "campplus",
        [
            helper.make_tensor_value_info("fbank", TensorProto.FLOAT, [1, "time", 80]),
            helper.make_tensor_value_info("windows", TensorProto.FLOAT, ["windows", "frames"]),
        ],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["windows", 192])],
        list(g.constants.values()),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


WEIGHTS_NAME = "campplus_cn_en_common.pt"
WEIGHTS_SHA256 = "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199"


def find_weights(folder: Path) -> Path:
    """The checkpoint somewhere below ``folder``, an unpacked package. Raises UnexpectedWeights."""
    found = next(folder.rglob(WEIGHTS_NAME), None)
    if found is None:
        raise UnexpectedWeights(f"no {WEIGHTS_NAME} below {folder}")
    if hashlib.sha256(found.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise UnexpectedWeights(f"{found} is not the file this was written for")
    return found


def write(weights: Path, target: Path) -> None:
    """Build ``target`` from the checkpoint; it appears whole or not at all."""
    import onnx

    model = build(read_weights(weights))
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part:
        part.write(model.SerializeToString())
    try:
        onnx.checker.check_model(part.name)
        built = Path(part.name)
        built.chmod(0o644)
        built.replace(target)
    finally:
        Path(part.name).unlink(missing_ok=True)


if __name__ == "__main__":
    write(find_weights(Path(sys.argv[1])), Path(sys.argv[2]))
