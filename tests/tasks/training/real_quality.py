"""Scikit-learn on the rows that real_quality.ts prepared: medians over its seeds, on the test rows.

    deno run -A tests/tasks/training/real_quality.ts folder && python3 tests/tasks/training/real_quality.py folder
"""

import pathlib, statistics, sys, time, warnings

import safetensors.numpy
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier, MLPRegressor

warnings.filterwarnings("ignore")
files = sorted(pathlib.Path(sys.argv[1]).glob("*-*.safetensors"))
for table in sorted({file.name.split("-")[0] for file in files}):
    networks, linears, seconds = [], [], []
    for file in (file for file in files if file.name.startswith(f"{table}-")):
        rows = safetensors.numpy.load_file(file)
        is_classes = rows["train.y"].shape[1] > 1
        y = {part: rows[f"{part}.y"].argmax(1) if is_classes else rows[f"{part}.y"].ravel() for part in ("train", "test")}
        start, seed = time.perf_counter(), int(file.stem.split("-")[1])
        network = MLPClassifier if is_classes else MLPRegressor
        network = network(hidden_layer_sizes=(64,), max_iter=500, random_state=seed).fit(rows["train.x"], y["train"])
        seconds.append(time.perf_counter() - start)
        linear = (LogisticRegression() if is_classes else LinearRegression()).fit(rows["train.x"], y["train"])
        networks.append(network.score(rows["test.x"], y["test"]))
        linears.append(linear.score(rows["test.x"], y["test"]))
    print(f"{table}: {statistics.median(networks):.4f}, {statistics.median(seconds):.1f} s; "
          f"linear {statistics.median(linears):.4f}")
