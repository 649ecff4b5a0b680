# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reader of YAML: what would grow, goes too deep or refers to itself is refused at once, in every kind of file."""

from __future__ import annotations

import pathlib
import time
import tracemalloc
from collections.abc import Callable

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import counted_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.kubeconfig import load_kubeconfig
from ansible_collections.securescan.kubernetes.plugins.module_utils.counted_yaml import (
    YamlError,
    YamlLimits,
    compose_yaml,
    plain_data,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.attestations import (
    load_attestations,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.threshold import load_threshold
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.waivers import load_waivers
from ansible_collections.securescan.kubernetes.tests.support.attack_table import attack_ends_as

BOMB = (
    "a: &a ["
    + ",".join("x" * 10)
    + "]\n"
    + "".join(
        "{}: &{} [{}]\n".format(name, name, ",".join(["*" + last] * 10))
        for last, name in zip("abcdefg", "bcdefgh")
    )
)
TEXTS = {
    "19-alias-bomb": (BOMB, "references counted as what they refer to"),
    "19-recursive-alias": ("a: &a\n  b: [*a]\n", "an anchor that holds a reference to itself"),
    "19-long-text-repeated": (
        "a: &a {}\nb: [{}]\n".format("x" * 500_000, ",".join(["*a"] * 100_000)),
        "references counted as what they refer to",
    ),
    "19-deep": ("[" * 100_000, "nested deeper than 40"),
}


def read_profile(path: pathlib.Path) -> object:
    return load_profile(str(path), [], {})


def read_on_the_controller(path: pathlib.Path) -> object:
    pytest.importorskip("ansible", reason="action plugins belong to Ansible")
    from ansible_collections.securescan.kubernetes.plugins.plugin_utils.controller_files import read_yaml_file

    return read_yaml_file(str(path), "bad_waivers")


READERS: dict[str, Callable[[pathlib.Path], object]] = {
    "waivers": lambda path: load_waivers(path.read_text(), str(path)),
    "attestations": lambda path: load_attestations(path.read_text(), str(path)),
    "threshold": lambda path: load_threshold(path.read_text(), str(path)),
    "file of the controller": read_on_the_controller,
    "profile": read_profile,
    "kubeconfig": lambda path: load_kubeconfig(str(path)),
}


@pytest.mark.parametrize("attack", TEXTS)
@pytest.mark.parametrize("kind", READERS)
def test_an_alias_bomb_ends_at_once_in_every_kind_of_file(
    tmp_path: pathlib.Path, kind: str, attack: str
) -> None:
    text, why = TEXTS[attack]
    path = tmp_path / "profile.yml"
    path.write_text(text)
    clock = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(ScanError) as caught:
            READERS[kind](path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert why in caught.value.message
    assert kind == "kubeconfig" or str(path) in caught.value.message
    # tracing makes it several times as slow
    assert time.process_time() - clock < 10 and peak < 150 * 1024 * 1024
    attack_ends_as(attack, outcome="refused in a second")


@pytest.mark.parametrize("quick", [True, False])
def test_references_and_merge_keys_within_the_limits_are_read(quick: bool) -> None:
    text = "base: &base {a: 1, b: [x]}\nother: {<<: *base, c: 2}\nagain: *base\n"
    assert plain_data(compose_yaml(text, "f", quick=quick)) == {
        "base": {"a": 1, "b": ["x"]},
        "other": {"a": 1, "b": ["x"], "c": 2},
        "again": {"a": 1, "b": ["x"]},
    }


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        ("a: 1\nb: [1, 2, 3, 4, 5, 6]", 2, "more than 8 parts, references counted as what they refer to"),
        ("a: &a [1]\nb:\n- *a\n- *a", 4, "more than 8 parts, references counted as what they refer to"),
        ("a:\n  b:\n    c:\n      d: 1", 4, "nested deeper than 3"),
        (
            "a: &a xxxxxxxxxxxxxxxxxxxx\nb: *a\nc: *a",
            3,
            "more than 44 characters, references counted as what",
        ),
        ("a: 1\n'a': 2", 2, "a key stands twice in one mapping"),
        ("x" * 45, 1, "the text has more than 44 characters"),
    ],
)
def test_each_limit_names_its_line(quick: bool, text: str, line: int, rule: str) -> None:
    limits = YamlLimits(characters=44, parts=8, depth=3)
    with pytest.raises(YamlError) as caught:
        compose_yaml(text, "f", limits, quick=quick)
    assert (caught.value.line, caught.value.rule[: len(rule)]) == (line, rule)


def test_the_time_of_reading_is_counted() -> None:
    with pytest.raises(YamlError, match=r"takes longer than 0\.01 seconds"):
        compose_yaml("- [a, b]\n" * 10_000, "f", YamlLimits(seconds=0.01))


def test_a_rule_quotes_nothing_of_the_text() -> None:
    for text in ("secret: 1\nsecret: 2", "a: [secret", "a: !!secret x", "a: &secret [*secret]", "a: *secret"):
        with pytest.raises(YamlError) as caught:
            plain_data(compose_yaml(text, "f"))
        assert "secret" not in caught.value.rule


def test_a_kubeconfig_of_many_clusters_is_within_the_limits() -> None:
    entry = "- name: c{0}\n  cluster: {{server: 'https://{0}.example', certificate-authority-data: {1}}}\n"
    text = "clusters:\n" + "".join(entry.format(number, "A" * 1500) for number in range(1500))
    text += "contexts:\n- {name: x, context: {cluster: c7, user: u}}\nusers:\n- {name: u, user: {}}\ncurrent-context: x\n"
    assert load_kubeconfig(text).cluster.name == "c7"


def test_without_libyaml_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_yaml, "HAS_LIBYAML", False)
    with pytest.raises(YamlError, match="references counted"):
        compose_yaml(BOMB, "f", quick=True)
