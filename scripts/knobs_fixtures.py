"""Computes expected numbers for the options of a training with PyTorch and scikit-learn, in float64.

    python3 scripts/knobs_fixtures.py        writes test/fixtures/numerics/knobs.json

Deterministic: the same libraries write the same bytes. Made with PyTorch 2.6.0, scikit-learn 1.4.2, NumPy 2.2.4
(Debian: python3-torch, python3-sklearn).
"""
import json
import pathlib
import warnings

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/numerics/knobs.json"
BATCH, EXAMPLES, PIXELS, CLASSES = 8, 20, 9, 4
STEPS_PER_EPOCH = 3
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
warnings.filterwarnings("ignore", message="Detected call of")

ACTIVATIONS = {"relu": F.relu, "leaky-relu": F.leaky_relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
               "identity": lambda z: z, "silu": F.silu}
SGD = dict(type="sgd", momentum=0, nesterov=False, weightDecay=0)
OPTIMIZERS = {
    "sgd": (SGD, 0.3),
    "momentum": (SGD | dict(momentum=0.9), 0.1),
    "Nesterov momentum and weight decay": (SGD | dict(momentum=0.8, nesterov=True, weightDecay=0.05), 0.1),
    "rmsprop": (dict(type="rmsprop", momentum=0, weightDecay=0, alpha=0.9, epsilon=1e-6), 0.01),
    "rmsprop with momentum and weight decay":
        (dict(type="rmsprop", momentum=0.7, weightDecay=0.1, alpha=0.95, epsilon=1e-4), 0.01),
    "adam": (dict(type="adam", beta1=0.9, beta2=0.999, epsilon=1e-8, weightDecay=0), 0.02),
    "adam with weight decay": (dict(type="adam", beta1=0.8, beta2=0.95, epsilon=1e-6, weightDecay=0.1), 0.02),
    "adamw": (dict(type="adamw", beta1=0.9, beta2=0.99, epsilon=1e-8, weightDecay=0.3), 0.02),
}
SCHEDULES = {
    "constant": dict(type="constant"),
    "step": dict(type="step", every=2, factor=0.3),
    "exponential": dict(type="exponential", factor=0.8),
    "cosine": dict(type="cosine", final=0.05),
    "warmup-cosine": dict(type="warmup-cosine", warmupEpochs=1, final=0.1),
    "cosine-restarts": dict(type="cosine-restarts", period=1, periodFactor=2, final=0.05),
    "one-cycle": dict(type="one-cycle", peak=0.4, warmupFraction=0.3, final=0.01),
}


def torch_optimizer(settings, rate, weights, biases):
    groups = [dict(params=weights, weight_decay=settings["weightDecay"]), dict(params=biases, weight_decay=0)]
    if settings["type"] == "sgd":
        return torch.optim.SGD(groups, rate, momentum=settings["momentum"], nesterov=settings["nesterov"])
    if settings["type"] == "rmsprop":
        return torch.optim.RMSprop(groups, rate, alpha=settings["alpha"], eps=settings["epsilon"],
                                   momentum=settings["momentum"])
    kind = torch.optim.Adam if settings["type"] == "adam" else torch.optim.AdamW
    return kind(groups, rate, betas=(settings["beta1"], settings["beta2"]), eps=settings["epsilon"])


def follow(make_scheduler, rate, steps, every=1):
    """Returns the rates of a PyTorch scheduler, which steps after every `every` steps."""
    optimizer = torch.optim.SGD([torch.zeros(1)], rate)
    scheduler, rates = make_scheduler(optimizer), []
    for step in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        if (step + 1) % every == 0 and step + 1 < steps:
            scheduler.step()
    return rates


def rates_of(schedule, rate, epochs, per_epoch=STEPS_PER_EPOCH):
    steps, kind = epochs * per_epoch, schedule["type"]
    if kind == "constant":
        return [rate] * steps
    if kind == "step":
        return follow(lambda o: lr_scheduler.StepLR(o, schedule["every"], schedule["factor"]), rate, steps, per_epoch)
    if kind == "exponential":
        return follow(lambda o: lr_scheduler.ExponentialLR(o, schedule["factor"]), rate, steps, per_epoch)
    if kind == "cosine-restarts":
        return follow(lambda o: lr_scheduler.CosineAnnealingWarmRestarts(
            o, round(schedule["period"] * per_epoch), schedule["periodFactor"], rate * schedule["final"]), rate, steps)
    if kind == "one-cycle":
        peak, final = schedule["peak"], schedule["final"]
        return follow(lambda o: lr_scheduler.OneCycleLR(
            o, peak, total_steps=steps, pct_start=schedule["warmupFraction"], cycle_momentum=False,
            div_factor=peak / rate, final_div_factor=rate / (peak * final)), rate, steps)
    warmup = schedule.get("warmupEpochs", 0) * per_epoch
    rest = steps - warmup
    rates = follow(lambda o: lr_scheduler.LinearLR(o, 1 / warmup, 1, warmup - 1), rate, warmup) if warmup else []
    return rates + follow(lambda o: lr_scheduler.CosineAnnealingLR(o, rest - 1, rate * schedule["final"]), rate, rest)


def threefry(key, counter):
    """Threefry-2x32-20 (Salmon et al. 2011)"""
    mask, keys = 0xFFFFFFFF, [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    x, y = (counter[0] + keys[0]) & mask, (counter[1] + keys[1]) & mask
    for round_, turn in enumerate([13, 15, 26, 6, 17, 29, 16, 24] * 2 + [13, 15, 26, 6]):
        x = (x + y) & mask
        y = ((y << turn | y >> (32 - turn)) & mask) ^ x
        if round_ % 4 == 3:
            group = round_ // 4 + 1
            x, y = (x + keys[group % 3]) & mask, (y + keys[(group + 1) % 3] + group) & mask
    return x, y


def dropout_mask(seed, epoch, layer, position, units, dropout):
    """src/numerics/examples/dropout.ts"""
    half = (units + 1) // 2
    words = [threefry((seed, 4 + 256 * layer), (position * half + k, epoch)) for k in range(half)]
    return [word >= round(dropout * 2**32) for pair in words for word in pair][:units]


def mixing_fraction(alpha, seed, epoch, start):
    """λ of src/numerics/examples/mixup.ts, a multiple of 1/256"""
    for attempt in range(99):
        u, v = [(word + 0.5) / 2**32 for word in threefry((seed, 9 + 256 * attempt), (start, epoch))]
        x, y = u ** (1 / alpha), v ** (1 / alpha)
        if x + y <= 1:
            return int(256 * x / (x + y) + 0.5) / 256


def mixing_partners(count, seed, epoch, start):
    """The permutation of src/numerics/examples/mixup.ts"""
    partners = list(range(count))
    for i in reversed(range(1, count)):
        j = threefry((seed, 10), (start + i, epoch))[0] * (i + 1) >> 32
        partners[i], partners[j] = partners[j], partners[i]
    return partners


def images(seed):
    rng = np.random.default_rng(seed)
    pixels = (rng.integers(1, 256, (EXAMPLES, PIXELS)) * (rng.random((EXAMPLES, PIXELS)) < 0.5)).astype(np.uint8)
    return pixels, rng.integers(0, CLASSES, EXAMPLES)


def initial_layers(sizes, seed):
    rng = np.random.default_rng(seed)
    tensor = lambda *shape: torch.tensor(rng.uniform(-1, 1, shape) * 1.5 / np.sqrt(shape[-1])).requires_grad_()
    return [(tensor(d_out, d_in), tensor(d_out)) for d_in, d_out in zip(sizes, sizes[1:])]


def pack(tensors):
    return torch.cat([t.detach().ravel() for t in tensors]).tolist()


def training(name, seed=0, hidden=(7,), rate=0.3, schedule=SCHEDULES["constant"], epochs=2, **changes):
    settings = dict(activation="relu", optimizer=SGD, l1=0, l2=0, dropout=0, labelSmoothing=0, clipNorm=None,
                    classWeights=None, standardization=None, ema=None, mixup=None,
                    distillation=None, seed=seed) | changes
    sizes = [PIXELS, *hidden, CLASSES]
    pixels, labels = images(seed)
    x, y = torch.tensor(pixels.astype(float)), torch.tensor(labels)
    scale = settings["standardization"] or dict(mean=0, std=1)
    class_weights = torch.tensor(settings["classWeights"] or [1.0] * CLASSES)
    layers = initial_layers(sizes, seed + 100)
    parameters = [p for layer in layers for p in layer]
    initial = pack(parameters)
    weights, biases = [W for W, _ in layers], [b for _, b in layers]
    optimizer = torch_optimizer(settings["optimizer"], rate, weights, biases)
    model, average = torch.nn.ParameterList(parameters), None
    if settings["ema"]:
        average = AveragedModel(model)
        average.update_parameters(model)  # The first update copies the initial parameters.
    losses, norms, gradients, p = [], [], [], settings["dropout"]
    teachers = settings["distillation"] and np.reshape(settings["distillation"]["targets"], (-1, CLASSES)).tolist()
    for step, eta in enumerate(rates_of(schedule, rate, epochs)):
        epoch, first = step // STEPS_PER_EPOCH + 1, step % STEPS_PER_EPOCH * BATCH
        bx, by = x[first : first + BATCH], y[first : first + BATCH]
        bt = teachers and torch.tensor(teachers[first : first + BATCH])
        fraction, other, partners_taught = 1, by, bt
        if settings["mixup"]:
            fraction = mixing_fraction(settings["mixup"]["alpha"], seed, epoch, first)
            partners = mixing_partners(len(bx), seed, epoch, first)
            bx, other = torch.floor(fraction * bx + (1 - fraction) * bx[partners] + 0.5), by[partners]
            partners_taught = bt if bt is None else bt[partners]
        a = (bx / 255 - scale["mean"]) / scale["std"]
        for l, (W, b) in enumerate(layers):
            z = F.linear(a, W, b)
            if l + 1 < len(layers):
                a = ACTIVATIONS[settings["activation"]](z)
                if p > 0:
                    kept = [dropout_mask(seed, epoch, l + 1, first + n, z.shape[1], p) for n in range(len(bx))]
                    a = a * torch.tensor(kept) / (1 - p)
        objective = 0
        for targets, taught, part in ((by, bt, fraction), (other, partners_taught, 1 - fraction)):
            each = F.cross_entropy(z, targets, reduction="none", label_smoothing=settings["labelSmoothing"])
            if taught is not None:
                w = settings["distillation"]["weight"]
                each = (1 - w) * each + w * F.cross_entropy(z, taught, reduction="none")
            objective = objective + part * (class_weights[targets] * each).mean()
        objective = objective + settings["l1"] * sum(W.abs().sum() for W in weights)
        objective = objective + settings["l2"] / 2 * sum((W**2).sum() for W in weights)
        optimizer.zero_grad()
        objective.backward()
        if step == 0:
            gradients = pack([t.grad for t in parameters])
        losses.append(fraction * F.cross_entropy(z, by).item() + (1 - fraction) * F.cross_entropy(z, other).item())
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, settings["clipNorm"] or float("inf")).item())
        for group in optimizer.param_groups:
            group["lr"] = eta
        optimizer.step()
        if average:
            t = step + 1
            average.multi_avg_fn = get_ema_multi_avg_fn(min(settings["ema"]["decay"], (1 + t) / (10 + t)))
            average.update_parameters(model)
    return dict(name=name, sizes=sizes, settings=settings, batchSize=BATCH, epochs=epochs, learningRate=rate,
                schedule=schedule, pixels=pixels.ravel().tolist(), labels=labels.tolist(), initial=initial,
                firstGradient=gradients, losses=losses, gradientNorms=norms,
                final=pack(average.module if average else parameters))


def activation(name):
    z = torch.tensor([-40, -3.5, -1, -1e-3, -1e-9, 0, 1e-9, 1e-3, 0.7, 2.5, 30], requires_grad=True)
    a = ACTIVATIONS[name](z)
    a.sum().backward()
    return dict(name=name, z=z.tolist(), values=a.tolist(), derivatives=z.grad.tolist())


def plateau(factor, patience, min_delta, losses):
    optimizer = torch.optim.SGD([torch.zeros(1)], 0.5)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, "min", factor, patience, threshold=min_delta,
                                               threshold_mode="abs", eps=0)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    return dict(schedule=dict(type="plateau", factor=factor, patience=patience, minDelta=min_delta), losses=losses,
                learningRate=0.5, rates=rates)


def rates(schedule, rate, epochs, per_epoch):
    return dict(schedule=schedule, learningRate=rate, epochs=epochs, stepsPerEpoch=per_epoch,
                rates=rates_of(schedule, rate, epochs, per_epoch))


def balanced(labels):
    classes = sorted(set(labels))
    return dict(labels=labels, weights=compute_class_weight("balanced", classes=np.array(classes), y=labels).tolist())


def pixel_statistics(seed):
    pixels, _ = images(seed)
    scaler = StandardScaler().fit(pixels.reshape(-1, 1) / 255.0)
    return dict(pixels=pixels.ravel().tolist(), inputs=PIXELS, mean=scaler.mean_[0], std=scaler.scale_[0])


def distillation(weight):
    """Probabilities of teachers for every example: multiples of 1/256, which float32 represents, with the sum 1"""
    counts = np.random.default_rng(60).multinomial(256, [0.4, 0.3, 0.2, 0.1], EXAMPLES)
    return dict(weight=weight, targets=(counts / 256).ravel().tolist())


standardized = dict(mean=0.28, std=0.35)
trainings = [training(f"{name}", 1, (7, 6), activation=name) for name in ACTIVATIONS]
trainings += [training(f"{name}, {kind}", 2, rate=rate, optimizer=settings, schedule=SCHEDULES[kind], epochs=4)
              for name, (settings, rate) in OPTIMIZERS.items() for kind in ("one-cycle", "warmup-cosine")]
trainings += [training(f"sgd, {kind}", 3, schedule=schedule, epochs=4) for kind, schedule in SCHEDULES.items()]
trainings += [
    training("label smoothing", 4, labelSmoothing=0.15),
    training("class weights", 5, classWeights=[0.5, 2, 1.25, 0.1]),
    training("class weights and label smoothing", 6, classWeights=[0.5, 2, 1.25, 0.1], labelSmoothing=0.3),
    training("L1", 7, (7, 6), l1=0.01),
    training("L2", 8, (7, 6), l2=0.05),
    training("L1, L2 and momentum", 9, l1=0.003, l2=0.02, optimizer=OPTIMIZERS["momentum"][0]),
    training("clipping that bites", 10, clipNorm=0.1),
    training("clipping that never bites", 11, clipNorm=1000),
    training("clipping before adam's weight decay", 12, clipNorm=0.2, rate=0.02,
             optimizer=OPTIMIZERS["adam with weight decay"][0]),
    training("mixup", 20, mixup=dict(alpha=1), epochs=4),
    training("mixup with a small alpha", 21, mixup=dict(alpha=0.1), epochs=4),
    training("mixup of class weights, label smoothing and dropout", 22, (7, 6), mixup=dict(alpha=0.5), dropout=0.3,
             classWeights=[0.5, 2, 1.25, 0.1], labelSmoothing=0.2, standardization=standardized, epochs=4),
    training("distillation", 23, distillation=distillation(0.5)),
    training("distillation without labels", 24, distillation=distillation(1), epochs=4),
    training("distillation with mixup, class weights, label smoothing and dropout", 25, (7, 6), mixup=dict(alpha=0.5),
             distillation=distillation(0.3), dropout=0.3, classWeights=[0.5, 2, 1.25, 0.1], labelSmoothing=0.2, epochs=4),
    training("average", 18, ema=dict(decay=0.3), epochs=4),
    training("average of adamw, in its warm-up", 19, (7, 6), rate=0.02, ema=dict(decay=0.999),
             optimizer=OPTIMIZERS["adamw"][0], epochs=4),
    training("dropout", 13, (7, 6), dropout=0.4),
    training("dropout of tanh", 14, (8, 5), dropout=0.25, activation="tanh"),
    training("standardised pixels", 15, standardization=standardized),
    training("standardised pixels without hidden layers", 16, (), standardization=standardized),
    training("everything at once", 17, (8, 6), rate=0.01, standardization=standardized, dropout=0.2, clipNorm=0.5,
             labelSmoothing=0.1, classWeights=[1.5, 0.7, 1, 0.9], l1=1e-3, l2=1e-2, activation="leaky-relu",
             ema=dict(decay=0.35), optimizer=OPTIMIZERS["adamw"][0], schedule=SCHEDULES["cosine"]),
]

wobble = [1.0, 0.8, 0.81, 0.79, 0.795, 0.79, 0.78, 0.7799, 0.7798, 0.7797, 0.9, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.49, 0.4]
fixture = dict(
    activations=[activation(name) for name in ACTIVATIONS],
    trainings=trainings,
    rates=[rates(schedule, 0.1, epochs, per_epoch) for schedule in SCHEDULES.values()
           for epochs, per_epoch in ((5, 7), (4, 1))]
    + [rates(dict(type="one-cycle", peak=0.5, warmupFraction=0.25, final=1e-3), 0.02, 10, 10),
       rates(dict(type="cosine-restarts", period=1.5, periodFactor=1, final=0), 0.1, 5, 8)],
    plateaus=[plateau(0.5, 2, 0, wobble), plateau(0.1, 0, 0.001, wobble), plateau(0.7, 1, 0.05, wobble),
              plateau(0.5, 3, 0, [1.0] * 12)],
    balanced=[balanced([0, 1, 2, 3] * 3), balanced([0] * 7 + [1] * 2 + [2] + [3] * 10)],
    pixels=pixel_statistics(50),
)
OUT.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(OUT.stat().st_size, "bytes,", len(trainings), "trainings")
