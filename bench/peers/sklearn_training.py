"""The training of bench/numpy_training.py by scikit-learn: plain SGD, no dropout."""
import time

from sklearn.neural_network import MLPClassifier
from training_data import BATCH, EPOCHS, HIDDEN, RATE, load, report

images, labels = load()
whole = len(images) // BATCH * BATCH
images, labels = images[:whole], labels[:whole]
network = MLPClassifier(
    HIDDEN, solver="sgd", alpha=0, batch_size=BATCH, learning_rate_init=RATE, momentum=0,
    nesterovs_momentum=False, random_state=1,
)
rates = []
for _ in range(EPOCHS):
    started = time.perf_counter()
    network.partial_fit(images, labels, classes=range(10))
    rates.append(whole / (time.perf_counter() - started))
report(rates, float(network.loss_))
