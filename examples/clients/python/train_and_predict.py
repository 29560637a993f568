"""Trains a model and predicts with it. Survives lost connections, and restarts of the service.

Usage: python3 train_and_predict.py recipe.json images.npy image.png

Needs the packages requests and numpy. ATELIER_URL and ATELIER_KEY set the address of the service and an API key.
"""

import io
import json
import os
import sys
import time
import uuid

import numpy as np
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

SERVICE = os.environ.get("ATELIER_URL", "http://localhost:3000").rstrip("/")
CONNECT_SECONDS = 5
# Longer than the longest wait for a job.
READ_SECONDS = 90
# Code of the 409 while an earlier attempt with the same Idempotency-Key, whose response was lost, is in progress.
IN_FLIGHT = "request-in-flight"
MOST_IN_FLIGHT = 60


def open_session() -> requests.Session:
    """A session that repeats a request after 429, 502, 503 and 504, and after a lost connection.

    It waits for as long as Retry-After demands, and otherwise 0, 1, 2, 4, 8, 10, 10 … seconds. Every method is repeated,
    also POST: predictions change nothing, and a job is created once because of its Idempotency-Key.
    """
    retry = Retry(
        total=12,
        status_forcelist=[429, 502, 503, 504],
        allowed_methods=None,
        backoff_factor=0.5,
        backoff_max=10,
        # The last response is returned, because its body says what is wrong.
        raise_on_status=False,
    )
    session = requests.Session()
    session.mount(SERVICE, HTTPAdapter(max_retries=retry))
    if "ATELIER_KEY" in os.environ:
        session.headers["Authorization"] = "Bearer " + os.environ["ATELIER_KEY"]
    return session


def call(session: requests.Session, method: str, path: str, **options) -> requests.Response:
    """Sends a request, and again while it is in flight. Raises RuntimeError with the detail of the problem."""
    for attempt in range(1, MOST_IN_FLIGHT + 1):
        response = session.request(method, SERVICE + path, timeout=(CONNECT_SECONDS, READ_SECONDS), **options)
        if response.ok:
            return response
        is_problem = response.headers.get("Content-Type", "").startswith("application/problem+json")
        problem = response.json() if is_problem else {"detail": response.reason}
        if problem.get("code") != IN_FLIGHT or attempt == MOST_IN_FLIGHT:
            break
        time.sleep(int(response.headers.get("Retry-After", 1)))
    raise RuntimeError(f"{response.status_code}: {problem['detail']}")


def train(session: requests.Session, recipe: dict) -> dict:
    """Starts a job, waits for its end, and returns it."""
    # One key for all repeats of this request: whichever of them arrive, there is one job.
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    job = call(session, "POST", "/v1/training-jobs", json=recipe, headers=headers).json()
    print(f"{job['id']} is {job['status']}", flush=True)
    while job["finishedAt"] is None:
        # The response is delayed until the job has ended, for at most 30 seconds.
        job = call(session, "GET", f"/v1/training-jobs/{job['id']}", headers={"Prefer": "wait=30"}).json()
    if job["status"] != "succeeded":
        raise RuntimeError(f"The job is {job['status']}: {job['error']}")
    return job


def predictions_path(model: dict) -> str:
    return f"/v1/models/{model['name']}/versions/{model['version']}/predictions"


def predict_batch(session: requests.Session, model: dict, images: np.ndarray) -> np.ndarray:
    """Sends images of shape (n, 28, 28) and dtype uint8. Returns probabilities of shape (n, classes)."""
    body = io.BytesIO()
    np.save(body, images)
    headers = {"Content-Type": "application/x-npy", "Accept": "application/x-npy"}
    response = call(session, "POST", predictions_path(model), data=body.getvalue(), headers=headers)
    return np.load(io.BytesIO(response.content))


def predict_png(session: requests.Session, model: dict, png: bytes) -> dict:
    """Returns the most probable class: its label, className and probability."""
    path = predictions_path(model) + "?topK=1"
    response = call(session, "POST", path, data=png, headers={"Content-Type": "image/png"})
    return response.json()["predictions"][0]


if __name__ == "__main__":
    recipe_path, batch_path, png_path = sys.argv[1:]
    session = open_session()
    with open(recipe_path) as recipe, open(png_path, "rb") as png:
        model = train(session, json.load(recipe))["model"]
        print(f"published {model['name']}@{model['version']}")
        probabilities = predict_batch(session, model, np.load(batch_path))
        print(f"{batch_path}: {len(probabilities)} images, the first has label {probabilities[0].argmax()}")
        print(f"{png_path}: {predict_png(session, model, png.read())['className']}")
