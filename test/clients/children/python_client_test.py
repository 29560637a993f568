"""Tests of the installed Python client against a running service.

ATELIER_FAULTY_URL reaches the service through a bad network.
"""

import io
import os
import pty
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

import atelier
from drawn_images import draw, save

SEED = int(os.environ["IMAGE_SEED"])
IMAGES = np.load(os.environ["TEST_IMAGES"]).reshape(-1, 28, 28)
RECIPE = {"dataset": "fashion-mnist", "modelName": "from-python", "training": {"epochs": 1}}
ENDLESS = {**RECIPE, "training": {"epochs": 10_000}}


def train_images(dataset: str) -> np.ndarray:
    exported = np.load(io.BytesIO(atelier.Client().download(f"/v1/datasets/{dataset}/export")))
    return exported["x_train"]


class ClientTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.client = atelier.Client()
        cls.job = cls.client.train(RECIPE)

    def test_returns_the_ended_job(self) -> None:
        self.assertEqual(self.job["status"], "succeeded")
        self.assertEqual(self.job["model"]["name"], "from-python")

    def test_trains_a_recipe_of_a_file(self) -> None:
        job = self.client.train("examples/recipes/notebook.json", wait=False)
        self.assertIsNone(job["finishedAt"])
        self.client.request("POST", f"/v1/training-jobs/{job['id']}/cancel")

    def test_predicts_arrays_files_bytes_and_pil_images_alike(self) -> None:
        expected = self.client.predict("from-python", IMAGES[0])
        picture = Image.fromarray(IMAGES[0])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "boot.png"
            picture.save(path)
            for images in (
                path,
                str(path),
                path.read_bytes(),
                picture,
                [path, picture],
                IMAGES[:1],
                [IMAGES[1], IMAGES[0]],
            ):
                self.assertEqual(self.client.predict("from-python@1", images)[-1], expected[0])

    def test_a_redirect_takes_the_key_to_the_same_host_only(self) -> None:
        seen = {}

        class Redirecting(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen[self.path] = self.headers["Authorization"]
                host = {"/near": "127.0.0.1", "/far": "localhost"}.get(self.path)
                self.send_response(302 if host else 200)
                if host:
                    self.send_header("Location", f"http://{host}:{server.server_port}{self.path}/end")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Redirecting) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            client = atelier.Client(f"http://127.0.0.1:{server.server_port}", "secret")
            client.download("/near")
            client.download("/far")
            server.shutdown()
        key = "Bearer secret"
        self.assertEqual(seen, {"/near": key, "/near/end": key, "/far": key, "/far/end": None})

    def test_returns_a_matrix_of_probabilities(self) -> None:
        matrix = self.client.probabilities("from-python", IMAGES[:1000])
        self.assertEqual(matrix.shape, (1000, 10))
        self.assertEqual(matrix.dtype, np.float32)
        np.testing.assert_array_equal(
            matrix[0], np.float32(self.client.predict("from-python", IMAGES[0])[0]["probabilities"])
        )

    def test_passes_parameters_of_the_query(self) -> None:
        large = Image.fromarray(IMAGES[0]).resize((56, 84))
        [prediction] = self.client.predict("from-python", large, fit="contain", top_k=2)
        self.assertEqual(len(prediction["top"]), 2)

    def test_calibrates_and_predicts_with_a_coverage(self) -> None:
        calibration = self.client.calibrate("from-python", split="test")
        self.assertEqual((calibration["split"], calibration["reused"]), ("test", False))
        self.assertEqual(self.client.calibrate("from-python@1", split="train")["split"], "train")
        [boot, grey] = self.client.predict("from-python", [IMAGES[0], np.full_like(IMAGES[0], 90)], coverage=0.9)
        self.assertIn("Ankle boot", [each["className"] for each in boot["classes"]])
        self.assertEqual((grey["unsure"], grey["unsureBecause"]), (True, "unlike-training-images"))
        calibrated = self.client.probabilities("from-python", IMAGES[:1], calibrated=True)
        [prediction] = self.client.predict("from-python", IMAGES[:1], calibrated=True)
        np.testing.assert_array_equal(calibrated[0], np.float32(prediction["probabilities"]))
        self.assertNotEqual(prediction["probability"], self.client.predict("from-python", IMAGES[0])[0]["probability"])

    def test_creates_one_job_and_follows_it_over_a_bad_network(self) -> None:
        client = atelier.Client(os.environ["ATELIER_FAULTY_URL"])
        before = len(client.request("GET", "/v1/training-jobs")["data"])
        events = []
        job = client.train(RECIPE, wait=False)
        ended = client.follow(job, events.append)
        self.assertEqual([event["id"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[-1]["data"]["to"], ended["status"])
        self.assertEqual(len(client.request("GET", "/v1/training-jobs")["data"]), before + 1)

    def test_follows_an_ended_job(self) -> None:
        self.assertEqual(self.client.follow(self.job["id"])["digest"], self.job["digest"])

    def test_draws_a_progress_bar_on_a_terminal(self) -> None:
        reader, terminal = pty.openpty()
        with os.fdopen(terminal, "w") as stderr, mock.patch.object(sys, "stderr", stderr):
            self.client.follow(self.job)
            drawn = os.read(reader, 100_000).decode()
        os.close(reader)
        self.assertIn("█" * 20 + " 100% epoch 1/1 · loss 0.", drawn)
        self.assertTrue(drawn.endswith("\r\033[K"), repr(drawn))

    def test_raises_what_became_of_the_job(self) -> None:
        job = self.client.train(ENDLESS, wait=False)
        self.client.request("POST", f"/v1/training-jobs/{job['id']}/cancel")
        with self.assertRaisesRegex(atelier.JobFailed, f"The job {job['id']} is cancelled"):
            self.client.follow(job)

    def test_raises_the_text_of_the_problem_with_the_places(self) -> None:
        with self.assertRaises(atelier.ServiceError) as raised:
            self.client.train({**RECIPE, "training": {"epoch": 1, "batchSize": 0}})
        self.assertEqual((raised.exception.status, raised.exception.code), (400, "invalid-request"))
        self.assertRegex(
            str(raised.exception), r"\n  #/training/epoch: Unknown field `epoch`\. Did you mean `epochs`\?"
        )

    def test_raises_that_the_service_cannot_be_reached(self) -> None:
        with mock.patch("atelier.connection.CONNECTION_PATIENCE_S", 0):
            with self.assertRaisesRegex(atelier.Unreachable, "http://localhost:1 cannot be reached: .*refused"):
                atelier.Client("localhost:1").request("GET", "/v1/models")

    def test_uploads_arrays(self) -> None:
        arrays = {"train_images": IMAGES[:200], "train_labels": np.arange(200) % 4}
        dataset = self.client.upload(**arrays, name="Four", class_names=["a", "b", "c", "d"], test_fraction=0.25)
        self.assertEqual(dataset["classNames"], ["a", "b", "c", "d"])
        self.assertEqual(dataset["splits"]["test"]["examples"], 52)

    def test_checks_a_gradient(self) -> None:
        report = self.client.check_gradient({"dataset": "fashion-mnist", "network": {"hidden": [5]}, "examples": 3})
        self.assertTrue(report["passed"], report)
        self.assertEqual([block["name"] for block in report["blocks"]], ["W1", "b1", "W2", "b2"])

    def test_compares_a_gradient_as_arrays_by_name_packed_or_in_a_file(self) -> None:
        request = {"dataset": "fashion-mnist", "network": {"hidden": [5]}, "examples": 3}
        report = self.client.check_gradient(request)
        sizes = {block["name"]: int(np.prod(block["shape"])) for block in report["blocks"]}
        zeros = {name: np.zeros(size) for name, size in sizes.items()}
        packed = np.concatenate(list(zeros.values()))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gradient.npy"
            np.save(path, packed)
            for gradient in (zeros, packed, path, str(path)):
                submitted = self.client.check_gradient(request, gradient)["submitted"]
                self.assertFalse(submitted["agrees"])
                self.assertEqual([block["hint"]["kind"] for block in submitted["blocks"]], ["zero"] * 4)

    def test_has_the_version_of_the_service(self) -> None:
        self.assertEqual(atelier.__version__, self.client.request("GET", "/openapi.json")["info"]["version"])


class PreprocessingTest(unittest.TestCase):
    def test_equals_the_service_in_every_byte(self) -> None:
        images = draw(SEED, 48)
        # The service sorts the images of a split by class, then by name.
        ordered = images[0::2] + images[1::2]
        compared = set()
        with tempfile.TemporaryDirectory() as folder:
            save(images, Path(folder))
            for shape, fit, background, invert in (
                ("28x28", "contain", "auto", "auto"),
                ("28x28", "cover", "white", "never"),
                ("8x8", "stretch", "black", "always"),
                ("20x44", "cover", "auto", "never"),
                ("32x32x3", "contain", "auto", "always"),
                ("64x40x3", "cover", "black", "never"),
            ):
                fields = {"fit": fit, "background": background, "invert": invert, "image_shape": shape}
                dataset = atelier.Client().upload(folder, **fields)
                self.assertEqual(dataset["splits"]["train"]["examples"], len(images))
                for (name, data), expected in zip(ordered, train_images(dataset["id"])):
                    try:
                        computed = atelier.preprocess(data, dataset["preprocessing"], dataset["imageShape"])
                    except atelier.CannotRepeat:
                        self.assertTrue(name.endswith(".webp"), name)
                        continue
                    compared.add(expected.tobytes())
                    with self.subTest(shape=shape, fit=fit, name=name):
                        np.testing.assert_array_equal(computed, expected)
        self.assertGreater(len(compared), 4 * len(images), "the images differ")

    def test_makes_an_exported_model_predict_as_the_service(self) -> None:
        files = [data for _, data in draw(SEED, 24)]
        client = atelier.Client()
        with tempfile.TemporaryDirectory() as folder:
            save(draw(SEED, 24), Path(folder))
            dataset = client.upload(folder)
        recipe = {
            "dataset": dataset["id"],
            "modelName": "exported",
            "training": {"epochs": 5, "batchSize": 8, "validation": None},
            "publish": {"evenIfNotLearned": True},
        }
        client.train(recipe)
        model = client.request("GET", "/v1/models/exported/versions/1/export?format=json")
        weights = {name: np.array(values) for name, values in model["parameters"].items()}
        shape = dataset["imageShape"]
        pixels = np.array([atelier.preprocess(data, model["preprocessing"], shape) for data in files])
        hidden = np.maximum(0, pixels.reshape(len(files), -1) / 255 @ weights["W1"].T + weights["b1"])
        logits = hidden @ weights["W2"].T + weights["b2"]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        computed = exponentials / exponentials.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(computed, client.probabilities("exported", files), atol=1e-5)

    def test_refuses_what_pillow_cannot_repeat(self) -> None:
        rules = {"fit": "contain", "background": "auto", "invert": "never"}
        colour = Image.new("RGB", (40, 50))
        for image, kind, reason in (
            (colour, "WEBP", "reduces WebP"),
            (colour.convert("CMYK"), "JPEG", "CMYK"),
            (Image.fromarray(np.zeros((40, 50), np.uint16)), "PNG", "16 bits"),
            (colour, "BMP", "not PNG, JPEG or WebP"),
        ):
            file = io.BytesIO()
            image.save(file, kind)
            with self.subTest(kind=kind), self.assertRaisesRegex(atelier.CannotRepeat, reason):
                atelier.preprocess(file.getvalue(), rules)
        with self.assertRaisesRegex(ValueError, "fit must be one of contain, cover, stretch, but is 'inside'"):
            atelier.preprocess(b"", {**rules, "fit": "inside"})
        with self.assertRaisesRegex(ValueError, "input_shape must be height and width, and 3 for colour"):
            atelier.preprocess(b"", rules, (28, 28, 1))


if __name__ == "__main__":
    unittest.main()
