"""The contenders of the service benchmark: processes that serve HTTP on a port of 127.0.0.1.

SPDX-License-Identifier: MIT
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

from contenders import HERE, ORT_MODULES, OUT, last_error

# Debian packages, with all that they depend upon, and files or folders beside them.
EMPTY, LAYERD, FASTAPI, NODE = 'empty libmicrohttpd reply', 'layerd', 'FastAPI + ujson + torch', 'node + onnxruntime'
PROGRAMS = {
    EMPTY: [OUT / 'tests/bench/peers/empty_server', 'PORT'],
    LAYERD: [OUT / 'layerd', '--listen', '127.0.0.1:PORT', '--drain-delay', '0', '--log', 'off'],
    FASTAPI: ['/usr/bin/python3', '-B', HERE / 'peers/fastapi_server.py', 'PORT'],
    NODE: ['node', HERE / 'peers/ort_server.mjs', 'PORT'],
}
INSTALLED = {
    LAYERD: (['libmicrohttpd12', 'libcjson1'], OUT / 'layerd'),
    FASTAPI: (['python3-fastapi', 'python3-uvicorn', 'python3-ujson', 'python3-uvloop', 'python3-httptools',
               'python3-torch'], None),
    NODE: (['nodejs'], Path(ORT_MODULES)),
}


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def exchange(port, path, body, headers):
    """A POST on a connection of its own: status, headers, body."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    connection.request('POST', path, body, headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read()


class Server:
    """A server that runs; `first_answer` is the seconds from its start to its first reply to that request."""

    def __init__(self, name, path, body, headers):
        self.name = name
        self.port = free_port()
        command = [str(word).replace('PORT', str(self.port)) for word in PROGRAMS[name]]
        began = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True,
                                        env={**os.environ, 'ORT_MODULES': ORT_MODULES})
        while not self._answers(path, body, headers):
            time.sleep(0.001)
        self.first_answer = time.perf_counter() - began

    def _answers(self, path, body, headers):
        if self.process.poll() is not None:
            raise FileNotFoundError(last_error(self.process.stderr.read()))
        try:
            return exchange(self.port, path, body, headers)[0] == 200
        except (ConnectionError, http.client.HTTPException):
            return False

    def processes(self):
        """It and all that it has started, which are of its session: folders in /proc and clock ticks."""
        found = []
        for stat in Path('/proc').glob('[0-9]*/stat'):
            try:
                fields = stat.read_text().rpartition(')')[2].split()
            except OSError:
                continue  # it has just ended
            if int(fields[3]) == self.process.pid and fields[0] != 'Z':
                found.append((stat.parent, int(fields[11]) + int(fields[12])))
        return found

    def processor_time(self):
        """Seconds that all its processes have computed."""
        return sum(ticks for _, ticks in self.processes()) / os.sysconf('SC_CLK_TCK')

    def memory(self):
        """Resident bytes of all its processes; pages that they share count once."""
        texts = [(folder / 'smaps_rollup').read_text() for folder, _ in self.processes()]
        return 1024 * sum(int(re.search(r'^Pss: *(\d+)', text, re.MULTILINE)[1]) for text in texts)

    def settle(self):
        """Waits until it computes no more: clients that have left may leave work behind."""
        before = None
        while (now := self.processor_time()) != before:
            before = now
            time.sleep(0.05)

    def end(self):
        self.process.stdin.close()
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def version(name):
    """Those of its packages, and of onnxruntime."""
    packages, beside = INSTALLED[name]
    said = subprocess.run(['dpkg-query', '--show', '--showformat=${Package} ${Version}, ', *packages],
                          capture_output=True, text=True).stdout
    package = Path(beside or '') / 'node_modules/onnxruntime-node/package.json'
    if package.is_file():
        said += f'onnxruntime-node {json.loads(package.read_text())["version"]}, '
    return f'{name}: {said[:-2]}'


def package_closure(packages):
    text = subprocess.run(
        ['apt-cache', 'depends', '--recurse', '--installed', '--no-recommends', '--no-suggests', '--no-conflicts',
         '--no-breaks', '--no-replaces', '--no-enhances', *packages], capture_output=True, text=True).stdout
    return sorted(set(re.findall(r'^(\w\S*)$', text, re.MULTILINE)))


def installed_size(name):
    """Bytes of its packages with all that they depend upon, and of what comes beside them."""
    packages, beside = INSTALLED[name]
    said = subprocess.run(['dpkg-query', '--show', '--showformat=${Installed-Size}\n', *package_closure(packages)],
                          capture_output=True, text=True).stdout
    size = 1024 * sum(int(line) for line in said.split())
    if beside is not None:
        size += sum(each.stat().st_size for each in ([beside] if beside.is_file() else beside.rglob('*')))
    return size
