# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `scan_health`: whether scans of a cluster work, whether its credential can do too much, and whether a scan finds what
it must find. What it makes in the cluster, it removes."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, Callable

from ..access.objects import new_run_id
from ..access.rights import makes_pods
from ..access.scanner import ScannerAccess, approach_of
from ..access.sweep import NOT_EXPIRED, sweep
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..footprint.left_entries import entries_of
from ..health.canaries import BAD, GOOD, canary_check
from ..health.check import CHECKS, FAILED, Check, check_lines
from ..health.trial_pods import PULL, running, trial_pod
from ..options.health import HealthOptions
from ..options.selection import targets_spec
from ..options.spec import Params
from ..preflight.denied_rights import held_rights, read_rights
from ..preflight.permissions import Permission, Reviews, handed_out, own_name
from ..results.run import Run, open_run
from ..scanning.scan_access import scan_access_of
from ..targets.own_containers import IDLE
from ..targets.selection import SelectedTarget, SelectionReport, check_selected, select_targets
from ..text_layout import number_of
from .container import run_scan_container
from .context import TaskContext, connect_grantor
from .interrupts import run_interruptible
from .preflight import explain

# What a scanner must not be allowed to do where it scans, whatever its approach.
_NO_SCANNER = read_rights(
    [
        "get secrets",
        "list pods",
        "delete pods",
        "create serviceaccounts/token",
        "create rolebindings.rbac.authorization.k8s.io",
    ]
)
# What the grantor's role has, and what is too much where it is bound in the whole cluster.
_EVERY_TOKEN = read_rights(["create serviceaccounts/token"])
_NAMED = 5
_ASKS_LATER = "the API server was not reached"
_NOT_LISTED = "not all pods of the selection could be listed"
_RUNNING = "running"


def run_scan_health(params: Params, context: TaskContext) -> dict[str, Any]:
    """Result keys: changed (always false: what is made is removed), cluster, healthy, checks, leftovers, table; failed, msg and
    error where a check failed."""
    options = HealthOptions.from_params(params)
    denied = read_rights(options.denied)
    health = _Health(options, denied, context)
    run_interruptible(health.look, context.cancel)
    checks = health.checks
    failed = [one for one in checks if one.status == FAILED]
    result: dict[str, Any] = {
        "changed": False,
        "cluster": health.cluster,
        "healthy": not failed,
        "checks": [one.as_result() for one in checks],
        "leftovers": health.leftovers,
        "table": check_lines(health.cluster, checks),
    }
    if failed:
        error = ScanError(
            "unhealthy",
            "; ".join(f"{one.check}: {one.text}" for one in failed),
            tried=f"looking at the health of {health.cluster}",
        )
        result.update(failed=True, msg=str(error), error=error.record())
    return result


class _Health:
    """The checks, one after the other; what one cannot say is a failure of its own, and the others are made all the same."""

    def __init__(self, options: HealthOptions, denied: Sequence[Permission], context: TaskContext) -> None:
        self._options = options
        self._denied = denied
        self._context = context
        self._connection = connect_grantor(options.scan.connection, context)
        self._client = RestClient(self._connection, cancel=context.cancel)
        self._targets: list[SelectedTarget] = []
        self._are_listed = False
        self.cluster = options.scan.cluster_name or self._connection.cluster_name
        self.checks: list[Check] = []
        self.leftovers: dict[str, int] = {}

    def look(self) -> None:
        steps: dict[str, Callable[[], Check]] = {
            "reach": self._reach,
            "rights": self._rights,
            "limits": self._limits,
            "access": self._access,
            "image": self._image,
            "canaries": self._canaries,
            "leftovers": self._leftovers,
        }
        for name in CHECKS:
            if self.checks and self.checks[0].status == FAILED:
                self.checks.append(Check.skipped(name, _ASKS_LATER))
                continue
            self._context.say(f"looking at {name}")
            try:
                self.checks.append(steps[name]())
            except ScanError as error:
                if error.reason == "cancelled":
                    raise
                self.checks.append(Check.by_error(name, error))

    def _reach(self) -> Check:
        version = self._client.get("/version").get("gitVersion", "of no version")
        return Check.passed("reach", f"Kubernetes {version} knows the credential as {own_name(self._client)}")

    def _rights(self) -> Check:
        """What must work works: every right that a scan of the selection needs."""
        looked_at = SelectionReport()
        selection = self._options.scan.targets.selection
        self._targets = list(select_targets(self._client, self.cluster, selection, looked_at))
        self._are_listed = not looked_at.failures
        allow_empty = self._options.scan.targets.allow_empty
        self._context.warnings += check_selected(self._client, selection, looked_at, allow_empty)
        explained, _expectations = explain(
            self._options.info, self._context, self._client, self._targets, looked_at
        )
        if explained["missing"]:
            lacks = [
                f"{', '.join(rule['verbs'])} on {', '.join(rule['resources'])} in {', '.join(entry['namespaces'][:_NAMED])}"
                for entry in explained["missing"]
                for rule in entry["rules"]
            ]
            return Check.failed(
                "rights",
                f"{explained['grantor']} lacks {'; '.join(lacks)}",
                "Grant these rights; the playbook `preflight` shows them as rules.",
            )
        if looked_at.failures:
            namespace, error = next(iter(looked_at.failures.items()))
            return Check.failed(
                "rights",
                f"{number_of(len(looked_at.failures), 'namespace')} cannot be looked into, such as {namespace}: {error.message}",
                error.advice,
            )
        if explained["gaps"]:
            return Check.failed(
                "rights",
                f"{number_of(explained['gaps'], 'name')} of the selection cannot be looked into or gave nothing",
                "The playbook `preflight` names them.",
            )
        return Check.passed(
            "rights", f"a scan of {number_of(len(self._targets), 'container')} has all rights that it needs"
        )

    def _limits(self) -> Check:
        """What must not work is refused."""
        denied, reviews = self._denied, Reviews(self._client)
        if not denied:
            return Check.skipped("limits", "no right is named that must be refused")
        held = held_rights(reviews, denied)
        if held:
            return Check.failed(
                "limits",
                f"the credential is allowed to {', '.join(held[:_NAMED])} in the whole cluster",
                "Bind a role that has what scans need and no more: docs/manifests/grantor-clusterrole.yml.",
            )
        if held_rights(reviews, _EVERY_TOKEN):
            self._context.warnings.append(
                "the credential is allowed to get a token of every ServiceAccount in the cluster, and with it to become "
                "cluster-admin, unless the guard holds it (docs/guard.md). Bind its role in the namespaces of the targets only"
            )
        return Check.passed("limits", f"{number_of(len(denied), 'right')} that no scan needs are refused")

    def _access(self) -> Check:
        """A token is issued, lets its scanner in, and lets it do nothing else."""
        options = self._options.scan
        chosen = [one for one in self._targets if one.target.state == _RUNNING][:1]
        if self._context.check_mode or not chosen:
            empty = "the selection has no running container" if self._are_listed else _NOT_LISTED
            why = "check mode" if self._context.check_mode else empty
            return Check.skipped("access", why)
        run_id = new_run_id(datetime.now(timezone.utc))
        warnings: list[str] = []
        with scan_access_of(options, self._client, run_id, chosen, warnings) as access:
            scanner = ScannerAccess(self._client, self._connection, access, self._context.cancel)
            approach, namespace = approach_of(access), chosen[0].target.namespace
            if makes_pods(approach):
                namespace = options.approach.image.namespace
                inside = scanner.for_helpers(namespace)
            else:
                inside = scanner.for_target(chosen[0].target, scanner.approach_in(namespace))
            held = held_rights(Reviews(inside.client), _allowed_to_none(approach), namespace)
        if held:
            return Check.failed(
                "access",
                f"the scanner is allowed to {', '.join(held)} in namespace {namespace}",
                "Somebody has bound a role to all ServiceAccounts: look for RoleBindings of system:serviceaccounts or "
                "system:authenticated.",
            )
        return Check.passed(
            "access", f"a token was issued for namespace {namespace}, and holds no more than it should"
        )

    def _image(self) -> Check:
        options, canaries = self._options.scan.approach.image, self._options.canaries
        namespace = options.namespace or canaries.namespace
        if not options.image or not namespace or self._context.check_mode:
            why = (
                "check mode" if self._context.check_mode else "no scanner image, or no namespace to try it in"
            )
            return Check.skipped("image", why)
        pod = trial_pod(PULL, options.image, [*IDLE, "60"], options.pull_policy, options.pull_secrets)
        with running(self._client, namespace, [pod], timeout=canaries.timeout, cancel=self._context.cancel):
            return Check.passed("image", f"{options.image} was pulled and runs in namespace {namespace}")

    def _canaries(self) -> Check:
        canaries = self._options.canaries
        if not canaries.is_asked_for or self._context.check_mode:
            return Check.skipped("canaries", "check mode" if canaries.is_asked_for else "none is named")
        with tempfile.TemporaryDirectory(prefix="securescan-health-") as folder:
            if canaries.image:
                return self._made_canaries(folder)
            found = [
                (run, kind, target)
                for kind, selectors in ((GOOD, canaries.good), (BAD, canaries.bad))
                for run in [self._scan(folder, label_selectors=list(selectors))]
                for target in run.targets
            ]
            return canary_check(found, canaries.controls)

    def _made_canaries(self, folder: str) -> Check:
        """Makes two pods, scans them and removes them."""
        canaries, image = self._options.canaries, self._options.scan.approach.image
        pods = {
            kind: trial_pod(kind, canaries.image, canaries.command, image.pull_policy, image.pull_secrets)
            for kind in (GOOD, BAD)
        }
        kinds = {str(pod["metadata"]["name"]): kind for kind, pod in pods.items()}
        with running(
            self._client,
            canaries.namespace,
            list(pods.values()),
            timeout=canaries.timeout,
            cancel=self._context.cancel,
        ) as names:
            run = self._scan(folder, pods=names)
            found = [(run, kinds[target.pod], target) for target in run.targets]
            return canary_check(found, canaries.controls)

    def _scan(self, folder: str, **selection: Sequence[str]) -> Run:
        """A scan of pods in the canaries' namespace, by the profiles and the approach of the task."""
        everything = {name: rule.get("default") for name, rule in targets_spec().items()}
        own = {"namespaces": [self._options.canaries.namespace], "output_dir": folder, **selection}
        result = run_scan_container({**self._options.params, **everything, **own}, self._context)
        return open_run(result["run_dir"])

    def _leftovers(self) -> Check:
        """Accesses whose time is over, and debug containers that should have ended."""
        if not self._are_listed:
            return Check.skipped("leftovers", _NOT_LISTED)
        namespaces = self._options.scan.targets.selection.namespaces
        names = sorted({one.target.namespace for one in self._targets}) if namespaces else None
        home = self._options.scan.grant.account_namespace
        now = datetime.now(timezone.utc)
        found = sweep(self._client, now, sorted({*names, *([home] if home else [])}) if names else None, True)
        strange = [one for one in found.kept if one["why"] != NOT_EXPIRED]
        pods = {one.pod.uid: one.pod for one in self._targets}
        entries = [entry for pod in pods.values() for entry in entries_of(pod.object(), now)]
        late = [entry for entry in entries if entry["is_overdue"]]
        self.leftovers = {
            "access": len(found.removed) + len(strange),
            "running_container": len(late),
            "ephemeral_container": len(entries) - len(late),
        }
        if found.failures:
            place, error = found.failures[0]
            return Check.failed("leftovers", f"{place}: {error.message}", error.advice)
        parts = [f"{one['kind']} {one['namespace']}/{one['name']}" for one in (*found.removed, *strange)]
        parts += [f"debug container {one['namespace']}/{one['pod']}/{one['name']}" for one in late]
        if parts:
            more = f" and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
            return Check.failed(
                "leftovers",
                f"scans have left {', '.join(parts[:_NAMED])}{more}",
                "Run the playbook `sweep` for accesses, and `recycle` for pods with debug containers.",
            )
        ended = self.leftovers["ephemeral_container"]
        entries_left = (
            f", but {number_of(ended, 'entry', 'entries')} of debug containers in pods" if ended else ""
        )
        return Check.passed("leftovers", f"nothing is left{entries_left}")


def _allowed_to_none(approach: str) -> list[Permission]:
    """What a scanner of that approach must not be allowed to do."""
    own = {(permission.resource, permission.verb) for permission in handed_out(approach)}
    return [right for right in _NO_SCANNER if (right.resource, right.verb) not in own]
