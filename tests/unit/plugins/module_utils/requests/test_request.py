# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request can say, and what it cannot."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.allowed import AllowedRequests
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request import (
    FIELDS,
    Request,
    parse_request,
    read_request,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.requests.request_schema import (
    request_schema,
)
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

WHOLE = {
    "action": "scan",
    "cluster": "prod-eu",
    "namespaces": ["shop", "billing-*"],
    "label_selectors": ["app in (api, web)"],
    "workloads": ["Deployment/api"],
    "pods": ["api-*"],
    "containers": ["app"],
    "images": ["registry.example.com/shop/*"],
    "profiles": ["container-baseline"],
    "revision": "sha256:0123abcd",
    "key": "delivery-1",
    "requested_by": "Ada",
    "because": "release 12 {{ nothing }}",
}


def test_a_whole_request_is_read_and_comes_back_as_it_was_given() -> None:
    request = parse_request(json.dumps(WHOLE))

    assert request.given == WHOLE
    assert set(WHOLE) == {field.name for field in FIELDS}


def test_a_scan_is_what_is_asked_for_where_nothing_is_said() -> None:
    assert read_request({"cluster": "c", "namespaces": ["*"]}).action == "scan"


@pytest.mark.parametrize(
    "changed",
    [
        {"approach": "debug"},
        {"scanner_image": "evil"},
        {"cluster": ""},
        {"cluster": "prod-eu\n"},
        {"cluster": "{{ lookup('pipe','id') }}"},
        {"cluster": ["prod-eu"]},
        {"cluster": "prod:&all"},
        {"namespaces": []},
        {"namespaces": "shop"},
        {"namespaces": ["Shop"]},
        {"namespaces": ["a"] * 65},
        {"namespaces": ["shop; id"]},
        {"namespaces": [1]},
        {"workloads": ["api"]},
        {"workloads": ["Deployment/$(id)"]},
        {"label_selectors": ["  "]},
        {"label_selectors": ["app={{ x }}"]},
        {"profiles": ["../../etc"]},
        {"profiles": ["/etc/profile"]},
        {"profiles": ["inspec:x"]},
        {"action": "remediate"},
        {"because": 1},
        {"because": "x" * 501},
        {"key": "a b"},
        {"images": ["${IFS}"]},
    ],
    ids=str,
)
def test_what_does_not_belong_into_a_request_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ScanError) as refused:
        read_request({**WHOLE, **changed})

    assert refused.value.reason == "bad_request"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "1",
        '{"cluster":',
        '{"cluster": "a", "cluster": "b"}',
        '{"cluster": NaN}',
        "[" * 50_000,
        b"\xff",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(ScanError, match="SCAN-911"):
        parse_request(text)


def test_a_request_of_more_than_64_kib_is_not_even_parsed() -> None:
    with pytest.raises(ScanError, match="more than 64 KiB"):
        parse_request("[" * (64 * 1024 + 1))


def test_a_wrong_name_is_answered_with_the_right_one() -> None:
    with pytest.raises(ScanError, match="did you mean 'namespaces'"):
        read_request({"cluster": "c", "namespace": ["shop"]})


def test_what_is_only_shown_can_steer_no_terminal() -> None:
    request = read_request({**WHOLE, "because": "\x1b[2Jgone\nnext"})

    assert "\x1b" not in request.because
    assert "\n" not in request.because


def test_the_same_wish_has_the_same_fingerprint_whoever_has_it() -> None:
    one = read_request({**WHOLE, "namespaces": ["a", "b"], "key": "1", "requested_by": "Ada"})
    other = read_request({**WHOLE, "namespaces": ["b", "a"], "key": "2", "requested_by": "Bob"})

    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != read_request({**WHOLE, "revision": "2"}).fingerprint


ALLOWED = AllowedRequests(("prod-*",), ("shop", "billing-*"), ("scan", "health"), ("container-baseline",))


def test_a_request_within_the_list_is_allowed() -> None:
    ALLOWED.check(read_request(WHOLE))


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "preflight"},
        {"cluster": "lab"},
        {"namespaces": ["shop", "kube-system"]},
        {"namespaces": ["*"]},
        {"namespaces": ["billing*"]},
        {"profiles": ["workload-baseline"]},
    ],
    ids=str,
)
def test_a_request_beyond_the_list_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ScanError) as refused:
        ALLOWED.check(read_request({**WHOLE, **changed}))

    assert refused.value.reason == "request_refused"
    attack_ends_as("32-beyond", outcome="403 (SCAN-912), and nothing is queued")


def test_all_namespaces_are_not_within_a_list_of_some() -> None:
    with pytest.raises(ScanError, match="no namespace"):
        ALLOWED.check(Request(action="health", cluster="prod-eu"))


def test_the_schema_takes_and_refuses_what_the_reader_does() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    check = jsonschema.Draft202012Validator(request_schema())

    assert check.is_valid(WHOLE)
    for changed in (
        {"approach": "debug"},
        {"namespaces": []},
        {"profiles": ["../x"]},
        {"action": "x"},
        {"because": 1},
    ):
        assert not check.is_valid({**WHOLE, **changed}), changed
    assert check.is_valid({"action": "health", "cluster": "c"})
    assert not check.is_valid({"cluster": "c"})


def test_the_schema_of_the_documentation_is_the_table() -> None:
    """SECURESCAN_WRITE_DOCS=1 writes it."""
    page = pathlib.Path(__file__).parents[5] / "docs/schemas/request.schema.json"
    text = json.dumps(request_schema(), indent=2) + "\n"
    if os.environ.get("SECURESCAN_WRITE_DOCS"):
        page.write_text(text)

    assert page.read_text() == text
