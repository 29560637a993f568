"""Computes expected numbers for test/numerics/diagnosis with SciPy.

    python3 scripts/diagnosis_fixtures.py        writes test/fixtures/diagnosis/

Deterministic: the same versions write the same bytes. Made with NumPy 2.2.4, SciPy 1.15.3.
"""
import json
import pathlib

import numpy as np
from scipy.stats import multivariate_normal

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/diagnosis"
D, ROWS, FLOOR = 5, 40, 1e-3

rng = np.random.default_rng(8)
labels = rng.choice([0, 1, 3], ROWS, p=[0.6, 0.35, 0.05])  # class 2 does not occur, class 3 seldom
mix = rng.normal(0, 0.3, (D, D))
rows = rng.normal(0, 1, (ROWS, D)) @ mix + labels[:, None] * 0.2
classes = [k for k in range(4) if (labels == k).any()]
means = {k: rows[labels == k].mean(axis=0) for k in classes}
scatter = {k: (rows[labels == k] - means[k]).T @ (rows[labels == k] - means[k]) for k in classes}
within = sum(scatter.values()) / ROWS
covariance = {k: (scatter[k] + D * within) / ((labels == k).sum() + D) + FLOOR * np.eye(D) for k in classes}
asked = rng.normal(0, 0.6, (12, D))
density = [multivariate_normal(means[k], covariance[k]).logpdf(asked) for k in classes]
expected = np.max(density, axis=0) + D / 2 * np.log(2 * np.pi)

OUT.mkdir(parents=True, exist_ok=True)
fixture = {"d": D, "classes": 4, "rows": rows.ravel().tolist(), "labels": labels.tolist()}
fixture |= {"asked": asked.tolist(), "logLikelihoods": expected.tolist()}
(OUT / "class-gaussians.json").write_text(json.dumps(fixture) + "\n")
