"""Computes expected numbers for test/numerics/evaluation with scikit-learn and SciPy.

    python3 scripts/evaluation_fixtures.py        writes test/fixtures/evaluation/

Deterministic: the same versions write the same bytes. Made with NumPy 2.2.4, SciPy 1.15.3 and, for the last two files, 1.17.1, scikit-learn 1.4.2.
"""
import json
import pathlib

import numpy as np
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest, chi2, norm
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/evaluation"
EXAMPLES, CLASSES, BINS = 300, 7, 15


def save(name, value):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_text(json.dumps(value) + "\n")


def answers(rng, labels, skill):
    """Logits in multiples of 1/4, to get ties. Class 5 is never predicted."""
    logits = rng.normal(0, 2, (len(labels), CLASSES))
    logits[np.arange(len(labels)), labels] += skill
    logits[:, 5] = -9
    return (np.round(logits * 4) / 4).astype(np.float32)


def calibration(confidence, hit):
    bins, error = [], 0.0
    for b in range(BINS):
        inside = (confidence > b / BINS) & (confidence <= (b + 1) / BINS)
        if not inside.any():
            bins.append([0, None, None])
            continue
        mean, accuracy = confidence[inside].mean(), hit[inside].mean()
        bins.append([int(inside.sum()), float(mean), float(accuracy)])
        error += inside.mean() * abs(mean - accuracy)
    return {"error": float(error), "bins": bins}


def report(logits, labels):
    probabilities = softmax(logits.astype(np.float64), axis=1).astype(np.float32)
    predicted = logits.argmax(axis=1)
    classes = list(range(CLASSES))
    hit = predicted == labels
    interval = binomtest(int(hit.sum()), len(labels)).proportion_ci(0.95, method="wilson")
    confidence = probabilities[np.arange(len(labels)), predicted]
    wrong = np.flatnonzero(~hit)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:20]
    scores = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    macro = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0, average="macro")
    return {
        "logits": logits.ravel().tolist(),
        "loss": float(-log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels].mean()),
        "accuracy": float(hit.mean()),
        "interval": [interval.low, interval.high],
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
        "classes": np.array(scores).T.tolist(),
        "macro": list(map(float, macro[:3])),
        "calibration": calibration(confidence.astype(np.float64), hit),
        "mistakes": worst.tolist(),
    }


def mcnemar(b, c):
    if b + c < 25:
        return binomtest(min(b, c), b + c, 0.5).pvalue if b + c else 1.0
    return float(chi2.sf(max(0, abs(b - c) - 1) ** 2 / (b + c), 1))


rng = np.random.default_rng(4)
labels = rng.integers(0, CLASSES - 1, EXAMPLES)  # no image is of class 6
save(
    "reports.json",
    {"classes": CLASSES, "labels": labels.tolist(), "reports": [report(answers(rng, labels, s), labels) for s in (3, 4)]},
)

pairs = [(0, 0), (0, 1), (1, 0), (0, 24), (3, 9), (12, 12), (7, 17), (12, 13), (13, 13), (0, 25), (20, 60), (310, 255)]
pairs += [(0, 700), (400, 2000)]
save("mcnemar.json", [[b, c, mcnemar(b, c)] for b, c in pairs])

xs = np.concatenate([[0, 1e-12, 1e-4, 0.5, 1, 3.99, 4, 4.01], np.linspace(0.01, 12, 40), [20, 50, 120, 400, 900, 1400, 3000]])
save("chi-square.json", [[float(x), float(chi2.sf(x, 1))] for x in xs])

counts = [(0, 1), (1, 1), (0, 10), (10, 10), (1, 50), (8779, 10_000), (59_999, 60_000)]
save("wilson.json", [[k, n, *map(float, binomtest(k, n).proportion_ci(0.95, method="wilson"))] for k, n in counts])

looks = [(k, n, m) for k, n in counts[3:] for m in (2, 10, 250, 40_000)]
save("simultaneous.json", [[k, n, m, *map(float, binomtest(k, n).proportion_ci(1 - 0.05 / m, method="wilson"))] for k, n, m in looks])
tails = [0.075, 0.05, 0.025, 1e-3, 1e-6, 1e-10, 2e-11, 1e-12, 1e-50, 1e-300]
save("normal-quantiles.json", [[p, float(norm.isf(p))] for p in tails])
