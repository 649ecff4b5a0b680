// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The page for everybody: axe in light and dark, the keyboard alone, print, a phone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, hash, on, violations } from "./browser.mjs";

const VIEWS = ["overview", "where", "containers", "controls", "changes", "coverage", "trend", "about"];

// Only the colours differ.
const DARK = ["overview", "where", "controls", "coverage"];

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious in any view, ${colorScheme}`, () =>
    on("fleet.html", "", { colorScheme }, async (page) => {
      for (const view of colorScheme === "dark" ? DARK : VIEWS) {
        await page.evaluate((name) => { location.hash = `#view=${name}`; }, view);
        await page.waitForFunction((name) => document.querySelector(".views [aria-current]")?.getAttribute("href").includes(name === "overview" ? "#" : name), view);
        await drawn(page);
        assert.deepEqual(await violations(page), [], view);
      }
    }));

  test(`axe finds nothing serious where a container and its controls are open, ${colorScheme}`, () =>
    on("run.html", "#view=containers", { colorScheme }, async (page) => {
      await page.locator("tbody th a").first().click();
      await page.waitForSelector(".controls summary");
      await drawn(page);
      for (const summary of await page.locator(".controls summary").all()) await summary.click();
      assert.deepEqual(await violations(page), []);
    }));
}

test("axe finds what is wrong", () =>
  on("alone.html", "", {}, async (page) => {
    await page.evaluate(() => {
      const text = document.createElement("p");
      text.textContent = "hardly to be read";
      text.style.color = "#ddd";
      document.querySelector("main").append(text, document.createElement("button"));
    });
    assert.deepEqual((await violations(page)).map((one) => one.split(":")[0]).sort(), ["button-name", "color-contrast"]);
  }));

test("each view has one first heading, one second, and no level is left out", () =>
  on("fleet.html", "", {}, async (page) => {
    for (const view of VIEWS) {
      await page.evaluate((name) => { location.hash = `#view=${name}`; }, view);
      await drawn(page);
      const levels = await page.locator("h1, h2, h3, h4").evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
      assert.deepEqual(levels.filter((level) => level < 3), [1, 2], view);
      levels.reduce((before, level) => { assert.ok(level <= before + 1, `${view}: ${levels}`); return level; }, 0);
    }
  }));

test("the keyboard alone leads to the evidence of a control", () =>
  on("run.html", "", {}, async (page) => {
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    const tabTo = async (text) => {
      for (let steps = 0; steps < 80; steps++) {
        await page.keyboard.press("Tab");
        if ((await focused()).trim() === text) return;
      }
      assert.fail(`no way to ${text}`);
    };
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "To the content");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "At a glance");
    await page.evaluate(() => document.activeElement.blur());
    // The focus moves to the new heading some time after the view is drawn: a key that is pressed before goes to the old one.
    const follow = async (text) => {
      await tabTo(text);
      const before = await hash(page);
      await page.keyboard.press("Enter");
      await page.waitForFunction((address) => location.hash !== address && document.activeElement?.tagName === "H2", before);
      await drawn(page);
    };
    await follow("Where");
    assert.equal(await focused(), "Where");
    await follow("shop");
    await follow("Deployment/legacy");
    await follow("app");
    const onControl = () => page.evaluate(() => document.activeElement?.tagName === "SUMMARY");
    for (let steps = 0; steps < 80 && !(await onControl()); steps++) await page.keyboard.press("Tab");
    assert.ok(await onControl(), "the controls can be reached");
    await page.keyboard.press("Enter");
    assert.match(await page.locator("details[open] .detail").innerText(), /expected 0644, found 0777/);
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "where the focus is can be seen");
  }));

test("a table is sorted by a button that says how", () =>
  on("fleet.html", "#view=where", {}, async (page) => {
    const head = page.locator("th", { hasText: "Fail" }).first();
    await head.locator("button").click();
    await page.waitForSelector('th[aria-sort="descending"]');
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    const numbers = await page.locator("table").first().locator("tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.children[5].textContent.replace(",", ""))));
    assert.deepEqual(numbers, [...numbers].sort((one, other) => other - one));
    await head.locator("button").click();
    await page.waitForSelector('th[aria-sort="ascending"]');
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
  }));

test("no word is said by colour alone", () =>
  on("run.html", "#view=containers", {}, async (page) => {
    const marks = await page.locator(".mark").evaluateAll((all) => all.map((one) => one.textContent.trim()));
    assert.ok(marks.length > 5);
    for (const mark of marks) assert.match(mark, /[A-Za-z]{3}/);
  }));

test("print shows the report and not its buttons, and a long table as rows", () =>
  on("fleet.html", "#view=containers", {}, async (page) => {
    await page.emulateMedia({ media: "print" });
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length > 300);
    assert.equal(await page.locator(".views, .filters form, .tools").evaluateAll((all) => all.filter((one) => one.checkVisibility()).length), 0);
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector(".scroll")).overflowX), "visible");
    await page.evaluate(() => { location.hash = ""; });
    await page.waitForSelector(".answer");
    await drawn(page);
    assert.ok((await page.pdf({ format: "A4" })).length > 20_000);
  }));

test("on a phone nothing is wider than the screen", () =>
  on("fleet.html", "", { viewport: { width: 360, height: 740 } }, async (page) => {
    for (const view of VIEWS) {
      await page.evaluate((name) => { location.hash = `#view=${name}`; }, view);
      await drawn(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), view);
    }
    assert.equal(await hash(page), "#view=about");
  }));
