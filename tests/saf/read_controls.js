// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads documents with the library by which SAF and Heimdall read HDF. Called as
//
//   node read_controls.js <folder of the installation> <file>...
//
// Writes one entry per file to standard output: [[id, tags, status, severity, waived], ...] of the controls that are counted.
'use strict';

const fs = require('fs');
const path = require('path');

const [installation, ...files] = process.argv.slice(2);
const { convertFileContextual } = require(path.join(installation, 'node_modules', 'inspecjs'));

function read(file) {
  return convertFileContextual(fs.readFileSync(file, 'utf8'))
    .contains.flatMap((profile) => profile.contains)
    .filter((control) => control.extendedBy.length === 0)
    .map(({ root }) => [root.data.id, root.data.tags, root.hdf.status, root.hdf.severity, root.hdf.waived]);
}

process.stdout.write(JSON.stringify(files.map(read)));
