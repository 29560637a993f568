"""The client: train, follow, predict, calibrate, upload and check gradients."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, Union
from urllib.parse import quote, urlencode

import numpy as np

from .connection import Connection, ServiceError
from .events import follow_events
from .form import Part, open_form
from .preprocessing import EncodedImage, encode
from .progress import ProgressBar

if TYPE_CHECKING:
    from numpy.typing import NDArray

Json = Dict[str, Any]
#: An array of images, an encoded image, or several of one kind.
Images = Union["np.ndarray[Any, Any]", EncodedImage, List[Any], Tuple[Any, ...]]
#: What a file begins with, and the media type of its content.
MEDIA_TYPES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8": "image/jpeg",
    b"RIFF": "image/webp",
    b"\x93NUMPY": "application/x-npy",
}
EVENTS_DELETED = 410


class JobFailed(Exception):
    """The job failed or was cancelled. `job` is its representation."""

    def __init__(self, job: Json) -> None:
        error = job["error"]
        reason = f"failed: {error['message']} ({error['code']})" if error else f"is {job['status']}."
        super().__init__(f"The job {job['id']} {reason}")
        self.job = job


class Client:
    """A client of one service.

    `url` and `key` are those of the variables ATELIER_URL and ATELIER_KEY by default, or else http://localhost:3000
    without an API key. Requests are repeated while the service is busy, for up to a minute, or cannot be reached, for
    five seconds.
    """

    def __init__(self, url: Optional[str] = None, key: Optional[str] = None) -> None:
        self._connection = Connection(
            url or os.environ.get("ATELIER_URL") or "http://localhost:3000", key or os.environ.get("ATELIER_KEY")
        )

    def request(self, method: str, path: str, body: Optional[Mapping[str, Any]] = None) -> Any:
        """Sends JSON to any route, such as `request("GET", "/v1/models")`, and returns the parsed response."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        return self._connection.json(method, path, body, headers)

    def download(self, path: str, accept: str = "*/*") -> bytes:
        """The body of any route, such as a plot, an image or an export, in the media type of `accept`."""
        return self._connection.send("GET", path, headers={"Accept": accept})

    def train(self, recipe: Union[Mapping[str, Any], str, "os.PathLike[str]"], wait: bool = True) -> Json:
        """Starts a training job and returns it, when it has ended unless `wait` is false.

        `recipe` is the body of `POST /v1/training-jobs`, or the path of a file with it. Raises JobFailed.
        """
        body = recipe if isinstance(recipe, Mapping) else json.loads(Path(recipe).read_text(encoding="utf-8"))
        job: Json = self.request("POST", "/v1/training-jobs", body)
        return self.follow(job) if wait else job

    def follow(self, job: Union[Json, str], on_event: Optional[Callable[[Json], None]] = None) -> Json:
        """Waits until a job, or the job with this id, has ended, and returns it.

        Draws a progress bar if stderr is a terminal, or calls `on_event` with each event. Raises JobFailed.
        """
        path = _job_path(job)
        bar = None
        if on_event is None and sys.stderr.isatty():
            on_event = bar = ProgressBar(self.request("GET", path)["training"]["epochs"])
        try:
            for event in self.events(job):
                if on_event:
                    on_event(event)
        except ServiceError as error:
            # The events of an old job may have been deleted; its result is still there.
            if error.status != EVENTS_DELETED:
                raise
        finally:
            if bar:
                bar.clear()
        ended: Json = self.request("GET", path)
        if ended["status"] != "succeeded":
            raise JobFailed(ended)
        return ended

    def events(self, job: Union[Json, str]) -> Iterator[Json]:
        """Yields the events of a job as they occur, each once, until it has ended; over lost connections."""
        return follow_events(self._connection, _job_path(job))

    def predict(
        self,
        model: str,
        images: Images,
        *,
        coverage: Optional[float] = None,
        calibrated: bool = False,
        **query: Any,
    ) -> List[Json]:
        """Classifies images: a list of `label`, `className`, `probability` and `probabilities` for each.

        `model` is a name, name@version or name@alias. `images` is an array of images of the model's shape, or paths, bytes or PIL
        images in PNG, JPEG or WebP. With a `coverage` such as 0.95, each prediction has the set of `classes` that contains
        the true one that often, `unsure` and `unsureBecause`; `calibrated` divides the logits by the temperature of the
        calibration. `query` are other parameters of the route, such as `top_k=3` or `fit="contain"`.
        """
        if coverage is not None:
            query["coverage"] = coverage
        response = self._predict(model, images, {**query, "calibrated": calibrated}, "application/json")
        predictions: List[Json] = json.loads(response)["predictions"]
        return predictions

    def probabilities(self, model: str, images: Images, **query: Any) -> NDArray[np.float32]:
        """Like `predict`, but returns an array of the shape (images, classes), which is faster for many images."""
        response = self._predict(model, images, query, "application/x-npy")
        matrix: NDArray[np.float32] = np.load(io.BytesIO(response))
        return matrix

    def _predict(self, model: str, images: Images, query: Mapping[str, Any], accept: str) -> bytes:
        body, media_type = _image_body(images)
        texts = {_camel(name): _query_text(value) for name, value in query.items()}
        path = f"{_model_path(model)}/predictions?{urlencode(texts)}"
        return self._connection.send("POST", path, body, {"Content-Type": media_type, "Accept": accept})

    def calibrate(self, model: str, **request: Any) -> Json:
        """Calibrates a version for predictions with `coverage` or `calibrated`, and returns the calibration.

        `model` is name@version or name@alias; a name alone means its champion. `request` is `dataset` and `split`, by default the test
        split of the data set of the training, also `validation`. A version that held out validation images needs no call.
        """
        if "@" not in model:
            found = self.request("GET", _model_path(model))
            model = f"{model}@{found['aliases'].get('champion', found['latest']['version'])}"
        calibration: Json = self.request("POST", f"{_model_path(model)}/calibration", request)
        return calibration

    def upload(self, source: Union[str, "os.PathLike[str]", None] = None, **fields: Any) -> Json:
        """Uploads a data set and returns it.

        `source` is a folder with a folder of images for each class, an archive of it, or an npz file. Instead of it,
        give the arrays `train_images`, `train_labels`, `test_images` and `test_labels`, and for a validation split
        `val_images` and `val_labels`. Other `fields` are those of
        `POST /v1/datasets`, such as `name="Shapes"`, `test_fraction=0.2` or `fit="cover"`.
        """
        parts: Dict[str, Part] = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
        if source is not None:
            parts["file"] = Path(source)
        texts = {_camel(name): value for name, value in fields.items() if name not in parts}
        with open_form(texts, parts) as (body, headers):
            key = {"Idempotency-Key": str(uuid.uuid4())}
            dataset: Json = json.loads(self._connection.send("POST", "/v1/datasets", body, {**headers, **key}))
        return dataset

    def check_gradient(
        self,
        request: Mapping[str, Any],
        gradient: Union["np.ndarray[Any, Any]", Mapping[str, "np.ndarray[Any, Any]"], Path, str, None] = None,
    ) -> Json:
        """Compares the gradient of a network with finite differences: `passed`, `relativeError`, `blocks` and more.

        `request` is the body of `POST /v1/gradient-checks`. `gradient` is your own one: the packed array, an array by name
        of each block, or the path of an npy or npz file. The report then has `submitted`, with `agrees` and hints by block.
        """
        report: Json
        if gradient is None:
            report = self.request("POST", "/v1/gradient-checks", request)
            return report
        part = Path(gradient) if isinstance(gradient, str) else gradient
        with open_form({"request": json.dumps(request)}, {"gradient": part}) as (body, headers):
            report = json.loads(self._connection.send("POST", "/v1/gradient-checks", body, headers))
        return report


def _job_path(job: Union[Json, str]) -> str:
    return f"/v1/training-jobs/{quote(job if isinstance(job, str) else job['id'], safe='')}"


def _model_path(reference: str) -> str:
    name, at, version = reference.partition("@")
    return f"/v1/models/{quote(name, safe='')}" + (f"/versions/{quote(version, safe='')}" if at else "")


def _image_body(images: Images) -> tuple[bytes, str]:
    if isinstance(images, np.ndarray) or (isinstance(images, (list, tuple)) and isinstance(images[0], np.ndarray)):
        file = io.BytesIO()
        np.save(file, np.asarray(images))
        return file.getvalue(), "application/x-npy"
    if isinstance(images, (list, tuple)):
        encoded = [{"b64": base64.b64encode(encode(image)).decode()} for image in images]
        return json.dumps({"images": encoded}).encode(), "application/json"
    image = encode(images)
    media_type = (kind for start, kind in MEDIA_TYPES.items() if image.startswith(start))
    return image, next(media_type, "application/octet-stream")


def _query_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda match: match[1].upper(), name)
