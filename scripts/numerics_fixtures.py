"""Computes expected numbers for test/numerics with NumPy (float64, dense, whole batches) and SciPy.

    python3 scripts/numerics_fixtures.py        writes test/fixtures/numerics/

Deterministic: the same NumPy and SciPy write the same bytes. Made with NumPy 2.4.6, SciPy 1.17.1.
"""
import json
import pathlib

import numpy as np
from scipy.optimize import approx_fprime, check_grad
from scipy.special import log_softmax, softmax

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/numerics"
STEP = 1.4901161193847656e-8


def unpack(w, sizes):
    layers, start = [], 0
    for d_in, d_out in zip(sizes, sizes[1:]):
        W = w[start : start + d_in * d_out].reshape(d_out, d_in)
        start += d_in * d_out
        layers.append((W, w[start : start + d_out]))
        start += d_out
    assert start == len(w)
    return layers


def forward(w, x, sizes):
    """x: n × d0 pixels; returns the pre-activations of every layer"""
    a, zs = x / 255.0, []
    for W, b in unpack(w, sizes):
        zs.append(a @ W.T + b)
        a = np.maximum(zs[-1], 0)
    return zs


def cross_entropy(w, x, y, sizes):
    return -log_softmax(forward(w, x, sizes)[-1], axis=1)[np.arange(len(y)), y].mean()


def gradient(w, x, y, sizes, l2=0.0):
    zs, layers, blocks = forward(w, x, sizes), unpack(w, sizes), []
    dz = softmax(zs[-1], axis=1)
    dz[np.arange(len(y)), y] -= 1
    dz /= len(y)
    for l in range(len(layers) - 1, -1, -1):
        a = x / 255.0 if l == 0 else np.maximum(zs[l - 1], 0)
        blocks[:0] = [(dz.T @ a + l2 * layers[l][0]).ravel(), dz.sum(axis=0)]
        if l > 0:
            dz = (dz @ layers[l][0]) * (zs[l - 1] > 0)
    return np.concatenate(blocks)


def initial(rng, sizes):
    parts = []
    for d_in, d_out in zip(sizes, sizes[1:]):
        parts += [rng.uniform(-1, 1, d_in * d_out) / np.sqrt(d_in), np.full(d_out, 0.01)]
    return np.concatenate(parts)


def garments(rng, count):
    """28×28: a textured shape about as wide as a shirt on a background of zeros"""
    column, row = np.arange(28), np.arange(28)[:, None]
    images = np.zeros((count, 28, 28))
    for n in range(count):
        half_width = 6 + 3 * np.sin(rng.uniform(0, 6) + row / rng.uniform(4, 9)) + rng.uniform(0, 2)
        images[n] = (np.abs(column - 13.5) < half_width) * rng.uniform(20, 255) * rng.uniform(0.5, 1, (28, 28))
    return images.astype(np.uint8).reshape(count, 784)


def sparse_pixels(rng, count, size):
    return (rng.integers(1, 256, (count, size)) * (rng.random((count, size)) < 0.5)).astype(np.uint8)


def small_network(name, hidden, seed, examples=6, l2=0.0, x=None, scale=1.0):
    rng = np.random.default_rng(seed)
    sizes = [9, *hidden, 4]
    x = sparse_pixels(rng, examples, 9) if x is None else x
    y = rng.integers(0, 4, len(x))
    w = initial(rng, sizes) * scale
    if scale == 1.0:
        error = check_grad(cross_entropy, gradient, w, x, y, sizes)
        assert error < 1e-6, (name, error)
    zs = forward(w, x, sizes)
    return dict(name=name, sizes=sizes, l2=l2, pixels=x.ravel().tolist(), labels=y.tolist(), parameters=w.tolist(),
                logits=zs[-1].ravel().tolist(), probabilities=softmax(zs[-1], axis=1).ravel().tolist(),
                loss=cross_entropy(w, x, y, sizes), correct=int((zs[-1].argmax(axis=1) == y).sum()),
                gradient=gradient(w, x, y, sizes, l2).tolist())


def descent(name, hidden, seed, l2):
    """Ten steps of plain SGD; the last batch of each pass is short."""
    rng = np.random.default_rng(seed)
    sizes, batch, rate = [12, *hidden, 5], 8, 0.3
    x, y = sparse_pixels(rng, 20, 12), rng.integers(0, 5, 20)
    w = start = initial(rng, sizes)
    losses, norms = [], []
    for step in range(10):
        first = step % 3 * batch
        bx, by = x[first : first + batch], y[first : first + batch]
        g = gradient(w, bx, by, sizes, l2)
        losses.append(cross_entropy(w, bx, by, sizes))
        norms.append(np.linalg.norm(g))
        w = w - rate * g
    return dict(name=name, sizes=sizes, l2=l2, batchSize=batch, learningRate=rate, pixels=x.ravel().tolist(),
                labels=y.tolist(), initial=start.tolist(), losses=losses, gradientNorms=norms, final=w.tolist())


def save_json(name, value):
    (OUT / name).write_text(json.dumps(value, separators=(",", ":")) + "\n")


OUT.mkdir(parents=True, exist_ok=True)

networks = [small_network(f"{n} hidden layers", [7, 6, 5, 8, 6, 7, 5, 6][:n], seed=n) for n in range(9)]
networks += [
    small_network("L2", [7, 5], 20, l2=0.3),
    small_network("a batch of one", [7], 21, examples=1),
    small_network("a hidden layer of one unit", [1], 22),
    small_network("images of zeros", [7], 23, x=np.zeros((3, 9), np.uint8)),
    small_network("images of 255", [7], 24, x=np.full((3, 9), 255, np.uint8)),
    small_network("logits of tens of thousands", [7], 25, scale=400.0),
]
save_json("networks.json", networks)
save_json("descents.json", [descent("one hidden layer with L2", [7], 30, 0.01),
                            descent("three hidden layers with L2", [9, 7, 6], 31, 0.01),
                            descent("no hidden layer", [], 32, 0.0)])

rng = np.random.default_rng(40)
sizes, images, labels = [784, 40, 10], garments(rng, 5), np.array([9, 2, 1, 1, 6])
w = initial(rng, sizes)
analytic, numeric = gradient(w, images, labels, sizes), approx_fprime(w, cross_entropy, STEP, images, labels, sizes)
np.save(OUT / "images.npy", images)
np.save(OUT / "parameters.npy", w)
np.save(OUT / "analytic.npy", analytic)
np.save(OUT / "numeric.npy", numeric)
save_json("scipy.json", dict(sizes=sizes, labels=labels.tolist(), loss=cross_entropy(w, images, labels, sizes),
                             checkGrad=check_grad(cross_entropy, gradient, w, images, labels, sizes, epsilon=STEP)))
print("zeros", (images == 0).mean(), "check_grad", check_grad(cross_entropy, gradient, w, images, labels, sizes),
      "norm", np.linalg.norm(analytic))
