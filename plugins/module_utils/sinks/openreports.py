# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports in the scanned cluster: an object for each place, of the kind Report (openreports.io) or PolicyReport (wgpolicyk8s.io).

It writes into the cluster that was scanned, with an identity of its own (docs/manifests/openreports-clusterrole.yml). Each object
is owned by the place's workload, so that the cluster removes it with that; reports of containers that a workload no longer has
are removed here. An object is applied as a whole, so the same run twice changes nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..cluster.cluster_uid import read_cluster_uid
from ..cluster.connection import ConnectionOptions, connect
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..reports.event import CLOSED, CREATED, Event, finding_events
from ..results.coverage import Coverage
from ..results.run import Run
from ..results.status import FAILED, NOT_APPLICABLE, NOT_REVIEWED, PASSED, PROFILE_ERROR
from ..results.target_record import ErrorRecord, TargetRecord
from ..safe_text import one_line
from ..times import parse_rfc3339
from .item import Item, Outcome, item_key
from .pushed import Pushed
from .sink import Limits, Sink, SinkKind
from .sink_options import PROXY_OPTIONS, TLS_OPTIONS, TOKEN_OPTIONS, SinkOptions

_LIMITS = Limits(items=20, bytes=16 * 1024 * 1024)
# etcd takes 1.5 MiB; what an object needs besides its results has room in the rest.
MOST_BYTES = 1_250_000
_MAX_MESSAGE, _MAX_TEXT = 1000, 300
_MANAGER = "securescan.kubernetes"
_MANAGED = "app.kubernetes.io/managed-by"
_KIND = "securescan.kubernetes/container-kind"
_APPLY = "application/apply-patch+yaml"
_NAME = re.compile(r"[^a-z0-9.-]+")
# (API group and version, kind, resource), in the order in which they are looked for
_APIS = {
    "openreports": ("openreports.io/v1alpha1", "Report", "reports"),
    "wgpolicyk8s": ("wgpolicyk8s.io/v1alpha2", "PolicyReport", "policyreports"),
}
# What was not reviewed is never a pass; `properties.status` has our own word.
_RESULTS = {
    PASSED: "pass",
    FAILED: "fail",
    PROFILE_ERROR: "error",
    NOT_REVIEWED: "skip",
    NOT_APPLICABLE: "skip",
}
_WORDS = ("pass", "fail", "warn", "error", "skip")
_WORKLOADS = {
    "Deployment": ("apps/v1", "deployments"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "Job": ("batch/v1", "jobs"),
    "CronJob": ("batch/v1", "cronjobs"),
    "Pod": ("v1", "pods"),
}
# Of one object; the others can still be written.
_OF_ONE = frozenset({"not_found", "not_permitted", "conflict", "invalid_request"})


class OpenReports(Sink):
    """Applies one object for each place."""

    def __init__(self, options: SinkOptions) -> None:
        own = options.own
        self._api = own["api"] or "auto"
        if self._api not in ("auto", *_APIS):
            raise _bad("api", f"api is one of auto, {', '.join(_APIS)}")
        self._all = (own["results"] or "failures") == "all"
        kubeconfig = own["kubeconfig"]
        if not kubeconfig and not (options.url and (options.token or options.client_cert)):
            raise _bad(
                "kubeconfig",
                "kubeconfig, or url and token, is needed: reports are written by an identity of their own",
            )
        connection = connect(
            ConnectionOptions(
                kubeconfig=str(Path(kubeconfig).expanduser()) if kubeconfig else None,
                context=own["context"] or None,
                host=options.url or None,
                api_key=options.token or None,
                ca_cert=options.ca_cert or None,
                client_cert=options.client_cert or None,
                client_key=options.client_key or None,
                validate_certs=None if options.validate_certs else False,
                proxy=options.proxy or None,
                no_proxy=options.no_proxy or None,
            ),
            # K8S_AUTH_* is the credential of scans
            {name: text for name, text in options.environ.items() if not name.startswith("K8S_AUTH_")},
        )
        self._client = RestClient(connection, options.timeout, attempts=1, cancel=options.cancel)
        self._chosen: tuple[str, str, str] | None = None
        self._uids: dict[tuple[str, str, str], str] = {}
        self._right_cluster: set[str] = set()
        self.secrets = tuple(connection.secrets())
        self.destination = f"{connection.server} reports"
        self.limits = _LIMITS

    @property
    def requests(self) -> int:
        return self._client.requests

    def items(self, pushed: Pushed) -> Iterator[Item]:
        run = pushed.run
        written: dict[str, list[str]] = {}
        events = (event for event in finding_events(run) if event.target.record.cluster == run.cluster)
        for _place, of_place in itertools.groupby(events, lambda event: event.target.record.place_id):
            found = list(of_place)
            record = found[0].target.record
            if not record.namespace or not record.workload:
                continue  # a name that gave no target
            body = _report(run, record, found, self._all)
            written.setdefault(record.namespace, []).append(body["metadata"]["name"])
            yield _item(run, record.place_id, CREATED, body)
        coverage = Coverage.of(run)
        for namespace, names in written.items() if coverage else ():
            if coverage and coverage.has(namespace, "container"):
                body = {
                    "namespace": namespace,
                    "keep": sorted(names),
                    "kinds": coverage.kinds or ("container",),
                }
                yield _item(run, f"{namespace}: reports of containers that are gone", CLOSED, body)

    def send(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        api = self._chosen = self._chosen or self._installed()
        return [self._sent(item, api) for item in batch]

    def close(self) -> None:
        self._client.close()

    def _sent(self, item: Item, api: tuple[str, str, str]) -> Outcome:
        body = json.loads(item.body)
        try:
            self._check_cluster(body.pop("cluster_uid"))
            if item.activity == CLOSED:
                self._remove_others(body, api)
            else:
                self._apply(body, api)
        except ScanError as error:
            if error.reason in _OF_ONE:
                return ErrorRecord(**error.record())
            raise
        return None

    def _apply(self, body: dict[str, Any], api: tuple[str, str, str]) -> None:
        version, kind, resource = api
        metadata, scope = body["metadata"], body["scope"]
        uid = self._uid(scope)
        if uid:
            scope["uid"] = uid
            owner = {name: scope[name] for name in ("apiVersion", "kind", "name", "uid")}
            metadata["ownerReferences"] = [owner]
        if kind == "PolicyReport":
            body.pop("source")
        path = (
            f"/apis/{version}/namespaces/{quote(metadata['namespace'])}/{resource}/{quote(metadata['name'])}"
        )
        whole = {"apiVersion": version, "kind": kind, **body}
        self._client.patch(path, whole, _APPLY, {"fieldManager": _MANAGER, "force": "true"})

    def _remove_others(self, body: Mapping[str, Any], api: tuple[str, str, str]) -> None:
        """Reports of ours in a namespace about containers that the run would have seen and has not."""
        path = f"/apis/{api[0]}/namespaces/{quote(body['namespace'])}/{api[2]}"
        keep, kinds = frozenset(body["keep"]), frozenset(body["kinds"])
        mine = {"labelSelector": f"{_MANAGED}={_MANAGER}"}
        gone = [
            item["metadata"]["name"]
            for item in self._client.list_items(path, mine, metadata_only=True)
            if item["metadata"]["name"] not in keep
            and (item["metadata"].get("labels") or {}).get(_KIND) in kinds
        ]
        for name in gone:
            try:
                self._client.delete(f"{path}/{quote(name)}")
            except ScanError as error:
                if error.reason != "not_found":
                    raise

    def _uid(self, scope: Mapping[str, str]) -> str:
        """The UID of a workload; empty where it cannot be had: then the report has no owner."""
        key = (scope["namespace"], scope["kind"], scope["name"])
        if key not in self._uids:
            self._uids[key] = self._read_uid(*key)
        return self._uids[key]

    def _read_uid(self, namespace: str, kind: str, name: str) -> str:
        version, resource = _WORKLOADS.get(kind, ("", ""))
        if not version:
            return ""
        root = "/api" if version == "v1" else "/apis"
        try:
            found = self._client.get_metadata(
                f"{root}/{version}/namespaces/{quote(namespace)}/{resource}/{quote(name)}"
            )
        except ScanError as error:
            if error.reason in ("not_found", "not_permitted"):
                return ""
            raise
        return str(found["metadata"].get("uid") or "")

    def _installed(self) -> tuple[str, str, str]:
        """The API to write to. :raises ScanError: not_found, for a cluster that has none"""
        wanted = _APIS if self._api == "auto" else {self._api: _APIS[self._api]}
        for api in wanted.values():
            try:
                found = self._client.get(f"/apis/{api[0]}")
            except ScanError as error:
                if error.reason != "not_found":
                    raise
                continue
            resources = found.get("resources") or ()
            if any(isinstance(one, dict) and one.get("name") == api[2] for one in resources):
                return api
        raise ScanError(
            "not_found",
            "the cluster has no "
            + " and no ".join(f"{kind} of {version}" for version, kind, _name in wanted.values()),
            tried=f"look for the kinds of reports at {self._client.connection.server}",
            cause="The CustomResourceDefinitions are not installed.",
            advice="Install those of OpenReports or of the policy working group, or leave this system out.",
        )

    def _check_cluster(self, uid: str) -> None:
        """:raises ScanError: bad_option, for the run of another cluster"""
        if not uid or uid in self._right_cluster:
            return
        there = read_cluster_uid(self._client)
        if there is not None and there != uid:
            raise _bad(
                "kubeconfig",
                "the run is of another cluster than the one that its reports are to be written to",
            )
        self._right_cluster.add(uid)


def _item(run: Run, subject: str, activity: str, body: Mapping[str, Any]) -> Item:
    text = json.dumps({**body, "cluster_uid": run.cluster_uid or ""}, separators=(",", ":")).encode("ascii")
    digest = hashlib.sha256(text).hexdigest()
    return Item(item_key(run.run_id, "openreports", subject, digest), subject, run.run_id, activity, text)


def report_name(record: TargetRecord) -> str:
    """The name of a place's report: readable, and no other place has it."""
    digest = hashlib.sha256(record.place_id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    words = _NAME.sub("-", f"{record.workload_kind}-{record.workload}-{record.container}".lower())
    return f"securescan-{words[:120].strip('.-')}-{digest}"


def _report(run: Run, record: TargetRecord, events: Sequence[Event], whole: bool) -> dict[str, Any]:
    results, counts = _results(run, events, whole)
    version = _WORKLOADS.get(record.workload_kind, ("", ""))[0]
    scope = {
        "apiVersion": version,
        "kind": record.workload_kind,
        "name": record.workload,
        "namespace": record.namespace,
    }
    return {
        "metadata": {
            "name": report_name(record),
            "namespace": record.namespace,
            "labels": {
                _MANAGED: _MANAGER,
                _KIND: re.sub(r"[^A-Za-z0-9_.-]", "-", record.container_kind or "container"),
            },
            "annotations": {
                "securescan.kubernetes/run": one_line(run.run_id, _MAX_TEXT),
                "securescan.kubernetes/place": one_line(record.place_id, _MAX_TEXT * 4),
                "securescan.kubernetes/image": one_line(record.image, _MAX_TEXT),
            },
        },
        "source": _MANAGER,
        "scope": scope,
        "summary": {word: counts[word] for word in _WORDS},
        "results": results,
    }


def _results(run: Run, events: Iterable[Event], whole: bool) -> tuple[list[dict[str, Any]], Counter[str]]:
    """The results that are written, as many as there is room for, and the counts of all."""
    counts: Counter[str] = Counter()
    results: list[dict[str, Any]] = []
    room, left_out = MOST_BYTES, 0
    for event in events:
        result = _result(run, event)
        counts[result["result"]] += 1
        if not whole and result["result"] not in ("fail", "error"):
            continue
        room -= len(json.dumps(result)) + 1
        if room < 0:
            left_out += 1
        else:
            results.append(result)
    if left_out:
        results.append(
            {
                "source": _MANAGER,
                "policy": "securescan.kubernetes",
                "rule": "results-left-out",
                "result": "skip",
                "message": f"{left_out} results have no room in an object of the cluster; the run has all of them",
            }
        )
        counts["skip"] += 1
    return results, counts


def _result(run: Run, event: Event) -> dict[str, Any]:
    record, verdict = event.target.record, event.verdict
    common = {"source": _MANAGER, "scored": True, "timestamp": _timestamp(record.seen or run.finished)}
    if verdict is None:
        error = record.error
        said = (
            f"was not scanned: {error.message} ({error.code} {error.reason})"
            if error
            else event.target.unread
        )
        return {
            **common, "policy": "securescan.kubernetes", "rule": "target-scanned", "result": "error", "severity": "high",
            "message": one_line(said, _MAX_MESSAGE), "properties": {"status": "not_scanned", "fingerprint": event.fingerprint},
        }  # fmt: skip
    about = verdict.about
    properties = {"status": verdict.status, "fingerprint": event.fingerprint, "container": record.container}
    if verdict.waived:
        properties["waived"] = "true"
    return {
        **common,
        "policy": one_line(about.profile, _MAX_TEXT),
        "rule": one_line(about.id, _MAX_TEXT),
        "category": "security",
        "severity": "info" if about.severity == "none" else about.severity,
        "result": _RESULTS[verdict.status],
        "message": one_line(": ".join(filter(None, (about.title, verdict.text))), _MAX_MESSAGE),
        "properties": {name: one_line(value, _MAX_TEXT) for name, value in properties.items()},
    }


def _timestamp(text: str) -> dict[str, int]:
    try:
        return {"seconds": int(parse_rfc3339(text).timestamp()), "nanos": 0}
    except (ValueError, OverflowError):
        return {"seconds": 0, "nanos": 0}


def _bad(option: str, problem: str) -> ScanError:
    return ScanError("bad_option", problem, tried=f"reading the option {option}")


OPENREPORTS = SinkKind(
    "openreports",
    {
        "kubeconfig": {"type": "path"},
        "context": {"type": "str"},
        "api": {"type": "str", "choices": ["auto", *_APIS]},
        "results": {"type": "str", "choices": ["failures", "all"]},
    },
    ("url", *TLS_OPTIONS, *PROXY_OPTIONS, *TOKEN_OPTIONS),
    OpenReports,
)
