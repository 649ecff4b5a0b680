// Copyright (c) 2026 securescan.kubernetes contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Writes the pictures of docs/pictures/ into the folder PICTURES.

import { test } from "node:test";
import { on } from "./browser.mjs";

const { PICTURES } = process.env;

test("the pictures of the documentation", async () => {
  await on("fleet.html", "", { viewport: { width: 1200, height: 760 } }, (page) => page.screenshot({ path: `${PICTURES}/page.png` }));
  await on("fleet.html", "#view=where", { viewport: { width: 1200, height: 760 }, colorScheme: "dark" }, (page) =>
    page.screenshot({ path: `${PICTURES}/page-where-dark.png` }));
});
