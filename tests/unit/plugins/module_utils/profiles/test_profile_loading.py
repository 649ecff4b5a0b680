# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and reading profiles, their inputs, what is kept of the source, and the way as JSON to another machine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts, Query
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
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary import yaml_document
from ansible_collections.securescan.kubernetes.plugins.module_utils.vocabulary.evidence import (
    EvaluationContext,
)

PROFILE = """\
# a comment at the top
name: sample
title: Sample
version: 1.2.3
maintainer: Somebody
license: MIT
summary: What it checks
copyright: Somebody
supports:
  - platform: linux
inputs:
  - name: ports
    type: Array
    value: [22, 23]
    description: Ports
  - {name: secret, type: string, value: hunter2, sensitive: true}
  - {name: limit, type: numeric, value: 5}
controls:
  # a comment before the first control
  - id: first
    title: First
    desc: >-
      A text
      in two lines
    rationale: Why
    check: How
    fix: What
    impact: critical
    tags: {nist: [AC-6], cis: "5.1", flag: true}
    refs: [A document, {ref: Another, url: https://example.com}]
    tests:
      - ports: {where: {port: {one_of: "${input.ports}"}}}
        # a comment inside
        expect: {count: {at_most: "${input.limit}"}}

  # a comment before the second control
  - {id: second, title: Second, impact: 0.3, tests: [{file: "/etc/x${input.limit}", expect: {exist: true}}]}
"""


@pytest.fixture
def folder(tmp_path):
    """A search folder with the profiles alpha (a folder) and beta.yml."""
    (tmp_path / "profiles" / "alpha").mkdir(parents=True)
    (tmp_path / "profiles" / "alpha" / "profile.yml").write_text(PROFILE)
    (tmp_path / "profiles" / "beta.yml").write_text(PROFILE.replace("name: sample", "name: other"))
    return tmp_path / "profiles"


def test_a_profile_is_found_by_name_by_folder_and_by_file(folder, monkeypatch):
    by_name = load_profile("alpha", [folder], {})
    assert by_name.file == "alpha/profile.yml"
    assert by_name == load_profile(str(folder / "alpha"), [], {})
    assert by_name == load_profile(str(folder / "alpha" / "profile.yml"), [], {})
    assert load_profile("beta.yml", [Path("/nowhere"), folder], {}).name == "other"
    monkeypatch.chdir(folder)
    assert load_profile("./beta.yml", [], {}).name == "other"
    assert load_profile("beta.yml", [], {}).name == "other"


def test_a_name_is_looked_up_in_the_search_folders_before_the_working_folder(folder, tmp_path, monkeypatch):
    (tmp_path / "alpha").mkdir()
    (tmp_path / "alpha" / "profile.yml").write_text(PROFILE.replace("1.2.3", "9.9.9"))
    monkeypatch.chdir(tmp_path)
    assert load_profile("alpha", [folder], {}).version == "1.2.3"
    assert load_profile("./alpha", [folder], {}).version == "9.9.9"


@pytest.mark.parametrize("name", ["alhpa", "/nowhere/profile.yml", "", "../alhpa"])
def test_a_profile_that_is_not_there(folder, name):
    with pytest.raises(ScanError) as caught:
        load_profile(name, [folder], {})
    assert caught.value.reason == "profile_not_found"
    assert "known names are alpha" in caught.value.message
    assert ("did you mean 'alpha'?" in caught.value.message) is name.endswith("alhpa")


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "p.yml").write_bytes(b"name: a\ntitle: \xff\n")
    with pytest.raises(ScanError, match=r"p\.yml:2: found a byte that is not UTF-8") as caught:
        load_profile(str(tmp_path / "p.yml"), [], {})
    assert caught.value.reason == "bad_profile"
    (tmp_path / "p.yml").write_bytes(b"# " + b"x" * 3_000_000)
    with pytest.raises(ScanError, match=r"p\.yml:1: the file is larger than"):
        load_profile(str(tmp_path / "p.yml"), [], {})


def test_everything_about_the_profile_is_kept(folder):
    profile = load_profile("alpha", [folder], {})
    assert (
        profile.name,
        profile.title,
        profile.version,
        profile.maintainer,
        profile.license,
        profile.summary,
        profile.copyright,
    ) == ("sample", "Sample", "1.2.3", "Somebody", "MIT", "What it checks", "Somebody")
    assert profile.sha256 == hashlib.sha256(PROFILE.encode()).hexdigest()
    assert profile.supports == [{"platform": "linux"}]
    first, second = profile.controls
    assert first["desc"] == "A text in two lines"
    assert first["descriptions"] == {"rationale": "Why", "check": "How", "fix": "What"}
    assert first["tags"] == {"nist": ["AC-6"], "cis": "5.1", "flag": True}
    assert first["refs"] == [{"ref": "A document"}, {"ref": "Another", "url": "https://example.com"}]
    assert (first["impact"], second["impact"]) == (0.9, 0.3)


def test_source_text_and_line_of_controls(folder):
    first, second = load_profile("alpha", [folder], {}).controls
    lines = PROFILE.splitlines()
    assert lines[first["line"] - 1] == "  - id: first"
    assert lines[second["line"] - 1].startswith("  - {id: second")
    assert first["code"].startswith("id: first\ntitle: First\ndesc: >-\n  A text\n")
    assert first["code"].endswith(
        'tests:\n  - ports: {where: {port: {one_of: "${input.ports}"}}}\n'
        '    # a comment inside\n    expect: {count: {at_most: "${input.limit}"}}\n'
    )
    assert second["code"] == lines[second["line"] - 1].lstrip(" -") + "\n"


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("none", 0.0),
        ("low", 0.1),
        ("medium", 0.4),
        ("high", 0.7),
        ("critical", 0.9),
        ("High", 0.7),
        ("0", 0.0),
        ("1", 1.0),
        ("0.55", 0.55),
    ],
)
def test_impacts_are_those_of_inspec(load_tests, load, word, number):
    control = f"{{id: c, title: t, impact: {word}, manual: true, check: x}}"
    assert load(f"name: s\ntitle: s\nversion: 1.0.0\ncontrols: [{control}]\n").controls[0]["impact"] == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0640", "0640"),
        ("no", "no"),
        ("on", "on"),
        ("22:22", "22:22"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("-5", -5),
        ("+5", 5),
        ("0", 0),
        ("1.5", 1.5),
        (".5", 0.5),
        ("0.5", 0.5),
        ("00.5", "00.5"),
        ("'5'", "5"),
        ('"true"', "true"),
        (".inf", ".inf"),
        ("<<", "<<"),
        ("=", "="),
        ("12345678901234567890", "12345678901234567890"),
    ],
)
def test_plain_scalars_are_read_by_the_rules_of_yaml_1_2(text, value):
    found = yaml_document.read_document("x", f"a: {text}\n").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_anchors_may_be_used(load):
    profile = load(
        "name: s\ntitle: s\nversion: 1.0.0\ncontrols:\n"
        "  - {id: a, title: t, impact: low, tests: &t [{file: /x, expect: {exist: true}}]}\n"
        "  - {id: b, title: t, impact: low, tests: *t}\n"
    )
    assert profile.controls[0]["tests"][0]["expect"] == profile.controls[1]["tests"][0]["expect"]


# -- inputs ----------------------------------------------------------------------------------------------------------


def test_inputs_have_their_own_value_or_the_given_one(folder):
    def limits(profile):
        return (
            profile.controls[0]["tests"][0]["expect"][0]["conditions"][0]["operand"],
            profile.controls[1]["tests"][0]["params"]["path"],
        )

    assert limits(load_profile("alpha", [folder], {})) == (5, "/etc/x5")
    assert limits(load_profile("alpha", [folder], {"limit": 7})) == (7, "/etc/x7")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"limit": "7"},
            "The input 'limit' of the profile 'sample' was given as text '7'; expected a number",
        ),
        ({"limit": True}, "was given as boolean true; expected a number"),
        ({"ports": "22"}, "was given as text '22'; expected a list of texts and numbers"),
        ({"ports": [[22]]}, "was given as a list; expected a list of texts and numbers"),
        (
            {"secret": ["hunter3"]},
            "The input 'secret' of the profile 'sample' was given as another type; expected a text",
        ),
    ],
)
def test_a_given_value_of_the_wrong_type(folder, inputs, message):
    with pytest.raises(ScanError) as caught:
        load_profile("alpha", [folder], inputs)
    assert caught.value.reason == "bad_option"
    assert message in caught.value.message
    assert "hunter3" not in str(caught.value)


def test_a_given_value_is_checked_where_it_is_used(folder):
    with pytest.raises(
        ScanError, match=r"profile\.yml:32: control 'first': ports .*: found text 'ssh'"
    ) as caught:
        load_profile("alpha", [folder], {"ports": ["ssh"]})
    assert caught.value.reason == "bad_profile"


def test_a_required_input(load_tests):
    options = {
        "tests": "- file: /x\n  expect: {uid: '${input.id}'}",
        "inputs": "- {name: id, type: numeric, required: true}",
    }
    assert load_tests(**options, id=5).inputs[0]["value"] == 5
    with pytest.raises(
        ScanError, match="requires the input 'id', which was not given; expected a number"
    ) as caught:
        load_tests(**options)
    assert caught.value.reason == "bad_option"


def test_an_input_within_a_list_is_spread_out(load_tests):
    profile = load_tests(
        "- users: {}\n  expect: {names: {none_outside: [root, '${input.more}', '${input.one}']}}",
        "- {name: more, type: array, value: [a, b]}\n- {name: one, type: string, value: c}",
    )
    assert profile.controls[0]["tests"][0]["expect"][0]["conditions"][0]["operand"] == ["root", "a", "b", "c"]


def test_the_inputs_of_a_scan_must_belong_to_one_of_its_profiles(folder):
    names = ["alpha", "beta.yml"]
    assert [profile.name for profile in load_profiles(names, [folder], {"limit": 1})] == ["sample", "other"]
    with pytest.raises(ScanError, match="unknown input 'limt', did you mean 'limit'") as caught:
        load_profiles(names, [folder], {"limt": 1})
    assert caught.value.reason == "bad_option"
    with pytest.raises(ScanError, match="Two profiles are called 'sample'"):
        load_profiles(["alpha", "alpha"], [folder], {})


def test_sensitive_inputs_are_masked_wherever_results_show_values(judge, load_tests):
    options = {
        "tests": "- file: /x\n  expect: {content: {matches: '${input.key}'}, type: '${input.key}', "
        "lines: {each: {include: '${input.key}'}}}",
        "inputs": "- {name: key, type: string, value: hunter2, sensitive: true}",
    }
    profile = load_tests(**options)
    result = judge(
        options["tests"],
        {"content:/x": b"no such thing\n", "file:/x": {"type": "file"}},
        inputs=options["inputs"],
    )
    assert [segment.status for segment in result.results] == ["failed"] * 3
    assert result.results[1].code_desc == "File /x type is expected to equal ***"
    assert "hunter2" not in str(result)
    attributes = evaluate(profile, Facts(), EvaluationContext({}, {}, "app")).attributes
    assert attributes == [
        {"name": "key", "options": {"type": "String", "value": "***", "required": False, "sensitive": True}}
    ]
    # the found value of a test with a sensitive input is not shown either: it may hold the secret
    assert "found 4 characters without it (not shown)" in result.results[1].message


def test_attributes_are_in_inspecs_form(folder):
    result = evaluate(
        load_profile("alpha", [folder], {"limit": 6}), Facts(), EvaluationContext({}, {}, "app")
    )
    assert result.attributes[0] == {
        "name": "ports",
        "options": {
            "type": "Array",
            "value": [22, 23],
            "required": False,
            "sensitive": False,
            "description": "Ports",
        },
    }
    assert result.attributes[2]["options"]["value"] == 6


# -- the other machine ------------------------------------------------------------------------------------------------


def test_a_compiled_profile_goes_as_json_and_comes_back(folder):
    profile = load_profile("alpha", [folder], {})
    sent = json.loads(json.dumps(profile.as_dict()))
    received = CompiledProfile.from_dict(sent)
    assert received == profile
    context = EvaluationContext({}, {}, "app")
    assert [control.results[0].code_desc for control in evaluate(received, Facts(), context).controls] == [
        "Listening ports where port one of [22, 23] count is expected to be at most 5",
        "File /etc/x5 is expected to exist",
    ]
    with pytest.raises(ScanError, match="has format 99, this engine reads format 3"):
        CompiledProfile.from_dict(dict(sent, format=99))


def test_evaluation_needs_no_pyyaml(folder, tmp_path):
    """In a Python of its own, where PyYAML cannot be imported."""
    (tmp_path / "compiled.json").write_text(json.dumps(load_profile("alpha", [folder], {}).as_dict()))
    program = """
import json, sys
sys.modules["yaml"] = None
base = "ansible_collections.securescan.kubernetes.plugins.module_utils."
from importlib import import_module
compiled = import_module(base + "profiles.compiled_profile").CompiledProfile.from_dict(json.load(open(sys.argv[1])))
facts = import_module(base + "collector.facts").Facts()
context = import_module(base + "vocabulary.evidence").EvaluationContext({}, {}, "app")
print(import_module(base + "judging.evaluation").evaluate(compiled, facts, context).controls[0].results[0].status)
try:
    import_module(base + "profiles.loader").load_profile(sys.argv[2], [], {})
except import_module(base + "errors").ScanError as error:
    print(error.reason)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "compiled.json"), str(folder / "alpha")],
        stdout=subprocess.PIPE,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.decode().split() == ["skipped", "missing_library"]


def test_required_queries_are_only_those_of_the_tests_each_once(folder, load_tests):
    alpha = load_profile("alpha", [folder], {})
    assert required_queries([alpha, alpha]) == (Query("sockets"), Query("file", "/etc/x5"))
    profile = load_tests(
        "- file: /x\n  expect: {owner: root, sha256: abc}\n- file: /x\n  expect: {mode: '0644'}\n"
        "- container: {}\n  expect: {privileged: false}\n- os: {}\n  expect: {name: debian}",
        more="only_if: {reason: here, tests: [{packages: {}, expect: {database: true}}]}",
    )
    assert [query.key for query in required_queries([profile])] == [
        "packages",
        "file:/x",
        "passwd",
        "sha256:/x",
        "os",
    ]


PART = """\
controls:
  - id: %s
    title: T
    impact: low
    tests: [{file: /x, expect: {exist: true}}]
"""


@pytest.fixture
def split_profile(tmp_path):
    """A profile without controls of its own, and two files of controls; gives the folder."""
    folder = tmp_path / "split"
    (folder / "controls").mkdir(parents=True)
    (folder / "profile.yml").write_text("name: split\ntitle: T\nversion: 1.0.0\n")
    (folder / "controls" / "b.yml").write_text(PART % "second")
    (folder / "controls" / "a.yml").write_text("# a comment\n" + PART % "first")
    return folder


def test_files_of_controls_follow_profile_yml_in_the_order_of_their_names(split_profile):
    profile = load_profile("split", [split_profile.parent], {})
    assert [(control["id"], control["file"], control["line"]) for control in profile.controls] == [
        ("first", "split/controls/a.yml", 3),
        ("second", "split/controls/b.yml", 2),
    ]
    assert profile.file == "split/profile.yml"
    parts = [
        split_profile / "profile.yml",
        split_profile / "controls" / "a.yml",
        split_profile / "controls" / "b.yml",
    ]
    assert profile.sha256 == hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()
    result = evaluate(profile, Facts({}), EvaluationContext({}, {}, "app"))
    assert [control.source_file for control in result.controls] == [
        "split/controls/a.yml",
        "split/controls/b.yml",
    ]


def test_profile_yml_may_have_controls_beside_the_files(split_profile):
    with (split_profile / "profile.yml").open("a") as file:
        file.write(PART % "own")
    profile = load_profile(str(split_profile), [], {})
    assert [(control["id"], control["file"]) for control in profile.controls] == [
        ("own", "split/profile.yml"),
        ("first", "split/controls/a.yml"),
        ("second", "split/controls/b.yml"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "b.yml",
            PART % "first",
            "b.yml:2: control 'first' stands here for the second time; expected each id once",
        ),
        ("b.yml", "name: x\n" + PART % "x", "b.yml:1: a file of controls: unknown key 'name'"),
        ("b.yml", "", "b.yml:1: the file is empty"),
        ("b.yml", "controls: []\n", "b.yml:1: controls: found an empty list"),
        ("b.yml", PART % "x" + "    titel: x\n", "b.yml:6: control 'x': unknown key 'titel'"),
        ("c.yaml", PART % "x", "c.yaml:1: found a file that is no .yml; expected files of controls only"),
    ],
)
def test_a_broken_file_of_controls_is_refused_with_its_name(split_profile, name, text, problem):
    (split_profile / "controls" / name).write_text(text)
    with pytest.raises(ScanError) as caught:
        load_profile(str(split_profile), [], {})
    assert caught.value.reason == "bad_profile"
    assert problem in caught.value.message


def test_a_profile_without_controls_anywhere_is_refused(split_profile):
    for part in (split_profile / "controls").iterdir():
        part.unlink()
    with pytest.raises(ScanError, match="the key 'controls' is missing"):
        load_profile(str(split_profile), [], {})
