"""Forward pass of ONNX Runtime alone, on OMP_NUM_THREADS threads: images/s over all test images, in the best of three batch sizes.

usage: onnx_forward.py MODEL DATA_DIR   (MODEL written by write_onnx.py)
"""
import json
import os
import sys
import time

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
images = np.load(f"{sys.argv[2]}/fashion_mnist_test_images.npy").reshape(-1, 784)


def seconds(batch):
    started = time.perf_counter()
    for start in range(0, len(images), batch):
        session.run(None, {"images": images[start : start + batch]})
    return time.perf_counter() - started


seconds(100)  # warms up
print(json.dumps({"imagesPerSecond": len(images) / min(seconds(batch) for batch in (32, 100, 500))}))
