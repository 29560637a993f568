"""Preprocessing of encoded images, byte for byte as in the service.

A model that was trained on folders of images expects pixels that were made in exactly one way. The service applies it
to every encoded image; an exported model that runs elsewhere needs `preprocess`.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Mapping, Sequence, Tuple, Union

import numpy as np

from .resizing import resize

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image, ImageFile

FIELDS = {
    "fit": ("contain", "cover", "stretch"),
    "background": ("auto", "black", "white"),
    "invert": ("always", "never"),
}
#: libvips computes the rows of a reduced image in blocks of this height.
BLOCK_ROWS = 10
#: The tag of the orientation in EXIF; its values, those that need no rotation, and the first that exchanges the axes.
ORIENTATION, ORIENTATIONS, UPRIGHT, MIRRORED, ROTATED = 0x0112, range(1, 9), 1, 2, 5

EncodedImage = Union[str, "os.PathLike[str]", bytes, "Image.Image"]
#: Height and width of the result, before it is rotated.
Size = Tuple[int, int]


class CannotRepeat(ValueError):
    """Pillow cannot decode this image to the bytes that the service computes from it."""


def preprocess(
    image: EncodedImage, preprocessing: Mapping[str, str], input_shape: Sequence[int] = (28, 28)
) -> NDArray[np.uint8]:
    """Converts an image to the pixels that the service computes from it, of shape `input_shape`.

    `image` is a path, the bytes of a file, or a PIL image, which counts as a PNG of its pixels. `preprocessing` is the
    field of that name of the data set, of the model version, or in the metadata of an exported file, such as
    `{"fit": "contain", "background": "auto", "invert": "never"}`. `input_shape` is the `imageShape` of the data set, the
    `inputShape` of the version, or `input_shape` in the metadata: height and width, and 3 for colour.

    Raises CannotRepeat for an image whose bytes would differ: PNG with 16 bits per channel, JPEG in CMYK, WebP that has
    to be reduced, and formats other than PNG, JPEG and WebP. Convert such images to PNG before you train on them.
    """
    for name, allowed in FIELDS.items():
        if preprocessing.get(name) not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, but is {preprocessing.get(name)!r}.")
    rows, columns, *channels = input_shape
    if channels not in ([], [3]):
        raise ValueError(f"input_shape must be height and width, and 3 for colour, but is {list(input_shape)}.")
    fit, background = preprocessing["fit"], preprocessing["background"]
    with _open(encode(image)) as opened:
        orientation = _orientation(opened)
        size = (columns, rows) if orientation >= ROTATED else (rows, columns)
        pixels = _decode(opened, fit, size, 0 if background == "black" else 255)
    if pixels.shape[:2] != size:
        pixels = _resize(pixels, fit, size, orientation)
    if not channels:
        pixels = _luma(pixels)
    pixels = _orient(pixels, orientation)
    height, width = pixels.shape[:2]
    if fit == "cover":
        top, left = _cropped(height, rows), _cropped(width, columns)
        pixels = pixels[top : top + rows, left : left + columns]
        height, width = pixels.shape[:2]
    around = _border_medians(pixels) if background == "auto" else np.uint8(0 if background == "black" else 255)
    placed = np.empty((rows, columns, *(channels or [1])), np.uint8)
    placed[:] = around
    top, left = (rows - height) // 2, (columns - width) // 2
    placed[top : top + height, left : left + width] = pixels
    placed = placed.reshape(tuple(input_shape))
    return np.subtract(255, placed, dtype=np.uint8) if preprocessing["invert"] == "always" else placed


def encode(image: EncodedImage) -> bytes:
    """The bytes of an encoded image; of a PIL image, a PNG of its pixels without its metadata."""
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, os.PathLike)):
        return Path(image).read_bytes()
    file = io.BytesIO()
    image.save(file, "PNG", exif=b"")
    return file.getvalue()


def _open(data: bytes) -> ImageFile.ImageFile:
    from PIL import Image, UnidentifiedImageError

    try:
        opened = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
    except UnidentifiedImageError:
        raise CannotRepeat("The image is not PNG, JPEG or WebP.") from None
    # A file of the format MPO is a JPEG that is followed by others.
    if opened.format != "MPO" and getattr(opened, "is_animated", False):
        raise CannotRepeat("The image is animated.")
    if opened.mode == "CMYK":
        raise CannotRepeat("The service converts CMYK with a colour profile that Pillow does not have.")
    if opened.format == "PNG":
        bits = data[24]
        if bits == 16:
            raise CannotRepeat("Pillow reads only a part of the 16 bits of each channel.")
        if opened.mode == "L" and bits < 8 and "transparency" in opened.info:
            raise CannotRepeat(f"Pillow reads the transparent grey of {bits} bits wrongly.")
    return opened


def _orientation(opened: ImageFile.ImageFile) -> int:
    """The orientation in EXIF. `getexif` would also return the one in XMP, which the service ignores."""
    from PIL import Image

    exif = Image.Exif()
    exif.load(opened.info.get("exif", b""))
    orientation = exif.get(ORIENTATION, UPRIGHT)
    return int(orientation) if orientation in ORIENTATIONS else UPRIGHT


def _decode(opened: ImageFile.ImageFile, fit: str, size: Size, behind: int) -> NDArray[np.uint8]:
    """Decodes to one or three channels. The grey `behind` fills transparent parts."""
    width, height = opened.size
    factor = 1.0 if (height, width) == size else min(_factors(width, height, fit, size))
    reduction = 1
    if opened.format == "WEBP" and factor > 1:
        raise CannotRepeat("The service reduces WebP while it decodes it, which Pillow cannot do.")
    if opened.format in ("JPEG", "MPO"):
        # The decoder reduces by as much as possible, but leaves a part to do.
        reduction = next(n for n in (8, 4, 2, 1) if factor >= n or n == 1)
        if reduction > 1 and int(factor) == reduction:
            reduction //= 2
    if reduction > 1:
        # Pillow takes the largest reduction whose result is not smaller than this size.
        opened.draft(None, (width / (reduction + 0.5), height / (reduction + 0.5)))
    has_alpha = opened.mode.endswith("A") or "transparency" in opened.info
    mode = "RGBA" if has_alpha else "L" if opened.mode in ("1", "L") else "RGB"
    pixels: NDArray[np.uint8] = np.atleast_3d(np.asarray(opened.convert(mode)))
    if not has_alpha:
        # Pillow rounds up the size of a reduced image.
        return pixels[: height // reduction, : width // reduction]
    colours, alpha = pixels[..., :3].astype(np.uint16), pixels[..., 3:].astype(np.uint16)
    blended: NDArray[np.uint16] = (colours * alpha + np.uint16(behind) * (255 - alpha)) // 255
    return blended.astype(np.uint8)


def _factors(width: int, height: int, fit: str, size: Size) -> tuple[float, float]:
    """What width and height are divided by."""
    across, down = width / size[1], height / size[0]
    if fit != "stretch":
        across = down = max(across, down) if fit == "contain" else min(across, down)
    return min(across, float(width)), min(down, float(height))


def _resize(pixels: NDArray[np.uint8], fit: str, size: Size, orientation: int) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    across, down = _factors(width, height, fit, size)
    kept = size[1]

    def columns(count: int) -> tuple[int, ...]:
        """Of an image that is not rotated, libvips computes only the columns that are kept."""
        if fit != "cover" or orientation > MIRRORED:
            return (0,)
        return (0, _cropped(count, kept) if orientation == UPRIGHT else count - kept - _cropped(count, kept))

    return resize(pixels, across, down, rows=lambda count: range(0, count, BLOCK_ROWS), columns=columns)


def _cropped(side: int, kept: int) -> int:
    """The number of pixels before the ones that are kept."""
    return (side - kept + 1) // 2


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """ITU-R 601 in 16 bits of fixed point. One channel remains."""
    if pixels.shape[2] == 1:
        return pixels
    weighted: NDArray[np.int64] = pixels.astype(np.int64) @ np.array([[19595], [38470], [7471]])
    return ((weighted + 0x8000) >> 16).astype(np.uint8)


def _orient(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Rotates and mirrors as the orientation of EXIF demands."""
    if orientation >= ROTATED:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _border_medians(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The median of the outermost pixels for each channel; of two middle ones the lower."""
    border = np.ones(pixels.shape[:2], bool)
    border[1:-1, 1:-1] = False
    values: NDArray[np.uint8] = np.sort(pixels[border], axis=0)
    return values[(len(values) - 1) // 2]
