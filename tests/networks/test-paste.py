#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The loop that pastes masks: test-paste.py VKSEG [PLUGINS]. Written as torchvision exports it, of opset 14 as it
does with PyTorch 2.11, over the rows that scores choose, it has to become one PasteMasks and give what
the same steps give in numpy, for many, one and no masks, for boxes that reach beyond the picture and for
empty ones. A loop in which any of its steps is another has to stay, and give what those steps give, or
nothing where its rounds do not go together. With PLUGINS, instead, vksegment reads detectors in the layouts of several exporters, whose
answers are the picture's mean times known tables. Needs python3-onnx."""
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MANY, SIDE, HEIGHT, WIDTH = 12, 5, 20, 33

# What may be another: rows are counted wrongly, a size or a limit is one off, limits are exchanged,
# the interpolation, what is around the mask, which element of the box, what each round begins with.
VARIANTS = [{'grow': 0}, {'grow': 2, 'past': 2}, {'least': 2}, {'past': 2}, {'low': 1}, {'limit': 1}, {'smaller': True},
            {'mode': 'nearest'}, {'coordinates': 'align_corners'}, {'fill': 0.5}, {'column': 1},
            {'turned': True}, {'until': 1}]


def steps(variant):
    usual = {'grow': 1, 'least': 1, 'past': 1, 'low': 0, 'limit': 0, 'smaller': False,
             'mode': 'linear', 'coordinates': 'half_pixel', 'fill': 0.0, 'column': 0, 'turned': False,
             'until': 0}
    return {**usual, **variant}


class Writer:
    """Nodes of a graph, with constants as they come."""

    def __init__(self, opset, prefix):
        self.opset, self.prefix, self.nodes = opset, prefix, []

    def op(self, kind, *inputs, **attributes):
        name = f'{self.prefix}{len(self.nodes)}'
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def const(self, value, dtype):
        return self.op('Constant', value=numpy_helper.from_array(np.array(value, dtype)))

    def ints(self, *values):
        return self.const(values, np.int64)

    def number(self, value):
        return self.const(value, np.int64)

    def wrap(self, x, axis=0):
        if self.opset < 13:
            return self.op('Unsqueeze', x, axes=[axis])
        return self.op('Unsqueeze', x, self.ints(axis))

    def extreme(self, kind, x, value):
        return self.op(kind, self.op('Concat', x, self.ints(value), axis=0), keepdims=0)

    def extent(self, x, axis):
        return self.op('Gather', self.op('Shape', x), self.number(axis), axis=0)

    def shape(self, *extents):
        return self.op('Concat', *[self.wrap(e) for e in extents], axis=0)

    def zeros(self, value, *extents):
        return self.op('ConstantOfShape', self.shape(*extents),
                       value=numpy_helper.from_array(np.array([value], np.float32)))

    def all_of(self, x, axis):
        """A cut that leaves all."""
        return self.op('Slice', x, self.ints(0), self.ints(2**63 - 1), self.ints(axis), self.ints(1))

    def cut(self, x, axis, start, end):
        return self.op('Slice', x, self.wrap(start), self.wrap(end), self.ints(axis), self.ints(1))


def body(opset, s, every_axis=False):
    """A round: the mask of the box, resized, cut, and framed with zeros."""
    w = Writer(opset, 'b')
    mask = w.op('Gather', w.op('Gather', 'padded', 'i', axis=0), w.number(0), axis=0)
    box = w.op('Gather', 'whole', 'i', axis=0)
    x0, y0, x1, y1 = (w.op('Gather', box, w.number(k), axis=0) for k in (s['column'], 1, 2, 3))
    width, height = (w.extreme('ReduceMax', w.op('Add', w.op('Sub', b, a), w.ints(s['grow'])),
                               s['least']) for a, b in ((x0, x1), (y0, y1)))
    sizes = w.shape(w.number(1), w.number(1), w.extent(mask, 0), w.extent(mask, 1))
    one = w.op('ConstantOfShape', w.op('Shape', sizes),
               value=numpy_helper.from_array(np.array([1], np.int64)))
    free = w.op('Equal', sizes, w.op('Mul', one, w.number(-1)))
    mask = w.op('Expand', mask, w.op('Where', free, one, sizes))
    to = w.shape(*((width, height) if s['turned'] else (height, width)))
    front = w.op('Slice', w.op('Shape', mask), w.ints(0), w.ints(2), w.ints(0))
    sizes = w.op('Concat', front, w.op('Cast', to, to=T.INT64), axis=0)
    none = '' if opset >= 13 else w.const([], np.float32)
    mask = w.op('Resize', mask, none, none, sizes, mode=s['mode'], nearest_mode='floor',
                coordinate_transformation_mode=s['coordinates'])
    mask = w.op('Gather', w.op('Gather', mask, w.number(0), axis=0), w.number(0), axis=0)
    low = 'ReduceMin' if s['smaller'] else 'ReduceMax'
    left, top = (w.extreme(low, w.wrap(a), s['low']) for a in (x0, y0))
    right, bottom = (w.extreme('ReduceMin', w.op('Add', w.wrap(b), w.ints(s['past'])), n)
                     for b, n in ((x1, WIDTH - s['limit']), (y1, HEIGHT - s['limit'])))
    mask = w.cut(mask, 0, w.op('Sub', top, y0), w.op('Sub', bottom, y0))
    mask = w.cut(mask, 1, w.op('Sub', left, x0), w.op('Sub', right, x0))
    wide = w.extent(mask, 1)
    above = w.zeros(s['fill'], top, wide)
    below = w.zeros(s['fill'], w.op('Sub', w.number(HEIGHT), bottom), wide)
    mask = w.op('Concat', above, w.op('Cast', mask, to=T.FLOAT), below, axis=0)
    mask = w.cut(mask, 0, w.number(0), w.number(HEIGHT))
    mask = w.all_of(mask, 1) if every_axis else mask
    high = w.extent(mask, 0)
    before = w.zeros(s['fill'], high, left)
    after = w.zeros(s['fill'], high, w.op('Sub', w.number(WIDTH), right))
    mask = w.op('Concat', before, mask, after, axis=1)
    mask = w.all_of(mask, 0) if every_axis else mask
    mask = w.cut(mask, 1, w.number(0), w.number(WIDTH))
    result = w.op('Concat', 'so_far', w.wrap(mask), axis=0)
    more = w.const(True, np.bool_)
    formal = [helper.make_tensor_value_info('i', T.INT64, []),
              helper.make_tensor_value_info('cond', T.BOOL, []),
              helper.make_tensor_value_info('so_far', T.FLOAT, [None] * 3)]
    made = [helper.make_tensor_value_info(more, T.BOOL, []),
            helper.make_tensor_value_info(result, T.FLOAT, [None] * 3)]
    return helper.make_graph(w.nodes, 'body', formal, made)


def network(opset, s, every_axis=False):
    """masks [MANY,1,SIDE,SIDE], boxes [MANY,4], scores [MANY] -> pasted [n,1,HEIGHT,WIDTH]."""
    w = Writer(opset, 'v')
    rows = w.op('NonZero', w.op('Greater', 'scores', w.const(0, np.float32)))
    rows = w.op('Reshape', rows, w.ints(-1))
    masks = w.op('Sigmoid', w.op('Gather', 'masks', rows, axis=0))
    pads = w.ints(0, 0, 1, 1, 0, 0, 1, 1)
    w.nodes.append(helper.make_node('Pad', [masks, pads], ['padded']))
    boxes = w.op('Gather', 'boxes', rows, axis=0)
    w.nodes.append(helper.make_node('Cast', [boxes], ['whole'], to=T.INT64))
    count = w.op('Sub', w.extent('padded', 0), w.number(s['until'])) if s['until'] \
        else w.extent('padded', 0)
    looped = w.op('Loop', count, w.const(True, np.bool_),
                  w.const(np.zeros((0, HEIGHT, WIDTH)), np.float32), body=body(opset, s, every_axis))
    w.nodes[-1].name = 'pasting'
    result = w.wrap(looped, 1)
    w.nodes.append(helper.make_node('Identity', [result], ['pasted']))
    inputs = [helper.make_tensor_value_info(*i) for i in
              (('masks', T.FLOAT, [MANY, 1, SIDE, SIDE]), ('boxes', T.FLOAT, [MANY, 4]),
               ('scores', T.FLOAT, [MANY]))]
    graph = helper.make_graph(w.nodes, 'paste', inputs,
                              [helper.make_tensor_value_info('pasted', T.FLOAT, [None] * 4)])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid('', opset)])
    onnx.checker.check_model(model)
    return model


def resized(mask, height, width, s):
    """Along one axis, then along the other."""
    for axis, size in ((0, height), (1, width)):
        n = mask.shape[axis]
        at = np.arange(size)
        x = at * (n - 1) / max(size - 1, 1) if s['coordinates'] == 'align_corners' \
            else (at + 0.5) * n / size - 0.5
        x = np.clip(x, 0, n - 1)
        low = x.astype(int)
        part = (x - low if s['mode'] == 'linear' else x * 0).reshape([-1, 1] if axis == 0 else [1, -1])
        mask = (np.take(mask, low, axis) * (1 - part)
                + np.take(mask, np.minimum(low + 1, n - 1), axis) * part)
    return mask


def pasted(mask, box, s):
    """The steps of a round."""
    x0, y0, x1, y1 = (int(box[k]) for k in (s['column'], 1, 2, 3))
    width, height = (max(b - a + s['grow'], s['least']) for a, b in ((x0, x1), (y0, y1)))
    if s['turned']:
        width, height = height, width
    mask = resized(np.pad(mask, 1), height, width, s)
    left, top = ((min if s['smaller'] else max)(a, s['low']) for a in (x0, y0))
    right, bottom = (min(b + s['past'], n - s['limit']) for b, n in ((x1, WIDTH), (y1, HEIGHT)))
    mask = mask[top - y0:bottom - y0, left - x0:right - x0]

    def filled(*size):
        return np.full(size, s['fill'])
    mask = np.concatenate([filled(top, mask.shape[1]), mask,
                           filled(HEIGHT - bottom, mask.shape[1])])[:HEIGHT]
    return np.concatenate([filled(mask.shape[0], left), mask,
                           filled(mask.shape[0], WIDTH - right)], axis=1)[:, :WIDTH]


def boxes(inside):
    """Also around the picture, in part or not at all on it, and without a width."""
    random = np.random.RandomState(5)
    corner = random.uniform(1, [20, 10], (MANY, 2))
    found = np.concatenate([corner, corner + random.uniform(3, [11, 8], (MANY, 2))], 1)
    if not inside:
        found[:8] = [[-9, -7, 50, 60], [-5, 3, 4.5, 9.9], [30, 18, 40, 27], [40, 5, 50, 9], [3, -30, 9, -20],
                     [8, 4, 8, 12], [9, 4, 7, 12], [12, 9, 15, 3]]
    return found.astype(np.float32)


class Runner:
    def __init__(self, vkseg, folder):
        self.vkseg, self.folder = vkseg, folder
        self.model = os.path.join(folder, 'm.onnx')

    def inputs(self, values):
        arguments = []
        for name, value in values.items():
            path = os.path.join(self.folder, f'{name}.npy')
            np.save(path, value)
            arguments += ['--input', f'{name}={path}']
        return arguments

    def operators(self, values):
        run = subprocess.run([self.vkseg, 'bench', self.model, '--runs', '1', '--per-layer', '--json']
                             + self.inputs(values), capture_output=True, text=True, check=True)
        return [layer['op'] for layer in json.loads(run.stdout)['layers']
                if layer['node'] == 'pasting']

    def check(self, values, s, precision):
        """What is wrong, or None."""
        masks = 1 / (1 + np.exp(-values['masks'].astype(np.float64)))
        rows = np.flatnonzero(values['scores'] > 0)
        rows = rows[:len(rows) - s['until']]
        want = [pasted(masks[i, 0], values['boxes'][i], s) for i in rows]
        ragged = any(mask.shape != (HEIGHT, WIDTH) for mask in want)
        run = subprocess.run([self.vkseg, 'run', self.model, '--output-dir', self.folder, '--precision',
                              precision] + self.inputs(values), capture_output=True, text=True)
        if run.returncode != 0 or ragged:
            return None if run.returncode == 1 and ragged else f'{ragged}: {run.stderr.strip()}'
        got = np.load(os.path.join(self.folder, 'pasted.npy'))
        want = np.array(want).reshape(-1, 1, HEIGHT, WIDTH)
        if got.shape != want.shape:
            return f'the result is {got.shape}, expected {want.shape}'
        off = np.abs(got - want).max(initial=0)
        return None if off <= (1e-5 if precision == 'fp32' else 2e-3) else f'is off by {off:.2g}'


# --- through an element ----------------------------------------------------------------------

LAYOUTS = ('torchvision', 'Detectron2', 'mmdetection', 'mmdetection, pasted')


def flat(text):
    """Text without the line breaks of this file."""
    return ' '.join(text.split())


def detector(layout, values):
    """From a white picture the objects of `values`, as an exporter writes them."""
    w = Writer(16, 'v')
    mean = w.op('Reshape', w.op('ReduceMean', 'picture', keepdims=0), w.ints(1))
    scores = w.op('Mul', w.const(values['scores'], np.float32), mean)
    rows = w.op('Reshape', w.op('NonZero', w.op('Greater', scores, w.const(0, np.float32))), w.ints(-1))

    def chosen(table, dtype=np.float32):
        return w.op('Gather', w.const(table, dtype), rows, axis=0)
    boxes, labels = chosen(values['boxes']), chosen(np.arange(MANY) % 3 + 1, np.int64)
    masks = w.op('Sigmoid', chosen(values['masks']))
    scores = w.op('Gather', scores, rows, axis=0)
    pads = w.ints(0, 0, 1, 1, 0, 0, 1, 1)
    if layout == 'torchvision' or 'pasted' in layout:
        w.nodes.append(helper.make_node('Pad', [masks, pads], ['padded']))
        w.nodes.append(helper.make_node('Cast', [boxes], ['whole'], to=T.INT64))
        masks = w.wrap(w.op('Loop', w.extent('padded', 0), w.const(True, np.bool_),
                            w.const(np.zeros((0, HEIGHT, WIDTH)), np.float32),
                            body=body(16, steps({}))), 1)
    if layout.startswith('mmdetection'):
        if 'pasted' in layout:
            masks = w.op('Greater', masks, w.const(0.5, np.float32))
        dets = w.wrap(w.op('Concat', boxes, w.wrap(scores, 1), axis=1))
        masks = w.op('Transpose', masks, perm=[1, 0, 2, 3])
        outputs = [('dets', dets, T.FLOAT, 3), ('labels', w.wrap(labels), T.INT64, 2),
                   ('masks', masks, T.BOOL if 'pasted' in layout else T.FLOAT, 4)]
    elif layout == 'Detectron2':
        size = w.op('Identity', w.ints(HEIGHT, WIDTH))
        outputs = [('1834', boxes, T.FLOAT, 2), ('1840', labels, T.INT64, 1),
                   ('1901', masks, T.FLOAT, 4), ('1844', scores, T.FLOAT, 1), ('1902', size, T.INT64, 1)]
    else:
        outputs = [('boxes', boxes, T.FLOAT, 2), ('labels', labels, T.INT64, 1),
                   ('scores', scores, T.FLOAT, 1), ('masks', masks, T.FLOAT, 4)]
    w.nodes += [helper.make_node('Identity', [value], [name]) for name, value, _, _ in outputs]
    picture = helper.make_tensor_value_info('picture', T.FLOAT, [1, 3, HEIGHT, WIDTH])
    graph = helper.make_graph(w.nodes, 'detector', [picture],
                              [helper.make_tensor_value_info(name, dtype, [None] * rank)
                               for name, _, dtype, rank in outputs])
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid('', 16)])
    onnx.checker.check_model(model)
    return model


def decoded(segmentation):
    """COCO's compressed run lengths as a mask."""
    counts, text, at = [], segmentation['counts'], 0
    while at < len(text):
        value = shift = 0
        more = True
        while more:
            bits = ord(text[at]) - 48
            value |= (bits & 31) << shift
            more, shift, at = bits & 32, shift + 5, at + 1
            if not more and bits & 16:
                value |= -1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
    height, width = segmentation['size']
    return np.repeat(np.arange(len(counts)) % 2, counts).reshape(width, height).T > 0


def expected(mask, box, layout):
    """Within the box, where the mask is more likely than not."""
    x, y = (np.arange(n) + 0.5 for n in (WIDTH, HEIGHT))
    inside = np.outer((y > box[1]) & (y < box[3]), (x > box[0]) & (x < box[2]))
    if layout == 'torchvision' or 'pasted' in layout:
        return (pasted(mask, box, steps({})) > 0.5) & inside
    padded = np.pad(mask, 1)
    for axis, at in ((0, (y - box[1]) / (box[3] - box[1])), (1, (x - box[0]) / (box[2] - box[0]))):
        at = np.clip(at * SIDE + 0.5, 0, SIDE + 1)
        low = np.minimum(at.astype(int), SIDE)
        part = (at - low).reshape([-1, 1] if axis == 0 else [1, -1])
        padded = np.take(padded, low, axis) * (1 - part) + np.take(padded, low + 1, axis) * part
    return (padded > 0.5) & inside


def look(layout, folder, plugins, values):
    """What is wrong with what vksegment finds, or None."""
    onnx.save(detector(layout, values), os.path.join(folder, 'd.onnx'))
    with open(os.path.join(folder, 'd.modelinfo'), 'w', encoding='utf-8') as info:
        info.write('[vkseg]\nmean=0\nstd=255\nlabels=none,a,b,c\nresize=stretch\n')
    run = subprocess.run(
        ['gst-launch-1.0', '-q'] + flat(f"""videotestsrc num-buffers=1 pattern=white !
         video/x-raw,format=RGB,width={WIDTH},height={HEIGHT} ! vksegment output=meta
         model={folder}/d.onnx cache-dir={folder} threshold=0.1 iou-threshold=1 !
         vksegdemux name=d d.meta ! filesink location={folder}/d.json""").split(),
        env=dict(os.environ, GST_PLUGIN_PATH=plugins), capture_output=True, text=True, timeout=100)
    if run.returncode != 0:
        return run.stderr.strip().replace('\n', '; ')
    with open(os.path.join(folder, 'd.json'), encoding='utf-8') as text:
        found = json.loads(text.readline())['instances']
    rows = [i for i in np.argsort(-values['scores']) if values['scores'][i] > 0]
    if len(found) != len(rows):
        return f'{len(found)} objects, expected {len(rows)}'
    for instance, i in zip(found, rows):
        box, (x, y, width, height) = values['boxes'][i], instance['box']
        mask = 1 / (1 + np.exp(-values['masks'][i, 0].astype(np.float64)))
        want, got = expected(mask, box, layout), decoded(instance['segmentation'])
        union = (want | got).sum()
        if np.abs(np.array([x, y, x + width, y + height]) - box).max() > 0.02:
            return f'box {i} is {instance["box"]}, expected {box}'
        if instance['class_id'] != i % 3 + 1 or abs(instance['score'] - values['scores'][i]) > 1e-3:
            return f'object {i} is {instance["label"]} {instance["score"]}'
        if union and (want & got).sum() < 0.85 * union:
            return f'mask {i} agrees in {(want & got).sum() / union:.2f}'
    return None


def main():
    if len(sys.argv) > 2:
        return through_elements(os.path.abspath(sys.argv[2]))
    return on_its_own(sys.argv[1])


def through_elements(plugins):
    if shutil.which('gst-launch-1.0') is None:
        print('1..0 # SKIP no gst-launch-1.0')
        return 0
    random = np.random.RandomState(9)
    values = {'masks': random.uniform(-4, 4, (MANY, 1, SIDE, SIDE)).astype(np.float32),
              'boxes': boxes(True),
              'scores': np.array([.95, -1, .8, .7, .65, -1, .5, .4, .3, -1, .2, .15], np.float32)}
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for layout in LAYOUTS:
            wrong.append(look(layout, folder, plugins, values))
            print(f'{"not ok" if wrong[-1] else "ok"} {len(wrong)} - {layout}'
                  + (f'\n# {wrong[-1]}' if wrong[-1] else ''), flush=True)
    print(f'1..{len(wrong)}')
    return 1 if any(wrong) else 0


def on_its_own(vkseg):
    results = []

    def report(name, wrong):
        results.append(wrong)
        print(f'{"not ok" if wrong else "ok"} {len(results)} - {name}'
              + (f'\n# {wrong}' if wrong else ''), flush=True)

    def values(count, inside=False):
        random = np.random.RandomState(7)
        chosen = random.permutation(MANY) < count
        return {'masks': random.uniform(-4, 4, (MANY, 1, SIDE, SIDE)).astype(np.float32),
                'boxes': boxes(inside), 'scores': np.where(chosen, 1, -1).astype(np.float32)}

    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(vkseg, folder)
        for opset in (11, 14, 16):
            onnx.save(network(opset, steps({}), opset == 14), runner.model)
            found = runner.operators(values(MANY))
            report(f'opset {opset} becomes one operator',
                   None if set(found) == {'PasteMasks'} else f'{found}')
            for count in (MANY, 1, 0):
                for precision in ('fp32', 'fp16'):
                    report(f'opset {opset}, {count} masks, {precision}',
                           runner.check(values(count), steps({}), precision))
        for variant in VARIANTS:
            onnx.save(network(16, steps(variant)), runner.model)
            found = runner.operators(values(0))
            report(f'{variant} stays a loop', None if set(found) == {'Loop'} else f'{found}')
            report(f'{variant} is right', runner.check(values(4, True), steps(variant), 'fp32'))
    print(f'1..{len(results)}')
    return 1 if any(results) else 0


if __name__ == '__main__':
    if importlib.util.find_spec('onnx') is None or importlib.util.find_spec('numpy') is None:
        print('1..0 # SKIP no python3-onnx, or no python3-numpy')
        sys.exit(0)
    import numpy as np
    import onnx
    from onnx import TensorProto as T
    from onnx import helper, numpy_helper
    sys.exit(main())
