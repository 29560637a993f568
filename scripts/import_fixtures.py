"""Saves models without biases, in Zip64 archives and in formats that are not accepted, for test/formats.

    python3 scripts/import_fixtures.py      reads data/, writes test/fixtures/formats/

Made with NumPy 2.2.4, scikit-learn 1.4.2, PyTorch 2.6.0, safetensors 0.5.2, h5py 3.13.0, Info-ZIP 3.0.
"""
import json
import pathlib
import pickle
import subprocess
import tempfile
import warnings

import h5py
import joblib
import numpy as np
import torch
from safetensors.torch import save_file
from sklearn.neural_network import MLPClassifier
from torch import nn

OUT = pathlib.Path(__file__).parent.parent / "test/fixtures/formats"
FOREIGN = OUT / "foreign"
FOREIGN.mkdir(parents=True, exist_ok=True)
images = torch.from_numpy(np.load(OUT / "images.npy") / 255)
torch.manual_seed(0)

bare = nn.Sequential(nn.Linear(784, 4, bias=False), nn.Tanh(), nn.Linear(4, 10, bias=False))
save_file(bare.state_dict(), OUT / "torch-no-bias.safetensors")
np.savez(OUT / "torch-no-bias.npz", **{name: tensor.numpy() for name, tensor in bare.state_dict().items()})
with torch.no_grad():
    probabilities = torch.softmax(bare.double()(images), 1).tolist()
common = {"activation": "tanh", "hidden": [4], "standardization": None, "probabilities": probabilities}
expected = [{"file": f"torch-no-bias.{extension}", **common} for extension in ["safetensors", "npz"]]
(OUT / "expected-without-biases.json").write_text(json.dumps(expected, indent=1) + "\n")

# Info-ZIP writes sizes and offsets of 64 bits if it is asked to.
with tempfile.TemporaryDirectory() as folder:
    arrays = {"W1": np.linspace(-1, 1, 784 * 2).astype("f2").reshape(2, 784), "b1": np.float32([0.5, -0.5])}
    for name, array in arrays.items():
        np.save(pathlib.Path(folder) / f"{name}.npy", array)
    archive = (OUT / "zip64.npz").resolve()
    archive.unlink(missing_ok=True)
    subprocess.run(["zip", "-fz", "-q", archive, "W1.npy", "b1.npy"], cwd=folder, check=True)

# Files that are not accepted, of networks that are too small for the images.
tiny = nn.Sequential(nn.Linear(2, 1))
torch.save(tiny.state_dict(), FOREIGN / "torch-state-dict.pt")
torch.save(tiny.state_dict(), FOREIGN / "torch-legacy.pt", _use_new_zipfile_serialization=False)
torch.jit.save(torch.jit.script(tiny), FOREIGN / "torch-script.pt")
small = MLPClassifier((1,), max_iter=1)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    small.fit([[0.0], [1.0]], [0, 1])
(FOREIGN / "sklearn.pkl").write_bytes(pickle.dumps(small))
joblib.dump(small, FOREIGN / "sklearn.joblib", compress=3)
with h5py.File(FOREIGN / "keras.h5", "w") as file:
    file["kernel"] = np.zeros((2, 1), "f4")
