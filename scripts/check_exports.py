"""Shows that other libraries read what a running service exports.

    python3 scripts/check_exports.py http://127.0.0.1:3000 fashion-mnist 1 [data/fashion_mnist_test_images.npy]

NumPy reads npy and npz, the safetensors library its file, Python the JSON: all four hold the same float32 numbers, and
their SHA-256 is the digest of the version. NumPy's forward pass, PyTorch on planes, and ONNX Runtime, on pixels 0-1 and
0-255, agree with the service's predictions on all images: random ones if no file is given and the model does not take
28x28 grey. Needs numpy, safetensors, torch and onnxruntime.
"""
import hashlib
import io
import json
import sys
import urllib.parse
import urllib.request

import numpy as np
import onnxruntime
import safetensors
import safetensors.numpy
import torch

ACTIVATIONS = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky-relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
    "silu": lambda z: z / (1 + np.exp(-z)),
}
LAYERS = {
    "relu": torch.nn.ReLU,
    "leaky-relu": torch.nn.LeakyReLU,
    "tanh": torch.nn.Tanh,
    "sigmoid": torch.nn.Sigmoid,
    "identity": torch.nn.Identity,
    "silu": torch.nn.SiLU,
}
TOLERANCE = 1e-5
BATCH = 1000
FASHION = "data/fashion_mnist_test_images.npy"


def blocks(version):
    """Name and shape of K1, c1, gamma1, beta1, K2, … of the convolutions, then of W1, b1, W2, …"""
    channels, stages, sizes = [*version["inputShape"], 1][2], version.get("convolutions", []), version["layerSizes"]
    for n, outputs in enumerate(sum(stages, []), 1):
        yield from ((f"K{n}", (outputs, channels, 3, 3)), (f"c{n}", (outputs,)))
        if version["norm"] == "group":
            yield from ((f"gamma{n}", (outputs,)), (f"beta{n}", (outputs,)))
        channels = outputs
    dense = sizes[len(stages) :]
    for l, (d_in, d_out) in enumerate(zip(dense, dense[1:]), 1):
        yield from ((f"W{l}", (d_out, d_in)), (f"b{l}", (d_out,)))


def unpack(w, version):
    """Splits the packed vector, like the notebook's function."""
    arrays, start = {}, 0
    for name, shape in blocks(version):
        size = int(np.prod(shape))
        arrays[name] = w[start : start + size].reshape(shape)
        start += size
    assert start == len(w), (start, len(w))
    return arrays


def features(arrays, version, a):
    """Stages of convolutions of planes, n x channels x h x w"""
    n = 0
    for stage in version["convolutions"]:
        for _ in stage:
            n += 1
            h, w = a.shape[2:]
            padded, kernel = np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1))), arrays[f"K{n}"].astype("f8")
            a = sum(
                np.einsum("oc,nchw->nohw", kernel[:, :, y, x], padded[:, :, y : y + h, x : x + w], optimize=True)
                for y in range(3)
                for x in range(3)
            ) + arrays[f"c{n}"].reshape(-1, 1, 1)
            if version["norm"] == "group":
                groups = a.reshape(len(a), -1, 4 * h * w)
                groups = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)
                a = groups.reshape(a.shape) * arrays[f"gamma{n}"].reshape(-1, 1, 1) + arrays[f"beta{n}"].reshape(-1, 1, 1)
            a = ACTIVATIONS[version["activation"]](a)
        h, w = a.shape[2] // 2 * 2, a.shape[3] // 2 * 2
        a = np.maximum.reduce([a[:, :, y:h:2, x:w:2] for y in (0, 1) for x in (0, 1)])
    return a


def forward(arrays, version, images):
    a, scale = images / 255.0, version["standardization"]
    if scale is not None:
        # One number for all pixels, or one for each channel, the last axis.
        a = (a - np.array(scale["mean"])) / np.array(scale["std"])
    stages = version.get("convolutions", [])
    if stages:
        a = np.concatenate([features(arrays, version, planes(a[i : i + 100])) for i in range(0, len(a), 100)])
    a = a.reshape(len(images), -1)
    depth = len(version["layerSizes"]) - len(stages) - 1
    for l in range(1, depth + 1):
        a = a @ arrays[f"W{l}"].T.astype("f8") + arrays[f"b{l}"]
        if l < depth:
            a = ACTIVATIONS[version["activation"]](a)
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def planes(images):
    """Images of h x w or h x w x 3 as PyTorch has them: n x channels x h x w."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2) if images.ndim == 4 else images[:, None])


def torch_network(tensors, version):
    """Layers on planes. Without convolutions, the first weights are permuted from pixels to planes."""
    layers, stages, sizes = [], version.get("convolutions", []), version["layerSizes"]
    activation, weights, n = LAYERS[version["activation"]], dict(tensors), 0

    def load(layer, weight, bias):
        layer.load_state_dict({"weight": torch.tensor(weights[weight]), "bias": torch.tensor(weights[bias])})
        layers.append(layer)

    for stage in stages:
        for outputs in stage:
            n += 1
            load(torch.nn.Conv2d(weights[f"K{n}"].shape[1], outputs, 3, padding=1), f"K{n}", f"c{n}")
            if version["norm"] == "group":
                load(torch.nn.GroupNorm(outputs // 4, outputs), f"gamma{n}", f"beta{n}")
            layers.append(activation())
        layers.append(torch.nn.MaxPool2d(2))
    layers.append(torch.nn.Flatten())
    if not stages:
        first = tensors["W1"].reshape(sizes[1], *version["inputShape"])
        weights["W1"] = planes(first).reshape(sizes[1], sizes[0])
    dense = sizes[len(stages) :]
    for l, (d_in, d_out) in enumerate(zip(dense, dense[1:]), 1):
        load(torch.nn.Linear(d_in, d_out), f"W{l}", f"b{l}")
        layers.append(activation())
    return torch.nn.Sequential(*layers[:-1], torch.nn.Softmax(1))


def torch_predict(network, version, images):
    x, scale = torch.tensor(planes(images) / np.float32(255)), version["standardization"]
    if scale is not None:
        mean, std = (torch.tensor(scale[key]).reshape(-1, 1, 1) for key in ("mean", "std"))
        x = (x - mean) / std
    with torch.no_grad():
        return np.concatenate([network(rows).numpy() for rows in x.split(BATCH)])


def run(session, images):
    rows = [session.run(None, {"image": images[i : i + BATCH]}) for i in range(0, len(images), BATCH)]
    return np.concatenate([r[0] for r in rows]), np.concatenate([r[1] for r in rows])


def main(url, name, number, images_file=None):
    base = f"{url.rstrip('/')}/v1/models/{name}/versions/{number}"

    def fetch(path, body=None, **headers):
        with urllib.request.urlopen(urllib.request.Request(base + path, body, headers)) as answer:
            return answer.read()

    def export(format, **query):
        return fetch("/export?" + urllib.parse.urlencode({"format": format, **query}))

    def same(what, arrays):
        assert list(arrays) == list(packed), f"{what}: {list(arrays)}"
        for key, array in arrays.items():
            assert np.asarray(array).dtype == np.float32, f"{what}: {key} is {array.dtype}"
            assert np.array_equal(array, packed[key]), f"{what}: {key} differs"
        print(f"{what}: {', '.join(f'{key} {array.shape}' for key, array in arrays.items())}, bit for bit")

    def near(what, probabilities, labels=None):
        difference = np.abs(probabilities - served).max()
        differing = int(((probabilities.argmax(1) if labels is None else labels) != served.argmax(1)).sum())
        print(f"{what}: largest difference {difference:.2g}, {differing} of {len(images)} labels differ")
        assert difference <= TOLERANCE and differing == 0, what

    version = json.loads(fetch(""))
    sizes, shape = version["layerSizes"], version["inputShape"]
    is_default, is_flat = shape == [28, 28], shape == [28, 28] and not version.get("convolutions")
    print(f"{name}@{number}: {'x'.join(map(str, shape))}, {'-'.join(map(str, sizes))}, {version['activation']}, {version['digest']}")
    if images_file or is_default:
        images = np.load(images_file or FASHION).reshape(-1, *shape).astype("u1")
    else:
        images = np.random.default_rng(0).integers(0, 256, (10_000, *shape), np.uint8)

    octets, npy = "application/octet-stream", "application/x-npy"
    served = np.concatenate(
        [
            np.load(io.BytesIO(fetch("/predictions", images[i : i + BATCH].tobytes(), **{"Content-Type": octets, "Accept": npy})))
            for i in range(0, len(images), BATCH)
        ]
    )

    w = np.load(io.BytesIO(export("npy")))
    assert "sha256:" + hashlib.sha256(w.astype("<f4").tobytes()).hexdigest() == version["digest"], "digest"
    packed = unpack(w, version)
    same(f"npy, NumPy {np.__version__}", packed)
    same(f"npz, NumPy {np.__version__}", dict(np.load(io.BytesIO(export("npz")))))

    file = export("safetensors")
    tensors = safetensors.numpy.load(file)
    same(f"safetensors {safetensors.__version__}", {key: tensors[key] for key in packed})
    assert len(tensors) == len(packed)
    metadata = json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])["__metadata__"]
    assert metadata["digest"] == version["digest"]
    assert json.loads(metadata["class_names"]) == version["classNames"]
    assert json.loads(metadata.get("input_shape", "[28, 28]")) == shape
    near(f"safetensors in PyTorch {torch.__version__}", torch_predict(torch_network(tensors, version), version, images))

    exported = json.loads(export("json"))
    assert exported["digest"] == version["digest"] and exported["classNames"] == version["classNames"]
    assert exported.get("inputShape", [28, 28]) == shape
    same("json", {key: np.array(value, "f4") for key, value in exported["parameters"].items()})
    near("NumPy's forward pass in float64", forward(packed, version, images))

    sent = images.reshape(-1, 784) if is_flat else planes(images)
    for input, pixels in [("float", (sent / 255).astype("f4")), ("uint8", sent)]:
        file = export("onnx", input=input)
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        assert [each.name for each in session.get_inputs()] == ["image"]
        assert [each.name for each in session.get_outputs()] == ["probabilities", "label"]
        properties = session.get_modelmeta().custom_metadata_map
        assert properties["digest"] == version["digest"]
        assert json.loads(properties["class_names"]) == version["classNames"]
        near(f"onnx, input={input}, ONNX Runtime {onnxruntime.__version__}", *run(session, pixels))
    print("all agree")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
