# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OSCAL's documents have in common: ids, properties, texts, and how it names controls of NIST SP 800-53."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ..results.producer import COLLECTION, VERSION
from ..results.run import Run
from ..results.verdicts import ControlText
from ..safe_text import one_line
from .checklist import tags
from .markdown import escape
from .moments import NO_TIME, moment_of
from .xml_text import xml_name

OSCAL_VERSION = "1.1.3"
NAMESPACE = f"urn:{COLLECTION}"
MOST_TEXT = 2_000
_NIST = re.compile(r"([A-Za-z]{2})-(\d{1,2})(?: ?\((\d{1,2})\))?")


def metadata(run: Run, title: str) -> dict[str, Any]:
    return {
        "title": escape(title),
        "last-modified": moment_of(run.finished) or NO_TIME,
        "version": one_line(run.run_id, MOST_TEXT) or "unknown",
        "oscal-version": OSCAL_VERSION,
        "props": properties({"collection": f"{COLLECTION} {VERSION}"}),
    }


def properties(values: dict[str, str]) -> list[dict[str, str]]:
    """Those that have a value. It is plain text on one line, which no reader takes for markup."""
    shown = {name: one_line(value, MOST_TEXT) for name, value in values.items()}
    return [{"name": name, "ns": NAMESPACE, "value": value} for name, value in shown.items() if value]


def markup(text: str) -> str:
    """For titles, descriptions and remarks, which are Markdown."""
    return escape(text, MOST_TEXT) or "(nothing)"


def token(text: str) -> str:
    """An id that OSCAL takes; ids such as cb-shells stay as they are."""
    name = xml_name(text)
    return name if name[0].isalpha() or name[0] == "_" else f"_x{ord(name[0]):x}_{name[1:]}"


def nist_controls(about: ControlText) -> list[str]:
    """Ids of OSCAL's catalogue, such as ac-6.10, of the tags AC-6(10)."""
    found = (_NIST.fullmatch(one) for one in tags(about, "nist"))
    return [f"{one[1]}-{int(one[2])}{f'.{int(one[3])}' if one[3] else ''}".lower() for one in found if one]


def reviewed_controls(about: Iterable[ControlText]) -> dict[str, Any]:
    """The NIST controls that the profiles' controls name: a selection for each profile. One without such names selects all."""
    named: dict[str, set[str]] = {}
    for one in about:
        named.setdefault(one.profile, set()).update(nist_controls(one))
    return {
        "control-selections": [_selection(profile, ids) for profile, ids in named.items()]
        or [NOTHING_REVIEWED]
    }


# OSCAL has no selection of nothing.
NOTHING_REVIEWED: dict[str, Any] = {
    "description": "What was to be reviewed. None of it was.",
    "include-all": {},
}


def _selection(profile: str, ids: set[str]) -> dict[str, Any]:
    if not ids:
        named = f"All controls of the profile {markup(profile)}, which name none of NIST SP 800-53."
        return {"description": named, "include-all": {}}
    return {
        "description": f"What the profile {markup(profile)} names of NIST SP 800-53 revision 5.",
        "include-controls": [{"control-id": one} for one in sorted(ids, key=in_order)],
    }


def in_order(control_id: str) -> tuple[str, list[int]]:
    """By which ids of NIST controls are sorted: ac-6.8 comes before ac-6.10."""
    family, _dash, numbers = control_id.partition("-")
    return family, [int(one) for one in numbers.split(".")]
