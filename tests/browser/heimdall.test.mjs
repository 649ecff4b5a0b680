// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Opens a document in the real Heimdall Lite, which HEIMDALL is the address of, and prints what it shows: the cards with the numbers,
// and the text of the results. TOTAL is the number of controls that it has when it has read all. It must ask for nothing elsewhere and run nothing of the document.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

const { NODE_MODULES, CHROMIUM, HEIMDALL, DOCUMENT, TOTAL } = process.env;
const { chromium } = createRequire(`${NODE_MODULES}/`)("playwright-core");

let browser;
before(async () => {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    timeout: 120_000,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
});
after(() => browser?.close());

test("Heimdall Lite opens it", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 1200 } })).newPage();
  page.setDefaultTimeout(60_000);
  const dialogs = [];
  page.on("dialog", (dialog) => { dialogs.push(dialog.message()); void dialog.dismiss(); });
  await page.goto(HEIMDALL);
  await page.locator("input[type=file]").first().setInputFiles(DOCUMENT);
  await page.waitForURL(/results/);
  await page.waitForFunction((total) => document.body.innerText.includes(`Status Counts`) && document.body.innerText.includes(`Total\n${total}\n`), TOTAL);
  const text = await page.evaluate(() => document.body.innerText);
  assert.deepEqual(dialogs, []);
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  process.stdout.write(`\nSHOWN ${JSON.stringify(text)}\n`);
});
