// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The way from the first screen to the evidence, filters, and the address that is sent to somebody.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chosen, drawn, hash, on } from "./browser.mjs";

const QUESTIONS = ["Are we fine?", "What got worse?", "What is not covered?", "Who must act?"];

/** The four answers; those in the colour of what is good have an = in front. */
const answers = async (page) => {
  const all = await page.locator(".answer").evaluateAll((found) => found.map((one) =>
    [one.querySelector("h3").textContent, (one.classList.contains("tone-good") ? "= " : "") + one.querySelector(".big").textContent]));
  assert.deepEqual(all.map(([question]) => question), QUESTIONS);
  return all.map(([, answer]) => answer);
};

for (const [name, address, wanted] of [
  ["run.html", "", ["No", "1 new", "4 containers", "1 namespace"]],
  ["run.html", "#namespace=nowhere", ["No", "Not known", "Nothing was seen", "Not known"]],
  ["passed.html", "", ["= Yes", "Not known", "= All is covered", "= Nobody"]],
  ["passed.html", "#namespace=nowhere", ["Not known", "Not known", "Nothing was seen", "Not known"]],
  ["empty.html", "", ["Not known", "Not known", "Nothing was seen", "Not known"]],
  ["partly.html", "", ["= Yes, as far as it was seen", "Not known", "1 result", "= Nobody"]],
  ["altered.html", "", ["Yes, as far as it was seen", "Not known", "1 container", "Not known"]],
])
  test(`the first screen answers the four questions: ${name}${address}`, () =>
    on(name, address, {}, async (page) => {
      assert.deepEqual(await answers(page), wanted);
    }));

test("a cluster without results has no answer but that", () =>
  on("fleet.html", "#view=coverage", {}, async (page) => {
    await page.locator("tr", { hasText: "Unreachable" }).first().locator("th a").click();
    await page.waitForFunction(() => location.hash.includes("cluster="));
    await drawn(page);
    await page.getByRole("link", { name: "At a glance" }).click();
    await page.locator(".answer").first().waitFor();
    await drawn(page);
    const given = await answers(page);
    assert.deepEqual(given.slice(1), ["Not known", "1 cluster", "Not known"]);
    assert.ok(["No", "Not known"].includes(given[0]), given[0]);
  }));

const SUMMARIES = JSON.parse(readFileSync(`${process.env.PAGES}/summaries.json`, "utf8"));

for (const [name, summary] of Object.entries(SUMMARIES))
  test(`the first screen has the numbers of summary.md, what was waived apart: ${name}`, () =>
    on(name, "", {}, async (page) => {
      const [fine, , covered] = await page.locator(".answer").allInnerTexts();
      const head = summary.split("\n").slice(0, 4).join(" ");
      const number = (text, word) => Number(text.match(new RegExp(`(\\d+) (?:. )?${word}(?! \\()`))?.[1] ?? 0);
      const waived = Number(fine.match(/(\d+) . Not Applicable \(waived\)/)?.[1] ?? 0);
      for (const word of ["Passed", "Failed", "Not Reviewed", "Profile Error"]) assert.equal(number(fine, word), number(head, word), word);
      assert.equal(number(fine, "Not Applicable") + waived, number(head, "Not Applicable"));
      if (name === "run.html") assert.ok(waived > 0);
      const [, scanned = 0, selected = 0] = head.match(/(\d+) of (\d+) targets? scanned/) ?? [];
      assert.equal(Number(covered.match(/(\d+) containers? not scanned/)?.[1] ?? 0) + Number(covered.match(/(\d+) names? without/)?.[1] ?? 0), selected - scanned);
    }));

test("from the fleet to one container, its evidence, fix and history", () =>
  on("fleet.html", "#view=where", {}, async (page) => {
    for (const level of ["cluster", "namespace", "workload", "container"]) {
      const link = page.locator("tbody tr", { hasText: "◆" }).first().locator("th a");
      const name = await link.innerText();
      await link.click();
      await page.waitForFunction((wanted) => document.querySelector(".steps ol")?.textContent.includes(wanted), level);
      await drawn(page);
      assert.ok((await page.locator("h2").innerText()).includes(name), level);
    }
    await page.locator(".controls summary").first().click();
    const detail = await page.locator(".controls .detail").first().innerText();
    for (const part of ["What was found", "expected 0, found", "How to fix it", "Why it matters", "History", "Open since"]) assert.ok(detail.includes(part), part);
    await page.goBack();
    await drawn(page);
    assert.equal(await page.locator(".steps li").count(), 4);
  }));

test("a control leads to all places where it fails", () =>
  on("fleet.html", "#view=controls", {}, async (page) => {
    const row = page.locator("tbody tr").first();
    const failed = (await row.locator("td").nth(3).innerText()).replace(",", "");
    await row.locator("th a").click();
    await page.waitForFunction(() => location.hash.includes("control="));
    await drawn(page);
    assert.match(await chosen(page), new RegExp(`^${failed} containers? of workloads`));
    assert.match(await page.locator("main").innerText(), /How to fix it/);
    assert.match(await page.locator("tbody code").first().innerText(), /expected 0, found/);
  }));

test("an address that is sent to somebody shows the same", () =>
  on("fleet.html", "", {}, async (page) => {
    await page.getByRole("searchbox").fill("payments worker");
    await page.getByLabel("Failed severity").selectOption("critical");
    await page.waitForFunction(() => location.hash.includes("payments+worker") && location.hash.includes("critical"));
    await drawn(page);
    await page.getByRole("link", { name: "Containers", exact: true }).click();
    await page.waitForFunction(() => location.hash.includes("view=containers"));
    await drawn(page);
    await page.waitForSelector("tbody tr");
    const [address, said, first] = [await hash(page), await chosen(page), await page.locator("tbody tr").first().innerText()];
    await on("fleet.html", address, {}, async (other) => {
      assert.equal(await chosen(other), said);
      assert.equal(await other.locator("tbody tr").first().innerText(), first);
      assert.equal(await other.getByRole("searchbox").inputValue(), "payments worker");
    });
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => !location.hash.includes("payments"));
  }));

test("filters choose what they say", () =>
  on("fleet.html", "#view=containers", {}, async (page) => {
    const all = await chosen(page);
    await page.getByLabel("Result").selectOption("not_scanned");
    await page.waitForFunction((before) => document.querySelector(".chosen").innerText !== before, all);
    const results = await page.locator("tbody tr:not(.space)").evaluateAll((rows) => rows.map((row) => row.textContent.includes("Not scanned")));
    assert.ok(results.length && results.every(Boolean));
    await page.getByRole("searchbox").fill("nothing has this name");
    await page.getByText("No container is chosen.").waitFor();
    assert.match(await chosen(page), /^0 containers of workloads/);
  }));

test("what changed is told as new, fixed and overdue", () =>
  on("fleet.html", "#view=changes", {}, async (page) => {
    for (const kind of ["New", "Fixed", "Overdue"]) {
      const choice = page.locator(".choices a", { hasText: kind });
      const number = Number((await choice.innerText()).replace(/\D/g, ""));
      assert.ok(number > 0, kind);
      await choice.click();
      await page.waitForFunction((name) => location.hash.includes(name), kind.toLowerCase());
      await drawn(page);
      assert.equal(Number(await page.locator("table").getAttribute("aria-rowcount")), number + 1, kind);
    }
  }));

test("coverage names the clusters without results and why, and what was carried over", () =>
  on("fleet.html", "#view=coverage", {}, async (page) => {
    const text = await page.locator("main").innerText();
    for (const part of ["Unreachable", "Refused", "SCAN-202", "no answer from 10.3.", "exec: \"sh\": not found", "carried over: still young enough", "20 hours old"])
      assert.ok(text.includes(part), part);
  }));

test("trends have a table of the same numbers", () =>
  on("fleet.html", "#view=trend", {}, async (page) => {
    assert.ok((await page.locator("svg[role=img]").count()) >= 3);
    await page.locator(".chart summary").first().click();
    assert.match(await page.locator(".chart tbody").first().innerText(), /2026-10-02 02:00 UTC\s+90\.\d %/);
    await page.goto(page.url().replace("trend", "trend&cluster=prod-us-001"));
    await drawn(page);
    assert.match(await page.locator("main").innerText(), /Of the cluster prod-us-001/);
  }));

test("without an earlier run and a store the page claims nothing about the past", () =>
  on("alone.html", "", {}, async (page) => {
    assert.match(await page.locator(".answer", { hasText: "What got worse?" }).innerText(), /Not known/);
    await page.getByRole("link", { name: "Trend" }).click();
    await page.waitForFunction(() => location.hash.includes("view=trend"));
    await drawn(page);
    assert.match(await page.locator("main").innerText(), /There is nothing to draw/);
  }));
