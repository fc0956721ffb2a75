"""scikit-learn on a table whose last column is a number: reads, scales, trains, prints its epochs and the score of held-out rows.

    python3 sklearn_mlp.py TABLE EPOCHS BATCH WIDTH ...
"""
import sys
import warnings

import numpy
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table, epochs, batch, *widths = sys.argv[1:]
warnings.simplefilter("ignore", ConvergenceWarning)  # it takes the epochs that it is told
rows = numpy.loadtxt(table, delimiter=",", skiprows=1)
x, test_x, y, test_y = train_test_split(rows[:, :-1], rows[:, -1], test_size=0.1, random_state=1)
network = MLPRegressor(
    hidden_layer_sizes=[int(width) for width in widths],
    batch_size=int(batch),
    max_iter=int(epochs),
    n_iter_no_change=int(epochs),
    random_state=1,
)
model = make_pipeline(StandardScaler(), network).fit(x, y)
print(network.n_iter_, model.score(test_x, test_y))
