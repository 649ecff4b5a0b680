# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles that depend on others: what they take over, what they change, and how a slip in that is answered."""

from __future__ import annotations

import json

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.judging.queries import required_queries
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.compiled_profile import (
    CompiledProfile,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import (
    load_profile,
    load_profiles,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.counted_controls import (
    counted_profiles,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.hdf import hdf_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.model import Judgement, Platform
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

BASE = """\
name: base
title: Base
version: 1.0.0
inputs:
  - {name: users, type: array, value: [root]}
  - {name: key, type: string, value: hunter2, sensitive: true}
controls:
  - id: b-one
    title: One
    impact: high
    tags: {nist: [AC-6], cis: "5.1"}
    tests: [{users: {where: {uid: 0}}, expect: {names: {none_outside: "${input.users}"}}}]
  - {id: b-two, title: Two, impact: medium, tests: [{file: /x, expect: {exist: true}}]}
  - {id: b-three, title: Three, impact: low, tests: [{file: /y, expect: {type: "${input.key}"}}]}
"""
HEAD = "name: mine\ntitle: Mine\nversion: 1.0.0\n"
INPUTS = """\
inputs:
  - {name: admins, type: array, value: [root, toor]}
  - {name: secret, type: string, value: hunter3, sensitive: true}
"""
OWN = "controls:\n  - {id: m-own, title: Own, impact: low, tests: [{file: /own, expect: {exist: true}}]}\n"
DEBIAN_ONLY = "supports: [{platform-name: debian}]\n"


@pytest.fixture
def shipped(tmp_path):
    """A folder with the profile base, as shipped profiles lie in one."""
    write(tmp_path / "shipped" / "base" / "profile.yml", BASE)
    return tmp_path / "shipped"


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.fixture
def load_mine(tmp_path, shipped):
    """Load a profile that depends: from the text of its `depends`, and of what else it has."""

    def run(depends, more=OWN, **inputs):
        file = write(tmp_path / "mine" / "profile.yml", HEAD + more + "depends:\n" + depends)
        return load_profile(str(file), [shipped], inputs)

    return run


def ids(profile):
    return [control["id"] for control in profile.controls]


def operand(control):
    return control["tests"][0]["expect"][0]["conditions"][0]["operand"]


def test_all_controls_are_taken_over_after_its_own(load_mine):
    profile = load_mine("  - {name: base}\n")
    assert ids(profile) == ["m-own", "b-one", "b-two", "b-three"]
    assert profile.controls == load_mine("  - {name: base, controls: all}\n").controls
    assert [control["file"] for control in profile.controls] == ["mine/profile.yml"] + [
        "base/profile.yml"
    ] * 3
    assert profile.name == "mine"


@pytest.mark.parametrize(
    ("depends", "taken"),
    [
        ("controls: [b-three, b-one]", ["b-one", "b-three"]),
        ("skip: [b-two]", ["b-one", "b-three"]),
        ("controls: all, skip: [b-one, b-two]", ["b-three"]),
    ],
)
def test_a_list_or_all_but_some(load_mine, depends, taken):
    assert ids(load_mine(f"  - {{name: base, {depends}}}\n", more="")) == taken


def test_what_is_overridden(load_mine):
    profile = load_mine(
        """\
  - name: base
    override:
      b-one:
        impact: low
        tags: {cis: "5.2", ours: true}
      b-two: {title: Our words}
""",
        more="",
    )
    one, two, three = profile.controls
    assert (one["impact"], one["title"], one["tags"]) == (
        0.1,
        "One",
        {"nist": ["AC-6"], "cis": "5.2", "ours": True},
    )
    assert (two["impact"], two["title"]) == (0.4, "Our words")
    # what was changed stands with the source, so that a reader of results sees why they differ
    assert one["code"].startswith("id: b-one\n")
    assert one["code"].endswith(
        '# overridden in mine/profile.yml, line 7:\nimpact: low\ntags: {cis: "5.2", ours: true}\n'
    )
    assert "overridden" not in three["code"]


def test_inputs_are_handed_on(load_mine, shipped):
    depends = "  - {name: base, inputs: {users: %s}}\n"
    assert operand(load_mine("  - {name: base}\n", more="").controls[0]) == ["root"]
    assert operand(load_mine(depends % "[a, b]", more="").controls[0]) == ["a", "b"]
    profile = load_mine(depends % "'${input.admins}'", more=INPUTS)
    assert operand(profile.controls[0]) == ["root", "toor"]
    assert operand(load_mine(depends % "'${input.admins}'", more=INPUTS, admins=["c"]).controls[0]) == ["c"]
    # a value that is given to the scan goes before all
    assert operand(load_mine(depends % "[a, b]", more="", users=["z"]).controls[0]) == ["z"]
    assert [(entry["name"], entry["value"]) for entry in profile.inputs] == [
        ("admins", ["root", "toor"]),
        ("secret", "hunter3"),
        ("users", ["root", "toor"]),
        ("key", "hunter2"),
    ]


def test_given_inputs_may_be_those_of_a_dependency(tmp_path, load_mine, shipped):
    load_mine("  - {name: base}\n")
    path = str(tmp_path / "mine")
    (profile,) = load_profiles([path], [shipped], {"users": ["z"]})
    assert operand(profile.controls[1]) == ["z"]
    with pytest.raises(ScanError, match="unknown input 'user', did you mean 'users'"):
        load_profiles([path], [shipped], {"user": ["z"]})


def test_a_sensitive_input_stays_masked(load_mine):
    profile = load_mine(
        "  - {name: base, controls: [b-three], inputs: {key: '${input.secret}'}}\n", more=INPUTS
    )
    file = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 1, "mtime": 1, "link_target": None}
    result = evaluate(profile, Facts({"file:/y": Fact("ok", file)}), EvaluationContext({}, {}, "app"))
    assert operand(profile.controls[0]) == "hunter3"
    assert result.controls[0].results[0].status == "failed"
    assert "hunter" not in str([result.controls[0].results, result.attributes])


def test_a_dependency_by_path_and_one_of_a_dependency(tmp_path, load_mine):
    middle = "name: middle\ntitle: T\nversion: 1.0.0\ndepends: [{name: base, skip: [b-three]}]\n"
    write(tmp_path / "other" / "middle.yml", middle + OWN.replace("m-own", "mid-own"))
    profile = load_mine("  - {name: middle, path: ../other/middle.yml, override: {b-two: {impact: 0.0}}}\n")
    assert ids(profile) == ["m-own", "mid-own", "b-one", "b-two"]
    assert profile.controls[3]["impact"] == 0.0
    first = profile.sha256
    write(tmp_path / "other" / "middle.yml", middle + "# a comment\n" + OWN.replace("m-own", "mid-own"))
    assert (
        load_mine("  - {name: middle, path: ../other/middle.yml, override: {b-two: {impact: 0.0}}}\n").sha256
        != first
    )


def test_the_hash_changes_with_what_it_depends_on_and_with_nothing_else(load_mine, shipped):
    before = load_mine("  - {name: base, controls: [b-one]}\n")
    assert load_mine("  - {name: base, controls: [b-one]}\n") == before
    write(shipped / "base" / "profile.yml", BASE.replace("impact: high", "impact: low"))
    after = load_mine("  - {name: base, controls: [b-one]}\n")
    assert after.sha256 != before.sha256
    assert after.controls[1]["impact"] == 0.1


def test_an_empty_dependency_hash_is_that_of_the_bytes(tmp_path, shipped):
    alone = load_profile("base", [shipped], {})
    assert len(alone.sha256) == 64
    assert alone == load_profile(str(shipped / "base"), [], {})


def test_what_a_dependency_does_not_support_does_not_apply(load_mine, shipped):
    write(shipped / "base" / "profile.yml", BASE.replace("controls:\n", DEBIAN_ONLY + "controls:\n"))
    profile = load_mine("  - {name: base, controls: [b-two]}\n")
    assert "os" in {query.key for query in required_queries([profile])}

    def judged(system):
        facts = Facts(
            {"file:/x": Fact("absent", cause="gone"), "file:/own": Fact("absent", cause="gone"), "os": system}
        )
        result = evaluate(profile, facts, EvaluationContext({}, {}, "app"))
        return [
            (control.impact, control.results[0].status, control.results[0].skip_message)
            for control in result.controls
        ]

    own, taken = judged(
        Fact("ok", {"name": "alpine", "family": "alpine", "release": "3.20", "arch": "x86_64"})
    )
    assert own[:2] == (0.1, "failed")
    assert taken == (
        0.0,
        "skipped",
        "Not applicable: the platform alpine 3.20 is not supported by the profile that this control is from.",
    )
    assert judged(Fact("ok", {"name": "debian", "family": "debian", "release": "12", "arch": "x86_64"}))[1][
        :2
    ] == (0.4, "failed")
    own, taken = judged(Fact("unreadable", cause="no permission"))
    assert taken == (
        0.4,
        "skipped",
        "Not reviewed: whether this control applies could not be decided: os is not known: no permission.",
    )


def test_a_profile_that_has_only_what_does_not_fit_is_skipped_and_not_a_list_of_what_does_not_apply(
    load_mine, shipped
):
    """Nothing of it was judged, so nothing passes by it; what cannot be decided is not skipped."""
    write(shipped / "base" / "profile.yml", BASE.replace("controls:\n", DEBIAN_ONLY + "controls:\n"))
    profile = load_mine("  - {name: base, controls: [b-one, b-two]}\n", more="")

    def judged(system):
        facts = Facts({"file:/x": Fact("absent", cause="gone"), "os": system})
        return evaluate(profile, facts, EvaluationContext({}, {}, "app"))

    alpine = judged(Fact("ok", {"name": "alpine", "family": "alpine", "release": "3.20", "arch": "x86_64"}))
    assert (alpine.status, alpine.controls) == ("skipped", [])
    assert alpine.status_message == (
        f"Skipping profile: '{profile.name}': the platform alpine 3.20 is not supported by any profile that its "
        "controls are from."
    )
    debian = judged(Fact("ok", {"name": "debian", "family": "debian", "release": "12", "arch": "x86_64"}))
    assert (debian.status, len(debian.controls)) == ("loaded", 2)
    unknown = judged(Fact("unreadable", cause="no permission"))
    assert (unknown.status, len(unknown.controls)) == ("loaded", 2)


def test_it_goes_to_another_machine_whole_and_counts_as_one_profile(load_mine):
    profile = load_mine("  - {name: base}\n")
    received = CompiledProfile.from_dict(json.loads(json.dumps(profile.as_dict())))
    assert received == profile
    result = evaluate(received, Facts({}), EvaluationContext({}, {}, "app"))
    document = hdf_document(
        Judgement({"target_id": "a/b"}, {}, Platform(), [result], "2026-01-01T00:00:00+00:00", 0.1)
    )
    (counted,) = counted_profiles(document, "x")
    assert [control["id"] for control in counted.controls] == ["m-own", "b-one", "b-two", "b-three"]
    assert {control["source_location"]["ref"] for control in counted.controls} == {
        "mine/profile.yml",
        "base/profile.yml",
    }


BROKEN = {
    "no list": ("  base\n", 4, "depends: found text 'base'; expected a list"),
    "no mapping": ("  - base\n", 5, "an entry of depends: found text 'base'; expected a mapping"),
    "no name": ("  - {path: ../x}\n", 5, "an entry of depends: the key 'name' is missing"),
    "unknown key": ("  - {name: base, version: 1}\n", 5, "an entry of depends: unknown key 'version'"),
    "missing": ("  - {name: bsae}\n", 5, "depends on 'bsae': No profile 'bsae', did you mean 'base'?"),
    "missing path": (
        "  - {name: base, path: ../nowhere}\n",
        5,
        "depends on 'base': No profile '../nowhere'; looked at",
    ),
    "other name": (
        "  - {name: bas, path: ../shipped/base}\n",
        5,
        "depends on 'bas': the profile at ../shipped/base is called 'base'; expected its name",
    ),
    "twice": (
        "  - {name: base, controls: [b-one]}\n  - {name: base, controls: [b-two]}\n",
        6,
        "depends on 'base': it stands here for the second time",
    ),
    "itself": (
        "  - {name: mine, path: .}\n",
        5,
        "depends on 'mine': found a circle (mine/profile.yml -> mine/profile.yml)",
    ),
    "controls no list": (
        "  - {name: base, controls: every}\n",
        5,
        "depends on 'base': controls: found no list; expected a list of ids of controls, or the word 'all'",
    ),
    "controls empty": (
        "  - {name: base, controls: []}\n",
        5,
        "depends on 'base': controls: found an empty list",
    ),
    "unknown control": (
        "  - {name: base, controls: [b-on]}\n",
        5,
        "depends on 'base': unknown control 'b-on', did you mean 'b-one'? Expected the id of one of its 3",
    ),
    "control twice": (
        "  - {name: base, controls: [b-one, b-one]}\n",
        5,
        "controls: found control 'b-one' twice",
    ),
    "unknown skip": (
        "  - {name: base, skip: [x]}\n",
        5,
        "depends on 'base': unknown control 'x'; expected the id of one of",
    ),
    "skip no list": ("  - {name: base, skip: b-one}\n", 5, "depends on 'base': skip: found no list"),
    "skip and list": (
        "  - {name: base, controls: [b-one], skip: [b-two]}\n",
        5,
        "depends on 'base': found 'skip' beside a list of controls",
    ),
    "skip all": (
        "  - {name: base, skip: [b-one, b-two, b-three]}\n",
        5,
        "depends on 'base': found all its controls",
    ),
    "override unknown": (
        "  - {name: base, override: {b-four: {impact: low}}}\n",
        5,
        "unknown control 'b-four'",
    ),
    "override of skipped": (
        "  - {name: base, skip: [b-one], override: {b-one: {impact: low}}}\n",
        5,
        "depends on 'base': override of control 'b-one', which is not taken over",
    ),
    "override key": (
        "  - {name: base, override: {b-one: {tests: []}}}\n",
        5,
        "depends on 'base': override of 'b-one': unknown key 'tests'; expected one of impact, tags, title",
    ),
    "override empty": (
        "  - {name: base, override: {b-one: {}}}\n",
        5,
        "override of 'b-one': found an empty mapping",
    ),
    "override impact": (
        "  - name: base\n    override:\n      b-one:\n        impact: hihg\n",
        8,
        "override of 'b-one': unknown impact 'hihg', did you mean 'high'?",
    ),
    "override tag": (
        "  - {name: base, override: {b-one: {tags: {severity: High}}}}\n",
        5,
        "the tag 'severity' is text 'High'",
    ),
    "inputs no mapping": (
        "  - {name: base, inputs: [a]}\n",
        5,
        "depends on 'base': inputs: found a list; expected a mapping",
    ),
    "unknown input": (
        "  - {name: base, inputs: {user: [a]}}\n",
        5,
        "depends on 'base': inputs: unknown input 'user', did you mean 'users'?",
    ),
    "input of wrong type": (
        "  - name: base\n    inputs:\n      users: root\n",
        7,
        "input 'users' of 'base': found text 'root'; expected a list of texts and numbers",
    ),
    "unknown reference": (
        "  - {name: base, inputs: {users: '${input.admins}'}}\n",
        5,
        "unknown input 'admins'",
    ),
    "sensitive wrong type": (
        "  - {name: base, inputs: {key: 5}}\n",
        5,
        "input 'key' of 'base': found another type; expected a text",
    ),
}


@pytest.mark.parametrize("case", BROKEN, ids=list(BROKEN))
def test_broken_dependencies(load_mine, case):
    depends, line, problem = BROKEN[case]
    with pytest.raises(ScanError) as caught:
        load_mine(depends, more="")
    assert caught.value.reason == "bad_profile"
    assert f"/mine/profile.yml:{line}: " in caught.value.message
    assert problem in caught.value.message


def test_a_sensitive_value_is_not_handed_to_an_input_that_results_show(load_mine):
    with pytest.raises(
        ScanError, match=r"profile\.yml:8: input 'users' of 'base': found a sensitive input"
    ) as caught:
        load_mine("  - {name: base, inputs: {users: ['${input.secret}']}}\n", more=INPUTS)
    assert "hunter" not in str(caught.value)


def test_an_id_that_two_profiles_have_is_refused(load_mine, tmp_path):
    with pytest.raises(
        ScanError,
        match=r"profile\.yml:7: depends on 'base': its control 'b-two' has the id of one in "
        r"mine/profile\.yml; expected each id once \(skip it here\)",
    ):
        load_mine("  - {name: base}\n", more=OWN.replace("m-own", "b-two"))
    write(tmp_path / "other" / "profile.yml", BASE.replace("name: base", "name: other"))
    both = "  - {name: base, controls: [b-one]}\n  - {name: other, path: ../other, skip: [b-two%s]}\n"
    with pytest.raises(
        ScanError, match=r"profile\.yml:6: depends on 'other': its control 'b-one' has the id of one in base/"
    ):
        load_mine(both % "", more="")
    assert ids(load_mine(both % ", b-one", more="")) == ["b-one", "b-three"]


def test_a_circle_of_several(tmp_path, load_mine):
    for name, other in (("a", "b"), ("b", "mine")):
        write(
            tmp_path / name / "profile.yml",
            f"name: {name}\ntitle: T\nversion: 1.0.0\ndepends: [{{name: {other}, path: ../{other}}}]\n",
        )
    with pytest.raises(
        ScanError,
        match=r"b/profile\.yml:4: depends on 'mine': found a circle \(mine/profile\.yml -> "
        r"a/profile\.yml -> b/profile\.yml -> mine/profile\.yml\)",
    ):
        load_mine("  - {name: a, path: ../a}\n")


def test_a_broken_dependency_is_named_itself(load_mine, shipped):
    write(shipped / "base" / "profile.yml", BASE.replace("title: Two", "titel: Two"))
    with pytest.raises(
        ScanError, match=r"shipped/base/profile\.yml:13: control 'b-two': unknown key 'titel'"
    ):
        load_mine("  - {name: base}\n")


def test_a_required_input_of_a_dependency(load_mine, shipped):
    write(shipped / "base" / "profile.yml", BASE.replace("value: [root]", "required: true"))
    with pytest.raises(
        ScanError, match="The profile 'base' requires the input 'users', which was not given"
    ) as caught:
        load_mine("  - {name: base}\n")
    assert caught.value.reason == "bad_option"
    assert operand(load_mine("  - {name: base, inputs: {users: [a]}}\n", more="").controls[0]) == ["a"]
