"""A line on the terminal that shows how far a job is."""

from __future__ import annotations

import math
import sys
from typing import Any, Mapping

BAR_CELLS = 20
#: Carriage return, and erase to the end of the line.
CLEAR_LINE = "\r\033[K"


class ProgressBar:
    """Draws to stderr, which must be a terminal."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._progress: Mapping[str, Any] = {"epoch": 0, "fraction": 0.0, "etaSeconds": None}
        self._figures = ""

    def __call__(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        if event["type"] == "progress":
            self._progress = data
        elif event["type"] == "epoch":
            # Short jobs end without an event of progress.
            self._progress = {**self._progress, "epoch": data["epoch"], "fraction": data["epoch"] / self._epochs}
            accuracies = (data["validationAccuracy"], data["testAccuracy"], data["trainAccuracy"])
            accuracy = next(value for value in accuracies if value is not None)
            self._figures = f" · loss {data['trainLoss']:.4f} · accuracy {accuracy:.4f}"
        self._draw()

    def _draw(self) -> None:
        fraction, left = self._progress["fraction"], self._progress["etaSeconds"]
        cells = math.floor(fraction * BAR_CELLS)
        bar = "█" * cells + "░" * (BAR_CELLS - cells)
        epoch = f"epoch {self._progress['epoch']}/{self._epochs}"
        rest = "" if left is None else f" · {math.ceil(left)} s left"
        sys.stderr.write(f"{CLEAR_LINE}{bar} {fraction:4.0%} {epoch}{self._figures}{rest}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Removes the line."""
        sys.stderr.write(CLEAR_LINE)
        sys.stderr.flush()
