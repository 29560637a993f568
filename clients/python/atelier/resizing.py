"""Resizing as in libvips 8.18, byte for byte.

A box filter and Lanczos reduce, Catmull-Rom enlarges. The functions repeat the integer arithmetic of `vips_resize` on
eight bits per channel, with coefficients that are multiples of 1/4096. Where it adds up positions in double precision,
the order of the additions is repeated as well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Callable, Sequence

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    #: The first of the positions that are added up, for each block of a number of rows.
    Blocks = Callable[[int], Sequence[int]]

#: Positions between two pixels for which coefficients are computed, and the bits of a coefficient.
POSITIONS, UNIT_BITS = 64, 12
#: A box filter reduces to at least twice the final size.
GAP = 2.0
LOBES = 3


def resize(
    pixels: NDArray[np.uint8], horizontal: float, vertical: float, rows: Blocks, columns: Blocks
) -> NDArray[np.uint8]:
    """Divides width and height by these factors: `vips_resize`."""
    height, width = pixels.shape[:2]
    x_scale, y_scale = max(1.0 / horizontal, 1.0 / width), max(1.0 / vertical, 1.0 / height)
    if y_scale < 1:
        pixels = _reduce(pixels, 1.0 / y_scale, rows)
    if x_scale < 1:
        pixels = _reduce(pixels.swapaxes(0, 1), 1.0 / x_scale, columns).swapaxes(0, 1)
    if x_scale > 1 or y_scale > 1:
        pixels = _enlarge(pixels, max(x_scale, 1.0), max(y_scale, 1.0), columns)
    return pixels


def _reduce(pixels: NDArray[np.uint8], factor: float, blocks: Blocks) -> NDArray[np.uint8]:
    """Reduces the first axis: `vips_reducev`."""
    count = int(len(pixels) / factor + 0.5)
    excess = count * factor - len(pixels)
    whole = max(1, math.floor(len(pixels) / count / GAP))
    if whole > 1:
        pixels = _average(pixels, whole)
        factor /= whole
        excess /= whole
    if factor == 1:
        return pixels
    points = 2 * round(LOBES * factor) + 1
    offset = (1 + excess) / 2.0 - 1
    at = _progression(blocks(count), count, lambda start: (start + 0.5) * factor - 0.5 - offset, factor)
    masks = {position: _lanczos_mask(points, factor, position / POSITIONS) for position in range(POSITIONS + 1)}
    weights = np.array([masks[position] for position in _positions(at)])
    neighbours = at.astype(np.int64)[:, None] + np.arange(points) - (math.ceil(points / 2.0) - 1)
    return _rounded(np.einsum("op,opwc->owc", weights, _rows(pixels, neighbours)))


def _average(pixels: NDArray[np.uint8], whole: int) -> NDArray[np.uint8]:
    """Averages this many neighbours along the first axis: `vips_shrinkv`."""
    count = math.ceil(len(pixels) / whole)
    rows = _rows(pixels, np.arange(count * whole).reshape(count, whole))
    sums: NDArray[np.int64] = rows.sum(axis=1, dtype=np.int64) + whole // 2
    return ((sums * (2**32 // (256 * whole))) >> 24).astype(np.uint8)


def _enlarge(pixels: NDArray[np.uint8], x_scale: float, y_scale: float, columns: Blocks) -> NDArray[np.uint8]:
    """Enlarges with Catmull-Rom: `vips_affine` with the interpolator `bicubic`."""
    determinant = 1.0 / (x_scale * y_scale)
    x_step, y_step = determinant * y_scale, determinant * x_scale
    height, width = int(pixels.shape[0] * y_scale + 0.5), int(pixels.shape[1] * x_scale + 0.5)
    # libvips counts positions in an image with a border of two pixels.
    x = _progression(columns(width), width, lambda start: x_step * start + 1.5, x_step)
    y = y_step * np.arange(height) + 1.5
    window = np.arange(4) - 3
    masks = np.array([_catmull_rom_mask(position / POSITIONS) for position in range(POSITIONS + 1)])
    rows = _rows(pixels, y.astype(np.int64)[:, None] + window)
    blocks = _rows(rows.transpose(2, 0, 1, 3), x.astype(np.int64)[:, None] + window)
    across = (np.einsum("xp,xpyqc->yxqc", masks[_positions(x)], blocks) + (1 << (UNIT_BITS - 1))) >> UNIT_BITS
    return _rounded(np.einsum("yq,yxqc->yxc", masks[_positions(y)], across))


def _progression(starts: Sequence[int], count: int, first: Callable[[int], float], step: float) -> NDArray[np.float64]:
    """Positions of the pixels, each the sum of the one before and the step; computed anew at each start."""
    bounds = sorted({*(start for start in starts if start < count), count})
    blocks = zip(bounds[:-1], bounds[1:])
    return np.concatenate([np.cumsum([first(start)] + [step] * (end - start - 1)) for start, end in blocks])


def _positions(at: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest of the tabulated positions."""
    halves: NDArray[np.int64] = (at * POSITIONS * 2).astype(np.int64) & (POSITIONS * 2 - 1)
    return (halves + 1) >> 1


def _rows(pixels: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of the image, which continues with its outermost ones."""
    rows: NDArray[Any] = pixels[np.clip(indices, 0, len(pixels) - 1)]
    return rows


def _rounded(sums: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.clip((sums + (1 << (UNIT_BITS - 1))) >> UNIT_BITS, 0, 255).astype(np.uint8)


def _lanczos_mask(points: int, factor: float, position: float) -> list[int]:
    half = position + points / 2.0 - 1
    values = [_lanczos((point - half) / factor) for point in range(points)]
    total = 0.0
    for value in values:
        total += value  # `sum` would be more exact than libvips.
    return [int(value / total * (1 << UNIT_BITS)) for value in values]


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / LOBES) if -LOBES <= x <= LOBES else 0.0


def _sinc(x: float) -> float:
    return math.sin(x * math.pi) / (x * math.pi) if x else 1.0


def _catmull_rom_mask(x: float) -> list[int]:
    rest = 1.0 - x
    product = rest * (-0.5 * x)
    first, last = rest * product, x * product
    difference = last - first
    mask = first, rest - first + difference, x - last - difference, last
    return [int(value * (1 << UNIT_BITS)) for value in mask]
