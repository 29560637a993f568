"""Writes test/fixtures/npy with NumPy, so that the reader is tested against an independent writer.

Run from the root of the repository: python3 scripts/npy_fixtures.py
"""
import pathlib

import numpy as np

folder = pathlib.Path("test/fixtures/npy")
folder.mkdir(parents=True, exist_ok=True)


def save(name, array, version=None):
    with open(folder / f"{name}.npy", "wb") as file:
        np.lib.format.write_array(file, array, version=version, allow_pickle=True)


# Every supported dtype: 2 × 3 numbers at the limits of its range.
for dtype in ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]:
    edges = np.iinfo(dtype)
    save(dtype, np.array([[0, 1, 2], [100, edges.min, edges.max]], dtype="<" + dtype))
for dtype in ["f2", "f4", "f8"]:
    values = [[0, 1 / 255, -2.5], [np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal, np.inf]]
    save(dtype, np.array(values, dtype="<" + dtype))

# Unsupported dtypes.
save("big-endian", np.zeros(3, ">f4"))
save("bool", np.zeros(3, bool))
save("complex", np.zeros(3, "c8"))
save("string", np.array(["a", "bc"]))
save("datetime", np.zeros(3, "M8[s]"))
save("object", np.array([None, "x"], dtype=object))
save("structured", np.zeros(3, [("a", "<f4"), ("b", "u1")]))

# Shapes, orders, versions.
save("scalar", np.array(7, "<f8"))
save("empty", np.zeros((0, 784), "u1"))
save("fortran", np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
save("version-2", np.arange(6, dtype="<i2").reshape(2, 3), (2, 0))
save("version-3", np.arange(6, dtype="<i2").reshape(2, 3), (3, 0))

# The same two images (each with all 256 greys) in every format.
pictures = (np.arange(2 * 784) % 256).astype("u1").reshape(2, 784)
save("pictures-u1", pictures)
save("pictures-u1-fortran", np.asfortranarray(pictures.reshape(2, 28, 28)))
save("pictures-i8", pictures.astype("<i8"))
save("pictures-f4-255", pictures.astype("<f4"))
for dtype in ["f2", "f4", "f8"]:
    save(f"pictures-{dtype}", (pictures / 255).astype("<" + dtype))
save("pictures-f4-multiplied", pictures * np.float32(1 / 255))
save("pictures-f8-widened", (pictures / np.float32(255)).astype("<f8"))
save("pictures-f2-divided", pictures.astype("f2") / np.float16(255))
