"""The training of bench/numpy_training.py by PyTorch, on OMP_NUM_THREADS threads."""
import os
import time

import torch
from torch import nn
from training_data import BATCH, DROPOUT, EPOCHS, HIDDEN, MOMENTUM, RATE, load, report

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(1)
images, labels = (torch.from_numpy(a) for a in load())
layers = []
for inputs, outputs in zip([images.shape[1], *HIDDEN], HIDDEN):
    layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    if DROPOUT:
        layers.append(nn.Dropout(DROPOUT))
network = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], int(labels.max()) + 1))
# Fused: one call updates all parameters, the fastest of PyTorch's three implementations here.
optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, fused=True)
cost = nn.CrossEntropyLoss()
steps = len(images) // BATCH
rates = []
for _ in range(EPOCHS):
    order = torch.randperm(len(images))
    total = torch.zeros(())
    started = time.perf_counter()
    for s in range(steps):
        rows = order[s * BATCH : (s + 1) * BATCH]
        optimizer.zero_grad(set_to_none=True)
        loss = cost(network(images[rows]), labels[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach()
    rates.append(steps * BATCH / (time.perf_counter() - started))
report(rates, float(total) / steps)
