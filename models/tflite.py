# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads what a TFLite file holds: one subgraph of operators and tensors.

TFLite is a FlatBuffers file (identifier TFL3). This reads just the tables of the public schema
that tflite2onnx.py needs, with struct, so that no TensorFlow package is wanted. Field numbers
below are the order of the fields in the schema's tables.
"""
import struct
from dataclasses import dataclass

import numpy as np

DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 4: np.int64, 9: np.int8}

OPERATORS = {0: 'ADD', 1: 'AVERAGE_POOL_2D', 2: 'CONCATENATION', 3: 'CONV_2D',
             4: 'DEPTHWISE_CONV_2D', 5: 'DEPTH_TO_SPACE', 6: 'DEQUANTIZE', 9: 'FULLY_CONNECTED',
             14: 'LOGISTIC', 17: 'MAX_POOL_2D', 18: 'MUL', 19: 'RELU', 21: 'RELU6', 22: 'RESHAPE',
             23: 'RESIZE_BILINEAR', 25: 'SOFTMAX', 28: 'TANH', 34: 'PAD', 39: 'TRANSPOSE',
             40: 'MEAN', 41: 'SUB', 43: 'SQUEEZE', 45: 'STRIDED_SLICE', 49: 'SPLIT', 54: 'PRELU',
             56: 'ARG_MAX', 67: 'TRANSPOSE_CONV', 97: 'RESIZE_NEAREST_NEIGHBOR',
             114: 'QUANTIZE', 117: 'HARD_SWISH'}
CUSTOM = 32


class Table:
    """A FlatBuffers table: fields by number, with their defaults."""

    def __init__(self, data, position):
        self.data, self.position = data, position
        self.vtable = position - self._get('<i', position)
        self.vtable_bytes = self._get('<H', self.vtable)

    def _get(self, fmt, position):
        if position < 0:
            raise ValueError('an offset points before the file')
        return struct.unpack_from(fmt, self.data, position)[0]

    def _field(self, number):
        """Where the field is, or 0 if the file leaves it out."""
        entry = 4 + 2 * number
        offset = self._get('<H', self.vtable + entry) if entry < self.vtable_bytes else 0
        return self.position + offset if offset else 0

    def _target(self, number):
        position = self._field(number)
        return position + self._get('<I', position) if position else 0

    def scalar(self, number, fmt='i', default=0):
        position = self._field(number)
        return self._get('<' + fmt, position) if position else default

    def table(self, number):
        """The table that the field points to; an empty one if it is left out."""
        position = self._target(number)
        return Table(self.data, position) if position else Table(struct.pack('<iHH', -4, 4, 4), 0)

    def _vector(self, number, item_bytes):
        """How many items the vector has and where they begin."""
        position = self._target(number)
        if not position:
            return 0, 0
        count = self._get('<I', position)
        if position + 4 + count * item_bytes > len(self.data):
            raise ValueError('a vector reaches past the end of the file')
        return count, position + 4

    def numbers(self, number, fmt='i'):
        count, start = self._vector(number, struct.calcsize('<' + fmt))
        return list(struct.unpack_from(f'<{count}{fmt}', self.data, start))

    def bytes(self, number):
        count, start = self._vector(number, 1)
        return self.data[start:start + count]

    def string(self, number):
        return self.bytes(number).decode('utf-8', 'replace')

    def tables(self, number):
        count, start = self._vector(number, 4)
        starts = [start + 4 * i for i in range(count)]
        return [Table(self.data, at + self._get('<I', at)) for at in starts]


@dataclass
class Tensor:
    """A tensor: `data` is None unless the file holds its values. `dtype` None: not supported."""
    index: int
    name: str
    shape: tuple
    dtype: object
    data: object
    quantized: bool


@dataclass
class Operator:
    """An operator: `options` is the table of its kind, `custom` a custom operator's bytes."""
    kind: str
    inputs: list
    outputs: list
    options: Table
    custom: bytes


@dataclass
class Graph:
    """The first subgraph; inputs and outputs are tensor indices."""
    tensors: list
    operators: list
    inputs: list
    outputs: list


def _tensor(index, table, buffers):
    dtype = DTYPES.get(table.scalar(1, 'b'))
    shape = tuple(table.numbers(0))
    content = buffers[table.scalar(2, 'I')].bytes(0)
    data = None
    if content and dtype is not None:
        data = np.frombuffer(content, np.dtype(dtype).newbyteorder('<')).astype(dtype)
        data = data.reshape(shape)
    quantized = bool(table.table(4).numbers(2, 'f'))
    return Tensor(index, table.string(3), shape, dtype, data, quantized)


def _operator_name(code):
    number = max(code.scalar(0, 'b'), code.scalar(3, 'i'))
    if number == CUSTOM:
        return code.string(1)
    return OPERATORS.get(number, f'builtin operator {number}')


def _operator(table, names):
    return Operator(names[table.scalar(0, 'I')], table.numbers(1), table.numbers(2),
                    table.table(4), table.bytes(5))


def _check_indices(graph):
    """So that others need not: -1 is an input left out, everything else exists."""
    count = len(graph.tensors)
    for op in graph.operators:
        if not op.outputs or not all(0 <= i < count for i in op.outputs):
            raise ValueError(f'{op.kind} without a tensor to write to')
        if not op.inputs or not all(-1 <= i < count for i in op.inputs):
            raise ValueError(f'{op.kind} reads a tensor that is not there')
    if not all(0 <= i < count for i in graph.inputs + graph.outputs):
        raise ValueError("the network's inputs and outputs are not there")


def read(data):
    """Parses the bytes of a TFLite file. Raises ValueError if they are not one."""
    if data[4:8] != b'TFL3':
        raise ValueError('not a TFLite file (no TFL3 identifier)')
    try:
        model = Table(data, struct.unpack_from('<I', data)[0])
        names = [_operator_name(code) for code in model.tables(1)]
        buffers = model.tables(4)
        graphs = model.tables(2)
        if len(graphs) != 1:
            raise ValueError(f'{len(graphs)} subgraphs; just one is supported')
        tensors = [_tensor(i, t, buffers) for i, t in enumerate(graphs[0].tables(0))]
        operators = [_operator(t, names) for t in graphs[0].tables(3)]
        graph = Graph(tensors, operators, graphs[0].numbers(1), graphs[0].numbers(2))
        _check_indices(graph)
        return graph
    except (struct.error, IndexError) as error:
        raise ValueError(f'damaged TFLite file: {error}') from error
