// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads many checklists as STIG Manager does when it imports them. Called as
//
//   node read_many.mjs <node_modules> <list>
//
// where <list> is a JSON file of [kind, path], kind being ckl, cklb or xccdf. Writes one entry per path to standard output:
// {asset, benchmark, reviews: [[rule, result, detail, comment], ...]}, or {error} for a document that is refused.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, list] = process.argv.slice(2);
const parser = path.join(modules, '@nuwcdivnpt', 'stig-manager-client-modules');
const load = (name) => import(pathToFileURL(path.join(parser, name)));
const { reviewsFromCkl, reviewsFromCklb, reviewsFromXccdf } = await load('index.js');
const { XMLParser } = await load('fxp.esm.js');
const { default: valueProcessor } = await load('decode.js');

const readers = { ckl: reviewsFromCkl, cklb: reviewsFromCklb, xccdf: reviewsFromXccdf };
const options = {
  fieldSettings: { detail: { required: 'optional' }, comment: { required: 'optional' } },
  allowAccept: false,
  importOptions: {
    autoStatus: 'saved',
    unreviewed: 'always',
    unreviewedCommented: 'notchecked',
    emptyDetail: 'import',
    emptyComment: 'import',
  },
  scapBenchmarkMap: new Map(),
  valueProcessor,
  XMLParser,
};

function read([kind, file]) {
  try {
    const found = readers[kind]({ ...options, data: fs.readFileSync(file, 'utf8') });
    const checklist = found.checklists[0];
    return {
      asset: found.target.name,
      benchmark: checklist.benchmarkId,
      reviews: checklist.reviews.map((one) => [one.ruleId, one.result, one.detail, one.comment]),
    };
  } catch (error) {
    return { error: String(error && error.message) };
  }
}

process.stdout.write(JSON.stringify(JSON.parse(fs.readFileSync(list, 'utf8')).map(read)));
