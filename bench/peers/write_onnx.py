"""Writes a packed float32 vector (W1, b1, W2, b2, ...) as ONNX: (n, 784) uint8 in, (n, classes) probabilities out.

usage: write_onnx.py PARAMETERS OUTPUT D0 D1 ... DL
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

source, target, *sizes = sys.argv[1:]
sizes = [int(size) for size in sizes]
packed = np.fromfile(source, np.float32)
nodes = [
    helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
    helper.make_node("Mul", ["float", "scale"], ["a0"]),
]
constants = [numpy_helper.from_array(np.float32(1 / 255), "scale")]
for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), 1):
    weights, bias, packed = np.split(packed, [inputs * outputs, (inputs + 1) * outputs])
    constants.append(numpy_helper.from_array(weights.reshape(outputs, inputs), f"W{layer}"))
    constants.append(numpy_helper.from_array(bias, f"b{layer}"))
    nodes.append(helper.make_node("Gemm", [f"a{layer - 1}", f"W{layer}", f"b{layer}"], [f"z{layer}"], transB=1))
    last = layer == len(sizes) - 1
    out = "probabilities" if last else f"a{layer}"
    nodes.append(helper.make_node("Softmax" if last else "Relu", [f"z{layer}"], [out]))
graph = helper.make_graph(
    nodes,
    "atelier",
    [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", sizes[0]])],
    [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", sizes[-1]])],
    constants,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, target)
print("{}")
