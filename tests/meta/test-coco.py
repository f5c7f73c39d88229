#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Masks as COCO's run lengths and as polygons, decoded by readers of their own and compared with the
pixels. Usage: test-coco.py COCO_CASES"""
import json
import subprocess
import sys


def counts_of(text):
    """The compressed form: groups of 5 bits, lowest first; 32 says that another follows, the sign is
    in the last; from the fourth length on the difference to the one before the last."""
    counts, at = [], 0
    while at < len(text):
        value, shift, more = 0, 0, True
        while more:
            c = ord(text[at]) - 48
            assert 0 <= c < 64, f'character {text[at]!r}'
            at += 1
            value |= (c & 31) << shift
            shift += 5
            more = bool(c & 32)
            if not more and c & 16:
                value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    return counts


def pixels_of(counts, height, width):
    """Rows of 0 and 1, from lengths that run down the columns."""
    flat = []
    for i, n in enumerate(counts):
        assert n >= 0, counts
        flat += [i % 2] * n
    assert len(flat) == width * height, f'{len(flat)} pixels, not {width}x{height}'
    return [[flat[x * height + y] for x in range(width)] for y in range(height)]


def area(points):
    n = len(points)
    return sum(points[i][0] * points[(i + 1) % n][1] - points[(i + 1) % n][0] * points[i][1]
               for i in range(n)) / 2


def fill(polygons, height, width):
    """Even-odd, by the vertical sides of each polygon."""
    rows = [[0] * (width + 1) for _ in range(height)]
    for p in polygons:
        points = p['pairs']
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
            assert x0 == x1 or y0 == y1, 'a side that is not along the pixels'
            if x0 == x1:
                for y in range(min(y0, y1), max(y0, y1)):
                    rows[y][x0] ^= 1
    for row in rows:
        inside = 0
        for x in range(width + 1):
            inside ^= row[x]
            row[x] = inside
    return [row[:width] for row in rows]


def contains(outer, x, y):
    """Whether the corner region just right-below of a point is inside, by the sides to its left."""
    points = outer['pairs']
    return sum(1 for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1])
               if x0 == x1 and x0 <= x and min(y0, y1) <= y < max(y0, y1)) % 2 == 1


def check(size, text, line):
    width, height = size
    want = [[int(c) for c in text[y * width:(y + 1) * width]] for y in range(height)]
    frame = json.loads(line, parse_constant=lambda c: sys.exit(f'JSON with {c}'))
    assert frame['pts'] == 40 and frame['type'] == 'instance', frame
    instance, = frame['instances']
    assert instance['label'] == 'a "quoted"\n\\ \u00e4 label' and instance['class_id'] == 3
    assert instance['track_id'] is None and 0 <= instance['score'] <= 1
    x, y, w, h = instance['box']
    assert x >= 0 and y >= 0 and x + w <= width + 0.02 and y + h <= height + 0.02, instance['box']
    assert instance['segmentation']['size'] == [height, width]
    got = pixels_of(counts_of(instance['segmentation']['counts']), height, width)
    assert got == want, f'run lengths: {got} and not {want}'
    polygons = instance['polygons']
    for p in polygons:
        p['pairs'] = list(zip(p['points'][::2], p['points'][1::2]))
    got = fill(polygons, height, width)
    assert got == want, f'polygons: {got} and not {want}'
    for i, p in enumerate(polygons):
        assert (area(p['pairs']) < 0) == p['hole'], f'polygon {i} runs the wrong way'
        if not p['hole']:
            assert p['parent'] == -1
            continue
        outer = polygons[p['parent']]
        assert p['parent'] < i and not outer['hole'], f'polygon {i} is in {p["parent"]}'
        x, y = min(p['pairs'], key=lambda q: (q[1], q[0]))
        assert contains(outer, x, y), f'polygon {i} is not inside {p["parent"]}'
    return sum(map(sum, want)), sum(1 for p in polygons if p['hole'])


# Strings, and the lengths that COCO's format makes of them by hand: a square, all, nothing, signs.
KNOWN = [('52203', [5, 2, 2, 2, 5]), ('06', [0, 6]), ('6', [6]), ('T3`n15P]R2L', [100, 2000, 5, 70000, 1])]


def main():
    run = subprocess.run([sys.argv[1]], stdout=subprocess.PIPE, check=True, encoding='utf-8')
    lines = run.stdout.splitlines()
    failed, covered, holes = 0, 0, 0
    print(f'1..{len(lines) // 2 + 1}')
    for i in range(0, len(lines), 2):
        width, height, text = lines[i].split(' ')
        try:
            n, h = check((int(width), int(height)), text, lines[i + 1])
            covered += n > 0
            holes += h
            print(f'ok {i // 2 + 1} - {width}x{height}')
        except AssertionError as e:
            failed += 1
            print(f'not ok {i // 2 + 1} - {width}x{height}\n# {e}\n# {lines[i + 1]}')
    enough = len(lines) >= 600 and covered > 150 and holes > 50
    known = all(counts_of(t) == c for t, c in KNOWN)
    print(f'{"ok" if enough and known else "not ok"} {len(lines) // 2 + 1} - '
          f'known vectors, {covered} masks with pixels, {holes} holes')
    return failed > 0 or not enough or not known


if __name__ == '__main__':
    sys.exit(main())
