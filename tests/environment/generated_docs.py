# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the parts of docs/ that are made from the code: the catalogue of errors, the kinds of facts, the profile language, the
rooms of the architecture, the table of attacks, a page for each profile, and the schemas for editors.

    python generated_docs.py DOCS_FOLDER

A test fails when what is committed is not what this makes.
"""

from __future__ import annotations

import pathlib
import re
import sys

import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import families
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.family import (
    IMAGE,
    RUNNING,
    WITHIN,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.query_rules import (
    NamePattern,
    Number,
    Option,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.editor_schema import Schema, render_schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import KINDS
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.cases import cases_schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.schema import profile_schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    attestations_schema,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.deadline_policy import (
    deadlines_schema,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.exception_policy import (
    exception_policy_schema,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.limits import limits_schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.status import SEVERITIES
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.teams import teams_schema
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import waivers_schema
from ansible_collections.securescan.kubernetes.tests.environment.attacks_page import attacks_page
from ansible_collections.securescan.kubernetes.tests.environment.language_page import language_page
from ansible_collections.securescan.kubernetes.tests.environment.layers_page import with_layers

ROOT = pathlib.Path(__file__).resolve().parents[2]

GENERATED = "<!-- Made by `make docs`; changes here are lost. -->\n"


def pages() -> dict[str, str]:
    """File name within docs/ -> text."""
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    made = {
        "errors.md": errors_page(),
        "facts.md": facts_page(),
        "profile-language.md": language_page(GENERATED),
        "architecture.md": with_layers(architecture),
        "evidence/attacks.md": attacks_page(GENERATED),
    }
    made.update(
        (f"schemas/{name}.schema.json", render_schema(title, schema))
        for name, (title, schema) in editor_schemas().items()
    )
    sources = read_yaml(ROOT / "profiles" / "mapping_sources.yml")
    for file in sorted((ROOT / "profiles").glob("*/profile.yml")):
        profile = read_yaml(file)
        subjects = {"": profile.get("controls", [])}
        for part in sorted(file.parent.glob("controls/*.yml")):
            subjects[part.stem] = read_yaml(part)["controls"]
        made["profiles/{}.md".format(profile["name"])] = profile_page(profile, subjects, sources)
    return made


def editor_schemas() -> dict[str, tuple[str, Schema]]:
    """Name -> title and schema of each file that people write."""
    return {
        "profile": ("A profile, or a file of its controls", profile_schema()),
        "cases": ("The cases that test a profile", cases_schema()),
        "waivers": ("Waivers", waivers_schema()),
        "attestations": ("Attestations", attestations_schema()),
        "threshold": ("A threshold: the limits of a gate", limits_schema()),
        "exception-policy": ("Which waivers and attestations count", exception_policy_schema()),
        "teams": ("To which team and environment a namespace belongs", teams_schema()),
        "deadlines": ("Deadlines of scans and fixes", deadlines_schema()),
    }


def read_yaml(file: pathlib.Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def errors_page() -> str:
    rows = [
        f"| `{kind.code}` | `{kind.reason}` | {kind.meaning} | {kind.advice} |" for kind in KINDS.values()
    ]
    return "\n".join(
        [
            GENERATED,
            "# Errors",
            "",
            "Every failure that a task or a result can name. The code never changes its meaning.",
            "",
            "| code | reason | what it means | what to do |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


_REACH = {
    IMAGE: "every approach",
    RUNNING: "every approach but `image`",
    WITHIN: "`exec` alone",
}


def facts_page() -> str:
    rows = [
        f"| `{kind}` | {cell(family.subject.what) or '-'} | {cell(', '.join(map(option_text, family.options))) or '-'} "
        f"| {cell(family.value)} | {_REACH[family.reach]} | {family.sensitive.what if family.sensitive else '-'} |"
        for kind, family in sorted(families.FAMILIES.items())
    ]
    return "\n".join(
        [
            GENERATED,
            "# Kinds of facts",
            "",
            "A scan collects facts, and profiles judge them. In kept facts and in the cases of a profile a fact is called",
            "`kind`, or `kind:subject`, with the options that are not left to their default in brackets:",
            '`walk:/usr[match=setuid]`. Its value has the shape below; bytes stand in JSON as `{"base64": "..."}`.',
            "The fact `image_listing` is the `listing` of the target's image. What is sensitive is not kept, but for what the",
            "scan's profiles asked of it ([results.md](results.md#keeping-facts-and-judging-them-again)).",
            "",
            "A fact says what was there when the scan looked. It looks twice only where one look cannot tell what it has seen:",
            "a process that can still be the container runtime's (`processes`), a UDP socket that can be a client's",
            "(`sockets`), and a path that has appeared since the statuses were read (`file`). A `walk`, a `listing` and the",
            "TCP sockets of `sockets` hold for one moment: a file that everybody is allowed to write to, and a port that takes",
            "connections, are findings however short they last, and a second look would hide them. So two scans of a container",
            "that makes such files for moments can differ. What vanishes while a `walk` or a `listing` runs is left out, and",
            "costs neither of them.",
            "",
            "| kind | subject | options | value | had by | sensitive |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def option_text(option: Option) -> str:
    if isinstance(option, Number):
        return f"`{option.name}` ({option.low} to {option.high}, default {option.default})"
    if isinstance(option, NamePattern):
        return f"`{option.name}` (a file's name, with * and ?)"
    return f"`{option.name}` ({', '.join(option.words)}; must be given)"


def cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def profile_page(profile: dict, subjects: dict[str, list[dict]], sources: dict[str, dict]) -> str:
    """The page of a profile, its controls by the files they stand in, with the sources of their tags."""
    controls = [control for group in subjects.values() for control in group]
    lines = [
        GENERATED,
        "# {}".format(profile["title"]),
        "",
        cell(profile.get("summary", "")),
        "",
        "Profile `{}`, version {}: {} controls.".format(profile["name"], profile["version"], len(controls)),
    ]
    lines += index(controls)
    if profile.get("inputs"):
        lines += ["", "## Inputs", "", "| input | default | meaning |", "| --- | --- | --- |"]
        lines += [
            "| `{}` | {} | {} |".format(
                item["name"], default_cell(item.get("value", "")), cell(item.get("description", ""))
            )
            for item in profile["inputs"]
        ]
    for subject, group in subjects.items():
        if group:
            lines += ["", "## %s" % (subject.replace("_", " ").capitalize() or "Controls"), ""]
        for control in group:
            lines += control_section(control)
    return "\n".join([*lines, *sources_section(controls, sources), ""])


def index(controls: list[dict]) -> list[str]:
    """A line for each control with a link to its section, the gravest first."""
    lines = ["", "| impact | control | |", "| --- | --- | --- |"]
    for impact in SEVERITIES:
        lines += [
            "| {} | [{}](#{}) | {} |".format(
                impact, control["id"], slug(f"{control['id']}: {control['title']}"), cell(control["title"])
            )
            for control in controls
            if control["impact"] == impact
        ]
    return lines


def slug(heading: str) -> str:
    """The anchor that forges give to a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def default_cell(value: object) -> str:
    return ", ".join(f"`{cell(entry)}`" for entry in (value if isinstance(value, list) else [value]))


def control_section(control: dict) -> list[str]:
    lines = [
        "### {}: {}".format(control["id"], control["title"]),
        "",
        cell(control.get("desc", "")),
        "",
        "- Impact: {}".format(control["impact"]),
    ]
    if control.get("only_if"):
        lines.append("- Applies: {}".format(cell(control["only_if"]["reason"])))
    for name in ("rationale", "check", "fix"):
        if control.get(name):
            lines.append(f"- {name.capitalize()}: {cell(control[name])}")
    lines += [
        "- {}: {}".format(name, ", ".join(tag_values(control, name))) for name in control.get("tags") or {}
    ]
    return [*lines, ""]


def tag_values(control: dict, name: str) -> list[str]:
    values = (control.get("tags") or {}).get(name, [])
    return [str(value) for value in (values if isinstance(values, list) else [values])]


def sources_section(controls: list[dict], sources: dict[str, dict]) -> list[str]:
    """Where the tags come from, and which controls have each of them."""
    lines = [
        "## Sources of the tags",
        "",
        "Which item of a source fits a control is our own reading. `nist` is what the list of `cci` says.",
    ]
    for name, source in sources.items():
        used = {}
        for control in controls:
            for value in tag_values(control, name):
                used.setdefault(value, []).append(control["id"])
        if not used:
            continue
        lines += [
            "",
            f"### {name}",
            "",
            "{}: <{}>".format(cell(source["source"]), source["url"]),
            "",
            "| tag | about | controls |",
            "| --- | --- | --- |",
        ]
        order = list(source.get("items") or sorted(used, key=natural))
        lines += [
            "| {} | {} | {} |".format(
                value, cell((source.get("items") or {}).get(value, "")), ", ".join(used[value])
            )
            for value in order
            if value in used
        ]
    return lines


def natural(tag: str) -> list[tuple[bool, int, str]]:
    return [
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in re.findall("[0-9]+|[A-Z]+", tag)
    ]


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    for name, text in pages().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"==> written: {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
