"""Draws images of many sizes and kinds from a seed, in class folders."""

import io
import random
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

#: A JPEG of noise does not fit into the default.
ImageFile.MAXBLOCK = 1 << 24
ORIENTATION = 0x0112
KINDS = (
    "grey",
    "grey-alpha",
    "colour",
    "colour-alpha",
    "palette",
    "palette-alpha",
    "key",
    "bits",
    "jpeg",
    "jpeg-grey",
    "webp",
    "webp-alpha",
)
CHANNELS = {"grey": 1, "bits": 1, "jpeg-grey": 1, "grey-alpha": 2, "colour-alpha": 4, "webp-alpha": 4}


def draw(seed: int, count: int) -> "list[tuple[str, bytes]]":
    """File names, and images encoded in every way that the service accepts and Pillow can repeat."""
    chosen = random.Random(seed)
    noise = np.random.default_rng(seed)
    return [_encode(n, KINDS[n % len(KINDS)], chosen, noise) for n in range(count)]


def save(images: "list[tuple[str, bytes]]", folder: Path) -> None:
    """All images in train/, in two classes; test/ has one of each."""
    for split, shown in (("train", images), ("test", images[:2])):
        for n, (name, data) in enumerate(shown):
            path = folder / split / "ab"[n % 2] / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _encode(n: int, kind: str, chosen: random.Random, noise: np.random.Generator) -> "tuple[str, bytes]":
    # WebP that has to be reduced cannot be repeated.
    longest = 28 if kind.startswith("webp") else chosen.choice((27, 60, 150, 400, 1500))
    width, height = chosen.randint(1, longest), chosen.randint(1, longest)
    image = _paint(width, height, CHANNELS.get(kind, 3), chosen.random() < 0.3, noise)
    file, options = io.BytesIO(), {}
    exif = Image.Exif()
    exif[ORIENTATION] = chosen.choice((1, 1, 2, 3, 4, 5, 6, 7, 8))
    if kind.startswith("jpeg"):
        options = {"quality": chosen.randint(40, 95), "progressive": chosen.random() < 0.5}
        if kind == "jpeg":
            options["subsampling"] = chosen.choice((0, 1, 2))
        image.save(file, "JPEG", exif=exif, **options)
    elif kind.startswith("webp"):
        image.save(file, "WEBP", exif=exif, lossless=chosen.random() < 0.5)
    else:
        if kind == "bits":
            image = image.convert("1")
        if kind.startswith("palette"):
            image = image.quantize(chosen.choice((2, 4, 16, 200)))
        if kind == "palette-alpha":
            options["transparency"] = noise.integers(0, 256, 2, dtype=np.uint8).tobytes()
        if kind == "key":
            options["transparency"] = image.getpixel((width // 2, height // 2))
        image.save(file, "PNG", exif=exif, **options)
    return f"{n:03}-{kind}.{kind[:4] if kind[:4] in ("jpeg", "webp") else "png"}", file.getvalue()


def _paint(width: int, height: int, channels: int, rough: bool, noise: np.random.Generator) -> Image.Image:
    """Waves with a little noise, or noise alone."""
    y, x = np.mgrid[0:height, 0:width]
    waves = 128 + 60 * np.sin(x / (3 + width / 5)) + 60 * np.cos(y / (2 + height / 7))
    grain = noise.integers(-127, 128, (height, width, channels))
    pixels = 128 + grain if rough else waves[..., None] + grain / 4
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8).squeeze(axis=2 if channels == 1 else ()))
