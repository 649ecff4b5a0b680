# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of an access: names, labels, sizes; and what a refusal of theirs means."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import objects
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.refusals import access_incomplete
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError

ETCD_LIMIT = 1.5 * 1024 * 1024
ACCOUNT = {"metadata": {"name": "securescan-run-1", "uid": "u"}}


def made(plan, names):
    grant = objects.Grant("shop", tuple(objects.PodRef(name, "uid") for name in names))
    return objects.roles_and_bindings(plan, grant, ACCOUNT)


@pytest.mark.parametrize("length", [1, 20, 63, 253])
def test_each_object_is_far_below_what_can_be_stored_and_none_is_lost(length, plan):
    names = [(f"{number:x}").rjust(length, "p")[:length] for number in range(20000 if length > 1 else 16)]
    items = made(plan, names)
    roles = [item for item in items if item["kind"] == "Role"]
    assert max(len(json.dumps(item)) for item in items) < ETCD_LIMIT / 2
    for number in (0, 1):
        assert [name for role in roles for name in role["rules"][number]["resourceNames"]] == names
    assert [item["roleRef"]["name"] for item in items if item["kind"] == "RoleBinding"] == [
        role["metadata"]["name"] for role in roles
    ]
    assert len({item["metadata"]["name"] for item in items}) == len(roles)
    assert all(len(role["metadata"]["name"]) <= 253 for role in roles)


def test_no_other_run_has_the_name_of_a_second_role(plan):
    with pytest.raises(ScanError):
        objects.check_run_id("run-1.2")
    assert objects.object_name("run-1", 2) == "securescan-run-1.2"


def test_the_expiry_label_is_read_as_it_was_written_and_nothing_else_is(plan):
    assert objects.expiry_of(plan.labels()) == plan.expires
    for text in (
        "",
        "soon",
        "20261301T000000Z",
        "20260101T000000",
        "2026-01-01T00:00:00Z",
        "20260101T000000Zx",
        "20260101T0000 0Z",
        "\u0662\u0660\u0662\u0666\u0660\u0661\u0660\u0661T000000Z",
    ):
        assert objects.expiry_of({objects.LABEL_EXPIRES: text}) is None, text
    assert objects.expiry_of({}) is None


def test_labels_are_valid_whatever_the_owner_is(plan):
    for owner in ("", "a@b c/d", "-x-", "x" * 62 + "@" * 5, "ü"):
        value = replace(plan, owner=owner).labels()[objects.LABEL_OWNER]
        assert len(value) <= 63
        assert not value or (value[0].isalnum() and value[-1].isalnum())


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            'user "op" (groups=["a"]) is attempting to grant RBAC permissions not currently held: {APIGroups:[""], '
            'Resources:["pods/exec"], ResourceNames:["a" "b"], Verbs:["create" "get"]}',
            "create and get on pods/exec",
        ),
        (
            'user "op" is attempting to grant RBAC permissions not currently held: {APIGroups:[""], Resources:["pods"], '
            'ResourceNames:["a" "b...',
            "a verb on pods",
        ),
        (
            'roles "x" is forbidden: unable to create new content in namespace n because it is being terminated',
            "being deleted",
        ),
    ],
)
def test_refusals_of_an_access_are_explained(message, cause):
    error = access_incomplete(ScanError("not_permitted", message), ())
    assert error.reason == "access_incomplete"
    assert cause in error.cause
