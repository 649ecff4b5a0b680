# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import counted_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.strict_yaml import load_yaml


def test_plain_values_are_read_as_yaml_has_them() -> None:
    assert load_yaml("a: {b: [1, -2, 0.5, yes, text]}\nd: 2027-01-31", "f", "bad_threshold") == {
        "a": {"b": [1, -2, 0.5, True, "text"]},
        "d": datetime.date(2027, 1, 31),
    }
    assert load_yaml('{"a": 1}', "f", "bad_threshold") == {"a": 1}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_a_text_without_content_is_none(text: str) -> None:
    assert load_yaml(text, "f", "bad_threshold") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f, line 3: the key a stands twice in one mapping (first in line 1)"),
        ("x:\n  - {a: 1, 'a': 2}", "f, line 2: the key a stands twice in one mapping (first in line 2)"),
        ("a: 010", "f, line 1: write 010 as a plain decimal number"),
        ("a: 1_000", "write 1_000 as"),
        ("a: 0x10", "write 0x10 as"),
        ("a: 1:30", "write 1:30 as"),
        ("a: [1", "f, line 1: not valid YAML"),
        ("a: 1\n\tb: 2", "f, line 2: not valid YAML"),
        ("a: 1\n---\nb: 2", "not valid YAML"),
        ("a: !!python/object/apply:os.system [id]", "not valid YAML"),
        ("a: !own x", "not valid YAML"),
        ("a: 2027-13-45", "not valid YAML"),
        ("a: \x00", "not valid YAML"),
        ("? [a, b]\n: 1", "not valid YAML"),
        ("[" * 100_000, "nested deeper than 40"),
        ("a: 123456789012345678901", "at most 18 digits"),
    ],
)
def test_a_text_that_is_not_strict_yaml_is_refused_with_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ScanError) as caught:
        load_yaml(text, "f", "bad_waivers")
    assert caught.value.reason == "bad_waivers"
    assert message in caught.value.message


def test_a_text_above_the_limit() -> None:
    with pytest.raises(ScanError, match="more than 1048576 characters"):
        load_yaml("#" * (counted_yaml.FILE_LIMITS.characters + 1), "f", "bad_threshold")


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counted_yaml, "yaml", None)
    with pytest.raises(ScanError, match="PyYAML") as caught:
        load_yaml("a: 1", "f", "bad_threshold")
    assert caught.value.reason == "missing_library"
