# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.teams import (
    Ownership,
    TeamRules,
    load_teams,
)

RULES: dict[str, Any] = {
    "team": {"labels": ["example.com/team", "team"], "annotations": ["example.com/owner"]},
    "environment": {"labels": ["example.com/environment"]},
    "namespaces": [
        {"cluster": "prod-*", "environment": "production"},
        {"cluster": "prod-*", "namespace": "shop", "team": "shop"},
        {"namespace": "kube-*", "team": "platform", "environment": "system"},
    ],
}


def owner(
    labels: dict[str, Any],
    annotations: dict[str, Any] | None = None,
    cluster: str = "test",
    namespace: str = "web",
) -> tuple[str, str]:
    found = TeamRules.of_mapping(RULES).owner(cluster, namespace, labels, annotations or {})
    return found.team, found.environment


def test_labels_come_before_annotations_and_the_first_key_counts() -> None:
    assert owner({}) == ("", "")
    assert owner({}, {"example.com/owner": "Team Ä & Söhne"}) == ("Team Ä & Söhne", "")
    assert owner({"team": "b"}, {"example.com/owner": "c"}) == ("b", "")
    assert owner({"team": "b", "example.com/team": "a", "example.com/environment": "dev"}) == ("a", "dev")


def test_a_name_can_be_of_any_script() -> None:
    for name in ("Zürich", "магазин 7", "κατάστημα", "店舗", "shop-店", "दुकान"):
        assert owner({}, {"example.com/owner": name}) == (name, "")


def test_the_operators_rules_come_before_labels_and_the_first_that_gives_something_counts() -> None:
    labels = {"team": "intruder", "example.com/environment": "sandbox"}
    assert owner(labels, cluster="prod-1", namespace="shop") == ("shop", "production")
    assert owner(labels, cluster="prod-1") == ("intruder", "production")
    assert owner({}, cluster="prod-1", namespace="kube-system") == ("platform", "production")
    assert owner(labels, namespace="kube-system") == ("platform", "system")
    assert owner(labels, cluster="Prod-1") == ("intruder", "sandbox")


def test_labels_are_needed_only_where_rules_do_not_say_it_all() -> None:
    rules = TeamRules.of_mapping(RULES)
    assert not rules.needs_labels("prod-1", "shop")
    assert rules.needs_labels("prod-1", "web")
    assert not TeamRules.of_mapping({"namespaces": RULES["namespaces"]}).needs_labels("prod-1", "web")
    assert not TeamRules.of_mapping(
        {"environment": RULES["environment"], "namespaces": RULES["namespaces"]}
    ).needs_labels("prod-1", "web")


@pytest.mark.parametrize(
    "value",
    [
        "shop\n",
        "shop\x1b[31m",
        "sh\u200bop",
        "\u202eshop",
        " shop",
        "shop\u00a0",
        "\uff53hop",  # a wide s
        "sh\u043ep",  # a Cyrillic o
        "sh\u03bfp",  # a Greek o
        "shop\ufe0f",  # a selector of variants
        "sh\u034fop",
        "\u1160shop",
        "shop  two",
        "(others)",
        "(none)",
        "x" * 101,
        "\ud800",
        7,
        ["shop"],
        None.__class__,
    ],
)
def test_a_hostile_value_is_no_team_and_does_not_give_way_to_the_next_key(value: Any) -> None:
    found = TeamRules.of_mapping(RULES).owner("test", "web", {"example.com/team": value, "team": "other"}, {})
    assert found == Ownership("", "", ("example.com/team",))


def test_a_file_is_read_and_its_slips_are_named() -> None:
    assert load_teams("team: {labels: [team]}", "teams.yml").owner("c", "n", {"team": "a"}, {}).team == "a"
    for text, said in {
        "": "must hold team",
        "[]": "must hold team",
        "teams: {labels: [team]}": "unknown key 'teams', did you mean 'team'?",
        "team: {label: [team]}": "team: unknown key 'label', did you mean 'labels'?",
        "team:": "team must hold labels or annotations",
        "team: {labels: team}": "team.labels must be a list",
        "team: {labels: [a, a]}": "team.labels names a key twice",
        "team: {labels: ['a b']}": "team.labels: 'a b' is no key",
        "namespaces: [{namespace: shop}]": "namespaces[0] gives neither team nor environment",
        "namespaces: [{namespce: shop, team: a}]": "namespaces[0]: unknown key 'namespce', did you mean 'namespace'?",
        "namespaces: [{namespace: shop, team: ' a'}]": "namespaces[0].team must be a name",
        "namespaces: [{namespace: '', team: a}]": "namespaces[0].namespace must be a name or a pattern",
        "namespaces: {}": "namespaces must be a list",
        "team: {labels: [a]}\nteam: {labels: [b]}": "line 2",
    }.items():
        with pytest.raises(ScanError) as caught:
            load_teams(text, "teams.yml")
        assert caught.value.reason == "bad_teams"
        assert caught.value.message.startswith("teams.yml") and said in caught.value.message
