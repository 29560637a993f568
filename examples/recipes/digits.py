"""Writes digits.npz: scikit-learn's 1,797 handwritten digits of 8×8 pixels, for the recipe `digits`.

Usage: python3 examples/recipes/digits.py digits.npz    (needs numpy and scikit-learn)
"""

import sys

import numpy as np
from sklearn.datasets import load_digits

digits = load_digits()
# Pixels are 0 to 16 there.
images = np.round(digits.images * (255 / 16)).astype(np.uint8)
np.savez_compressed(sys.argv[1], train_images=images, train_labels=digits.target.astype(np.uint8))
