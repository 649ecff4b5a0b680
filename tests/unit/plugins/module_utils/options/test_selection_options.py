# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be no name and no pattern is refused before any request."""

from __future__ import annotations

from dataclasses import fields

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.selection import (
    selection,
    selection_spec,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.selection import Selection


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"namespaces": ()}, "no namespace"),
        ({"namespaces": ("Shop_1",)}, "Shop_1"),
        ({"namespaces": ("shop.eu",)}, "namespaces"),
        ({"namespaces": ("shop\n",)}, "namespaces"),
        ({"namespaces": ("",)}, "namespaces"),
        ({"namespaces": ("a" * 64,)}, "namespaces"),
        ({"namespaces": ("Shop*",)}, "namespaces"),
        ({"namespaces": ("../*",)}, "namespaces"),
        ({"namespaces": ("shop[",)}, "namespaces"),
        ({"exclude_namespaces": ("a b*",)}, "exclude_namespaces"),
        ({"namespace_selectors": (" ",)}, "namespace_selectors"),
        ({"label_selectors": ("",)}, "label_selectors"),
        ({"field_selectors": ("",)}, "field_selectors"),
        ({"pods": ("a/b",)}, "a/b"),
        ({"pods": ("a..b",)}, "pods"),
        ({"exclude_pods": ("-a",)}, "exclude_pods"),
        ({"containers": ("../x",)}, "../x"),
        ({"containers": ("a.b",)}, "containers"),
        ({"exclude_containers": ("?/",)}, "exclude_containers"),
        ({"images": ("x y",)}, "images"),
        ({"exclude_images": ("-x",)}, "exclude_images"),
        ({"workloads": ("api",)}, "KIND/NAME"),
        ({"workloads": ("Deployment/",)}, "KIND/NAME"),
        ({"workloads": ("/api",)}, "KIND/NAME"),
        ({"workloads": ("apps/Deployment/api",)}, "KIND/NAME"),
        ({"exclude_workloads": ("Deployment/Api",)}, "exclude_workloads"),
        ({"container_kinds": ()}, "container_kinds"),
        ({"container_kinds": ("sidecar",)}, "sidecar"),
        ({"replicas": "some"}, "some"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_can_be_no_name_is_refused(changes, said):
    with pytest.raises(ScanError, match="SCAN-102") as caught:
        Selection(**{"namespaces": ("shop",), **changes})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"namespaces": ("*", "a" * 63, "sh[aeo]p-?", "[!k]*")},
        {"namespaces": (), "namespace_selectors": ("team in (a, b)",)},
        {"pods": ("a.b-1", "x" * 253)},
        {"images": ("localhost:5000/Team/x_y:1.0-rc", "*@sha256:*", "x")},
        {"workloads": ("*/*", "deploy/api", "Rollout/a.b", "Stateful*/db-?")},
    ],
)
def test_what_can_be_a_name_is_taken(changes):
    Selection(**{"namespaces": ("shop",), **changes})


def test_options_that_are_not_given_have_their_defaults():
    assert selection({"namespaces": ["shop"], "limit": None}) == Selection(namespaces=("shop",))
    spec = selection_spec()
    defaults = {name: rule.get("default") for name, rule in spec.items()}
    assert selection({**defaults, "namespaces": ["shop"]}) == Selection(namespaces=("shop",))
    assert set(spec) == {each.name for each in fields(Selection) if each.init} - {"scanner_image"}
