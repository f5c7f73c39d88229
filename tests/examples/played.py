# SPDX-License-Identifier: LGPL-2.1-or-later
"""What programs that open /dev/video10 of video-devices.c would see, for test-pipelines.py."""
import math
import statistics

WIDTH, HEIGHT = 160, 120  # the cameras' own
ROW, FRAME = WIDTH * 2, WIDTH * HEIGHT * 2
BLUE, GREY = 240, 128  # their U
BLUE_WIDTH, CONTRAST = 48, 120  # of the blue, and of the stripes behind it


def look(frame):
    """Of a frame's middle row, by two pixels: where U is blue, and the contrast of what is grey."""
    row = frame[HEIGHT // 2 * ROW:][:ROW]
    pairs = list(zip(row[0::4], row[1::4]))
    blue = [i for i, (_, u) in enumerate(pairs) if u > BLUE - 16]
    grey = [y for y, u in pairs if abs(u - GREY) < 2]
    steps = [abs(a - b) for a, b in zip(grey, grey[1:])]
    return blue, statistics.median(steps or [math.inf])


def problem(path):
    """What is wrong with what a recipe has played, whose network takes blue for a person: that moves, is as
    wide as it was, and the stripes behind it are blurred. They are not gone, since the network gives grey a
    person's share of 0.65."""
    header, _, data = path.read_bytes().partition(b'\n')
    if header != b'YUYV %dx%d' % (WIDTH, HEIGHT) or len(data) % FRAME:
        return f'played: {header}, {len(data)} bytes'
    seen = [look(data[at:at + FRAME]) for at in range(0, len(data), FRAME)]
    if len({blue[0] for blue, _ in seen if blue}) < 2:
        return f'played: {len(seen)} frames, the blue is at {[blue[:1] for blue, _ in seen]}'
    if any(abs(2 * len(blue) - BLUE_WIDTH) > 8 or contrast > 0.75 * CONTRAST for blue, contrast in seen):
        return f'played: widths of the blue, contrasts: {[(2 * len(blue), contrast) for blue, contrast in seen]}'
    return None
