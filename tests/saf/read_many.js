// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads many documents with the library by which SAF and Heimdall read HDF. Called as
//
//   node read_many.js <folder of the installation> <list>
//
// where <list> is a JSON file of paths. Writes one entry per path to standard output: null for a document that is
// refused, else [[id, status, severity], ...] of the controls that SAF counts (those of the first profile).
'use strict';

const fs = require('fs');
const path = require('path');

const [installation, list] = process.argv.slice(2);
const { convertFileContextual } = require(path.join(installation, 'node_modules', 'inspecjs'));

function read(file) {
  let profile;
  try {
    const read = convertFileContextual(fs.readFileSync(file, 'utf8'));
    if (!read.data.profiles || !read.contains.length) {
      return null;
    }
    profile = read.contains[0];
  } catch {
    return null;
  }
  return profile.contains
    .filter((control) => control.extendedBy.length === 0)
    .map((control) => [control.root.data.id, control.root.hdf.status, control.root.hdf.severity]);
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(list, 'utf8')).map(read)));
