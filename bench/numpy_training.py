"""The step of bench/kernel.ts in NumPy, float32: run with OPENBLAS_NUM_THREADS=1 for one thread.

usage: numpy_training.py DATA_DIR HIDDEN BATCH EPOCHS [momentum dropout]   (HIDDEN like 40 or 512-256)
Prints one JSON line: images per second of every epoch, and the last mean loss.
"""
import json
import os
import sys
import time

import numpy as np


def main():
    folder, hidden, batch, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    momentum, dropout = (float(x) for x in (sys.argv[5:7] or (0, 0)))
    name = "fashion_mnist_train" if os.path.exists(f"{folder}/fashion_mnist_train_images.npy") else "train"
    labels = np.load(f"{folder}/{name}_labels.npy").astype(np.int64).ravel()
    images = np.load(f"{folder}/{name}_images.npy").reshape(len(labels), -1)
    images = images.astype(np.float32) / np.float32(255)
    sizes = [images.shape[1], *map(int, hidden.split("-")), int(labels.max()) + 1]
    random = np.random.default_rng(1)
    weights = [
        random.uniform(-1, 1, (o, i)).astype(np.float32) / np.float32(np.sqrt(i)) for i, o in zip(sizes, sizes[1:])
    ]
    biases = [np.full(o, 0.01, np.float32) for o in sizes[1:]]
    speeds = [np.zeros_like(p) for p in weights + biases]
    rate = np.float32(0.1 if momentum == 0 else 0.02)
    steps = len(images) // batch
    rates = []
    for _ in range(epochs):
        order = random.permutation(len(images))
        total = 0.0
        started = time.perf_counter()
        for s in range(steps):
            rows = order[s * batch : (s + 1) * batch]
            y = labels[rows]
            a, masks = [images[rows]], []
            for w, b in zip(weights[:-1], biases[:-1]):
                z = a[-1] @ w.T
                z += b
                np.maximum(z, 0, out=z)
                if dropout:
                    mask = (random.random(z.shape, np.float32) >= dropout) * np.float32(1 / (1 - dropout))
                    masks.append(mask)
                    z *= mask
                a.append(z)
            z = a[-1] @ weights[-1].T
            z += biases[-1]
            z -= z.max(1, keepdims=True)
            correct = z[np.arange(batch), y]
            np.exp(z, out=z)
            sums = z.sum(1, keepdims=True)
            total += float((np.log(sums[:, 0]) - correct).sum())
            z /= sums
            z[np.arange(batch), y] -= 1
            z *= np.float32(1 / batch)
            for l in range(len(weights) - 1, -1, -1):
                gradients = (z.T @ a[l], z.sum(0))
                if l:
                    below = z @ weights[l]
                    below *= a[l] > 0
                    if dropout:
                        below *= masks[l - 1]
                    z = below
                for k, (p, g) in enumerate(((weights[l], gradients[0]), (biases[l], gradients[1]))):
                    if momentum:
                        v = speeds[l + k * len(weights)]
                        v *= np.float32(momentum)
                        v += g
                        g = v
                    p -= rate * g
        rates.append(steps * batch / (time.perf_counter() - started))
    print(json.dumps({"imagesPerSecond": rates, "loss": total / (steps * batch)}))


main()
