"""Tables of what the layer benchmark measured.

SPDX-License-Identifier: MIT
"""

import math
from typing import NamedTuple

from results import table

CLOSE = 1.15  # how much longer than the best algorithm what `auto` takes may take


def fitting(entries, mode):
    """Those that do what the mode asks for: who has nothing prepared does it all in the call."""
    return [entry for entry in entries if entry.mode == mode or (mode == 'prepared' and entry.mode == 'call')]


def ours(entries, mode):
    """The library as its users have it, whose inputs and outputs are always plain."""
    plain = fitting(entries, 'prepared' if mode == 'own' else mode)
    return min((entry for entry in plain if entry.name == 'layer:auto'), key=lambda entry: entry.best, default=None)


def best_peer(entries, mode, part=''):
    peers = [entry for entry in fitting(entries, mode)
             if entry.contender.name != 'layer' and entry.name.startswith(part)]
    return min(peers, key=lambda entry: entry.best, default=None)


def ratio(entries, mode, part=''):
    """How many times as long the best peer takes; None if there is nothing to compare."""
    mine, peer = ours(entries, mode), best_peer(entries, mode, part)
    return peer.best / mine.best if mine and peer else None


def number(value, digits=4):
    return f'{value:.{digits}g}' if value else '–'


def compared(entries, mode):
    """Three cells: ours, the best peer, the ratio of bests (of medians)."""
    mine, peer = ours(entries, mode), best_peer(entries, mode)
    if not mine or not peer:
        return [number(mine and mine.best), '–', '–']
    return [number(mine.best), f'{number(peer.best)} {peer.name}',
            f'**{peer.best / mine.best:.2f}** ({peer.median / mine.median:.2f})']


def row_line(row, entries):
    mine = ours(entries, 'call')
    own = best_peer(entries, 'own')
    return [row.name, mine.detail if mine else '', *compared(entries, 'prepared'), *compared(entries, 'call'),
            number(own and own.best), number(ratio(entries, 'own'), 3)]


def rows_table(rows, threads, measured):
    titles = ['layer', 'algorithm', 'prepared, ms', 'best peer', 'ratio', 'in the call, ms', 'best peer', 'ratio',
              "peers' own layout, ms", 'ratio']
    return table(titles, [row_line(row, measured[row.name, threads]) for row in rows])


def mean_and_worst(ratios):
    found = [each for each in ratios if each]
    if not found:
        return '–'
    return f'{math.exp(sum(map(math.log, found)) / len(found)):.2f} ({min(found):.2f})'


def families_table(rows, threads, measured, mode):
    """Against the best peer of each row, and against each."""
    parts = ['', 'dnnl:winograd', 'dnnl', 'torch', 'ort', 'opencv']
    lines = []
    for family in dict.fromkeys(row.family for row in rows):
        each = [measured[row.name, threads] for row in rows if row.family == family]
        lines.append([family, *(mean_and_worst([ratio(entries, mode, part) for entries in each]) for part in parts)])
    return table(['rows', 'best peer', *parts[1:]], lines)


def speedups_table(rows, threads, measured, rates):
    """What more threads bring, and what as many processes that share nothing."""
    lines = []
    for row in rows:
        one, more = (measured[row.name, count] for count in (1, threads))
        pairs = [(ours(one, 'prepared'), ours(more, 'prepared')),
                 (best_peer(one, 'prepared'), best_peer(more, 'prepared'))]
        lines.append([row.name, *(number(a.best / b.best, 3) if a and b else '–' for a, b in pairs),
                      number(rates.get(row.name), 3)])
    return table(['layer', 'layerd', 'best peer', f'{threads} processes'], lines)


class Choice(NamedTuple):
    """What `auto` takes for a row, and what is best; the times of both."""
    row: str
    mode: str
    taken: str
    best: str
    taken_time: float
    best_time: float

    @property
    def ratio(self):
        return self.taken_time / self.best_time


def choices(rows, threads, measured):
    """Of rows for which several algorithms were asked. What `auto` takes is the same code as the algorithm by its name,
    so the better of the two counts."""
    found = []
    for row in rows:
        for mode in ('prepared', 'call'):
            mine = [entry for entry in fitting(measured[row.name, threads], mode) if entry.contender.name == 'layer']
            auto = [entry for entry in mine if entry.variant == 'auto']
            taken = next((entry.detail for entry in sorted(auto, key=lambda entry: entry.mode != mode)), None)
            times = {}
            for entry in mine:
                times[entry.detail] = min(entry.best, times.get(entry.detail, math.inf))
            if taken and any(entry.variant != 'auto' for entry in mine) and len(times) > 1:
                best = min(times, key=times.get)
                found.append(Choice(row.name, mode, taken, best, times[taken], times[best]))
    return found


def choice_table(found):
    lines = [[one.row, one.mode, one.taken, number(one.taken_time), one.best, number(one.best_time), f'{one.ratio:.2f}']
             for one in found]
    return table(['layer', 'mode', 'auto takes', 'ms', 'best is', 'ms', 'auto / best'], lines)


def worst_choice(found):
    worst = max(found, key=lambda one: one.ratio)
    return (f'Slowest: {100 * (worst.ratio - 1):.0f} % slower than the best, {worst.row} {worst.mode}; of {len(found)} '
            f'choices {sum(one.ratio > CLOSE for one in found)} are more than {100 * (CLOSE - 1):.0f} % slower.\n')


def report_choices(rows, thread_counts, measured):
    """Empty unless several algorithms were asked for."""
    parts = []
    for threads in thread_counts:
        found = choices(rows, threads, measured)
        if found:
            parts += [f'### What auto takes, {threads} thread{"s" * (threads > 1)}\n', choice_table(found),
                      worst_choice(found)]
    return '\n'.join(parts)


def all_table(rows, threads, measured):
    """Everybody's best."""
    columns = dict.fromkeys((entry.name, entry.mode) for row in rows for entry in measured[row.name, threads])
    lines = []
    for row in rows:
        times = {(entry.name, entry.mode): entry.best for entry in measured[row.name, threads]}
        lines.append([row.name, *(number(times.get(column)) for column in columns)])
    return table(['layer', *(f'{name} {mode}' for name, mode in columns)], lines)


EXPLANATION = '''Milliseconds, batch 1 unless the name says b8; the best of all runs. Ratio: the best peer's time divided
by ours, by the best runs and (in brackets) by the medians. Inputs and outputs are plain NCHW. *Prepared*: weights could
be transformed ahead. *In the call*: raw weights come with the call, and what a peer does to them counts. *Own layout*: a
peer neither reads nor writes NCHW, as in the midst of a network; ours still does. Large memory of all contenders lies in
huge pages (`GLIBC_TUNABLES=glibc.malloc.hugetlb=1`).
'''


SPEEDUPS = '''The last column is the machine's own: how much more as many processes of layerd get done, each with one thread
and its own memory, than one of them alone.
'''


def report(rows, thread_counts, measured, rates):
    parts = [EXPLANATION]
    for threads in thread_counts:
        title = f'{threads} thread{"s" * (threads > 1)}'
        parts += [f'### Families, {title}\n\nGeometric means of ratios, the smallest in brackets, prepared:\n',
                  families_table(rows, threads, measured, 'prepared'),
                  'In the call:\n', families_table(rows, threads, measured, 'call'),
                  f'### Rows, {title}\n', rows_table(rows, threads, measured)]
        if threads > 1 and 1 in thread_counts:
            parts += [f'### One thread / {title}, prepared\n', SPEEDUPS, speedups_table(rows, threads, measured, rates)]
        parts += [f'### All contenders, {title}, ms\n', all_table(rows, threads, measured)]
    return '\n'.join([*parts, report_choices(rows, thread_counts, measured)])
