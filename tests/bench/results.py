"""RESULTS.md: a section for each benchmark, each told with the machine that it ran on.

SPDX-License-Identifier: MIT
"""

import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

FILE = Path(__file__).parent / 'RESULTS.md'
PREAMBLE = '''# Results

What `make bench-layers` and `make bench-service` measured; each writes its own section. Contenders take turns within
one run, so that whatever else the machine does meets all of them: ratios hold where times do not.
'''


def processor():
    found = re.search(r'^model name\s*: (.*)$', Path('/proc/cpuinfo').read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def instruction_sets():
    words = Path('/proc/cpuinfo').read_text().split()
    return 'AVX-512' if 'avx512f' in words else 'AVX2' if 'avx2' in words else 'neither AVX2 nor AVX-512'


def said_by(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def command(target):
    """What makes these results again."""
    arguments = ' '.join(sys.argv[1:])
    return f'make {target} ARGS="{arguments}"' if arguments else f'make {target}'


def circumstances(made_by, versions, busy):
    """When, where, of what, and how to do it again; `busy` is the load average before."""
    return f'''- {datetime.date.today()}, commit {said_by('git', 'rev-parse', '--short=10', 'HEAD')}, `{made_by}`
- {len(os.sched_getaffinity(0))} cores of {processor()} ({instruction_sets()}), Linux {platform.release()}, \
{said_by('gcc', '--version').splitlines()[0]}
- {f'the cores were shared: load average before the run {busy:.1f}' if busy > 0.5 else 'a quiet machine'}
- {', '.join(versions)}
'''


def table(titles, rows):
    """In Markdown; the first column is text, the others are numbers."""
    lines = [titles, ['---'] + ['---:'] * (len(titles) - 1), *rows]
    return ''.join('| ' + ' | '.join(map(str, line)) + ' |\n' for line in lines)


def write(title, text):
    """Puts a section in its place, or at the end; the others stay as they are."""
    old = FILE.read_text() if FILE.exists() else PREAMBLE
    preamble, *sections = re.split(r'^(?=## )', old, flags=re.MULTILINE)
    section = f'## {title}\n\n{text.strip()}\n'
    kept = [each.strip() + '\n' for each in sections if not each.startswith(f'## {title}\n')]
    FILE.write_text('\n'.join([PREAMBLE, *sorted([*kept, section])]))
