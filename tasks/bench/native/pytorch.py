"""PyTorch on the CPU as a peer of the bench, with the backward pass by hand or by autograd.

    python3 pytorch.py hand|eager training INPUT OUTPUT SECONDS CHECKED_RUNS LOSS RATE BATCH WIDTH WIDTH ...
    python3 pytorch.py hand|eager product INPUT OUTPUT SECONDS CHECKED_RUNS M K N

INPUT and OUTPUT are raw float32. Prints the runs per second of three rounds as JSON.
"""
import itertools
import os
import sys
import time

import torch

mode, what, source, target, seconds, checked, *rest = sys.argv[1:]
floats = torch.from_file(source, size=os.path.getsize(source) // 4)
at = 0


def take(*shape):
    """The next numbers of the input."""
    global at
    start, at = at, at + torch.Size(shape).numel()
    return floats[start:at].clone().view(shape)


def load_product():
    m, k, n = map(int, rest)
    a, b, out = take(m, k), take(k, n), torch.empty(m, n)
    return lambda: torch.matmul(a, b, out=out), [out]


def load_training():
    loss, rate = rest[0], float(rest[1])
    batch, *widths = map(int, rest[2:])
    layers = [(take(inputs, outputs), take(outputs)) for inputs, outputs in zip(widths, widths[1:])]
    batches = []
    while at < len(floats):
        batches.append((take(batch, widths[0]), take(batch, widths[-1])))
    order = itertools.cycle(batches)
    last = len(layers) - 1

    @torch.no_grad()
    def by_hand():
        a, y = next(order)
        inputs = []
        for layer, (weight, bias) in enumerate(layers):
            inputs.append(a)
            a = torch.addmm(bias, a, weight)
            if layer < last:
                a.relu_()
        d = (a - y).mul_(2 / batch) if loss == "mse" else (torch.softmax(a, 1) - y).div_(batch)
        for layer in range(last, -1, -1):
            weight, bias = layers[layer]
            d_weight, d_bias = inputs[layer].t() @ d, d.sum(0)
            if layer > 0:
                d = (d @ weight.t()).mul_(inputs[layer] > 0)
            weight.sub_(d_weight, alpha=rate)
            bias.sub_(d_bias, alpha=rate)

    parameters = [parameter for layer in layers for parameter in layer]
    if mode == "hand":
        return by_hand, parameters
    optimizer = torch.optim.SGD([parameter.requires_grad_() for parameter in parameters], lr=rate)
    cross_entropy = torch.nn.functional.cross_entropy

    def eager():
        a, y = next(order)
        for layer, (weight, bias) in enumerate(layers):
            a = torch.addmm(bias, a, weight)
            if layer < last:
                a = torch.relu(a)
        total = (a - y).square().sum() if loss == "mse" else cross_entropy(a, y, reduction="sum")
        optimizer.zero_grad(set_to_none=True)
        (total / batch).backward()
        optimizer.step()

    return eager, parameters


run, results = load_product() if what == "product" else load_training()


def timed(count):
    start = time.perf_counter()
    for _ in range(count):
        run()
    return time.perf_counter() - start


timed(int(checked))
result = torch.cat([part.detach().flatten() for part in results])
torch.from_file(target, shared=True, size=len(result)).copy_(result)
count = 1
taken = timed(count)
while taken < float(seconds) / 4:
    count *= 2
    taken = timed(count)
count = max(1, round(count * float(seconds) / taken))
print('{"rounds": %s}' % [count / timed(count) for _ in range(3)])
