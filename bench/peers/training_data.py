"""Code shared by the training peers: command line, training images as float32, and the output line.

usage: PEER DATA_DIR LAYERS BATCH EPOCHS [momentum dropout images]
LAYERS like 40, 512-256 or, with two stages of convolutions, (16)-(32 32)-128; images: how many of the training images
"""
import json
import os
import sys

import numpy as np

FOLDER, LAYERS = sys.argv[1], sys.argv[2].split("-")
CONVOLUTIONS = [[int(n) for n in layer[1:-1].split()] for layer in LAYERS if layer.startswith("(")]
HIDDEN = [int(layer) for layer in LAYERS if not layer.startswith("(")]
BATCH, EPOCHS = int(sys.argv[3]), int(sys.argv[4])
MOMENTUM, DROPOUT = (float(x) for x in (sys.argv[5:7] or (0, 0)))
IMAGES = int(sys.argv[7]) if len(sys.argv) > 7 else None
RATE = 0.1 if MOMENTUM == 0 else 0.02


def load():
    """(n, inputs) float32 in 0–1 and (n,) int64. All peers omit the last short batch."""
    name = "fashion_mnist_train" if os.path.exists(f"{FOLDER}/fashion_mnist_train_images.npy") else "train"
    labels = np.load(f"{FOLDER}/{name}_labels.npy").astype(np.int64).ravel()[:IMAGES]
    images = np.load(f"{FOLDER}/{name}_images.npy")[:IMAGES].reshape(len(labels), -1)
    return images.astype(np.float32) / np.float32(255), labels


def report(rates, loss):
    print(json.dumps({"imagesPerSecond": rates, "loss": loss}))
