// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// How long a large page takes to open and to filter; PAGE names it, OPENS and FILTERS are milliseconds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { on } from "./browser.mjs";

const { PAGE = "large.html", OPENS = "2000", FILTERS = "300" } = process.env;

test(`${PAGE} opens within ${OPENS} ms and filters within ${FILTERS} ms`, async (context) => {
  const started = performance.now();
  await on(PAGE, "#view=containers", {}, async (page) => {
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const opened = performance.now() - started;
    const times = await page.evaluate(async () => {
      const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const found = {};
      const status = document.querySelector(".chosen");
      const search = document.querySelector("input[type=search]");
      for (const text of ["worker", "payments-live web", "cb-setuid", ""]) {
        const before = status.textContent;
        const from = performance.now();
        search.value = text;
        search.dispatchEvent(new InputEvent("input", { bubbles: true }));
        while (status.textContent === before) await painted();
        found[`search ${text || "nothing"}`] = performance.now() - from;
      }
      for (const view of ["overview", "where", "controls", "changes", "containers"]) {
        const from = performance.now();
        location.hash = `#view=${view}`;
        while (!document.querySelector(".views [aria-current=page]").href.includes(view === "overview" ? "#" : `view=${view}`)) await painted();
        await painted();
        found[`view ${view}`] = performance.now() - from;
      }
      const list = document.querySelector(".scroll.long");
      const from = performance.now();
      list.scrollTop = list.scrollHeight / 2;
      await painted();
      found.scroll = performance.now() - from;
      return { ...found, rows: document.querySelectorAll("tbody tr").length };
    });
    context.diagnostic(`opened ${Math.round(opened)} ms; ${JSON.stringify(times, (_key, value) => (typeof value === "number" ? Math.round(value) : value))}`);
    assert.ok(times.rows < 200, "only the rows that are seen are drawn");
    assert.ok(opened <= Number(OPENS), `opened in ${opened} ms`);
    for (const [what, time] of Object.entries(times)) if (what.startsWith("search")) assert.ok(time <= Number(FILTERS), `${what} took ${time} ms`);
  });
});
