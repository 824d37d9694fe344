// Part of the fact project, under the Apache License v2.0 with LLVM Exceptions.
//
// Runs an ONNX model on .npy files in ONNX Runtime.
//
// usage: node run_onnx.js MODEL JOBS.json [RUNS]
//
// JOBS.json is a list of {"inputs": {tensor: file.npy}, "outputs": {tensor:
// file.npy}}; all tensors are float32. Prints one line per job to stderr. RUNS: runs
// each job so often on one thread, and prints the median time.
'use strict';
const fs = require('fs');
const ort = require('onnxruntime-node');

// [shape, Float32Array] of a .npy file in C order.
function readNpy(path) {
  const bytes = fs.readFileSync(path);
  if (bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`'${path}' is not a .npy file`);
  const wide = bytes[6] > 1;
  const start = (wide ? 12 : 10) + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', wide ? 12 : 10, start);
  if (!header.includes("'<f4'") || header.includes("'fortran_order': True"))
    throw new Error(`'${path}' must hold float32 in C order (header ${header.trim()})`);
  const shape = header.match(/\(([^)]*)\)/)[1].split(',').map((s) => s.trim()).filter((s) => s).map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== start + 4 * count) throw new Error(`'${path}' has the wrong size for its shape [${shape}]`);
  const data = new Float32Array(count);
  Buffer.from(data.buffer).set(bytes.subarray(start));
  return [shape, data];
}

function writeNpy(path, shape, data) {
  let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  header += ' '.repeat(63 - ((10 + header.length) % 64)) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(header.length, 8);
  fs.writeFileSync(path, Buffer.concat([head, Buffer.from(header, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]));
}

async function main() {
  const [model, list, runs] = process.argv.slice(2);
  if (!list) {
    console.error('usage: node run_onnx.js MODEL JOBS.json [RUNS]');
    process.exit(2);
  }
  const jobs = JSON.parse(fs.readFileSync(list, 'utf8'));
  const session = await ort.InferenceSession.create(model, {logSeverityLevel: 3, ...(runs && {intraOpNumThreads: 1, interOpNumThreads: 1})});
  for (const [i, job] of jobs.entries()) {
    const feeds = {};
    for (const [name, path] of Object.entries(job.inputs)) {
      const [shape, data] = readNpy(path);
      feeds[name] = new ort.Tensor('float32', data, shape);
    }
    const times = [];
    let results;
    for (let run = 0; run < (runs || 1); ++run) {
      const start = performance.now();
      results = await session.run(feeds, Object.keys(job.outputs));
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    if (runs) console.log(`median ${((times[(runs - 1) >> 1] + times[runs >> 1]) / 2).toFixed(3)} ms`);
    for (const [name, path] of Object.entries(job.outputs)) writeNpy(path, results[name].dims, results[name].data);
    console.error(`  ${i + 1} of ${jobs.length}`);
  }
}

main().catch((error) => {
  console.error(`run_onnx.js: error: ${error.message}`);
  process.exit(1);
});
