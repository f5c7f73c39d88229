#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles one GLSL compute shader and writes it as a C file (see gst/vk/shader.h). A source
NAME.spv is compiled already."""
import argparse
import hashlib
import pathlib
import subprocess
import sys
import tempfile


def compile(args):
    with tempfile.TemporaryDirectory() as folder:
        spirv = pathlib.Path(folder) / 'shader.spv'
        command = [args.glslang, '-V', '--target-env', 'vulkan1.1', '--depfile', args.depfile,
                   '-I' + str(pathlib.Path(args.source).parent), '-o', str(spirv)]
        command += ['-D' + define for define in args.defines] + [args.source]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            sys.stderr.write(result.stdout)
            return None
        code = spirv.read_bytes()

    # The compiler names its own output as the target; ninja wants the C file.
    depfile = pathlib.Path(args.depfile)
    depfile.write_text(args.output + ':' + depfile.read_text().split(':', 1)[1])
    return code


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--glslang')
    parser.add_argument('--name', required=True)
    parser.add_argument('--depfile')
    parser.add_argument('--full-subgroups', action='store_const', const='TRUE', default='FALSE')
    parser.add_argument('--output', required=True)
    parser.add_argument('source')
    parser.add_argument('defines', nargs='*')
    args = parser.parse_args()

    code = pathlib.Path(args.source).read_bytes() if args.source.endswith('.spv') else compile(args)
    if code is None:
        return 1
    words = [code[i:i + 4] for i in range(0, len(code), 4)]
    lines = [', '.join(f'0x{int.from_bytes(w, "little"):08x}' for w in words[i:i + 8])
             for i in range(0, len(words), 8)]
    digest = hashlib.sha256(code).hexdigest()[:16]
    pathlib.Path(args.output).write_text(
        f'/* Made from {pathlib.Path(args.source).name} by embed.py */\n'
        '#include "vk/shader.h"\n\n'
        f'extern const SegShader seg_shader_{args.name};\n'
        'static const guint32 code[] = {\n  ' + ',\n  '.join(lines) + '\n};\n\n'
        f'const SegShader seg_shader_{args.name}\n'
        f'    = {{ "{args.name}", code, sizeof code, G_GUINT64_CONSTANT (0x{digest}),\n'
        f'  {args.full_subgroups} }};\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
