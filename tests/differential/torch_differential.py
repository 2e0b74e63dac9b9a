"""Compares the daemon at LAYERD_URL with PyTorch over random geometries.

SPDX-License-Identifier: MIT

Each row draws a geometry, asks the daemon in the binary form, and computes the same with torch in double. No number
may differ by more than the row's bound, or the bound of the algorithm that was taken, relative to the largest of its tensor. A
handful of sums may all cancel out, so small tensors are judged by the largest sum of their terms' magnitudes instead:
the same expression of the magnitudes.
"""

import argparse
import json
import os
import random
import sys
import warnings

import numpy
import torch

import conv_rows
import layer_rows
import pool_rows
from binary_client import Client

FEW = 64  # elements of a small tensor
ROWS = conv_rows.ROWS + pool_rows.ROWS + layer_rows.ROWS


def magnitude(tensor):
    return float(tensor.abs().max()) if tensor.numel() else 0.0


def difference(got, want, terms):
    """The largest difference of two tensors, relative to what they are judged by; infinite if they do not match. A
    reply leaves out what is empty."""
    if got is None:
        return 0.0 if want.numel() == 0 else float('inf')
    got = torch.as_tensor(numpy.asarray(got, dtype=numpy.float64))
    if got.shape != want.shape:
        return float('inf')
    largest = magnitude(got - want)
    if largest == 0:
        return 0.0
    scale = magnitude(want) if terms is None else magnitude(terms)
    return largest / scale if scale > 0 else float('inf')


def member(reply, path):
    """What stands at "region/first"; None if it is not there."""
    for name in path.split('/'):
        reply = (reply or {}).get(name)
    return reply


def judge(trial, reply):
    """The worst difference of a reply, and the name of the tensor that has it."""
    tensors = {name: torch.from_numpy(value.astype(numpy.float64))
               for name, value in trial.request.items() if isinstance(value, numpy.ndarray)}
    expected = trial.expected(tensors)
    reply = {**reply, **trial.derived(reply)}
    terms = {}
    if trial.multilinear and any(want.numel() < FEW for want in expected.values()):
        terms = trial.expected({name: tensor.abs() for name, tensor in tensors.items()})
    worst = (0.0, '')
    for name, want in expected.items():
        few = terms.get(name) if want.numel() < FEW else None
        worst = max(worst, (difference(member(reply, name), want.double(), few), name))
    return worst


def describe(request):
    return json.dumps({name: {'shape': value.shape} if isinstance(value, numpy.ndarray) else value
                       for name, value in request.items()})


def is_refused(status, reply):
    """Whether the algorithm that was asked for does not compute the geometry."""
    return status == 422 and reply.get('pointer') == '/algorithm'


def run_row(client, row, options):
    """How many trials agree, and how many do not; a row all of whose trials are refused has one of these."""
    agreed, refused, worst = 0, 0, 0.0
    for number in range(options.trials):
        trial = row.draw(random.Random(f'{options.seed} {row.name} {number}'))
        status, reply = client.post(f'/v1/{row.operation}', trial.request)
        if is_refused(status, reply):
            refused += 1
            continue
        if status == 200:
            found, where = judge(trial, reply)
            complaint = f'{where} differs by {found:.2g}'
        else:
            found, complaint = float('inf'), f'{status}: {reply.get("detail")}'
        if found <= conv_rows.ALGORITHM_BOUNDS.get(reply.get('algorithm'), row.bound):
            agreed += 1
            worst = max(worst, found)
        elif number - refused - agreed < options.shown:
            print(f'[  FAILED  ] {row.name}, trial {number}: {complaint}\n    {describe(trial.request)}')
    asked = options.trials - refused
    rest = f', {refused} refused' if refused else ''
    print(f'{row.name}: {agreed} of {asked} agree, worst {worst:.1e}{rest}', flush=True)
    return agreed, asked - agreed + (asked == 0)


def main():
    parser = argparse.ArgumentParser(description='Compares the daemon with PyTorch over random geometries.')
    parser.add_argument('--trials', type=int, default=1000, help='geometries of each operation')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--row', help='only rows whose name begins with this')
    parser.add_argument('--shown', type=int, default=3, help='failures of an operation that are shown')
    options = parser.parse_args()
    warnings.simplefilter('ignore', UserWarning)  # torch's remarks on what is slow or in beta

    client = Client(os.environ['LAYERD_URL'])
    served = client.operations()
    print(f'torch {torch.__version__}, {options.trials} geometries each, seed {options.seed}')
    passed = failed = 0
    for row in ROWS:
        if options.row and not row.name.startswith(options.row):
            continue
        if row.operation not in served:
            print(f'{row.name}: this daemon has no such operation')
            continue
        agreed, others = run_row(client, row, options)
        passed, failed = passed + agreed, failed + others
    unmatched = served - {row.operation for row in ROWS}
    if unmatched:
        print(f'without a row, as torch has no such thing: {", ".join(sorted(unmatched))}')
    print(f'{passed} passed, {failed} failed')
    return 0 if passed > 0 == failed else 1


if __name__ == '__main__':
    sys.exit(main())
