# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile read by libyaml is the same as one read by PyYAML: data, lines, the source text of each part, and what is refused."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils import counted_yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.profile import chosen_profiles
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.yaml_document import (
    read_document,
)

ROOT = pathlib.Path(__file__).resolve().parents[5]
SHIPPED = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "profiles").rglob("*.yml")
}
ODD = {
    "Windows": "x: y\r\nlist:\r\n  - id: 'a'\r\n    d: |\r\n      \u00e9 \U0001f600 x\r\n    e: &a [1, {b: c}]\r\n    f: *a\r\n",
    "byte order mark": '\ufeffname: \u00fc\U0001f600\nb: >-\n  x\n  y\n\nc: "a\\\n  b"\n# end\n',
    "tab": "a:\tb\n",
    "tab in a text": "a: 'b\tc'\n",
    "other line ends": "a: b\u0085c: d\ne: x\u2028  y\n",
    "numbers": "a: [0640, 22:22, no, 2026-01-01, 0x1f, 1e3, ~]\n",
    "tag": "a: !!python/name:os.system x\n",
    "not closed": "a: [1, 2\nb: {",
    "two documents": "a: 1\n---\nb: 2\n",
    "control character": "a: \x07\n",
    "empty": "",
    "comment": "# x\n",
    "deep": "[" * 20_000,
    "unknown anchor": "a: *b\n",
    "twice": "a: 1\na: 2\n",
    "bad indentation": "a:\n   b: 1\n  c: 2\n",
}


def outcome(text):
    try:
        found = read_document("profile.yml", text, of_controller=True)
    except ScanError as error:
        return str(error)
    return found.data, found.lines, found.spans, {path: found.code_of(path) for path in found.spans}


@pytest.mark.skipif(
    not counted_yaml.HAS_LIBYAML, reason="this PyYAML has no libyaml, so there is one way only"
)
@pytest.mark.parametrize("text", [*SHIPPED.values(), *ODD.values()], ids=[*SHIPPED, *ODD])
def test_it_reads_as_pyyaml_does(text, monkeypatch):
    quick = outcome(text)
    monkeypatch.setattr(counted_yaml, "HAS_LIBYAML", False)
    assert outcome(text) == quick


@pytest.mark.skipif(not counted_yaml.HAS_LIBYAML, reason="this PyYAML has no libyaml")
def test_what_comes_out_of_a_container_is_not_given_to_libyaml(monkeypatch):
    monkeypatch.setattr(counted_yaml, "_QuickLoader", None)
    assert read_document("the file", "a: 1\n").data == {"a": 1}
    with pytest.raises(TypeError):
        read_document("the file", "a: 1\n", of_controller=True)


def test_a_profile_that_is_loaded_again_is_the_same():
    once, again = (chosen_profiles(["container-baseline"])[0].as_dict() for _time in range(2))
    assert once == again
