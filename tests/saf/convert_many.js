// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Converts many checklists to HDF as `saf convert ckl2hdf` and `saf convert xccdf_results2hdf` do, and reads what comes out as
// Heimdall does. Called as
//
//   node convert_many.js <folder of the installation> <list>
//
// where <list> is a JSON file of [kind, path], kind being ckl or xccdf. Writes one entry per path to standard output:
// {profile, controls: [[id, status, severity], ...]}, or {error} for a document that is refused. A CKL has `again`, too: the
// statuses after it was made a CKL once more.
'use strict';

const fs = require('fs');
const path = require('path');

const [installation, list] = process.argv.slice(2);
const modules = path.join(installation, 'node_modules');
const { ChecklistResults, XCCDFResultsMapper } = require(path.join(modules, '@mitre', 'hdf-converters'));
const { convertFileContextual } = require(path.join(modules, 'inspecjs'));

function controls(hdf) {
  const profile = convertFileContextual(JSON.stringify(hdf)).contains[0];
  return profile.contains.map((one) => [one.root.data.id, one.root.hdf.status, one.root.hdf.severity]);
}

function read([kind, file]) {
  try {
    const text = fs.readFileSync(file, 'utf8');
    const hdf = kind === 'ckl' ? new ChecklistResults(text).toHdf() : new XCCDFResultsMapper(text).toHdf();
    const found = { profile: hdf.profiles[0].name, controls: controls(hdf) };
    if (kind === 'ckl') {
      found.again = controls(new ChecklistResults(new ChecklistResults(hdf).toCkl()).toHdf());
    }
    return found;
  } catch (error) {
    return { error: String(error && error.message) };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(list, 'utf8')).map(read)));
