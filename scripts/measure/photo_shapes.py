"""Draws seven seeded sets of images of 96 to 200 pixels and measures test accuracy, seconds per epoch and bytes of each
at 28, 32, 48 and 64 pixels, on a running service. The rule of src/datasets/upload/folders/choose-shape.ts cites the figures.

/usr/bin/python3 scripts/measure/photo_shapes.py http://localhost:3400 FOLDER [SETS] [SIDES] [SEEDS] [EPOCHS]
Needs Debian's python3-pil, python3-numpy, fonts-noto-color-emoji and fonts.
"""
import io
import json
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

EMOJI = ImageFont.truetype('/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf', 109)


def colour(random, low=0, high=256):
    return tuple(int(x) for x in random.integers(low, high, 3))


def background(random, size):
    """A smooth gradient with noise."""
    corners = Image.fromarray(random.integers(0, 256, (3, 3, 3), np.uint8)).resize((size, size), Image.BICUBIC)
    noise = random.normal(0, 12, (size, size, 1))
    return Image.fromarray(np.clip(np.asarray(corners) + noise, 0, 255).astype(np.uint8))


def jitter(random, image, size, smallest, largest):
    """The image at a random angle, size and brightness, with its place on a canvas of `size`."""
    side = int(size * random.uniform(smallest, largest))
    image = image.rotate(random.uniform(-25, 25), Image.BICUBIC, expand=True).resize((side, side), Image.BICUBIC)
    pixels = np.asarray(image).astype(float)
    pixels[..., :3] *= random.uniform(0.75, 1.1, 3)
    place = tuple(int(x) for x in random.integers(0, size - side + 1, 2))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), place


def shape(random, name):
    size = 128
    image = Image.eval(background(random, size), lambda level: level // 2)
    draw, (x, y), r = ImageDraw.Draw(image), random.uniform(48, 80, 2), random.uniform(24, 44)
    corners = {'triangle': [1] * 3, 'square': [1] * 4, 'star': [1, 0.45] * 5, 'circle': [1] * 60}[name]
    angles = random.uniform(0, 7) + np.arange(len(corners)) * 2 * np.pi / len(corners)
    points = [(x + r * c * np.cos(a), y + r * c * np.sin(a)) for c, a in zip(corners, angles)]
    draw.polygon(points, fill=colour(random, 130))
    return image


def texture(random, name):
    """Surfaces of a random scale and angle, in two random colours."""
    size, period, angle = 160, random.uniform(12, 28), random.uniform(0, np.pi)
    y, x = np.mgrid[:size, :size] + random.uniform(0, 99, (2, 1, 1))
    u, v = (x * np.cos(angle) + y * np.sin(angle)) / period, (y * np.cos(angle) - x * np.sin(angle)) / period
    a, b = u % 1, v % 1
    mask = {
        'stripes': lambda: a < 0.5,
        'checks': lambda: (a < 0.5) ^ (b < 0.5),
        'dots': lambda: (a - 0.5) ** 2 + (b - 0.5) ** 2 < 0.16,
        'bricks': lambda: (b < 0.2) | ((u / 2 + np.floor(v) / 2) % 1 < 0.1),
        'waves': lambda: (v + 0.4 * np.sin(2 * np.pi * u)) % 1 < 0.5,
        'grid': lambda: (a < 0.25) | (b < 0.25),
    }[name]()
    two = random.integers(0, 256, (2, 3))
    pixels = np.where(mask[..., None], two[0], two[1]) + random.normal(0, 15, (size, size, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def glyph(name):
    image = Image.new('RGBA', (136, 128))
    ImageDraw.Draw(image).text((0, 0), name, font=EMOJI, embedded_color=True)
    return image


def emoji(random, name):
    image = Image.new('RGB', (136, 136), colour(random, 160))
    drawn, place = jitter(random, glyph(name), 136, 0.75, 1)
    image.paste(drawn, place, drawn)
    return image


def scene(random, name):
    """As in a photo: the object takes a third to two thirds of the side, before other things."""
    size = 200
    image = background(random, size)
    for _ in range(6):
        x, y, w, h = random.integers(0, size, 4)
        ImageDraw.Draw(image).ellipse((x, y, x + w / 3, y + h / 3), fill=colour(random))
    drawn, place = jitter(random, glyph(name), size, 0.33, 0.67)
    image.paste(drawn, place, drawn)
    return image


FONTS = sorted(
    path
    for folder in ('dejavu', 'lato')
    for path in Path('/usr/share/fonts/truetype', folder).glob('*.ttf')
    if 'Math' not in path.name
)


def letter(random, name):
    size = 96
    font = ImageFont.truetype(str(FONTS[random.integers(len(FONTS))]), int(random.uniform(50, 90)))
    image = Image.new('L', (size, size), 255)
    ImageDraw.Draw(image).text(tuple(size / 2 + random.uniform(-6, 6, 2)), name, font=font, fill=0, anchor='mm')
    return image.rotate(random.uniform(-15, 15), Image.BICUBIC, fillcolor=255)


FACES = '😀😅🙂😉😍😛😐😒😌😴😷😎😕😲😢😱😡🤓'
THINGS = '🐶🐱🐭🦊🐻🐼🐸🐵🐔🐢'
# Name: what draws an image, classes, images a class, channels of the data set.
SETS = {
    'shapes': (shape, 'circle square triangle star'.split(), 200, 3),
    'textures': (texture, 'stripes checks dots bricks waves grid'.split(), 120, 3),
    'faces': (emoji, list(FACES), 50, 3),
    'scenes': (scene, list(THINGS), 100, 3),
    'letters': (letter, list('ABCDEFGHIJ'), 100, 1),
    'grey textures': (texture, 'stripes checks dots bricks waves grid'.split(), 120, 1),
    'grey scenes': (scene, list(THINGS), 100, 1),
}


def archive(path, draw, classes, images):
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, 'w') as file:
        for number, name in enumerate(classes):
            for n in range(images):
                encoded = io.BytesIO()
                draw(random, name).save(encoded, 'png')
                file.writestr(f'{number:02}/{n:03}.png', encoded.getvalue())


def request(path, body=None):
    data, headers = (json.dumps(body).encode(), {'content-type': 'application/json'}) if body else (None, {})
    with urllib.request.urlopen(urllib.request.Request(url + path, data, headers)) as response:
        return json.load(response)


def upload(path, side, channels):
    text = f'{side},{side},3' if channels == 3 else f'{side},{side}'
    fields = ['name=' + path.stem, f'file=@{path}', 'testFraction=0.2', 'imageShape=' + text]
    command = ['curl', '-sS', '--fail-with-body', url + '/v1/datasets', *(x for field in fields for x in ('-F', field))]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)['id']


def train(dataset, side, mirrored, seed, epochs):
    """Convolutions whose last stage has 6 to 8 pixels a side, at every size with the same options."""
    channels = [16, 32, 64, 64][: 2 + (side >= 32) + (side >= 48)]
    network = {'convolutions': channels, 'norm': 'group', 'hidden': [128], 'init': 'he'}
    training = {
        'epochs': epochs,
        'batchSize': 16,
        'standardize': True,
        'optimizer': {'type': 'sgd', 'learningRate': 0.02, 'momentum': 0.9, 'nesterov': True, 'weightDecay': 5e-4},
        'schedule': {'type': 'warmup-cosine'},
        'clipNorm': 1,
        'augmentation': {'shift': round(side / 16), 'horizontalFlip': mirrored},
    }
    wanted = {'dataset': dataset, 'modelName': 'shape', 'seed': seed, 'network': network, 'training': training}
    job = request('/v1/training-jobs', wanted)
    while job['status'] not in ('succeeded', 'failed', 'cancelled'):
        time.sleep(0.3)
        job = request('/v1/training-jobs/' + job['id'])
    return job


def option(at, default):
    return sys.argv[at].split(',') if len(sys.argv) > at else default


if __name__ == '__main__':
    url, folder = sys.argv[1], Path(sys.argv[2])
    names, sides, seeds = option(3, list(SETS)), option(4, [28, 32, 48, 64]), option(5, [1, 2])
    epochs = int(option(6, [24])[0])
    for name in names:
        draw, classes, images, channels = SETS[name]
        path = folder / (name + '.zip')
        archive(path, draw, classes, images)
        for side in map(int, sides):
            dataset = upload(path, side, channels)
            jobs = [train(dataset, side, name != 'letters', int(seed), epochs) for seed in seeds]
            accuracies = [job['latest']['testAccuracy'] for job in jobs]
            measured = {
                'set': name,
                'side': side,
                'bytes': len(classes) * images * (side * side * channels + 1),
                'accuracy': round(float(np.mean(accuracies)), 3),
                'accuracies': accuracies,
                'secondsPerEpoch': round(min(job['latest']['durationMs'] for job in jobs) / 1000, 2),
            }
            print(json.dumps(measured), flush=True)
