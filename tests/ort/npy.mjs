// SPDX-License-Identifier: LGPL-2.1-or-later
// NumPy's .npy files as the tensors of ONNX Runtime: little-endian, C order.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

const TYPES = {
  float32: ['<f4', Float32Array], float64: ['<f8', Float64Array], float16: ['<f2', Uint16Array],
  int8: ['|i1', Int8Array], uint8: ['|u1', Uint8Array], bool: ['|b1', Uint8Array],
  int16: ['<i2', Int16Array], uint16: ['<u2', Uint16Array], int32: ['<i4', Int32Array],
  uint32: ['<u4', Uint32Array], int64: ['<i8', BigInt64Array], uint64: ['<u8', BigUint64Array],
};

/** {type, dims, data} of a file; throws an Error that names it. */
export function readNpy(path) {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${path}: not an .npy file`);
  const long = file[6] > 1;
  const start = (long ? 12 : 10) + (long ? file.readUInt32LE(8) : file.readUInt16LE(8));
  const header = file.toString('latin1', long ? 12 : 10, start);
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1];
  const shape = /'shape': *\(([^)]*)\)/.exec(header)?.[1];
  const type = Object.keys(TYPES).find((name) => TYPES[name][0] === descr);
  if (type === undefined || shape === undefined || !/'fortran_order': *False/.test(header))
    throw new Error(`${path}: only plain arrays in C order are read, not ${header.trim()}`);
  const dims = shape.split(',').filter((n) => n.trim() !== '').map(Number);
  const bytes = file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length);
  return { type, dims, data: new TYPES[type][1](bytes) };
}

export function writeNpy(path, { type, dims, data }) {
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${TYPES[type][0]}', 'fortran_order': False, 'shape': (${shape}), }`;
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + '\n';
  const start = Buffer.from('\x93NUMPY\x01\x00..', 'latin1');
  start.writeUInt16LE(header.length, 8);
  const values = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  writeFileSync(`${path}.part`, Buffer.concat([start, Buffer.from(header, 'latin1'), values]));
  renameSync(`${path}.part`, path);
}
