// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// A headless Chromium for the tests of the page, and what all of them watch: no request, no script of others, no dialog, no error.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before } from "node:test";

// NODE_MODULES and PAGES are folders, CHROMIUM is a program; tests/integration/test_report_page.py sets them.
const { NODE_MODULES, PAGES, CHROMIUM } = process.env;
const require = createRequire(`${NODE_MODULES}/`);
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

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

/** Runs `look(page)` on one of the pages; nothing may have left it, run in it or failed, but for what `expected` describes. */
export async function on(name, address, options, look, expected = /(?!)/) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  const strange = [];
  page.on("request", (request) => request.url().startsWith(`file://${PAGES}/${name}`) || strange.push(`request ${request.url()}`));
  page.on("dialog", (dialog) => { strange.push(`dialog ${dialog.message()}`); void dialog.dismiss(); });
  page.on("pageerror", (error) => strange.push(`error ${error.message}`));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && strange.push(`console ${message.text()}`));
  try {
    await page.goto(`file://${PAGES}/${name}${address}`);
    await page.waitForSelector('html[data-opened="yes"]');
    await drawn(page);
    await look(page);
    assert.deepEqual(strange.filter((one) => !expected.test(one)), []);
  } finally {
    await context.close();
  }
}

/** Waits until the page shows what its address says: it draws some time after a click. */
export const drawn = (page) => page.waitForFunction(() => document.querySelector("main").dataset.address === location.hash);
export const hash = (page) => page.evaluate(() => location.hash);
export const chosen = (page) => page.locator(".chosen").innerText();

/** Serious and critical violations that axe finds, each with its elements. */
export async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
}
