"""Runs layers through the library and its peers, in turns, and compares: layer_bench.py --help

SPDX-License-Identifier: MIT
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import numpy

import contenders
import layer_report
import layer_rows
import results

MODES = ('call', 'prepared', 'own')
DEFAULT = 'layer,dnnl,torch,ort,opencv'
ALGORITHMS = 'layer:*'  # what shows how good the choice among them is
WRONG = 1e-3  # a difference, relative to the largest output, that rounding does not explain
REST = 0.003  # seconds in which a contender's spinning threads go to sleep


@dataclass
class Entry:
    """A contender's way of computing a row, and what was measured of it."""
    contender: contenders.Contender
    variant: str
    mode: str
    detail: str
    difference: float
    spent: float = 0  # seconds, all told
    times: list = field(default_factory=list)  # milliseconds

    @property
    def name(self):
        return f'{self.contender.name}:{self.variant}'

    @property
    def best(self):
        return min(self.times)

    @property
    def median(self):
        return statistics.median(self.times)

    def take(self, seconds, clock):
        began = time.perf_counter()
        answer = self.contender.ask('time', self.variant, self.mode, seconds, clock)
        self.times += [float(word) / 1000 for word in answer]
        time.sleep(REST)
        self.spent += time.perf_counter() - began


def draw(row, directory):
    """Writes the row's tensors to files."""
    random = numpy.random.default_rng(zlib.crc32(row.name.encode()))
    random.standard_normal((row.n, row.c, row.h, row.w), 'f4').tofile(directory / 'input')
    shape = (row.k, row.c // row.group, row.r, row.s)
    weight = random.standard_normal(shape, 'f4') / numpy.sqrt(numpy.prod(shape[1:]))
    if row.family == layer_rows.SEPARABLE:
        weight = numpy.multiply.outer(weight[0, 0, :, 0], weight[0, 0, 0]).reshape(shape)
    weight.astype('f4').tofile(directory / 'weight')
    random.standard_normal(row.outputs, 'f4').tofile(directory / 'gradient')


def difference(output, reference):
    if output.shape != reference.shape:
        return float('inf')
    return float(numpy.abs(output - reference).max() / numpy.abs(reference).max())


def open_entries(row, started, wishes, directory):
    """Every way to compute the row, checked against the first, which is the library's if it is asked."""
    entries, reference = [], None
    for contender in started:
        contender.ask('row', *row.words(), directory)
        for variant in contenders.wanted_variants(contender.name, contender.variants, wishes):
            for mode in MODES:
                said, *detail = contender.ask('open', variant, mode)
                if said == 'ok':
                    output = numpy.fromfile(directory / 'output', 'f4')
                    reference = output if reference is None else reference
                    entries.append(Entry(contender, variant, mode, ' '.join(detail), difference(output, reference)))
    return entries


def measure(row, threads, started, options, directory):
    clock = options.clock if threads == 1 else 'wall'
    entries = open_entries(row, started, options.contenders, directory)
    for _ in range(options.rounds):
        for entry in entries:
            if entry.spent < options.seconds:
                entry.take(options.seconds / options.rounds, clock)
    return entries


def rate_of_processes(row, processes, options, directory):
    """How much more processes that share nothing get done than one of them alone: what the machine leaves to threads."""
    for process in processes:
        process.ask('row', *row.words(), directory)
        mode = next(mode for mode in ('prepared', 'call') if process.ask('open', 'auto', mode)[0] == 'ok')
    words = ('time', 'auto', mode, options.seconds / options.rounds, 'wall')
    alone, together = [], [[] for _ in processes]
    for _ in range(options.rounds):
        alone += map(float, processes[0].ask(*words))
        for process in processes:
            process.tell(*words)
        for process, times in zip(processes, together):
            times += map(float, process.hear())
    return sum(min(alone) / min(times) for times in together)


def tell(row, threads, entries):
    """One row on the terminal, while the others are still to come."""
    print(f'\n{row.name}, {threads} thread{"s" * (threads > 1)}')
    ours = next((entry.best for entry in entries if entry.contender.name == 'layer'), None)
    for entry in sorted(entries, key=lambda entry: (entry.mode, entry.best)):
        ratio = f'{entry.best / ours:7.2f}' if ours else ''
        rate = 2e-6 * row.multiplications / entry.best if row.kind.startswith(('conv', 'linear')) else 0
        print(f'  {entry.mode:8} {entry.name:16} {entry.best:9.4f} / {entry.median:9.4f} ms {rate:7.1f} GFLOP/s{ratio}'
              f'  {entry.difference:.0e}{" WRONG" * (not entry.difference < WRONG)}  {entry.detail}', flush=True)


def read_options():
    parser = argparse.ArgumentParser(description='Layers through the library and its peers, in turns. '
                                     'A run of all rows by all contenders also writes RESULTS.md, as one of all rows '
                                     f'by {ALGORITHMS} does.')
    words = lambda text: text.split(',')
    parser.add_argument('--rows', type=words, help="beginnings or patterns of names, by commas: rn50,'*3x3*'")
    parser.add_argument('--contenders', type=words, default=words(DEFAULT),
                        help=f'by commas, default {DEFAULT}; one variant: dnnl:winograd, all: layer:*')
    parser.add_argument('--threads', type=words, default=['1', '2'], help='by commas, default 1,2')
    parser.add_argument('--seconds', type=float, default=0.25, help='for each contender, row and mode')
    parser.add_argument('--rounds', type=int, default=5, help='in how many turns')
    parser.add_argument('--clock', choices=('wall', 'cpu'), default='wall',
                        help='of one thread; cpu, its processor time, where others keep the processors busy')
    options = parser.parse_args()
    options.threads = [int(word) for word in options.threads]
    options.scales = min(options.threads) == 1 < max(options.threads) and options.contenders != [ALGORITHMS]
    options.whole = not options.rows and options.threads == [1, 2]
    return options


def wanted_rows(parts):
    return [row for row in layer_rows.ROWS
            if not parts or any(row.name.startswith(part) or fnmatch(row.name, part) for part in parts)]


def run(rows, options, directory):
    """Entries by row name and number of threads; rates of processes by row name; the versions of the contenders."""
    started = {threads: contenders.start(options.contenders, threads) for threads in options.threads}
    processes = [contenders.Contender('layer', 1) for _ in range(max(options.threads))] if options.scales else []
    _, missing = started[options.threads[0]]
    for sentence in missing:
        print(sentence)
    measured, rates = {}, {}
    for row in rows:
        draw(row, directory)
        if processes:
            rates[row.name] = rate_of_processes(row, processes, options, directory)
        for threads, (each, _) in started.items():
            measured[row.name, threads] = measure(row, threads, each, options, directory)
            tell(row, threads, measured[row.name, threads])
    versions = [contender.version for contender in started[options.threads[0]][0]] + missing
    for contender in [*processes, *(contender for each, _ in started.values() for contender in each)]:
        contender.end()
    return measured, rates, versions


def main():
    options = read_options()
    rows = wanted_rows(options.rows)
    if not rows:
        sys.exit('no row has such a name')
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as directory:
        measured, rates, versions = run(rows, options, Path(directory))
    wrong = [entry for entries in measured.values() for entry in entries if not entry.difference < WRONG]
    is_choice = options.contenders == [ALGORITHMS]
    report = layer_report.report_choices(rows, options.threads, measured) if is_choice else \
        layer_report.report(rows, options.threads, measured, rates)
    print('\n' + report)
    if options.whole and (is_choice or options.contenders == DEFAULT.split(',')):
        circumstances = results.circumstances(results.command('bench-layers'), versions, busy)
        results.write('Choice of algorithms' if is_choice else 'Layers', circumstances + '\n' + report)
    sys.exit('some results are wrong' if wrong else 0)


if __name__ == '__main__':
    main()
