"""Writes a packed float32 vector (K1, c1, ..., W1, b1, ...) as ONNX: (n, d0) uint8 in, (n, classes) probabilities out.

usage: write_onnx.py PARAMETERS OUTPUT LAYERS   (LAYERS like 784-40-10, or 28×28-(16)-(32 32)-128-10 with convolutions)
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

source, target, layers = sys.argv[1:]
first, *layers = layers.split("-")
height, width = (int(side) for side in first.split("×")) if "×" in first else (1, int(first))
packed = np.fromfile(source, np.float32)
nodes, constants = [], []


def take(name, *shape):
    global packed
    values, packed = np.split(packed, [int(np.prod(shape))])
    constants.append(numpy_helper.from_array(values.reshape(shape), name))
    return name


def add(operator, inputs, output, **attributes):
    nodes.append(helper.make_node(operator, inputs, [output], **attributes))
    return output


constants.append(numpy_helper.from_array(np.float32(1 / 255), "scale"))
current = add("Mul", [add("Cast", ["images"], "float", to=TensorProto.FLOAT), "scale"], "a0")
pixels = inputs = height * width
channels, n = 1, 0
stages = [[int(size) for size in layer[1:-1].split()] for layer in layers if layer.startswith("(")]
if stages:
    constants.append(numpy_helper.from_array(np.array([-1, 1, height, width]), "planes"))
    current = add("Reshape", [current, "planes"], "image")
for stage in stages:
    for outputs in stage:
        n += 1
        weights = [take(f"K{n}", outputs, channels, 3, 3), take(f"c{n}", outputs)]
        current = add("Relu", [add("Conv", [current, *weights], f"y{n}", pads=[1, 1, 1, 1])], f"p{n}")
        channels = outputs
    current = add("MaxPool", [current], f"pooled{n}", kernel_shape=[2, 2], strides=[2, 2])
    height, width = height // 2, width // 2
    inputs = channels * height * width
if stages:
    current = add("Flatten", [current], "flat")
sizes = [int(size) for size in layers[len(stages) :]]
for layer, outputs in enumerate(sizes, 1):
    weights = [take(f"W{layer}", outputs, inputs), take(f"b{layer}", outputs)]
    z = add("Gemm", [current, *weights], f"z{layer}", transB=1)
    last = layer == len(sizes)
    current = add("Softmax" if last else "Relu", [z], "probabilities" if last else f"a{layer}")
    inputs = outputs
graph = helper.make_graph(
    nodes,
    "atelier",
    [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", pixels])],
    [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", sizes[-1]])],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, target)
print("{}")
