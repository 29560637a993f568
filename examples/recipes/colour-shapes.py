"""Writes colour-shapes.npz: 6,000 drawn images of 32×32 pixels in colour, for the recipe `colour-shapes`.

Circles, squares and triangles, each reddish or greenish, make six classes. Both colours have the same luma, so in grey
the images show the shape alone, which leaves two classes to choose from.

Usage: python3 examples/recipes/colour-shapes.py colour-shapes.npz    (needs numpy)
"""

import sys

import numpy as np

SIDE = 32
SHAPES = ("circle", "square", "triangle")
# Red, green and blue for a luma of 1: 0.299 r + 0.587 g + 0.114 b.
COLOURS = {"red": (2.0, 0.55, 0.7), "green": (0.55, 1.3, 0.635)}
TRAIN, TEST = 4800, 1200


def draw(rng: np.random.Generator, shape: str, colour: str) -> np.ndarray:
    """One image: a shape of random size, place and brightness on a dark, noisy background."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] - SIDE / 2 + 0.5 + rng.uniform(-4, 4, size=(2, 1, 1))
    size = rng.uniform(7, 11)
    if shape == "circle":
        inside = x**2 + y**2 <= size**2
    elif shape == "square":
        inside = np.maximum(abs(x), abs(y)) <= 0.9 * size
    else:
        inside = (y <= 0.8 * size) & (abs(x) <= 0.55 * (y + 1.1 * size))
    luma = rng.uniform(60, 125)
    image = rng.uniform(0, 30, size=(SIDE, SIDE, 1)) * np.ones(3)
    image[inside] = luma * np.array(COLOURS[colour])
    image += rng.normal(0, 6, size=image.shape)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


rng = np.random.default_rng(7)
classes = [(colour, shape) for colour in COLOURS for shape in SHAPES]
labels = np.arange(TRAIN + TEST, dtype=np.uint8) % len(classes)
images = np.stack([draw(rng, classes[label][1], classes[label][0]) for label in labels])
np.savez_compressed(
    sys.argv[1],
    train_images=images[:TRAIN],
    train_labels=labels[:TRAIN],
    test_images=images[TRAIN:],
    test_labels=labels[TRAIN:],
)
