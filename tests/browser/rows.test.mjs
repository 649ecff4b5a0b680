// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Prints what each container of the page says, and of each of its controls: for docs/formats.md.

import { test } from "node:test";
import { drawn, on } from "./browser.mjs";

test("the containers", () =>
  on("report.html", "#view=containers", {}, async (page) => {
    const names = page.locator("main tbody th a");
    const found = [];
    for (let index = 0; index < (await names.count()); index += 1) {
      const row = await page.locator("main tbody tr").nth(index).locator("th, td").allInnerTexts();
      await names.nth(index).click();
      await drawn(page);
      found.push({ row, controls: await page.locator(".controls summary").allInnerTexts(), text: await page.locator("main").innerText() });
      await page.goBack();
      await drawn(page);
    }
    process.stdout.write(`\nROWS ${JSON.stringify(found)}\n`);
  }));
