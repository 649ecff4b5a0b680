# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is signed of one target: a statement of the published type test-result/v0.1, which can be verified alone.

Its subjects are the image (by its digest), the container (by its id) and the target's document. A control is named
`<profile>/<control>`. `passedTests` are those that passed, `failedTests` those that failed or ended in an error, `warnedTests`
those that were not reviewed. `result` is PASSED only where nothing failed and all was reviewed; a target that was not scanned is
FAILED. What the type has no field for stands under EXTENSION:

    run_id, cluster_uid, started (the target's scan), approach, evidence (grade), result (by the run's gate)
    target            the identity as the run has it, spec_sha256, seen
    errors            those of failedTests that ended in an error
    not_applicable    controls that do not apply, or were waived
    waived, attested  controls
    exceptions        {control: SHA-256 of what the document says of its waiver and attestation}
    error             why it was not scanned, or why its document could not be taken
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..results.run import Run
from ..results.status import (
    FAIL,
    FAILED,
    NOT_APPLICABLE,
    NOT_REVIEWED,
    PASS,
    PASSED,
    PROFILE_ERROR,
    STATUS_WORDS,
)
from ..results.target_record import TargetRecord
from ..results.verdicts import TargetVerdicts, Verdict
from ..safe_text import kept_values, printable
from .statement import SHA256, Statement, Subject

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
EXTENSION = "securescan_kubernetes"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CONTAINER_ID = re.compile(r"[a-z0-9.-]+://([0-9a-f]{64})")
_MISSING = "missing"


@dataclass(frozen=True)
class Difference:
    """One point in which a target is not as it was signed. `kind` is a word for programs."""

    kind: str
    text: str


def target_statement(run: Run, found: TargetVerdicts, started: str) -> Statement:
    """:param started: when the target's scan began, as its document says"""
    target = found.record
    said: dict[str, list[str]] = {status: [] for status in STATUS_WORDS}
    for verdict in found.controls:
        said[verdict.status].append(_name(verdict))
    failed = [*said[FAILED], *said[PROFILE_ERROR]]
    return Statement(
        _subjects(target),
        TEST_RESULT_TYPE,
        # strict parsers of JSON, such as cosign's, refuse what is no Unicode
        kept_values(
            {
                "result": _result(target, found, failed, said[NOT_REVIEWED]),
                "configuration": _configuration(run),
                "passedTests": said[PASSED],
                "warnedTests": said[NOT_REVIEWED],
                "failedTests": failed,
                EXTENSION: {
                    "run_id": run.run_id,
                    "cluster_uid": run.cluster_uid,
                    "target": {**target.identity(), "spec_sha256": target.spec_sha256, "seen": target.seen},
                    "started": started,
                    "approach": target.approach,
                    "evidence": target.evidence.grade if target.evidence else "",
                    "result": target.result,
                    "errors": said[PROFILE_ERROR],
                    "not_applicable": said[NOT_APPLICABLE],
                    "waived": [_name(one) for one in found.controls if one.waived],
                    "attested": [_name(one) for one in found.controls if one.attested],
                    "exceptions": {
                        _name(one): _exceptions(one)
                        for one in found.controls
                        if one.waiver or one.attestation
                    },
                    "error": found.unread or (target.error.message if target.error else ""),
                },
            }
        ),
    )


def target_id_of(statement: Statement) -> str:
    """Empty for a statement that does not say it."""
    return str(_mapping(_own(statement).get("target")).get("target_id") or "")


def run_id_of(statement: Statement) -> str:
    return str(_own(statement).get("run_id") or "")


def summary_differences(signed: Statement, now: Statement) -> Iterator[Difference]:
    """In what the summary says something else of a target than was signed. `signed` was verified.

    :param now: made of the summary's record
    """
    then, is_now = _own(signed), _own(now)
    yield from _of_identity(_mapping(then.get("target")), _mapping(is_now.get("target")))
    yield from _of_keys(then, is_now, result="result", approach="approach", evidence="evidence")


def document_differences(signed: Statement, now: Statement) -> Iterator[Difference]:
    """In what a target's document says something else than was signed, the most telling first. `signed` was verified.

    :param now: made of the document
    """
    told = False
    for difference in _of_document(signed, now):
        told = True
        yield difference
    if not told and any(
        signed.predicate.get(name) != now.predicate.get(name)
        for name in ("passedTests", "failedTests", "warnedTests")
    ):
        yield Difference("order", "its controls stand in another order")


def _of_document(signed: Statement, now: Statement) -> Iterator[Difference]:
    then, is_now = _own(signed), _own(now)
    yield from _of_identity(_mapping(then.get("target")), _mapping(is_now.get("target")))
    statuses_then, statuses_now = _statuses(signed.predicate), _statuses(now.predicate)
    for name in sorted({*statuses_then, *statuses_now}):
        was, found = statuses_then.get(name, _MISSING), statuses_now.get(name, _MISSING)
        if was != found:
            yield Difference("verdict", f"control {name}: {found}, and was signed as {was}")
    before, after = _mapping(then.get("exceptions")), _mapping(is_now.get("exceptions"))
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            word = "added" if name not in before else "removed" if name not in after else "changed"
            yield Difference("waiver", f"the waiver or attestation of control {name} was {word}")
    yield from _of_keys(then, is_now, started="time")


def _of_keys(then: Mapping[str, Any], now: Mapping[str, Any], **kinds: str) -> Iterator[Difference]:
    for key, kind in kinds.items():
        if then.get(key) != now.get(key):
            yield Difference(kind, f"{key}: {now.get(key)}, and was signed as {then.get(key)}")


def _of_identity(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for key in then:
        if then.get(key) != now.get(key):
            kind = "image" if key.startswith("image") else "time" if key == "seen" else "identity"
            yield Difference(kind, f"{key}: {now.get(key)}, and was signed as {then.get(key)}")


def _statuses(predicate: Mapping[str, Any]) -> dict[str, str]:
    """{control: what became of it, for people}."""
    own = _mapping(predicate.get(EXTENSION))
    found: dict[str, str] = {}
    for words, status in (
        (predicate.get("passedTests"), PASSED),
        (predicate.get("failedTests"), FAILED),
        (own.get("errors"), PROFILE_ERROR),
        (predicate.get("warnedTests"), NOT_REVIEWED),
        (own.get("not_applicable"), NOT_APPLICABLE),
    ):
        for name in words if isinstance(words, list) else ():
            found[str(name)] = STATUS_WORDS[status]
    for name in own.get("waived") or ():
        found[str(name)] = f"{found.get(str(name), '')} (waived)"
    return found


def _own(statement: Statement) -> Mapping[str, Any]:
    return _mapping(statement.predicate.get(EXTENSION))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(verdict: Verdict) -> str:
    return f"{verdict.about.profile}/{verdict.about.id}"


def _exceptions(verdict: Verdict) -> str:
    text = json.dumps([verdict.waiver, verdict.attestation], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _result(target: TargetRecord, found: TargetVerdicts, failed: list[str], unread: list[str]) -> str:
    if failed or found.unread or not found.controls or target.result == FAIL:
        return "FAILED"
    return "PASSED" if target.result == PASS and not unread else "WARNED"


def _configuration(run: Run) -> list[dict[str, Any]]:
    """By what it was judged, as descriptors of resources with their digests."""
    found = [
        {"name": f"profile {profile.name} {profile.version}", "digest": {SHA256: profile.sha256}}
        for profile in run.profiles
    ]
    others = {"inputs": run.inputs_sha256, "waivers and attestations": run.amendments_sha256}
    return [
        *found,
        *({"name": name, "digest": {SHA256: digest}} for name, digest in others.items() if digest),
    ]


def _subjects(target: TargetRecord) -> tuple[Subject, ...]:
    image, container = _DIGEST.fullmatch(target.image_digest), _CONTAINER_ID.fullmatch(target.container_id)
    name = "/".join((target.cluster, target.namespace, target.pod, target.container))
    # "containerId" and "targetIdSha256" are algorithms of ours, in small hexadecimal digits. A container that never started has
    # no id
    digest = (
        {"containerId": container[1]}
        if container
        else {"targetIdSha256": hashlib.sha256(target.target_id.encode("utf-8", "replace")).hexdigest()}
    )
    return (
        *((Subject(printable(f"image {target.image}"), {SHA256: image[1]}),) if image else ()),
        Subject(printable(f"container {name}"), digest),
        *((Subject(target.hdf, {SHA256: target.hdf_sha256}),) if target.hdf else ()),
    )
