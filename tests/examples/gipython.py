# SPDX-License-Identifier: LGPL-2.1-or-later
"""A Python for programs by GObject introspection, for the tests beside this file."""
import subprocess
import sys


def find_python(**namespaces):
    """One that has the namespaces, NAME='VERSION'; or None. Debian's, where the tests' own is another."""
    program = ('import gi\n' + ''.join(f'gi.require_version({n!r}, {v!r})\n' for n, v in namespaces.items())
               + f'from gi.repository import {", ".join(namespaces)}')
    for python in (sys.executable, '/usr/bin/python3'):
        if subprocess.run([python, '-c', program], capture_output=True).returncode == 0:
            return python
    return None
