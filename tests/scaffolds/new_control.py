# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the skeleton of a control, with cases over facts that a scan has kept (make new-control).

    python new_control.py CHECKOUT PROFILE SUBJECT ID KEPT_FACTS

The skeleton is a control that passes on the kept facts and fails without a file, so it can be tested at once.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys

_HEADER = """\
# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
_SUBJECT = (
    _HEADER
    + """\
# yaml-language-server: $schema=../../../docs/schemas/profile.schema.json
---
controls:
"""
)
_CONTROL = """\
  - id: {control}
    title: FILL IN in one sentence the state that must hold
    desc: FILL IN exactly the condition that the tests check.
    rationale: FILL IN the harm that the condition prevents.
    check: FILL IN how a person checks it by hand.
    fix: FILL IN the change that makes it pass.
    impact: medium
    # FILL IN the tags by ../../mapping_sources.yml, such as nist, cci and cis.
    tests:
      - file: {path}
        expect: {{exist: true}}
"""
_CASES = (
    _HEADER
    + """\
# yaml-language-server: $schema=../../../docs/schemas/cases.schema.json
---
cases:
  - name: the container of {facts}
    kept_facts: {facts}
    expect:
      passed: [{control}]

  - name: the same without {path}
    kept_facts: {facts}
    facts:
      {fact}: {{status: absent, cause: there is no such file}}
    expect:
      failed: [{control}]
"""
)
_NEXT = """\
==> wrote {written}
==> fill in what the control says (FILL IN), and replace its test: docs/profile-language.md has the resources and matchers.
    The kept facts hold: {facts}
==> run its cases:  ansible localhost -m securescan.kubernetes.scan_profile -a 'profiles={profile} tests=true'
==> then: the other files of "A new control" in docs/contributing.md
"""
_MOST_FACTS = 60


class ScaffoldError(Exception):
    """What is asked for cannot be written; the text says why."""


def write_control(
    checkout: pathlib.Path, profile: str, subject: str, control: str, kept_facts: pathlib.Path
) -> list[pathlib.Path]:
    """The files that were written: the kept facts if no case has them yet, the control, and its cases.

    :param profile: a profile's folder name below profiles/
    :param subject: the file of its folder controls that gets the control, without .yml; made when it does not exist
    :param control: the control's id
    :raises ScaffoldError: the id is not one or is taken, the profile does not exist, or the facts are no kept facts
    """
    folder = checkout / "profiles" / profile
    if not (folder / "profile.yml").is_file():
        raise ScaffoldError(f"{folder} is not the folder of a profile")
    for name in (control, subject):
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            raise ScaffoldError(f"{name!r} is not a name; it has small letters, digits, _ and -")
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("**/*.yml")]
    if any(re.search(rf"\bid: {re.escape(control)}$", text, re.MULTILINE) for text in texts):
        raise ScaffoldError(f"the profile {profile} has a control {control} already")
    fact = _first_file(kept_facts)
    kept = _copy(kept_facts, folder / "tests", control)
    words = {"control": control, "facts": kept.name, "fact": fact, "path": fact.partition(":")[2]}
    controls, cases = folder / "controls" / f"{subject}.yml", folder / "tests" / f"{control}.yml"
    controls.parent.mkdir(exist_ok=True)
    before = controls.read_text(encoding="utf-8") + "\n" if controls.exists() else _SUBJECT
    controls.write_text(before + _CONTROL.format(**words), encoding="utf-8")
    cases.write_text(_CASES.format(**words), encoding="utf-8")
    return [kept, controls, cases]


def fact_keys(kept_facts: pathlib.Path) -> list[str]:
    """The names of the facts in a file that a scan has kept. :raises ScaffoldError: it is not such a file"""
    try:
        return list(json.loads(kept_facts.read_text(encoding="utf-8"))["facts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScaffoldError(f"{kept_facts} holds no kept facts ({error})") from error


def _first_file(kept_facts: pathlib.Path) -> str:
    """The first fact about a file that was there."""
    keys = fact_keys(kept_facts)
    facts = json.loads(kept_facts.read_text(encoding="utf-8"))["facts"]
    found = [key for key in keys if key.startswith("file:/") and facts[key].get("status") == "ok"]
    if not found:
        raise ScaffoldError(f"{kept_facts} holds no fact about a file that exists, for the skeleton's test")
    return found[0]


def _copy(kept_facts: pathlib.Path, folder: pathlib.Path, control: str) -> pathlib.Path:
    """The kept facts beside the cases: a file that is there with the same content, else a new one."""
    content = kept_facts.read_bytes()
    for path in sorted(folder.glob("*.json")):
        if path.read_bytes() == content:
            return path
    folder.mkdir(exist_ok=True)
    copy = folder / f"{control}.json"
    copy.write_bytes(content)
    return copy


def main(checkout: str, profile: str, subject: str, control: str, kept_facts: str) -> int:
    try:
        written = write_control(pathlib.Path(checkout), profile, subject, control, pathlib.Path(kept_facts))
    except ScaffoldError as error:
        print(f"==> {error}", file=sys.stderr)
        return 1
    keys = fact_keys(pathlib.Path(kept_facts))
    shown = ", ".join(keys[:_MOST_FACTS]) + (" ..." if len(keys) > _MOST_FACTS else "")
    names = ", ".join(str(path.relative_to(checkout)) for path in written)
    print(_NEXT.format(written=names, facts=shown, profile=f"profiles/{profile}"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6]))
