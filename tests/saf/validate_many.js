// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs SAF's own `validate threshold` command once per pair of files, in one process: starting the program anew
// costs seconds each time. Called as
//
//   node validate_many.js <folder of the installation> <list>
//
// where <list> is a JSON file [{"hdf": path, "threshold": path}, ...]. Writes [{"exit": 0 or 1, "stdout": text,
// "stderr": text}, ...] to standard output.
'use strict';

const fs = require('fs');
const path = require('path');

const [installation, list] = process.argv.slice(2);
const root = path.join(installation, 'node_modules', '@mitre', 'saf');
const { Config } = require(require.resolve('@oclif/core', { paths: [root] }));
const Validate = require(path.join(root, 'lib', 'commands', 'validate', 'threshold.js')).default;

async function decide(config, pair) {
  const said = { stdout: [], stderr: [] };
  const original = { log: console.log, error: console.error, write: process.stderr.write };
  console.log = (...words) => said.stdout.push(words.join(' '));
  console.error = (...words) => said.stderr.push(words.join(' '));
  process.stderr.write = (text) => said.stderr.push(String(text)) > 0;
  process.exitCode = 0;
  try {
    await Validate.run(['-i', pair.hdf, '-T', pair.threshold], config);
  } finally {
    console.log = original.log;
    console.error = original.error;
    process.stderr.write = original.write;
  }
  return { exit: Number(process.exitCode), stdout: said.stdout.join('\n'), stderr: said.stderr.join('\n') };
}

async function main() {
  const config = await Config.load(root);
  const decisions = [];
  for (const pair of JSON.parse(fs.readFileSync(list, 'utf8'))) {
    decisions.push(await decide(config, pair));
  }
  process.exitCode = 0;
  process.stdout.write(JSON.stringify(decisions));
}

main();
