"""Trains and saves models with other libraries, with their predictions, for test/formats.

    python3 scripts/model_format_fixtures.py        reads data/, writes test/fixtures/formats/

Made with NumPy 2.2.4, scikit-learn 1.4.2, PyTorch 2.6.0, safetensors 0.4.5.
"""
import json
import pathlib
import warnings

import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.neural_network import MLPClassifier
from torch import nn

ROOT = pathlib.Path(__file__).parent.parent
OUT = ROOT / "test/fixtures/formats"
OUT.mkdir(parents=True, exist_ok=True)
# scikit-learn's names and Atelier's
ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid", "identity": "identity"}
MEAN, STD = 0.286, 0.353

images = np.load(ROOT / "data/fashion_mnist_train_images.npy")[:2000].reshape(-1, 784)
labels = np.load(ROOT / "data/fashion_mnist_train_labels.npy")[:2000].astype("i8")
shown = np.load(ROOT / "data/fashion_mnist_test_images.npy")[:8].reshape(-1, 784)
np.save(OUT / "images.npy", shown)
expected = []


def record(file, activation, hidden, probabilities, standardization=None):
    expected.append(
        {
            "file": file,
            "activation": activation,
            "hidden": list(hidden),
            "standardization": standardization,
            "probabilities": np.asarray(probabilities, "f8").tolist(),
        }
    )


def sklearn_model(file, activation, hidden, name="{}_{}", binary=False, save=np.savez):
    model = MLPClassifier(hidden, activation=activation, max_iter=5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # five epochs do not converge
        model.fit(images / 255, labels > 4 if binary else labels)
    arrays = {}
    for i, (coefs, intercepts) in enumerate(zip(model.coefs_, model.intercepts_)):
        arrays[name.format("coefs", i)], arrays[name.format("intercepts", i)] = coefs, intercepts
    save(OUT / file, **arrays)
    record(file, ACTIVATIONS[activation], hidden, model.predict_proba(shown / 255))


def torch_train(model, x):
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), torch.from_numpy(labels)).backward()
        optimizer.step()


def answers(model, x):
    with torch.no_grad():
        return torch.softmax(model.double()(x.double()), 1).numpy()


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 7)
        self.between = nn.Linear(7, 5)
        self.out = nn.Linear(5, 10)

    def forward(self, x):
        return self.out(torch.tanh(self.between(torch.tanh(self.hidden(x)))))


sklearn_model("sklearn-relu.npz", "relu", (6, 5))
sklearn_model("sklearn-tanh-compressed.npz", "tanh", (5,), "{}_.{}", save=np.savez_compressed)
sklearn_model("sklearn-logistic-binary.npz", "logistic", (4,), binary=True)
sklearn_model("sklearn-identity.npz", "identity", (3,))

torch.manual_seed(0)
pixels, test_pixels = torch.from_numpy(images / 255).float(), torch.from_numpy(shown / 255).float()
sequential = nn.Sequential(nn.Linear(784, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 10))
torch_train(sequential, pixels)
save_file(sequential.state_dict(), OUT / "torch-sequential.safetensors")
record("torch-sequential.safetensors", "relu", (6, 6), answers(sequential, test_pixels))
original = {name: tensor.clone().float() for name, tensor in sequential.state_dict().items()}
for dtype, file in [(torch.bfloat16, "torch-bf16.safetensors"), (torch.float16, "torch-f16.safetensors")]:
    short = {name: tensor.to(dtype) for name, tensor in original.items()}
    save_file(short, OUT / file)
    sequential.load_state_dict(short)
    record(file, "relu", (6, 6), answers(sequential, test_pixels))

# Names without numbers, whose alphabetical order is not the order of the layers.
named = Named()
torch_train(named, (pixels - MEAN) / STD)
standardization = {"mean": MEAN, "std": STD}
probabilities = answers(named, (torch.from_numpy(shown / 255) - MEAN) / STD)
named.float()
save_file(named.state_dict(), OUT / "torch-named.safetensors")
np.savez(OUT / "torch-named.npz", **{name: tensor.numpy() for name, tensor in named.state_dict().items()})
for file in ["torch-named.safetensors", "torch-named.npz"]:
    record(file, "tanh", (7, 5), probabilities, standardization)

linear = nn.Sequential(nn.Linear(784, 10))
torch_train(linear, pixels)
save_file(linear.state_dict(), OUT / "torch-linear.safetensors")
record("torch-linear.safetensors", "identity", (), answers(linear, test_pixels))

(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
