"""Writes test/fixtures/datasets/digits.npz: scikit-learn's hand-written digits 0 to 6, as a data set of 28x28 images.

Run once, with scikit-learn 1.x: python3 scripts/digits_fixture.py. The tests need nothing of it.
"""
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

CLASSES = 7

images, labels = load_digits(return_X_y=True)
kept = labels < CLASSES
# 0 to 16 grey levels, 8x8: each pixel becomes 3x3, in a margin of 2.
large = np.kron(np.round(images[kept].reshape(-1, 8, 8) * 255 / 16), np.ones((3, 3)))
pixels = np.pad(large, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
x_train, x_test, y_train, y_test = train_test_split(
    pixels, labels[kept].astype(np.uint8), test_size=0.25, stratify=labels[kept], random_state=0
)
target = Path(__file__).parent.parent / "test/fixtures/datasets/digits.npz"
np.savez_compressed(target, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
print(target.name, x_train.shape, x_test.shape, np.bincount(y_train), np.bincount(y_test), target.stat().st_size)
