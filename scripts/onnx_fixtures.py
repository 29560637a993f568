"""Writes ONNX graphs as PyTorch, skl2onnx and tf2onnx do, with ONNX Runtime's predictions, for test/formats.

    python3 scripts/onnx_fixtures.py        reads test/fixtures/formats/images.npy, writes beside it

Made with NumPy 2.2.4, scikit-learn 1.4.2, PyTorch 2.6.0, onnx 1.17.0, ONNX Runtime 1.21.0. Neither skl2onnx nor tf2onnx is
needed: their graphs are built node by node, as skl2onnx/operator_converters/multilayer_perceptron.py and the Dense layers
of tf2onnx have them.
"""
import json
import pathlib
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.neural_network import MLPClassifier
from torch import nn

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/formats"
warnings.simplefilter("ignore")  # exporter deprecations, and few iterations
torch.manual_seed(0)
random = np.random.default_rng(0)
pixels = np.load(OUT / "images.npy")
unit = (pixels / 255).astype("f4")
expected = []


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def record(file, feed, activation, hidden, standardization=None, output=0, finish=lambda y: y):
    """Runs the file; `finish` makes probabilities of the output."""
    onnx.checker.check_model(str(OUT / file), full_check=True)
    session = onnxruntime.InferenceSession(str(OUT / file))
    found = session.run(None, {session.get_inputs()[0].name: feed})[output]
    expected.append(
        {
            "file": file,
            "activation": activation,
            "hidden": list(hidden),
            "standardization": standardization,
            "probabilities": finish(np.asarray(found, "f8")).tolist(),
        }
    )


def torch_file(file, module, **options):
    module.eval()
    shape = torch.zeros(2, 1, 28, 28)
    torch.onnx.export(module, shape, OUT / file, input_names=["x"], dynamic_axes={"x": {0: "n"}}, **options)


# Flatten, Gemm, Relu, Dropout (absent in inference), Gemm; logits are the output.
torch_file("torch-sequential.onnx", nn.Sequential(nn.Flatten(), nn.Linear(784, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 10)))
record("torch-sequential.onnx", unit.reshape(-1, 1, 28, 28), "relu", (5,), finish=softmax)
# SiLU becomes a Sigmoid and a Mul.
with torch.random.fork_rng():  # the weights of the other files stay
    layers = nn.Linear(784, 5), nn.SiLU(), nn.Linear(5, 4), nn.SiLU(), nn.Linear(4, 3)
    torch_file("torch-silu.onnx", nn.Sequential(nn.Flatten(), *layers))
record("torch-silu.onnx", unit.reshape(-1, 1, 28, 28), "silu", (5, 4), finish=softmax)


class Viewed(nn.Module):
    """A view whose shape is computed in the graph, standardization, layers without biases, log_softmax."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 4)
        self.second = nn.Linear(4, 3, bias=False)

    def forward(self, x):
        x = (x.view(x.size(0), -1) - 0.286) / 0.353
        return torch.log_softmax(self.second(torch.nn.functional.leaky_relu(self.first(x))), 1)


exact = {"mean": float(np.float32(0.286)), "std": float(np.float32(0.353))}
for file, options in [
    ("torch-view-opset11.onnx", {"opset_version": 11}),
    ("torch-view-unfolded.onnx", {"do_constant_folding": False}),  # Transpose of the weights stays in the graph
]:
    torch_file(file, Viewed(), **options)
    record(file, unit.reshape(-1, 1, 28, 28), "leaky-relu", (4,), exact, finish=np.exp)


def save(file, nodes, initializers, inputs, outputs, opset=13, ml=False):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("ai.onnx.ml", 2)] if ml else [])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.save_model(model, OUT / file)


def info(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, shape)


def floats(name, array, kind=TensorProto.FLOAT):
    """Not raw: the numbers are in float_data, double_data or int32_data."""
    array = np.asarray(array)
    return helper.make_tensor(name, kind, array.shape, array.ravel())


def sklearn_file(file, labels, activation):
    model = MLPClassifier((3,), activation=activation, max_iter=50, random_state=0).fit(unit, labels)
    node_type = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "softmax": "Softmax"}
    nodes = [helper.make_node("Cast", ["X"], ["x0"], to=TensorProto.FLOAT)]
    initializers = [helper.make_tensor("classes", TensorProto.INT32, [len(model.classes_)], model.classes_)]
    for i, (coefs, intercepts) in enumerate(zip(model.coefs_, model.intercepts_)):
        initializers += [floats(f"coefficient{i}", coefs), floats(f"intercepts{i}", intercepts[None])]
        last = i == len(model.coefs_) - 1
        kind = node_type[model.out_activation_ if last else activation]
        nodes += [
            helper.make_node("MatMul", [f"x{i}", f"coefficient{i}"], [f"mul{i}"], name=f"MatMul{i}"),
            helper.make_node("Add", [f"mul{i}", f"intercepts{i}"], [f"add{i}"], name=f"Add{i}"),
            helper.make_node(kind, [f"add{i}"], [f"x{i + 1}"], name=f"{kind}{i}"),
        ]
    if len(model.classes_) == 2:
        initializers.append(floats("unity", np.float32(1)))
        nodes.append(helper.make_node("Sub", ["unity", "x2"], ["negative"]))
        nodes.append(helper.make_node("Concat", ["negative", "x2"], ["probabilities"], axis=1))
    else:
        nodes.append(helper.make_node("Identity", ["x2"], ["probabilities"]))
    initializers.append(numpy_helper.from_array(np.array([-1]), "shape"))
    nodes += [
        helper.make_node("ArgMax", ["probabilities"], ["argmax"], axis=1),
        helper.make_node("ArrayFeatureExtractor", ["classes", "argmax"], ["taken"], domain="ai.onnx.ml"),
        helper.make_node("Cast", ["taken"], ["number"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["number", "shape"], ["label"]),
        helper.make_node("ZipMap", ["probabilities"], ["by_class"], domain="ai.onnx.ml", classlabels_int64s=model.classes_),
    ]
    sequence = onnx.helper.make_sequence_type_proto(
        onnx.helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    )
    outputs = [info("label", TensorProto.INT64, None), info("probabilities", TensorProto.FLOAT, None, len(model.classes_))]
    outputs.append(helper.make_value_info("by_class", sequence))
    save(file, nodes, initializers, [info("X", TensorProto.FLOAT, None, 784)], outputs, ml=True)
    record(file, unit, "sigmoid" if activation == "logistic" else activation, (3,), output=1)


sklearn_file("skl2onnx-classes.onnx", np.arange(8) % 4, "logistic")
sklearn_file("skl2onnx-binary.onnx", np.arange(8) % 2, "tanh")


def weights(*shape, dtype="f4"):
    return (random.standard_normal(shape) / 20).astype(dtype)


# Keras: Rescaling(1/127.5, offset=-1), Flatten, Dense(4, "relu"), Dense(4, "relu"), Dense(10, "softmax"), for uint8 images.
save(
    "tf2onnx-rescaling.onnx",
    [
        helper.make_node("Cast", ["images"], ["cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["cast", "scale"], ["scaled"], name="model/rescaling/mul"),
        helper.make_node("Add", ["scaled", "offset"], ["shifted"], name="model/rescaling/add"),
        helper.make_node("Reshape", ["shifted", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "kernel1"], ["m1"]),
        helper.make_node("Add", ["m1", "bias1"], ["z1"]),
        helper.make_node("Relu", ["z1"], ["a1"]),
        helper.make_node("MatMul", ["a1", "kernel2"], ["m2"]),
        helper.make_node("Add", ["bias2", "m2"], ["z2"]),
        helper.make_node("Relu", ["z2"], ["a2"]),
        helper.make_node("MatMul", ["a2", "kernel3"], ["m3"]),
        helper.make_node("Add", ["m3", "bias3"], ["z3"]),
        helper.make_node("Softmax", ["z3"], ["dense"]),
    ],
    [
        numpy_helper.from_array(np.float32(1 / 127.5), "scale"),
        numpy_helper.from_array(np.float32([-1]), "offset"),
        numpy_helper.from_array(np.array([-1, 784]), "shape"),
        *[numpy_helper.from_array(weights(*shape), f"kernel{n + 1}") for n, shape in enumerate([(784, 4), (4, 4), (4, 10)])],
        *[numpy_helper.from_array(weights(n_units), f"bias{n + 1}") for n, n_units in enumerate([4, 4, 10])],
    ],
    [info("images", TensorProto.UINT8, None, 28, 28, 1)],
    [info("dense", TensorProto.FLOAT, None, 10)],
)
scale = float(np.float32(1 / 127.5))
half = {"mean": (1 / (scale * 255)), "std": 1 / 255 / scale}
record("tf2onnx-rescaling.onnx", pixels.reshape(-1, 28, 28, 1), "relu", (4, 4), half)

# Double precision, factors of a Gemm, weights that are not transposed, and pixels of 0-255 that the graph divides.
save(
    "double-factors.onnx",
    [
        helper.make_node("Div", ["x", "max"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "w1", "b1"], ["z1"], alpha=0.5, beta=2.0),
        helper.make_node("Tanh", ["z1"], ["a1"]),
        helper.make_node("Gemm", ["a1", "w2"], ["z2"], transB=1),
        helper.make_node("Softmax", ["z2"], ["y"], axis=1),
    ],
    [
        floats("max", np.float64([255]), TensorProto.DOUBLE),
        floats("w1", weights(784, 2, dtype="f8"), TensorProto.DOUBLE),
        floats("b1", weights(2, dtype="f8"), TensorProto.DOUBLE),
        numpy_helper.from_array(weights(3, 2, dtype="f8"), "w2"),
    ],
    [info("x", TensorProto.DOUBLE, "n", 784)],
    [info("y", TensorProto.DOUBLE, "n", 3)],
)
record("double-factors.onnx", pixels.astype("f8"), "tanh", (2,))

# Half precision, raw and in int32_data; identical numbers in float32 are what ONNX Runtime computes with.
half_weights, half_biases = weights(3, 784, dtype="f2"), weights(3, dtype="f2")
nodes = [
    helper.make_node("Cast", ["x"], ["short"], to=TensorProto.FLOAT16),
    helper.make_node("Gemm", ["short", "w", "b"], ["z"], transB=1),
    helper.make_node("Cast", ["z"], ["long"], to=TensorProto.FLOAT),
    helper.make_node("Softmax", ["long"], ["y"], axis=-1),
]
values = [info("x", TensorProto.FLOAT, "n", 784)], [info("y", TensorProto.FLOAT, "n", 3)]
save("float16.onnx", nodes, [numpy_helper.from_array(half_weights, "w"), floats("b", half_biases, TensorProto.FLOAT16)], *values)
onnx.checker.check_model(str(OUT / "float16.onnx"), full_check=True)
exact_logits = unit.astype("f8") @ half_weights.astype("f8").T + half_biases.astype("f8")
expected.append({"file": "float16.onnx", "activation": "identity", "hidden": [], "standardization": None, "probabilities": softmax(exact_logits).tolist()})

(OUT / "expected-onnx.json").write_text(json.dumps(expected, indent=1) + "\n")

# Graphs that are not accepted.
FOREIGN = OUT / "foreign"
torch_file("foreign/convolution.onnx", nn.Sequential(nn.Conv2d(1, 1, 28), nn.Flatten(), nn.Linear(1, 2)))
torch_file("foreign/gelu.onnx", nn.Sequential(nn.Flatten(), nn.Linear(784, 1), nn.GELU(), nn.Linear(1, 2)))
model = onnx.load(FOREIGN / "convolution.onnx")
onnx.save_model(model, FOREIGN / "external.onnx", save_as_external_data=True, location="external.bin", size_threshold=0)
(FOREIGN / "external.bin").unlink()
