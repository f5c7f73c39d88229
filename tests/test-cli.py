#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The vkseg command line: what it prints, writes and refuses. Usage: test-cli.py VKSEG
Prints TAP. Needs nothing but Python; models and arrays are written here, byte by byte."""
import ast
import json
import os
import struct
import subprocess
import sys
import tempfile

VKSEG = os.path.abspath(sys.argv[1])
FLOAT, INT64, FLOAT16 = 1, 7, 10
results = []


# --- files ------------------------------------------------------------------------------------

def varint(n):
    out = b''
    while n > 0x7f:
        out, n = out + bytes([n & 0x7f | 0x80]), n >> 7
    return out + bytes([n])


def field(number, value):
    """A field of a protobuf message: an int, a string or a message (bytes)."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value_info(name, dtype, dims):
    shape = b''.join(field(1, field(1 if isinstance(d, int) else 2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, dtype) + field(2, shape)))


def node(op, inputs, outputs, name='', domain=''):
    return (b''.join(field(1, i) for i in inputs) + b''.join(field(2, o) for o in outputs)
            + field(3, name) + field(4, op) + field(7, domain))


def model(nodes, inputs, outputs, opset=17):
    graph = b''.join(field(1, n) for n in nodes) + field(2, 'g')
    graph += b''.join(field(11, value_info(*i)) for i in inputs)
    graph += b''.join(field(12, value_info(*o)) for o in outputs)
    return field(1, 8) + field(2, 'test-cli') + field(8, field(2, opset)) + field(7, graph)


def npy(descr, shape, values, fortran=False):
    header = repr({'descr': descr, 'fortran_order': fortran, 'shape': tuple(shape)}).encode()
    header += b' ' * (-(len(header) + 11) % 64) + b'\n'
    code = {'f4': 'f', 'f2': 'e', 'f8': 'd', 'i8': 'q'}[descr[1:]]
    order = '>' if descr[0] == '>' else '<'
    return (b'\x93NUMPY\x01\x00' + struct.pack('<H', len(header)) + header
            + struct.pack(f'{order}{len(values)}{code}', *values))


def read_npy(path):
    data = open(path, 'rb').read()
    length = struct.unpack('<H', data[8:10])[0]
    header = ast.literal_eval(data[10:10 + length].decode())
    code = {'f4': 'f', 'f2': 'e', 'i8': 'q'}[header['descr'][1:]]
    body = data[10 + length:]
    n = len(body) // struct.calcsize(code)
    return header['descr'], header['shape'], list(struct.unpack(f'<{n}{code}', body))


def write(name, data):
    with open(name, 'wb') as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


# --- running ----------------------------------------------------------------------------------

def vkseg(*args):
    return subprocess.run([VKSEG, *args], capture_output=True, text=True, errors='replace',
                          timeout=300)


def report(name, problems):
    results.append(not problems)
    print(f'{"ok" if not problems else "not ok"} {len(results)} - {name}')
    for p in problems:
        for line in str(p).splitlines():
            print(f'#   {line}')
    sys.stdout.flush()


def check(name, args, status, *texts, lines=None, stream=None):
    """Runs vkseg and checks its status and that each text is in what it printed. A refusal is
    one line for each problem, each after 'vkseg: '."""
    p = vkseg(*args)
    out = p.stderr if stream is None and status else p.stdout if stream is None else stream(p)
    problems = []
    if p.returncode != status:
        problems.append(f'status {p.returncode}, expected {status}')
    problems += [f'no "{t}" in the output' for t in texts if t not in out]
    err = p.stderr.splitlines()
    if status == 1 and not all(line.startswith('vkseg: ') for line in err):
        problems.append('a line of stderr does not start with "vkseg: "')
    if lines is not None and len(err) != lines:
        problems.append(f'{len(err)} lines on stderr, expected {lines}')
    if status == 0 and err:
        problems.append('something on stderr')
    if problems:
        problems.append('$ vkseg ' + ' '.join(args) + '\n' + p.stdout + p.stderr)
    report(name, problems)
    return p


def usage():
    check('no command', [], 2, 'Usage: vkseg')
    check('help', ['--help'], 0, 'devices', 'inspect', 'run', 'bench')
    for command in 'devices', 'inspect', 'run', 'bench':
        check(f'help of {command}', [command, '--help'], 0, 'Usage')
    check('version', ['--version'], 0, 'vkseg 0.')
    check('unknown command', ['segment'], 2, "no command 'segment'")
    check('run without a model', ['run', '--output-dir', 'out'], 2, 'no MODEL')
    check('run without --output-dir', ['run', 'good.onnx'], 2, 'no --output-dir')
    check('two models', ['inspect', 'good.onnx', 'b.onnx'], 2, "'b.onnx'")
    check('unknown option', ['inspect', '--jason', 'good.onnx'], 2, '--jason')
    check('unknown precision', ['bench', 'good.onnx', '--precision', 'fp64'], 2, 'fp64')
    check('--input without =', ['run', 'good.onnx', '-o', 'out', '-i', 'x.npy'], 2, "'x.npy'")
    check('--runs 0', ['bench', 'good.onnx', '--runs', '0'], 2, '--runs')
    check('--runs abc', ['bench', 'good.onnx', '--runs', 'abc'], 2, 'abc')


def bad_models():
    for command in ['inspect'], ['bench'], ['run', '--output-dir', 'out']:
        c = command[0]
        check(f'{c}: no such file', [*command, 'none.onnx'], 1, 'none.onnx', lines=1)
        check(f'{c}: empty file', [*command, write('empty.onnx', '')], 1, 'empty.onnx', lines=1)
        check(f'{c}: text file', [*command, write('text.onnx', 'hello\n' * 9)], 1, 'text.onnx',
              lines=1)
        check(f'{c}: folder', [*command, '.'], 1, lines=1)
        good = open('good.onnx', 'rb').read()
        check(f'{c}: cut short', [*command, write('cut.onnx', good[:len(good) - 9])], 1,
              'cut.onnx', lines=1)
    write('unknown.onnx', model(
        [node('Frobnicate', ['x'], ['a'], 'first'), node('Relu', ['a'], ['b'], 'second'),
         node('Wibble', ['b'], ['y'], 'third', 'org.example')],
        [('x', FLOAT, [2])], [('y', FLOAT, [2])]))
    for command in ['inspect'], ['bench'], ['run', '-o', 'out', '-i', 'x=two.npy']:
        check(f'{command[0]}: every unknown operator is named', [*command, 'unknown.onnx'], 1,
              "'first'", 'Frobnicate', "'third'", 'Wibble')
    p = vkseg('inspect', '--json', 'unknown.onnx')
    names = [n['node'] for n in json.loads(p.stdout)['unsupported']]
    report('inspect --json lists them too',
           [] if names == ['first', 'third'] and p.returncode == 1 else [names, p.returncode])
    write('cycle.onnx', model([node('Relu', ['b'], ['a'], 'n1'), node('Relu', ['a'], ['b'], 'n2')],
                              [], [('a', FLOAT, [2])]))
    check('cycle', ['inspect', 'cycle.onnx'], 1, lines=1)
    write('old.onnx', model([node('Relu', ['x'], ['y'])], [('x', FLOAT, [2])],
                            [('y', FLOAT, [2])], opset=3))
    check('old operator set', ['inspect', 'old.onnx'], 1, '3', lines=1)


def bad_inputs():
    run = ['run', 'good.onnx', '--output-dir', 'out']
    check('input missing', run, 1, "'x'", '--input x=FILE.npy', lines=1)
    check('unknown input name', [*run, '-i', 'z=good.npy', '-i', 'x=good.npy'], 1, "'z'", "'x'",
          lines=1)
    check('input twice', [*run, '-i', 'x=good.npy', '-i', 'x=good.npy'], 1, 'twice', lines=1)
    for name, data, text in [
            ('none', None, 'none.npy'),
            ('text', 'hello world, this is no array', 'not a .npy'),
            ('empty', '', 'not a .npy'),
            ('cut', npy('<f4', [1, 3, 2, 2], range(12))[:-3], 'bytes follow'),
            ('big', npy('>f4', [1, 3, 2, 2], range(12)), 'big-endian'),
            ('double', npy('<f8', [1, 3, 2, 2], range(12)), 'float64[1,3,2,2]'),
            ('rank', npy('<f4', [3, 2, 2], range(12)), 'float32[3,2,2]'),
            ('shape', npy('<f4', [1, 3, 2, 4], range(24)), 'float32[1,3,2,4]'),
            ('object', b'\x93NUMPY\x01\x00\x46\x00'
             + b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }   \n",
             'plain array')]:
        if data is not None:
            write(name + '.npy', data)
        check(f'input: {name}', [*run, '-i', f'x={name}.npy'], 1, text, lines=1)
    check('two problems, two lines', [*run, '-i', 'z=good.npy', '-i', 'x=cut.npy'], 1, "'z'",
          'bytes follow', lines=2)
    check('shape: no number', ['bench', 'good.onnx', '-s', 'x=1,c,2,2'], 1, '1,c,2,2', lines=1)
    check('shape: does not fit', ['bench', 'good.onnx', '-s', 'x=1,3,2,9'], 1, '1,3,2,9', lines=1)
    good = [*run[:2], '-i', 'x=good.npy']
    check('unknown device', [*good, '-o', 'out', '-d', 'no such gpu'], 1, 'no such gpu', lines=1)
    check('device number', [*good, '-o', 'out', '-d', '99'], 1, '99', lines=1)
    check('output folder is a file', [*good, '-o', 'good.npy'], 1, 'good.npy', lines=1)
    check('output folder below a file', [*good, '-o', 'good.npy/out'], 1, 'good.npy', lines=1)
    write('same.onnx', model([node('Relu', ['x'], ['a/b']), node('Relu', ['x'], ['a:b'])],
                             [('x', FLOAT, [2])],
                             [('a/b', FLOAT, [2]), ('a:b', FLOAT, [2])]))
    check('two outputs, one file', ['run', 'same.onnx', '-o', 'out', '-i', 'x=two.npy'], 1,
          'a_b.npy', lines=1)


def compare_outputs(name, folder, expected):
    problems = [f'{sorted(os.listdir(folder))}'] if set(os.listdir(folder)) != set(expected) else []
    for file, want in expected.items():
        got = read_npy(os.path.join(folder, file)) if not problems else want
        if got != want:
            problems.append(f'{file}: {got}, expected {want}')
    report(name, problems)


def good_runs():
    values = [i - 5.5 for i in range(12)]
    relu = [max(v, 0.0) for v in values]
    want = {'dir_y_0.npy': ('<f4', (1, 3, 2, 2), relu), 'n.npy': ('<i8', (4,), [1, 3, 2, 2])}
    for precision in 'fp32', 'fp16', 'auto':
        check(f'run, {precision}', ['run', 'good.onnx', '--input', 'x=good.npy', '--output-dir',
                                    f'out-{precision}/deep', '--precision', precision], 0)
        compare_outputs(f'outputs, {precision}', f'out-{precision}/deep', want)
    transposed = [values[c * 4 + h * 2 + w] for w in range(2) for h in range(2) for c in range(3)]
    write('fortran.npy', npy('<f4', [1, 3, 2, 2], transposed, fortran=True))
    check('run, Fortran order', ['run', 'good.onnx', '-i', 'x=fortran.npy', '-o', 'out-f'], 0)
    compare_outputs('outputs, Fortran order', 'out-f', want)
    write('half.onnx', model([node('Relu', ['x'], ['y'])], [('x', FLOAT16, ['n'])],
                             [('y', FLOAT16, ['n'])]))
    write('half.npy', npy('<f2', [3], [-1, 0.5, 2]))
    check('run, float16', ['run', 'half.onnx', '-i', 'x=half.npy', '-o', 'out-h'], 0)
    compare_outputs('outputs, float16', 'out-h', {'y.npy': ('<f2', (3,), [0, 0.5, 2])})


def full_disk():
    """Who reads a status of 0 takes the output for whole."""
    for args in ['--version'], ['devices', '--json'], ['inspect', 'good.onnx']:
        with open('/dev/full', 'w') as full:
            p = subprocess.run([VKSEG, *args], stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
        report(f'{args[0]}, nowhere to write', [] if p.returncode == 1 and p.stderr.startswith('vkseg: ')
               and len(p.stderr.splitlines()) == 1 else [p.returncode, p.stderr])


def looking():
    check('devices', ['devices'], 0, '0: ')
    devices = json.loads(vkseg('devices', '--json').stdout)
    report('devices --json', [] if devices and all(
        k in devices[0] for k in ('index', 'name', 'type', 'driver', 'vulkan')) else [devices])
    check('inspect', ['inspect', 'good.onnx'], 0, 'x  float32[1,c,2,2]', 'Relu', 'Opset: 17',
          'test-cli', 'Memory', 'GFLOP', 'Assumed')
    check('inspect --layers', ['inspect', '--layers', 'good.onnx'], 0, 'Layers:')
    found = json.loads(vkseg('inspect', '--json', 'good.onnx', '--shape', 'x=1,5,2,2').stdout)
    report('inspect --json', [] if found['inputs'][0]['shape'] == [1, 'c', 2, 2]
           and found['sized_inputs'][0]['shape'] == [1, 5, 2, 2]
           and found['operators'] == {'Relu': 1, 'Shape': 1} and found['unsupported'] == []
           and found['memory']['arena_bytes'] > 0 else [json.dumps(found)])
    check('bench', ['bench', 'good.onnx', '--runs', '2'], 0, 'Median', 'Load')
    check('bench --tune', ['bench', 'good.onnx', '--runs', '2', '--tune', '10'], 0, 'First result',
          'Kernels: 0 convolutions')
    check('--tune -1', ['bench', 'good.onnx', '--tune', '-1'], 2, '--tune')
    check('bench --per-layer', ['bench', 'good.onnx', '--runs', '2', '--per-layer'], 0, 'Relu')
    p = vkseg('bench', 'good.onnx', '--runs', '2', '--per-layer', '--json', '--precision', 'fp16',
              '--input', 'x=good.npy')
    found = json.loads(p.stdout)
    missing = [k for k in ('median_ms', 'min_ms', 'device_ms', 'first_ms', 'load_ms', 'first_result_ms', 'pipeline_cache',
                           'choices', 'choices_known', 'choices_measured', 'tune_ms', 'gflops', 'device',
                           'precision', 'layers') if k not in found]
    if not missing and (found['precision'] != 'fp16' or found['median_ms'] <= 0
                        or found['min_ms'] > found['median_ms'] or len(found['layers']) < 1):
        missing = [p.stdout]
    report('bench --json', missing)


def files_below(folder):
    return {os.path.join(d, f) for d, _, files in os.walk(folder) for f in files}


def warm_starts():
    """A second start compiles nothing: tensors whose sizes have other bits set (65536, 16384 and 64 bytes) do
    not make llvmpipe compile a shader twice. Elsewhere there are no such files."""
    sizes = [32, 16, 1]
    write('sizes.onnx', model(
        [node('GlobalAveragePool', [f'x{n}'], [f'y{n}']) for n in sizes],
        [(f'x{n}', FLOAT, [1, 16, n, n]) for n in sizes],
        [(f'y{n}', FLOAT, [1, 16, 1, 1]) for n in sizes]))
    os.environ['MESA_SHADER_CACHE_DIR'] = os.path.abspath('shaders')
    found = []
    for _ in range(2):
        vkseg('bench', 'sizes.onnx', '--runs', '1', '--warm-up', '1')
        found.append(files_below('shaders'))
    report('warm start', sorted(found[1] - found[0]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ['XDG_CACHE_HOME'] = os.path.join(folder, 'cache')
        write('good.onnx', model(
            [node('Relu', ['x'], ['dir/y:0'], 'relu'), node('Shape', ['x'], ['n'], 'shape')],
            [('x', FLOAT, [1, 'c', 2, 2])],
            [('dir/y:0', FLOAT, [1, 'c', 2, 2]), ('n', INT64, [4])]))
        write('good.npy', npy('<f4', [1, 3, 2, 2], [i - 5.5 for i in range(12)]))
        write('two.npy', npy('<f4', [2], [1, 2]))
        if vkseg('devices').returncode != 0 and 'VKSEG_TEST_NEED_DEVICE' not in os.environ:
            print('1..0 # SKIP no Vulkan device')
            return 0
        for part in usage, bad_models, bad_inputs, good_runs, full_disk, looking, warm_starts:
            part()
        os.chdir('/')
    print(f'1..{len(results)}')
    return 0 if all(results) else 1


sys.exit(main())
