#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts the results that meson wrote: summary.py MESON_LOGS STATUS
STATUS is meson test's exit status. A test that reports in TAP counts as its results, any other
as one; one that crashed or ran out of time after results that were good is one failure more.
Prints why some were skipped, what failed with the end of what it said, then
"N passed, N failed, N skipped"; exits 1 if anything failed."""
import collections
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

SKIP = re.compile(r'^\s*(?:ok|1\.\.0)\b.*# *skip:? *(.*)$', re.IGNORECASE | re.MULTILINE)
NOT_XML = re.compile(r'[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
N_LINES = 25  # of each stream of a failed test


def count(path):
    """How many results of each kind; what failed; the names of tests whose results say so; and of those that meson
    says nothing bad of, without results of their own: one that ran out of time is among them."""
    n = {'passed': 0, 'failed': 0, 'skipped': 0}
    why = collections.Counter()
    failures, told, alone = [], set(), set()
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            # meson writes what a test printed as it is, colours too; XML has no such characters.
            root = ElementTree.fromstring(NOT_XML.sub('?', f.read()))
    except (OSError, ElementTree.ParseError) as e:
        print(f'summary.py: {path}: {e}')
        return n, failures, told, alone
    for suite, case in ((s, c) for s in root.iter('testsuite') for c in s.iter('testcase')):
        bad = case.find('failure') is not None or case.find('error') is not None
        result = 'failed' if bad else 'skipped' if case.find('skipped') is not None else 'passed'
        n[result] += 1
        if bad:
            failures.append(f'{case.get("classname")}: {case.get("name")}')
            told |= {suite.get('name').partition('.')[2], case.get('name')}  # in TAP, and not
        elif result == 'passed' and '.' not in case.get('classname'):
            alone.add(case.get('name'))
    for output in root.iter('system-out'):
        why.update(reason.strip() for reason in SKIP.findall(output.text or ''))
    for reason, times in sorted(why.items()):
        print(f'skipped, {times}: {reason or "no reason"}')
    return n, failures, told, alone


def print_ends(path, told):
    """How each failed test ended. Returns the names of those that have no failure among their results."""
    untold = set()
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            tests = [json.loads(line) for line in f]
    except (OSError, ValueError) as e:
        print(f'summary.py: {path}: {e}')
        return untold
    for test in tests:
        if test['result'] in ('OK', 'SKIP', 'EXPECTEDFAIL'):
            continue
        if test['name'] not in told:
            untold.add(test['name'])
        print(f'failed: {test["name"]}: {test["result"]} after {test["duration"]:.0f} s, '
              f'status {test["returncode"]}')
        for stream in ('stdout', 'stderr'):
            for line in test.get(stream, '').splitlines()[-N_LINES:]:
                print(f'    {line}')
    return untold


def main():
    n, failures, told, alone = count(os.path.join(sys.argv[1], 'testlog.junit.xml'))
    for failure in failures:
        print(f'failed: {failure}')
    if sys.argv[2] != '0':
        untold = print_ends(os.path.join(sys.argv[1], 'testlog.json'), told)
        n['passed'] -= len(untold & alone)
        n['failed'] = max(n['failed'] + len(untold), 1)
    if n['passed'] == 0 and n['failed'] == 0:
        n['failed'] = 1  # nothing ran
    print(f'{n["passed"]} passed, {n["failed"]} failed, {n["skipped"]} skipped')
    return 1 if n['failed'] else 0


sys.exit(main())
