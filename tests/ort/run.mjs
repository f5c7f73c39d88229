// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a network in ONNX Runtime: run.mjs MODEL --input NAME=FILE.npy ... --output-dir DIR
// [--output NAME ...]. Writes DIR/NAME.npy for each output ('/' and ':' become '_'), as vkseg run
// does. With --time RUNS it prints a line of JSON instead: the milliseconds of each run after a first
// one, on --threads N (all cores). The package onnxruntime-node is looked for in VKSEG_ORT_DIR, then
// as node does.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readNpy, writeNpy } from './npy.mjs';

function runtime() {
  const dir = process.env.VKSEG_ORT_DIR;
  const from = dir ? `${resolve(dir)}/any.js` : import.meta.url;
  return createRequire(from)('onnxruntime-node');
}

async function time(ort, threads, session, feeds, runs) {
  const ms = [];
  for (let i = 0; i <= runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    ms.push(performance.now() - start);
  }
  const runtime = `ONNX Runtime ${ort.env.versions.node}, CPU`;
  console.log(JSON.stringify({ runtime, threads, ms: ms.slice(1) }));
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      input: { type: 'string', multiple: true, default: [] },
      output: { type: 'string', multiple: true, default: [] },
      'output-dir': { type: 'string', default: '.' },
      time: { type: 'string' },
      threads: { type: 'string', default: `${availableParallelism()}` },
    },
  });
  if (positionals.length !== 1) throw new Error('exactly one model wanted');
  const ort = runtime();
  const threads = Number(values.threads);
  const session = await ort.InferenceSession.create(positionals[0],
    { logSeverityLevel: 3, intraOpNumThreads: threads });
  const feeds = {};
  for (const item of values.input) {
    const at = item.indexOf('=');
    if (at < 1) throw new Error(`'${item}' is not NAME=FILE.npy`);
    const { type, data, dims } = readNpy(item.slice(at + 1));
    feeds[item.slice(0, at)] = new ort.Tensor(type, data, dims);
  }
  if (values.time !== undefined) {
    await time(ort, threads, session, feeds, Number(values.time));
    return;
  }
  const wanted = values.output.length > 0 ? values.output : session.outputNames;
  const results = await session.run(feeds, wanted);
  mkdirSync(values['output-dir'], { recursive: true });
  for (const name of wanted)
    writeNpy(`${values['output-dir']}/${name.replace(/[/:]/g, '_')}.npy`, results[name]);
}

main().catch((error) => {
  console.error(`run.mjs: ${error.message}`);
  process.exit(1);
});
