"""Computes expected numbers for test/numerics/sgd-path/projection.test.ts with scikit-learn and NumPy.

    python3 scripts/sgd_path_fixtures.py        writes test/fixtures/numerics/sgd-path.json

A 12-5-3 network is trained by SGD in float64; its snapshots are rounded to float32. The components and their variances are
those of scikit-learn's PCA. Losses are computed from the same formulas as in the lecture, by NumPy alone.
Deterministic: the same versions write the same bytes. Made with NumPy 2.2.4, scikit-learn 1.4.2.
"""
import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/numerics/sgd-path.json"
SIZES, IMAGES, BATCH, STEPS, SNAPSHOTS, GRID, MARGIN = [12, 5, 3], 60, 10, 300, 16, 6, 0.2


def layers(packed):
    at = 0
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        weights = packed[at : at + inputs * outputs].reshape(outputs, inputs)
        at += inputs * outputs
        yield weights, packed[at : at + outputs]
        at += outputs


def forward(packed, x):
    (w1, b1), (w2, b2) = layers(packed)
    hidden = np.maximum(0, x @ w1.T + b1)
    z = hidden @ w2.T + b2
    z = z - z.max(axis=1, keepdims=True)
    return hidden, z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def loss(packed, x, labels):
    return float(-forward(packed.astype(np.float64), x)[1][np.arange(len(labels)), labels].mean())


def gradient(packed, x, labels):
    (w1, b1), (w2, b2) = layers(packed)
    hidden, log_p = forward(packed, x)
    dz = np.exp(log_p)
    dz[np.arange(len(labels)), labels] -= 1
    dz /= len(labels)
    dh = (dz @ w2) * (hidden > 0)
    return np.concatenate([(dh.T @ x).ravel(), dh.sum(axis=0), (dz.T @ hidden).ravel(), dz.sum(axis=0)])


rng = np.random.default_rng(7)
labels = np.arange(IMAGES) % SIZES[-1]
pixels = rng.integers(0, 128, (IMAGES, SIZES[0]))
pixels[np.arange(SIZES[0]) % SIZES[-1] == labels[:, None]] += 64
x = pixels / 255

steps = list(dict.fromkeys(round(STEPS * (i / (SNAPSHOTS - 1)) ** 2) for i in range(SNAPSHOTS)))
packed = rng.uniform(-0.3, 0.3, sum((a + 1) * b for a, b in zip(SIZES, SIZES[1:])))
snapshots = []
for step in range(STEPS + 1):
    if step in steps:
        snapshots.append(packed.astype(np.float32))
    batch = rng.permutation(IMAGES)[:BATCH]
    packed = packed - 0.5 * gradient(packed, x[batch], labels[batch])
snapshots = np.array(snapshots)

pca = PCA(n_components=2, svd_solver="full")
points = pca.fit_transform(snapshots.astype(np.float64))
components = pca.components_
signs = np.sign(components[np.arange(2), np.abs(components).argmax(axis=1)])
components, points = components * signs[:, None], points * signs


def axis(values):
    extent = values.max() - values.min()
    return np.linspace(values.min() - MARGIN * extent, values.max() + MARGIN * extent, GRID)


def plane_loss(a, b):
    return loss(pca.mean_ + a * components[0] + b * components[1], x, labels)


xs, ys = axis(points[:, 0]), axis(points[:, 1])
OUT.write_text(
    json.dumps(
        {
            "sizes": SIZES,
            "pixels": pixels.ravel().tolist(),
            "labels": labels.tolist(),
            "totalSteps": STEPS,
            "count": SNAPSHOTS,
            "grid": GRID,
            "margin": MARGIN,
            "steps": steps,
            "snapshots": [snapshot.astype(np.float64).tolist() for snapshot in snapshots],
            "mean": pca.mean_.tolist(),
            "components": components.tolist(),
            "explainedVariance": pca.explained_variance_ratio_.tolist(),
            "points": [
                {"x": float(a), "y": float(b), "loss": loss(s, x, labels), "planeLoss": plane_loss(a, b)}
                for (a, b), s in zip(points, snapshots)
            ],
            "surface": {
                "x": xs.tolist(),
                "y": ys.tolist(),
                "loss": [[plane_loss(a, b) for a in xs] for b in ys],
            },
        }
    )
    + "\n"
)
