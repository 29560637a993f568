"""The notebook's gradient check by scipy, with its defect repaired: 784-40-10 on the first five training images.

usage: scipy_check.py DATA_DIR PARAMETERS check_grad|approx_fprime
PARAMETERS is the packed vector, float64. Prints seconds and the 2-norm of analytic - numeric as one JSON line.
"""
import json
import sys
import time

import numpy as np
from scipy.optimize import approx_fprime, check_grad

folder, file, method = sys.argv[1:4]
x = np.load(f"{folder}/fashion_mnist_train_images.npy")[:5].reshape(5, 784) / 255
y = np.load(f"{folder}/fashion_mnist_train_labels.npy")[:5].astype(int).ravel()
w = np.fromfile(file)


def unpack(w):
    w1, b1, w2, b2 = np.split(w, np.cumsum([40 * 784, 40, 10 * 40]))
    return w1.reshape(40, 784), b1, w2.reshape(10, 40), b2


def forward(w):
    w1, b1, w2, b2 = unpack(w)
    z1 = x @ w1.T + b1
    z2 = np.maximum(z1, 0) @ w2.T + b2
    return z1, z2 - z2.max(1, keepdims=True)


def loss(w):
    z = forward(w)[1]
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(5), y])


def gradient(w):
    z1, z2 = forward(w)
    dz2 = np.exp(z2)
    dz2 /= dz2.sum(1, keepdims=True)
    dz2[np.arange(5), y] -= 1
    dz2 /= 5
    dz1 = dz2 @ unpack(w)[2] * (z1 > 0)
    return np.concatenate([(dz1.T @ x).ravel(), dz1.sum(0), (dz2.T @ np.maximum(z1, 0)).ravel(), dz2.sum(0)])


def check():
    if method == "check_grad":
        return check_grad(loss, gradient, w)
    return np.linalg.norm(gradient(w) - approx_fprime(w, loss))


loss(w)
started = time.perf_counter()
error = float(check())
print(json.dumps({"seconds": time.perf_counter() - started, "error": error}))
