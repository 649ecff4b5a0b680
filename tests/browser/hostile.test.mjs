// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Names and contents of containers that attack who reads the page. `on` fails for a request, a dialog and an error; the test in
// Python asks its own server besides whether somebody came.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, on } from "./browser.mjs";

const VIEWS = ["overview", "where", "containers", "controls", "changes", "coverage", "trend", "about"];

async function isInert(page) {
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("img, iframe, object, embed, link, form[action], base, #page script, #page style")].length), 0);
  const links = await page.locator("a").evaluateAll((all) => all.map((one) => one.protocol));
  assert.deepEqual(links.filter((protocol) => protocol !== "file:"), [], "each link leads to the page or beside it");
}

test("in every view, down to each control", () =>
  on("hostile.html", "", {}, async (page) => {
    for (const view of VIEWS) {
      await page.evaluate((name) => { location.hash = `#view=${name}`; }, view);
      await drawn(page);
      await isInert(page);
    }
    await page.evaluate(() => { location.hash = "#view=containers"; });
    await drawn(page);
    const links = await page.locator("tbody th a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    assert.ok(links.length > 5);
    for (const link of links) {
      await page.evaluate((address) => { location.hash = address; }, link);
      await drawn(page);
      await page.waitForSelector(".controls, main section p");
      for (const summary of await page.locator(".controls summary").all()) await summary.click();
      await isInert(page);
    }
  }));

test("the texts are there to be read", () =>
  on("hostile.html", "#view=containers", {}, async (page) => {
    const text = await page.locator("main").innerText();
    for (const part of ["<img src=x onerror=", "</script><script>", "constructor", "__proto__"]) assert.ok(text.includes(part), part);
  }));

test("an address that attacks", () =>
  on("run.html", "", {}, async (page) => {
    const attack = encodeURIComponent('<img src=x onerror="globalThis.pwned=1">');
    const keys = ["q", "cluster", "namespace", "workload", "container", "team", "control", "group", "result", "severity", "change", "by"];
    const addresses = VIEWS.flatMap((view) => keys.map((key) => `view=${view}&${key}=${attack}`));
    const own = keys.map((key, index) => `${key}=${["constructor", "__proto__", "toString"][index % 3]}`).join("&");
    for (const address of [...addresses, ...["constructor", "__proto__", ...VIEWS].map((view) => `view=${view}&${own}`)]) {
      await page.evaluate((hash) => { location.hash = `#${hash}`; }, address);
      await drawn(page);
      assert.ok((await page.locator("h2").innerText()).length > 2, address);
      await isInert(page);
    }
  }));

// the Python test asks the server afterwards
const { SERVER } = process.env;

test("the policy lets no other script run, no style come in and no request leave", () =>
  on("run.html", "", {}, async (page) => {
    const broken = await page.evaluate((server) => new Promise((done) => {
      const found = [];
      document.addEventListener("securitypolicyviolation", (event) => found.push(event.effectiveDirective));
      const tries = [
        () => { const one = document.createElement("div"); one.innerHTML = "<img src=x onerror='globalThis.pwned=1'>"; document.body.append(one); },
        () => { const one = document.createElement("script"); one.textContent = "globalThis.pwned=1"; document.body.append(one); },
        () => new Function("globalThis.pwned=1")(),
        () => fetch(`${server}/fetch`).catch(() => undefined),
        () => { const one = document.createElement("style"); one.textContent = "body{display:none}"; document.head.append(one); },
        () => { const one = document.createElement("img"); one.src = `${server}/x.png`; document.body.append(one); },
      ];
      // later: what the debugger itself evaluates is not held to the policy
      for (const attempt of tries) setTimeout(attempt, 0);
      const from = performance.now();
      const wanted = ["connect-src", "img-src", "require-trusted-types-for", "style-src-elem"];
      const look = () => wanted.every((one) => found.includes(one)) || performance.now() - from > 20_000 ? done(found.sort()) : setTimeout(look, 50);
      setTimeout(look, 200);
    }), SERVER);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
    for (const directive of ["connect-src", "img-src", "require-trusted-types-for", "style-src-elem"]) assert.ok(broken.includes(directive), `${directive}: ${broken}`);
  }, /^request .*x\.png$|^(console|error) .*(Content Security Policy|TrustedHTML|TrustedScript|Trusted Type|unsafe-eval)/));
