# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes small TFLite files: one operator on one input. Field numbers as in models/tflite.py."""
import struct

import numpy as np

TYPES = {'float32': 0, 'float16': 1, 'int32': 2}


class Writer:
    """FlatBuffers, parents before children. A table is {field: value}, a value one of
    (struct format, number), bytes (a string or bytes), (struct format, [numbers]), a table, or a
    list of tables."""

    def __init__(self):
        self.data = bytearray(b'\0\0\0\0TFL3')

    def align(self):
        self.data += bytes(-len(self.data) % 8)

    def point(self, at, child):
        """Writes the child and makes the offset at `at` point to it."""
        position = self.put(child)
        struct.pack_into('<I', self.data, at, position - at)

    def put(self, value):
        self.align()
        if isinstance(value, dict):
            return self.table(value)
        position = len(self.data)
        if isinstance(value, bytes):
            self.data += struct.pack('<I', len(value)) + value + b'\0'
        elif isinstance(value, tuple):
            fmt, numbers = value
            self.data += struct.pack(f'<I{len(numbers)}{fmt}', len(numbers), *numbers)
        else:
            self.data += struct.pack('<I', len(value)) + bytes(4 * len(value))
            for i, child in enumerate(value):
                self.point(position + 4 + 4 * i, child)
        return position

    def table(self, fields):
        size = 4 + 4 * len(fields)
        entries = [0] * (max(fields, default=-1) + 1)
        for place, number in enumerate(fields):
            entries[number] = 4 + 4 * place
        vtable = len(self.data)
        self.data += struct.pack(f'<HH{len(entries)}H', 4 + 2 * len(entries), size, *entries)
        self.align()
        position = len(self.data)
        self.data += struct.pack('<i', position - vtable) + bytes(size - 4)
        for number, value in fields.items():
            at = position + entries[number]
            if isinstance(value, tuple) and not isinstance(value[1], (list, tuple)):
                struct.pack_into('<' + value[0], self.data, at, value[1])
            else:
                self.point(at, value)
        return position


def model(operators, tensors, inputs, outputs):
    """operators: [(code, custom name or '', inputs, outputs, options or None, custom bytes)];
    tensors: [(name, shape, array or None)]."""
    buffers = [{}] + [{0: array.tobytes()} if array is not None else {}
                      for _, _, array in tensors]
    entries = [{0: ('i', list(shape)), 2: ('I', i + 1), 3: name.encode(),
                1: ('b', 0 if array is None else TYPES[array.dtype.name])}
               for i, (name, shape, array) in enumerate(tensors)]
    codes, ops = [], []
    for i, (code, custom, op_in, op_out, options, blob) in enumerate(operators):
        codes.append({0: ('b', code), 3: ('i', code)} | ({1: custom.encode()} if custom else {}))
        ops.append({0: ('I', i), 1: ('i', op_in), 2: ('i', op_out)}
                   | ({4: options} if options else {}) | ({5: blob} if blob else {}))
    graph = {0: entries, 1: ('i', inputs), 2: ('i', outputs), 3: ops}
    writer = Writer()
    writer.point(0, {0: ('I', 3), 1: codes, 2: [graph], 4: buffers})
    return bytes(writer.data)


def one_operator(code, shape, out_shape, constants=(), options=None, custom='', blob=b''):
    """A network of one operator: x -> y, with constants as its further inputs."""
    tensors = [('x', shape, None)]
    tensors += [(f'c{i}', c.shape, np.ascontiguousarray(c)) for i, c in enumerate(constants)]
    tensors.append(('y', out_shape, None))
    last = len(tensors) - 1
    operator = (code, custom, list(range(last)), [last], options, blob)
    return model([operator], tensors, [0], [last])
