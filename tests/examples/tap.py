# SPDX-License-Identifier: LGPL-2.1-or-later
"""Results as TAP, for the tests beside this file."""
import os
import sys

NO_DEVICE = 'no Vulkan device'
_n_done = 0


def result(name, problem, skip=None):
    """One result: problem is false, or what is wrong. Returns whether things can go on from here."""
    global _n_done
    _n_done += 1
    print(f'{"not ok" if problem else "ok"} {_n_done} - {name}'.replace('#', '')
          + (f' # SKIP {skip}' if skip else ''))
    for line in str(problem or '').splitlines():
        print(f'#   {line}')
    sys.stdout.flush()
    return not problem and not skip


def lacks_device(output):
    """Whether a program failed for want of a Vulkan device where there need not be one."""
    return NO_DEVICE in output and 'VKSEG_TEST_NEED_DEVICE' not in os.environ


def done():
    print(f'1..{_n_done}')
