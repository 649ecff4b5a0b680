# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the parts of docs/ that are made from the code: the catalogue of errors, and a page for each profile.

    python generated_docs.py DOCS_FOLDER

A test fails when what is committed is not what this makes.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Dict

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = "<!-- Made by `make docs`; changes here are lost. -->\n"


def pages() -> Dict[str, str]:
    """File name within docs/ -> text."""
    made = {"errors.md": errors_page()}
    for source in sorted((ROOT / "profiles").glob("*/profile.yml")):
        profile = yaml.safe_load(source.read_text(encoding="utf-8"))
        made["profiles/%s.md" % profile["name"]] = profile_page(profile)
    return made


def errors_page() -> str:
    rows = ["| `%s` | `%s` | %s | %s |" % (kind.code, kind.reason, kind.meaning, kind.advice) for kind in KINDS.values()]
    return "\n".join([
        GENERATED, "# Errors", "",
        "Every failure that a task or a result can name. The code never changes its meaning.", "",
        "| code | reason | what it means | what to do |", "| --- | --- | --- | --- |", *rows, ""])


def cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def profile_page(profile: Dict) -> str:
    lines = [GENERATED, "# %s" % profile["title"], "", cell(profile.get("summary", "")), "",
             "Profile `%s`, version %s: %d controls." % (profile["name"], profile["version"], len(profile["controls"]))]
    if profile.get("inputs"):
        lines += ["", "## Inputs", "", "| input | default | meaning |", "| --- | --- | --- |"]
        lines += ["| `%s` | `%s` | %s |" % (item["name"], cell(item.get("value", "")), cell(item.get("description", "")))
                  for item in profile["inputs"]]
    lines += ["", "## Controls", ""]
    for control in profile["controls"]:
        tags = ", ".join("%s: %s" % (name, ", ".join(map(str, values if isinstance(values, list) else [values])))
                         for name, values in (control.get("tags") or {}).items())
        lines += ["### %s: %s" % (control["id"], control["title"]), "", cell(control.get("desc", "")), "",
                  "- Impact: %s" % control["impact"]]
        for name in ("rationale", "check", "fix"):
            if control.get(name):
                lines.append("- %s: %s" % (name.capitalize(), cell(control[name])))
        if tags:
            lines.append("- Tags: %s" % tags)
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print("==> written: %s" % path, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
