# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's side of a request: asked of the image alone, once, and its failure costs no fact of the container."""

from __future__ import annotations

import types
from dataclasses import replace

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches import (
    auto,
    choice,
    image_side,
    pod_entry,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.approach import Collected
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    OK,
    Fact,
    Facts,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.drift.listings import (
    drift_queries,
    image_queries,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.approach import approach_options
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.scan import scan_container_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.scan_target import scan_request

REQUEST = make_request((Query("os"), *drift_queries(["/usr", "/etc"])))


class Recorded:
    """An approach that answers each query with its own key."""

    added = ()

    def __init__(self, name, failure=None):
        self.name, self.failure, self.asked, self.closed, self.execs = name, failure, [], 0, 0

    def collect(self, selected, request):
        self.execs += 1
        self.asked.append([query.key for query in request.queries])
        if self.failure:
            raise self.failure
        facts = {query.key: Fact(OK, f"{query.key} of {self.name}") for query in request.queries}
        return Collected(Facts(facts), self.name)

    def close(self):
        self.closed += 1


def given(image_side=True, **changes):
    params = {name: rule.get("default") for name, rule in scan_container_spec().items()}
    params.update({"approach": "exec", "scanner_image": "x", "helper_namespace": "helpers"}, **changes)
    return replace(approach_options(params), image_side=image_side)


@pytest.fixture
def images(monkeypatch):
    """The image approaches that were opened for the image's side alone."""
    opened = []

    def open_one(name, _means, _options):
        opened.append(Recorded(name))
        return opened[-1]

    monkeypatch.setattr(image_side, "open_one", open_one)
    return opened


def test_each_side_is_asked_for_its_own(images):
    live = Recorded("exec")
    both = image_side.with_image_side(live, None, given())
    collected = both.collect(None, REQUEST)
    assert live.asked == [["os", "mounts", "listing:/usr", "listing:/etc"]]
    assert images[0].asked == [["listing:/usr", "listing:/etc"]]
    assert list(collected.facts) == [
        "os",
        "mounts",
        "listing:/usr",
        "listing:/etc",
        "image_listing:/usr",
        "image_listing:/etc",
    ]
    assert collected.facts["image_listing:/usr"].value == "listing:/usr of image"
    assert (both.name, collected.approach, both.execs) == ("exec", "exec", 2)
    both.close()
    assert (live.closed, images[0].closed) == (1, 1)


def test_auto_shares_its_image_approach(monkeypatch):
    shared, live = Recorded("image"), Recorded("exec")
    both = image_side.with_image_side(auto.AutoApproach([live, shared], {}), None, given(approach="auto"))
    selected = types.SimpleNamespace(target=types.SimpleNamespace(image_id=""))
    assert both.collect(selected, REQUEST).facts["image_listing:/etc"].ok
    assert both.execs == 2
    both.close()
    assert shared.closed == 1


@pytest.mark.parametrize(
    "failure", ["helper_refused", "timed_out", "not_permitted", "image_volumes_unsupported"]
)
def test_a_failure_of_the_image_costs_its_side_alone(images, failure):
    both = image_side.with_image_side(Recorded("debug"), None, given())
    images[0].failure = ScanError(failure, "the quota said no")
    facts = both.collect(None, REQUEST).facts
    assert facts["listing:/usr"].ok and facts["os"].ok
    assert not facts["image_listing:/usr"].ok and "the quota said no" in facts["image_listing:/usr"].cause


def test_a_rule_that_forbids_image_holds_for_the_image_side(monkeypatch):
    monkeypatch.setattr(choice.image, "ImageApproach", lambda _means, _options: Recorded("image"))
    rules = [{"approaches": ["image"], "namespaces": ["shop"], "label_selectors": [], "reason": "not here"}]
    means = pod_entry.Means(None, None, None, None, ())
    both = image_side.with_image_side(Recorded("exec"), means, given(forbidden_approaches=rules))
    for namespace, ok in (("shop", False), ("other", True)):
        pod = types.SimpleNamespace(object=lambda namespace=namespace: {"metadata": {"namespace": namespace}})
        target = types.SimpleNamespace(path="x", image_id="")
        fact = both.collect(types.SimpleNamespace(pod=pod, target=target), REQUEST).facts[
            "image_listing:/usr"
        ]
        assert fact.ok is ok and (ok or "not here" in fact.cause)


def test_a_cancelled_scan_is_cancelled_and_a_target_that_is_not_reached_is_not_scanned(images):
    both = image_side.with_image_side(Recorded("exec"), None, given())
    images[0].failure = ScanError("cancelled", "stopped")
    with pytest.raises(ScanError, match="stopped"):
        both.collect(None, REQUEST)
    unreached = image_side.with_image_side(Recorded("exec", ScanError("pod_gone", "gone")), None, given())
    with pytest.raises(ScanError, match="gone"):
        unreached.collect(None, REQUEST)
    assert images[1].asked == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"helper_namespace": None}, "no helper_namespace is given"),
        ({"scanner_image": None}, "no scanner_image is given"),
    ],
)
def test_without_its_options_the_cause_is_said(changes, words):
    facts = image_side.with_image_side(Recorded("exec"), None, given(**changes)).collect(None, REQUEST).facts
    assert facts["listing:/usr"].ok and words in facts["image_listing:/usr"].cause
    assert not given(**changes).has_helpers()


def test_an_image_has_not_drifted_from_itself():
    shared = Recorded("image")
    facts = image_side.with_image_side(shared, None, given(approach="image")).collect(None, REQUEST).facts
    assert "by its image only" in facts["image_listing:/usr"].cause and len(shared.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"helper_namespace": None},
        {"scanner_image": None},
        {"approach": "image"},
        {"approach": "auto", "approaches": ["image"]},
    ],
)
def test_drift_that_is_asked_for_needs_both_sides(changes):
    with pytest.raises(ScanError, match="drift compares") as raised:
        choice.check_image_side(given(**changes))
    assert raised.value.reason == "bad_option"
    choice.check_image_side(given(approach="auto"))
    choice.check_image_side(given(approach="debug"))


def test_helper_pods_are_made_where_a_side_is_an_image():
    assert given().has_helpers() and given(image_side=False, approach="image").has_helpers()
    assert not given(image_side=False).has_helpers()
    assert given(image_side=False, approach="auto").has_helpers()


def test_paths_that_cannot_be_compared_are_refused():
    assert [query.key for query in image_queries(scan_request([], ["/usr"]).queries)] == [
        "image_listing:/usr"
    ]
    for path in ("usr", "/proc", "/a/../b", "/sys/kernel"):
        with pytest.raises(ScanError) as raised:
            scan_request([], [path])
        assert raised.value.reason == "bad_option"
