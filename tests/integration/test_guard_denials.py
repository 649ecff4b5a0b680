# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RBAC lets a scanner's token do and the guard does not, tried one by one, with and without it."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard import POLICY
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.guard_terms import (
    EPHEMERAL,
    GRANTORS,
    HELPER,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.lifecycle import (
    ensure_absent,
    ensure_present,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.objects import (
    AccessPlan,
    Grant,
    PodRef,
    object_name,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.token import wait_until_effective
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.image_helper import helper_name
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.tests.support.api_attempts import request, word
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as
from ansible_collections.securescan.kubernetes.tests.support.debug_fixtures import BUSYBOX
from ansible_collections.securescan.kubernetes.tests.support.denials_table import check_or_write
from ansible_collections.securescan.kubernetes.tests.support.guard_attempts import (
    ALLOWED,
    BEYOND,
    BORROWED,
    DENIED,
    ENTER,
    GRANTOR,
    GRANTOR_ALLOWED,
    HELPERS,
    LABELS,
    ROOT,
    Attempt,
    add,
    enter,
)
from ansible_collections.securescan.kubernetes.tests.support.guard_fixtures import (
    EFFECTIVE_SECONDS,
    NAMES,
    Guarded,
    Identity,
)
from ansible_collections.securescan.kubernetes.tests.support.guard_table import PAGE, page

NOT_DENIED = (101, 200, 201)
WITHIN = [*DENIED, *ALLOWED]
RBAC = "rbac.authorization.k8s.io/v1"


class Actors:
    """A scanner with the rights of its scans, one of another scan with all rights, and two that are no scanners."""

    def __init__(self, cluster):
        connection = connect(ConnectionOptions(kubeconfig=str(cluster.kubeconfig)), {})
        self.place = Guarded(cluster, connection)
        self.client = RestClient(connection)
        names = self.place.start_targets()
        self.scanner = self._scanner(self.place.run_id, names)
        self.spare = self._scanner(self.place.run_id + "-b", names)
        self.place.bind_to_administrator(self.place.targets, self.spare.names["account"])
        self.other = self._other("operator", names)
        self._make_what_others_have()
        self.borrower = self._borrower("borrower", self.scanner.names)
        self.grantor = self.place.grantor(self.scanner.names)

    def _scanner(self, run_id, names):
        """As a scan makes it, with both approaches' Roles."""
        pods = tuple(
            PodRef(pod["metadata"]["name"], pod["metadata"]["uid"])
            for pod in self.place.cluster.get("pods", "-n", self.place.targets)["items"]
        )
        now = datetime.now(timezone.utc)
        grants = (
            Grant(self.place.targets, pods, "debug"),
            Grant(
                self.place.helpers,
                tuple(PodRef(helper_name(run_id, number), "") for number in (1, 2)),
                "image",
            ),
        )
        plan = AccessPlan(run_id, "tests", now + timedelta(seconds=3600), now, grants)
        outcomes = self._made(plan)
        made = [
            Identity(
                self.place.cluster,
                self.place.connection,
                grant.namespace,
                object_name(run_id),
                dict(names, run=run_id, uid=outcome.account_uid),
            )
            for grant, outcome in zip(grants, outcomes)
        ]
        for identity, grant in zip(made, grants):
            wait_until_effective(RestClient(self.place.connection.with_bearer_token(identity.token)), grant)
        made[0].in_helpers = made[1]
        return made[0]

    def _made(self, plan):
        """The access. Policies that another test has removed are in force for a moment longer."""
        deadline = time.monotonic() + EFFECTIVE_SECONDS
        while True:
            outcomes = ensure_present(self.client, plan)
            errors = [outcome.error for outcome in outcomes if outcome.error]
            if not errors:
                return outcomes
            assert time.monotonic() < deadline, errors
            time.sleep(0.5)

    def _other(self, account, names):
        self.place.make(("v1", "ServiceAccount", account, self.place.others, {}))
        self.place.bind_to_administrator(self.place.others, account)
        # the names in its requests are those of a scan
        found = Identity(self.place.cluster, self.place.connection, self.place.others, account, names)
        found.names = dict(self.scanner.names)
        return found

    def _make_what_others_have(self):
        """In the targets' namespace, and a Role of scans that no RoleBinding names."""
        space = self.place.targets
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "theirs"}
        rule = dict(ENTER, resourceNames=["target"])
        self.place.make(
            *((RBAC, "Role", name, space, {"rules": [rule]}) for name in ("theirs", "securescan-theirs")),
            (RBAC, "RoleBinding", "theirs", space, {"roleRef": reference, "subjects": []}),
            (RBAC, "Role", "securescan-unbound", space, {"rules": [rule]}),
        )
        self.place.cluster.kubectl(
            "label", "role", "securescan-unbound", "-n", space, *("=".join(each) for each in LABELS.items())
        )
        token = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/service-account-token",
            "metadata": {
                "name": "theirs",
                "namespace": space,
                "annotations": {"kubernetes.io/service-account.name": "default"},
            },
        }
        self.place.cluster.kubectl("create", "-f", "-", stdin=json.dumps(token))

    def _borrower(self, name, names):
        rules = [
            {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "get"]},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "get", "patch"]},
            {
                "apiGroups": [""],
                "resources": ["serviceaccounts", "serviceaccounts/token"],
                "verbs": ["create"],
            },
        ]
        self.place.make((RBAC, "Role", name, self.place.targets, {"rules": rules}))
        return self.place.account(name, names, ("RoleBinding", self.place.targets, "Role", name))

    def answers(self):
        """(status, body) by attempt."""
        return {
            **{attempt.what: sent(self.scanner, attempt) for attempt in WITHIN},
            **{attempt.what: self.spare.send(attempt) for attempt in BEYOND},
            **{attempt.what: self.borrower.send(attempt) for attempt in BORROWED},
            **{attempt.what: self.grantor.send(attempt) for attempt in (*GRANTOR, *GRANTOR_ALLOWED)},
        }

    def remove(self):
        for run_id in (self.place.run_id, self.place.run_id + "-b"):
            ensure_absent(self.client, run_id, [self.place.targets, self.place.helpers])
        self.place.remove()


def sent(scanner, attempt):
    """Status and body, with the token of the namespace that the request is for."""
    return (scanner.in_helpers if "{helpers}" in attempt.path else scanner).send(attempt)


@pytest.fixture(scope="module")
def actors(cluster):
    actors = Actors(cluster)
    yield actors
    actors.remove()


@pytest.fixture(scope="module")
def without(actors, guard):
    """(status, body) by attempt while there is no guard."""
    actors.spare.send_until(BEYOND[0], lambda status, _body: status != 403)
    assert not actors.place.cluster.get(POLICY, "-l", "app.kubernetes.io/managed-by=securescan.kubernetes")[
        "items"
    ]
    actors.borrower.send_until(BORROWED[0], lambda status, _body: status != 403)
    actors.grantor.send_until(GRANTOR[0], lambda status, _body: status != 403)
    return actors.answers()


@pytest.fixture(scope="module")
def guarded(actors, without, guard):
    """Makes the guard, or one with other options, and waits until it is at work."""

    def make(first, *, identity=None, is_denied=True, **changes):
        result = guard(**{"scanner_images": [BUSYBOX], "grantors": [actors.grantor.user], **changes})
        (identity or actors.scanner).send_until(first, lambda status, _body: (status == 403) == is_denied)
        return result

    make(add("other image", "-", image="none"))
    for attempt in (DENIED[0], DENIED[-1]):
        (actors.scanner.in_helpers if "{helpers}" in attempt.path else actors.scanner).send_until(
            attempt, lambda status, _body: status == 403
        )
    actors.spare.send_until(BEYOND[0], lambda status, _body: status == 403)
    actors.borrower.send_until(BORROWED[0], lambda status, _body: status == 403)
    actors.grantor.send_until(GRANTOR[0], lambda status, _body: status == 403)
    return make


@pytest.fixture(scope="module")
def answers(actors, without, guarded):
    """(status, body) by attempt with the guard."""
    return actors.answers()


REFUSED = [*DENIED, *BEYOND, *BORROWED, *GRANTOR]
LET_THROUGH = [*ALLOWED, *GRANTOR_ALLOWED]


@pytest.mark.parametrize("attempt", REFUSED, ids=[attempt.what for attempt in REFUSED])
def test_only_the_guard_refuses(attempt, without, answers):
    # else what fails anyway would pass for something that the guard has stopped; nobody listens behind the proxies
    assert without[attempt.what][0] in NOT_DENIED or "/proxy/" in attempt.path, without[attempt.what]
    assert without[attempt.what][0] != 403
    status, body = answers[attempt.what]
    assert status == 403, body
    message = json.loads(body)["message"]
    assert (
        f"ValidatingAdmissionPolicy '{attempt.policy}' with binding '{attempt.policy}' denied request"
        in message
    )
    assert attempt.says in message, message


def test_what_no_rule_names_is_refused(answers):
    """What got through while the rules forbade instead of allowing, and a grantor's way around its own name."""
    for row, policy, what in (
        ("21-helper-fields", HELPER, [each for each in DENIED if each.what.startswith("create ")]),
        ("21-ephemeral-fields", EPHEMERAL, [each for each in DENIED if each.what.startswith("add ")]),
        ("17-role-guard", GRANTORS, [each for each in GRANTOR if each.what.startswith("hand out ")]),
    ):
        assert len(what) >= 4
        assert {answers[attempt.what][0] for attempt in what} == {403}
        assert {attempt.policy for attempt in what} == {policy}
        attack_ends_as(row, outcome=f"refused by {policy}")


def test_there_are_many(answers):
    assert len(DENIED) >= 50
    assert {attempt.policy for attempt in REFUSED} == set(NAMES)
    assert len({attempt.what for attempt in (*REFUSED, *LET_THROUGH)}) == len(REFUSED) + len(LET_THROUGH)


@pytest.mark.parametrize("attempt", LET_THROUGH, ids=[attempt.what for attempt in LET_THROUGH])
def test_what_a_scan_does_is_let_through(attempt, without, answers):
    assert without[attempt.what][0] in NOT_DENIED, without[attempt.what]
    assert answers[attempt.what][0] in NOT_DENIED, answers[attempt.what]


def test_other_identities_are_not_touched(actors, without, guarded):
    """One that lives in a namespace whose name begins like a scanner's, with all rights."""
    for attempt in [*WITHIN, *BEYOND]:
        status, body = actors.other.send_until(attempt, lambda status, _body: status != 403)
        assert status != 403, (attempt.what, body)
        assert status == without[attempt.what][0], (attempt.what, body)


def test_the_administrator_is_not_touched(actors, guarded):
    def as_administrator(*arguments, stdin=None):
        return actors.place.cluster.kubectl("-n", actors.place.targets, *arguments, stdin=stdin)

    assert "root" in as_administrator("exec", "target", "-c", "app", "--", "cat", "/etc/passwd")
    as_administrator("delete", "pod", "target", "--dry-run=server")
    as_administrator("label", "pod", "target", "a=b", "--dry-run=server")
    as_administrator(
        "debug", "target", "--image=" + BUSYBOX, "--target=app", "--profile=sysadmin", "--", "true"
    )
    (entry,) = as_administrator_pod(actors)["spec"]["ephemeralContainers"]
    assert entry["securityContext"]["privileged"] is True


def as_administrator_pod(actors):
    return actors.place.cluster.get("pod", "target", "-n", actors.place.targets)


def test_a_helper_pod_of_another_run_is_not_deleted(actors, guarded):
    """RBAC would let the one with all rights."""
    for run_id, status in ((actors.place.run_id, 403), (actors.place.run_id + "-b", 404)):
        attempt = Attempt("delete", "DELETE", f"/api/v1/namespaces/{{helpers}}/pods/{helper_name(run_id, 1)}")
        if status == 403:
            actors.place.cluster.kubectl(
                "run",
                helper_name(run_id, 1),
                "--image=none",
                "-n",
                actors.place.helpers,
                "--overrides",
                json.dumps({"spec": {"schedulingGates": [{"name": "tests/never"}]}}),
            )
        assert actors.spare.send(attempt)[0] == status


def test_which_users_and_capabilities_a_root_target_allows(actors, guarded):
    own = {"add": ["NET_RAW"], "drop": ["CHOWN"]}
    root = {"targetContainerName": "root", "pod": ROOT}
    as_root = {"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": None}
    plain = add("drops all", **root, securityContext=as_root)
    same = add("as its target's", **root, securityContext={**as_root, "capabilities": own})
    with_ptrace = {"add": ["NET_RAW", "SYS_PTRACE"], "drop": ["CHOWN"]}
    more = [
        add("one more", **root, securityContext={**as_root, "capabilities": with_ptrace}),
        add("drops less", **root, securityContext={**as_root, "capabilities": {"add": ["NET_RAW"]}}),
        add("beside another", securityContext={**as_root, "capabilities": own}),
        add("not as root", **root, securityContext={"capabilities": own}),
    ]
    assert actors.scanner.send(plain)[0] == 200
    assert actors.scanner.send(same)[0] == 403
    guarded(same, is_denied=False, debug_match_capabilities=True)
    assert actors.scanner.send(same)[0] == 200
    assert [actors.scanner.send(attempt)[0] for attempt in more] == [403] * len(more)
    guarded(same, debug_match_capabilities=False)


def test_targets_can_be_closed_to_scanners(actors, guarded):
    target, own = (
        enter("enter", "container=app&command=sh"),
        enter("enter", "container=securescan-own&command=sh", pod=ROOT),
    )
    assert actors.scanner.send(target)[0] == 101
    guarded(target, enter_targets=False)
    status, body = actors.scanner.send(target)
    assert status == 403 and "enters only containers of its own" in json.loads(body)["message"]
    assert actors.scanner.send(own)[0] == 101
    helper = Attempt(
        "enter",
        "GET",
        HELPERS + "/{account}-h1/exec?container=image-1&command=sh&stdout=true",
        headers=target.headers,
    )
    assert actors.scanner.in_helpers.send(helper)[0] != 403
    guarded(target, is_denied=False)


def test_the_page_about_the_guard_says_what_came_out(without, answers, cluster):
    version = json.loads(cluster.kubectl("get", "--raw", "/version"))["gitVersion"]

    def rows(attempts):
        return [
            (
                attempt.what,
                request(attempt),
                word(without[attempt.what][0]),
                word(answers[attempt.what][0]),
                words(answers[attempt.what][1]) if attempt.policy else "",
            )
            for attempt in attempts
        ]

    denied = [rows(attempts) for attempts in (DENIED, BEYOND, BORROWED, GRANTOR)]
    allowed = [rows(attempts) for attempts in (ALLOWED, GRANTOR_ALLOWED)]
    check_or_write(page(version.lstrip("v"), denied, allowed), PAGE)


def words(body):
    """Policy and message of a refusal."""
    policy, message = re.search(
        r"ValidatingAdmissionPolicy '(\S+)' with binding '\S+' denied request: (.*)",
        json.loads(body)["message"],
    ).groups()
    return f"`{policy}`: {message}"
