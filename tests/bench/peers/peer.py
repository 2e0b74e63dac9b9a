"""The lines that a contender written in Python reads and writes: peer.h says which.

SPDX-License-Identifier: MIT
"""

import sys
import time

import numpy

MOST_TIMES = 500
CLOCKS = {'wall': time.perf_counter, 'cpu': time.process_time}


class Row:
    """A row of the table: its letters, and its tensors."""

    def __init__(self, words):
        self.kind, *numbers, self.directory = words
        (self.n, self.c, self.k, self.h, self.w, self.r, self.s,
         self.stride, self.pad_h, self.pad_w, self.group) = map(int, numbers)
        self.input = self._read('input', (self.n, self.c, self.h, self.w))
        self.weight = self.gradient = None
        if self.kind.startswith(('conv', 'linear')):
            self.weight = self._read('weight', (self.k, self.c // self.group, self.r, self.s))
        if self.kind.endswith(('_grad_input', '_grad_weight', '_backward')):
            self.gradient = self._read('gradient', (self.n, self.k, -1, self._outputs()))

    def _outputs(self):
        """Along the width."""
        return (self.w + 2 * self.pad_w - self.s) // self.stride + 1

    def _read(self, name, shape):
        return numpy.fromfile(f'{self.directory}/{name}', '<f4').reshape(shape)


def timed(run, seconds, clock):
    """Microseconds of runs in so many seconds, at least one, after one that is not counted."""
    now = CLOCKS[clock]
    run()
    times = []
    before = now()
    end = before + seconds
    while not times or (len(times) < MOST_TIMES and before < end):
        run()
        after = now()
        times.append(1e6 * (after - before))
        before = after
    return times


def serve(version, variants, prepare):
    """Serves until the end of the standard input.

    prepare(row, variant, mode) answers None if it cannot, or a function that computes and one that
    makes a plain array of what the first returns.
    """
    print(version)
    print(*variants, flush=True)
    row, opened = None, {}
    for line in sys.stdin:
        command, *words = line.split()
        answer = 'ok'
        if command == 'row':
            row, opened = Row(words), {}
        elif command == 'open':
            work = prepare(row, *words)
            if work:
                run, plain = opened[tuple(words)] = work
                numpy.asarray(plain(run()), '<f4').tofile(f'{row.directory}/output')
            answer = 'ok' if work else 'no'
        elif command == 'time':
            run, _ = opened[tuple(words[:2])]
            answer = ' '.join(f'{each:.3f}' for each in timed(run, float(words[2]), words[3]))
        print(answer, flush=True)
