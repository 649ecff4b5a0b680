# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""eMASS: the containers of a run with their results, by the API's container-scan-results. eMASS keeps one state for a
container and rule, so what is sent again changes nothing.

    passed           Pass
    failed           Fail
    not_applicable   Not Applicable; with who waived it and why as the message, where a waiver is the reason
    not_reviewed     Not Reviewed
    profile_error    Other, with the error as the message

A target that was not scanned, or whose document is not the run's, has no results that eMASS could keep: it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import ScanError
from ..network.http_pool import HttpReply
from ..reports.event import EventSource, event_time
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.target_record import ErrorRecord
from ..results.verdicts import TargetVerdicts, Verdict, run_verdicts
from ..safe_text import one_line, server_text
from .http_sender import HttpSender
from .http_sink import HttpSink
from .item import Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, SinkKind
from .sink_options import HTTP_OPTIONS, TOKEN_OPTIONS, SinkOptions

# The API names no limits; these keep a request short.
_LIMITS = Limits(items=50, bytes=4 * 1024 * 1024)
_MOST_MESSAGE = 1000
_MOST_NAME = 512
_STATUSES = {
    PASSED: "Pass",
    FAILED: "Fail",
    NOT_APPLICABLE: "Not Applicable",
    NOT_REVIEWED: "Not Reviewed",
    PROFILE_ERROR: "Other",
}
# Where a control says which rule of a benchmark it is.
_RULE_TAGS = ("rid", "rule_id")


class Emass(HttpSink):
    """Posts containers with their results to one system of eMASS."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        token = options.needed("token")
        for name in ("system_id", "user_uid"):
            if not own[name]:
                raise _bad(name, f"{name} is needed for eMASS")
        if not options.client_cert:
            raise _bad("client_cert", "eMASS knows us by a client certificate: client_cert is needed")
        self._benchmarks = {str(name): str(value) for name, value in (own["benchmarks"] or {}).items()}
        self._path = f"/api/systems/{int(own['system_id'])}/container-scan-results"
        self.secrets: Sequence[str] = (token,)
        headers = {"api-key": token, "user-uid": str(own["user_uid"])}
        self._http = HttpSender(options, headers, self.secrets)
        self.destination = f"{options.url.rstrip('/')}{self._path}"
        self.limits = _LIMITS

    def items(self, pushed: Pushed) -> Iterator[Item]:
        run = pushed.run
        source = EventSource.of(run)
        for target in run_verdicts(run):
            if target.controls:
                body = json.dumps(self._container(run, source, target), separators=(",", ":")).encode("ascii")
                key = item_key(run.run_id, target.record.target_id)
                yield Item(key, target.record.target_id, run.run_id, body=body)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        body = b"[" + b",".join(item.body for item in batch) + b"]"
        reply = self._http.send("POST", self._path, headers={"Content-Type": "application/json"}, body=body)
        said = {str(one.get("containerId")): one for one in _data(reply)}
        return [self._outcome(said.get(json.loads(item.body)["containerId"])) for item in batch]

    def _outcome(self, said: Mapping[str, Any] | None) -> Outcome:
        if said is None:
            return _error("server_error", "the answer does not name the container")
        if said.get("success") is True:
            return None
        errors = said.get("errors") or said.get("systemErrors") or "without a reason"
        return _error("invalid_request", server_text(json.dumps(errors), self.secrets))

    def _container(self, run: Run, source: EventSource, target: TargetVerdicts) -> dict[str, Any]:
        record = target.record
        seen = int(event_time(source, target).timestamp())
        versions = {profile.name: profile.version for profile in run.profiles}
        profiles: dict[str, list[dict[str, Any]]] = {}
        for verdict in target.controls:
            profiles.setdefault(verdict.about.profile, []).append(_result(verdict, seen))
        tags = {
            "cluster": record.cluster,
            "workload": f"{record.workload_kind}/{record.workload}",
            "image": record.image,
            "imageDigest": record.image_digest,
            "run": run.run_id,
        }
        return {
            "containerId": _name(record.container_id or record.target_id),
            "containerName": _name(record.container),
            "time": seen,
            "podName": _name(record.pod),
            "namespace": _name(record.namespace),
            "tags": {name: _name(value) for name, value in tags.items() if value},
            "benchmarks": [
                {
                    "benchmark": _name(self._benchmarks.get(profile, profile)),
                    **({"release": _name(versions[profile])} if versions.get(profile) else {}),
                    "results": results,
                }
                for profile, results in profiles.items()
            ],
        }


def _result(verdict: Verdict, seen: int) -> dict[str, Any]:
    tags = verdict.about.tags
    rule = next((str(tags[name]) for name in _RULE_TAGS if tags.get(name)), verdict.about.id)
    said = {"ruleId": _name(rule), "status": _STATUSES[verdict.status], "lastSeen": seen}
    return {**said, "message": one_line(verdict.text, _MOST_MESSAGE)} if verdict.text else said


def _name(text: str) -> str:
    return one_line(text, _MOST_NAME)


def _data(reply: HttpReply) -> list[Mapping[str, Any]]:
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        answer = None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise ScanError("bad_reply", "the answer is not one of eMASS", tried="read the answer of eMASS")
    return [one for one in data if isinstance(one, dict)]


def _error(reason: str, message: str) -> ErrorRecord:
    return ErrorRecord(**ScanError(reason, message, tried="POST container-scan-results").record())


def _bad(option: str, why: str) -> ScanError:
    return ScanError("bad_option", why, tried=f"reading the option {option}")


EMASS = SinkKind(
    "emass",
    {
        "system_id": {"type": "int"},
        "user_uid": {"type": "str"},
        "benchmarks": {"type": "dict"},
    },
    (*HTTP_OPTIONS, *TOKEN_OPTIONS),
    Emass,
)
