"""Loads the daemon and its peers on loopback with wrk, in turns, and compares: service_bench.py --help

SPDX-License-Identifier: MIT
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy

import results
import servers
from servers import EMPTY, LAYERD

LENGTH = 'Inference-Header-Content-Length'
CONNECTIONS = (1, 16)
STARTS = 3
BARE = 'empty reply to a GET'


class Case:
    """A convolution to ask for, as JSON or with binary tensors behind it."""

    def __init__(self, title, input_shape, weight_shape, binary):
        random = numpy.random.default_rng(1)
        self.title = title
        self.small = numpy.prod(input_shape) < 1000
        tensors = {'input': random.standard_normal(input_shape, 'f4'),
                   'weight': random.standard_normal(weight_shape, 'f4')}
        if binary:
            head = json.dumps({name: {'shape': tensor.shape, 'datatype': 'FP32',
                                      'parameters': {'binary_data_size': tensor.nbytes}}
                               for name, tensor in tensors.items()}).encode()
            self.body = b''.join([head, *(tensor.tobytes() for tensor in tensors.values())])
            self.headers = {'Content-Type': 'application/octet-stream', LENGTH: str(len(head))}
        else:
            rounded = {name: numpy.vectorize(lambda each: float(f'{each:.9g}'))(tensor).tolist()
                       for name, tensor in tensors.items()}
            self.body = json.dumps(rounded, separators=(',', ':')).encode()
            self.headers = {'Content-Type': 'application/json'}

    def write(self, folder):
        """The request as wrk takes it."""
        (folder / 'body').write_bytes(self.body)
        headers = ''.join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in self.headers.items())
        (folder / 'post.lua').write_text(
            f'wrk.method = "POST"\nwrk.body = io.open("{folder}/body", "rb"):read("*a")\n{headers}')


CASES = [Case('28×28 by 5×5, JSON', (28, 28), (5, 5), False),
         Case('28×28 by 5×5, binary', (28, 28), (5, 5), True),
         Case('3×224×224 by 3×3, 3→8, JSON', (3, 224, 224), (8, 3, 3, 3), False),
         Case('3×224×224 by 3×3, 3→8, binary', (3, 224, 224), (8, 3, 3, 3), True)]


@dataclass
class Load:
    """What wrk says: requests a second, and milliseconds within which half and nearly all were answered."""
    rate: float
    half: float
    nearly_all: float
    cost: float  # microseconds of processors that the server takes for a request, wherever it waits
    best: float  # rate of several loads; the others are medians


def milliseconds(text):
    number, unit = re.fullmatch(r'([\d.]+)(us|ms|s|m)', text).groups()
    return float(number) * {'us': 1e-3, 'ms': 1, 's': 1e3, 'm': 6e4}[unit]


def load(server, path, connections, seconds, script):
    command = ['wrk', '-t1', f'-c{connections}', f'-d{seconds}s', '--latency', '--timeout', '60s']
    before = server.processor_time()
    said = subprocess.run([*command, *script, f'http://127.0.0.1:{server.port}{path}'],
                          capture_output=True, text=True).stdout
    server.settle()
    rate = re.search(r'Requests/sec: +([\d.]+)', said)
    if not rate or 'Non-2xx' in said or 'Socket errors' in said:
        raise RuntimeError(f'{server.name}, {path}: wrk says\n{said}')
    half, nearly_all = (milliseconds(re.search(rf' {share}% +(\S+)', said)[1]) for share in (50, 99))
    count = int(re.search(r'(\d+) requests in', said)[1])
    cost = 1e6 * (server.processor_time() - before) / max(count, 1)
    return Load(float(rate[1]), half, nearly_all, cost, float(rate[1]))


def median_load(loads):
    names = ('rate', 'half', 'nearly_all', 'cost')
    return Load(*(statistics.median(getattr(each, name) for each in loads) for name in names),
                best=max(each.best for each in loads))


def targets(running, case, folder):
    """What is loaded, by name: a server, a path, what wrk is told of the request.

    The empty server takes and sends as many bytes as ours; with a small case, it is also asked for nothing by GET.
    """
    size = check(case, running)
    post = ['-s', str(folder / 'post.lua')]
    found = {server.name: (server, f'/{size}' if server.name == EMPTY else '/v1/conv', post) for server in running}
    return {BARE: (found[EMPTY][0], '/0', []), **found} if case.small else found


def output_of(server, case):
    """What it computes, and the size of its reply."""
    status, headers, reply = servers.exchange(server.port, '/v1/conv', case.body, case.headers)
    if status != 200:
        raise RuntimeError(f'{server.name}, {case.title}: {status} {reply[:200]}')
    at = headers.get(LENGTH)
    output = numpy.frombuffer(reply, '<f4', -1, int(at)) if at else numpy.ravel(json.loads(reply)['output'])
    return output, len(reply)


def check(case, running):
    """Holds everybody's output to ours; returns the size of our reply."""
    ours, size = output_of(next(server for server in running if server.name == LAYERD), case)
    for server in running:
        if server.name not in (EMPTY, LAYERD):
            output, _ = output_of(server, case)
            if output.shape != ours.shape or abs(output - ours).max() > 1e-5 * abs(ours).max():
                raise RuntimeError(f'{server.name} computes something else: {case.title}')
    return size


def measure(case, connections, running, options, folder):
    """The median load of each target."""
    case.write(folder)
    loaded = targets(running, case, folder)
    loads = {name: [] for name in loaded}
    seconds = options.seconds * (1 if case.small else 2)
    for _ in range(options.rounds):
        for name, (server, path, script) in loaded.items():
            loads[name].append(load(server, path, connections, seconds, script))
    return {name: median_load(each) for name, each in loads.items()}


def start_all(names):
    """The servers that are installed, sentences about those that are not, and seconds to the first answer."""
    first = CASES[0]
    running, missing, starts = [], [], {}
    for name in names:
        try:
            for left in reversed(range(1 if name == EMPTY else STARTS)):
                server = servers.Server(name, '/0' if name == EMPTY else '/v1/conv', first.body, first.headers)
                starts.setdefault(name, []).append(server.first_answer)
                if left:
                    server.end()
        except FileNotFoundError as error:
            missing.append(f'{name} is left out: {error}')
            continue
        running.append(server)
    return running, missing, {name: statistics.median(each) for name, each in starts.items()}


def ratio(mine, other):
    """Of the medians, and in brackets of the best."""
    if not other.rate:
        return 'it answered none in time'
    return f'{mine.rate / other.rate:.2f} ({mine.best / other.best:.2f})'


def case_table(loads):
    """One line a server; how many times as fast ours is."""
    lines = []
    for name in loads[CONNECTIONS[0]]:
        cells = []
        for connections in CONNECTIONS:
            mine, its = loads[connections][LAYERD], loads[connections][name]
            cells += [f'{its.rate:,.0f}', ratio(mine, its),
                      f'{its.half:.3g}', f'{its.nearly_all:.3g}', f'{its.cost:,.0f}']
        lines.append([name, *cells])
    titles = [f'{title}, {connections} conn.' for connections in CONNECTIONS
              for title in ('per second', 'layerd / this', 'p50 ms', 'p99 ms', 'processor µs')]
    return results.table(['server', *titles], lines)


def empty_table(measured):
    """How near serving a small request comes to replying nothing."""
    lines = []
    for case in measured:
        for connections, loads in measured[case].items():
            if case.small:
                ours, bare, same = (loads[name] for name in (LAYERD, BARE, EMPTY))
                lines.append([case.title, connections, f'{ours.rate:,.0f}', f'{bare.rate:,.0f}', ratio(ours, bare),
                              f'{same.rate:,.0f}', ratio(ours, same), f'{bare.cost / ours.cost:.2f}'])
    return results.table(['request', 'connections', 'layerd, per second', BARE, 'layerd / this',
                          'as many bytes, empty', 'layerd / this',
                          'processor time: GET / layerd'], lines)


def footprint_table(running, starts, idle):
    lines = []
    for server in running:
        if server.name != EMPTY:
            mega = (idle[server.name], server.memory(), servers.installed_size(server.name))
            lines.append([server.name, f'{1e3 * starts[server.name]:.0f}', *(f'{size / 1e6:.1f}' for size in mega)])
    return results.table(['server', 'start to first answer, ms', 'memory idle, MB', 'after the loads, MB',
                          'installed, MB'], lines)


EXPLANATION = '''wrk with one thread on the same machine; medians of {rounds} loads of {seconds} s (large tensors: twice as
long), the servers taking turns, none of them logging requests; ratios also of the best loads, in brackets. Peers run one
process a core. The *empty libmicrohttpd reply* takes the same bytes and sends as many as layerd, but computes nothing.
*Processor µs* is what a server computes for a request, which holds also where others want the processors. Every output
was compared with layerd's first.
'''
MEMORY = '''Memory is of all processes of a server, pages that they share counted once. Installed are its packages with all
that they depend upon, the C library and Python or node included.
'''


def report(measured, footprint, options):
    parts = [EXPLANATION.format(rounds=options.rounds, seconds=options.seconds),
             '### Against an empty reply\n', empty_table(measured)]
    for case, loads in measured.items():
        parts += [f'### {case.title}\n', case_table(loads)]
    parts += ['### Footprint\n', footprint, MEMORY]
    return '\n'.join(parts)


def read_options():
    parser = argparse.ArgumentParser(description='Loads the daemon and its peers on loopback with wrk, in turns. '
                                     'A run of all cases by all servers also writes RESULTS.md.')
    parser.add_argument('--seconds', type=int, default=2, help='of each load')
    parser.add_argument('--rounds', type=int, default=3, help='in how many turns')
    parser.add_argument('--cases', default='', help='a part of their titles, as 28 or binary')
    parser.add_argument('--peers', default='', help='a part of their names, as node; none for none')
    return parser.parse_args()


def wanted_servers(part):
    return [name for name in servers.PROGRAMS if name in (EMPTY, LAYERD) or part in name]


def run(running, options):
    """Loads by case, connections and target."""
    measured = {case: {} for case in CASES if options.cases in case.title}
    with tempfile.TemporaryDirectory() as folder:
        for case, by_connections in measured.items():
            for connections in CONNECTIONS:
                by_connections[connections] = measure(case, connections, running, options, Path(folder))
                for name, each in by_connections[connections].items():
                    print(f'{case.title:31} {connections:2} conn. {name:28} {each.rate:9.0f}/s  '
                          f'p50 {each.half:8.3f}  p99 {each.nearly_all:8.3f} ms  cpu {each.cost:8.0f} µs', flush=True)
    return measured


def main():
    options = read_options()
    busy = os.getloadavg()[0]
    running, missing, starts = start_all(wanted_servers(options.peers))
    try:
        idle = {server.name: server.memory() for server in running}
        measured = run(running, options)
        footprint = footprint_table(running, starts, idle)
    finally:
        for server in running:
            server.end()
    text = report(measured, footprint, options)
    print('\n'.join(['', text, *missing]))
    if not options.cases and not options.peers:
        said = [servers.version(server.name) for server in running if server.name in servers.INSTALLED] + missing
        results.write('Service', results.circumstances(results.command('bench-service'), said, busy) + '\n' + text)


if __name__ == '__main__':
    main()
