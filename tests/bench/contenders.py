"""The contenders of the layer benchmark: processes that speak the lines of peers/peer.h.

SPDX-License-Identifier: MIT
"""

import os
import subprocess
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
OUT = Path(os.environ.get('OUT', 'build/release'))
ORT_MODULES = os.path.abspath(os.environ.get('ORT_MODULES', 'build/peers'))

PROGRAMS = {
    'layer': [OUT / 'tests/bench/peers/layer_peer'],
    'dnnl': [OUT / 'tests/bench/peers/dnnl_peer'],
    'torch': ['/usr/bin/python3', '-B', HERE / 'peers/torch_peer.py'],
    'ort': ['node', HERE / 'peers/ort_peer.mjs'],
    'opencv': ['/usr/bin/python3', '-B', HERE / 'peers/opencv_peer.py'],
}

# Everyone's large memory lies in huge pages where the system leaves that to programs.
HUGE_PAGES = {'GLIBC_TUNABLES': 'glibc.malloc.hugetlb=1'}


class Missing(Exception):
    """A contender is not installed."""


def last_error(text):
    return next((line for line in reversed(text.splitlines()) if 'Error' in line), 'it does not start')


class Contender:
    """A running process; it computes with so many threads, and is idle unless asked."""

    def __init__(self, name, threads):
        self.name = name
        environment = {**os.environ, 'OMP_NUM_THREADS': str(threads), 'ORT_MODULES': ORT_MODULES, **HUGE_PAGES}
        try:
            self.process = subprocess.Popen(
                [*PROGRAMS[name], str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True, env=environment)
        except FileNotFoundError as error:
            raise Missing(error.filename) from error
        self.version = self.process.stdout.readline().strip()
        if not self.version:
            raise Missing(last_error(self.process.stderr.read()))
        self.variants = self.process.stdout.readline().split()

    def tell(self, *words):
        print(*words, file=self.process.stdin, flush=True)

    def hear(self):
        """The answer's words."""
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f'{self.name} ended: {self.process.stderr.read()}')
        return answer.split()

    def ask(self, *words):
        self.tell(*words)
        return self.hear()

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def wanted_variants(name, variants, wishes):
    """Those of the contender that a wish names: `layer` and `layer:auto` are one, `layer:*` all it has."""
    if name == 'layer':
        wishes = ['layer:auto' if wish == 'layer' else wish for wish in wishes]
    return [variant for variant in variants
            if any(wish == name or fnmatch(f'{name}:{variant}', wish) for wish in wishes)]


def start(wishes, threads):
    """Those wished for that are installed, and sentences about those that are not."""
    started, missing = [], []
    for name in PROGRAMS:
        if any(wish.split(':')[0] == name for wish in wishes):
            try:
                started.append(Contender(name, threads))
            except Missing as reason:
                missing.append(f'{name} is left out: {reason}')
    return started, missing
