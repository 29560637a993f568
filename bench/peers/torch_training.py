"""The training of bench/numpy_training.py by PyTorch, on OMP_NUM_THREADS threads."""
import math
import os
import time

import torch
from torch import nn
from training_data import BATCH, CONVOLUTIONS, DROPOUT, EPOCHS, HIDDEN, MOMENTUM, RATE, load, report

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
torch.manual_seed(1)
images, labels = (torch.from_numpy(a) for a in load())
layers, inputs = [], images.shape[1]
if CONVOLUTIONS:
    side, channels = math.isqrt(inputs), 1
    # Channels last and these threads are PyTorch's best setting here.
    images = images.reshape(-1, 1, side, side).contiguous(memory_format=torch.channels_last)
    for stage in CONVOLUTIONS:
        for outputs in stage:
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU()]
            channels = outputs
        layers.append(nn.MaxPool2d(2))
        side //= 2
    layers.append(nn.Flatten())
    inputs = channels * side * side
for inputs, outputs in zip([inputs, *HIDDEN], HIDDEN):
    layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    if DROPOUT:
        layers.append(nn.Dropout(DROPOUT))
network = nn.Sequential(*layers, nn.Linear(HIDDEN[-1], int(labels.max()) + 1))
if CONVOLUTIONS:
    network = network.to(memory_format=torch.channels_last)
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
