#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library's pages: everything is documented, nothing is warned of, each function has its page.
Usage: test-docs.py GI_DOCGEN CONFIG GIR HEADERS. Prints TAP."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import done, result

DOCGEN, CONFIG, GIR, HEADERS = sys.argv[1:5]


def call(command, *words):
    done_ = subprocess.run([DOCGEN, command, '--quiet', '--fatal-warnings', '--config', CONFIG, *words, GIR],
                           capture_output=True, text=True, timeout=120)
    output = (done_.stdout + done_.stderr).strip()
    return (done_.returncode or output) and f'exit status {done_.returncode}\n{output}'


def without_page(folder):
    """Functions of the public headers that no page speaks of. Those for reading types are not meant."""
    text = ''.join(p.read_text() for p in Path(folder).rglob('*.html'))
    names = re.findall(r'\b(gst_\w+) \(', ''.join(p.read_text() for p in Path(HEADERS).glob('*vkseg*.h')))
    return '\n'.join(f'{n} has no page' for n in sorted(set(names))
                     if not n.endswith('_get_type') and not re.search(rf'\b{n}\b', text))


with tempfile.TemporaryDirectory() as pages:
    result('everything is documented', call('check'))
    if result('pages are made without a warning', call('generate', '--no-namespace-dir', '--output-dir', pages)):
        result('each function has one', without_page(pages))
done()
