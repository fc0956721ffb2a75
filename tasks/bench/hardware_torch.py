"""PyTorch on what tasks/bench/hardware.ts times: plain float32, eager. Prints one line of JSON.

    python3 tasks/bench/hardware_torch.py SIZE WIDTH BATCH SECONDS
"""
import json
import sys
import time

import torch

size, width, batch, seconds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
device = "cuda" if torch.cuda.is_available() else "cpu"
torch.backends.cuda.matmul.allow_tf32 = False  # float32 products in float32, as WebGPU computes them
torch.manual_seed(1)


def finish():
    if device == "cuda":
        torch.cuda.synchronize()


def rate(run):
    """Median of three rounds, in runs per second."""
    run()
    finish()
    rates = []
    for _ in range(3):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            for _ in range(10):
                run()
            finish()
            count += 10
        rates.append(count / (time.perf_counter() - start))
    return sorted(rates)[1]


a, b = torch.rand(size, size, device=device), torch.rand(size, size, device=device)
out = torch.empty(size, size, device=device)
products = rate(lambda: torch.matmul(a, b, out=out))

model = torch.nn.Sequential(
    torch.nn.Linear(784, width), torch.nn.ReLU(), torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 10)
).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.rand(batch, 784, device=device), torch.randint(0, 10, (batch,), device=device)


def step():
    optimizer.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()


name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
gflops = 2 * size**3 * products / 1e9
print(json.dumps({"device": name, "version": torch.__version__, "gflops": gflops, "stepsPerSecond": rate(step)}))
