# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as people and surveys give them, for every option of every module and every variable of every role."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.threshold import threshold_option
from ansible_collections.securescan.kubernetes.plugins.module_utils.options.values import (
    is_given,
    numbers_in_text,
    read_values,
)
from ansible_collections.securescan.kubernetes.tests.support.specifications import EVERY_OPTION

Rule = dict[str, Any]
every_option = pytest.mark.parametrize(
    ("option", "rule"),
    [pytest.param(option, rule, id=f"{where}-{option}") for where, option, rule in EVERY_OPTION],
)


class _AnsibleTaggedStr(str):
    """As Ansible gives texts: of a class of its own."""


def read(option: str, rule: Rule, value: Any) -> Any:
    found = read_values({option: rule}, {option: value})
    assert not found.problems, [problem.text for problem in found.problems]
    return found.values.get(option)


def problems(option: str, rule: Rule, value: Any) -> list[str]:
    return [problem.text for problem in read_values({option: rule}, {option: value}).problems]


def sample(rule: Rule) -> Any:
    """A value of the option's type."""
    choices = rule.get("choices")
    if rule.get("type") == "list":
        if rule.get("elements") == "dict":
            return [{"approaches": ["exec"], "namespaces": ["shop"]}] if rule.get("options") else [{"a": 1}]
        return list(choices[:2]) if choices else ["shop", "billing"]
    if choices:
        return choices[0]
    if rule.get("type") == "dict" and rule.get("options"):
        return {"namespace": "fleet", "name": "prod-kubeconfig", "trusted": True}
    return {"int": 7, "float": 7.5, "bool": True, "dict": {"a": [1, "b"]}}.get(
        rule.get("type", "str"), "word"
    )


def survey_forms(rule: Rule, value: Any) -> list[str]:
    """The texts by which a survey gives that value."""
    if isinstance(value, bool):
        return ["yes", " True ", "on", "1", "TRUE"]
    if isinstance(value, (int, float)):
        return [str(value), f" {value} ", f"{value}\n"]
    if isinstance(value, dict):
        return [json.dumps(value), yaml.safe_dump(value), yaml.safe_dump(value, default_flow_style=True)]
    if isinstance(value, list) and rule.get("elements") == "dict":
        return [json.dumps(value), json.dumps(value[0])]
    if isinstance(value, list):
        lines = "\n".join(value)
        dashes = "\n".join(f"- {item}" for item in value)
        return [
            ", ".join(value),
            ",".join(value) + ",",
            lines,
            f"{lines}\n\n",
            dashes,
            json.dumps(value),
            str(value),
        ]
    return [f" {value} ", f"\t{value}\n"] if rule.get("type", "str") != "raw" else []


@every_option
@pytest.mark.parametrize("value", ["", None, "  ", "\n"])
def test_what_is_empty_is_not_given(option: str, rule: Rule, value: Any) -> None:
    assert read(option, rule, value) is None and not is_given(value)


@every_option
def test_a_value_of_the_options_type_stays_as_it_is(option: str, rule: Rule) -> None:
    assert read(option, rule, sample(rule)) == sample(rule)


@every_option
def test_every_form_that_a_survey_can_give_is_the_same_value(option: str, rule: Rule) -> None:
    for text in survey_forms(rule, sample(rule)):
        found = read(option, rule, text)
        if rule.get("no_log") and rule.get("type") == "str":
            found = found.strip()
        assert found == sample(rule), repr(text)


@every_option
def test_a_refusal_names_the_option_and_no_class(option: str, rule: Rule) -> None:
    for value in (_AnsibleTaggedStr("no such word"), [[1]], {"x": {}}, 7, True, float("nan")):
        for text in problems(option, rule, value):
            assert text.startswith(option)
            assert not any(
                word in text for word in ("Tagged", "Unsafe", "NoneType", "<class", "dict'", "list'")
            ), text


@pytest.mark.parametrize(
    ("rule", "value", "wanted"),
    [
        ({"type": "int"}, 5.0, 5),
        ({"type": "int"}, "5.0", 5),
        ({"type": "int"}, "null", None),
        ({"type": "float"}, "1e2", 100.0),
        ({"type": "bool"}, 0, False),
        ({"type": "bool"}, "None", None),
        ({"type": "dict"}, "~", None),
        ({"type": "dict"}, "a=1 b=2", "a=1 b=2"),
        ({"type": "str", "choices": ["full", "none"]}, "none", "none"),
        ({"type": "str", "choices": ["full", "failed"]}, "None", None),
        ({"type": "list", "elements": "str"}, "none", ["none"]),
        ({"type": "list", "elements": "str"}, "null", None),
        ({"type": "str"}, 8, "8"),
        ({"type": "str", "no_log": True}, " secret \n", " secret "),
        ({"type": "list", "elements": "str"}, "team in (a, b), tier=web", ["team in (a, b)", "tier=web"]),
        ({"type": "list", "elements": "str"}, "[!k]*", ["[!k]*"]),
        ({"type": "list", "elements": "str"}, "[ab]", ["[ab]"]),
        ({"type": "list", "elements": "str"}, "[shop, billing]", ["shop", "billing"]),
        ({"type": "list", "elements": "str"}, ["shop ", "", None, 8], ["shop", "8"]),
        ({"type": "list", "elements": "str"}, ["CN=admins,OU=x"], ["CN=admins,OU=x"]),
        ({"type": "list", "elements": "str"}, "[]", []),
        ({"type": "raw"}, {"a": "1"}, {"a": "1"}),
    ],
)
def test_a_value_is_read_as_it_is_meant(rule: Rule, value: Any, wanted: Any) -> None:
    assert read("x", rule, value) == wanted


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        ({"type": "int"}, "5.5", "x must be a whole number, found '5.5'"),
        ({"type": "int"}, True, "x must be a whole number, found true"),
        ({"type": "int"}, float("nan"), "x must be a whole number, found nan"),
        ({"type": "float"}, ".inf", "x must be a number, found '.inf'"),
        ({"type": "float"}, float("inf"), "x must be a number, found inf"),
        ({"type": "bool"}, "maybe", "x must be true or false, found 'maybe'"),
        ({"type": "bool"}, 2, "x must be true or false, found 2"),
        ({"type": "str"}, ["a"], "x must be a text, found a list"),
        ({"type": "str", "no_log": True}, ["secret"], "x must be a text"),
        (
            {"type": "dict"},
            "just words",
            "x must be a dictionary, or one in JSON or YAML, found 'just words'",
        ),
        ({"type": "list", "elements": "str"}, {"a": 1}, "x must be a list, found a dictionary"),
        ({"type": "list", "elements": "str"}, ["a", ["b"]], "x[1] must be a text, found a list"),
        (
            {"type": "str", "choices": ["exec", "debug"]},
            "exce",
            "x cannot be 'exce', did you mean 'exec'? It is one of exec, debug",
        ),
        ({"type": "int"}, "9" * 100, "x must be a whole number, found '" + "9" * 60 + "…'"),
    ],
)
def test_a_value_that_cannot_be_used_is_told_in_plain_words(rule: Rule, value: Any, why: str) -> None:
    assert problems("x", rule, value) == [why]


RULES = next(rule for where, option, rule in EVERY_OPTION if option == "scan_forbidden_approaches")


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (
            {"approaches": ["exec"], "namespace": ["a"]},
            "[0] has no key 'namespace', did you mean 'namespaces'?",
        ),
        ({"approaches": ["exce"]}, "[0].approaches cannot be 'exce', did you mean 'exec'?"),
        ({"namespaces": ["a"]}, "[0] needs the key approaches"),
        ("words", "[0] must be a dictionary"),
    ],
)
def test_a_rule_that_forbids_is_read_key_by_key(item: Any, why: str) -> None:
    assert problems("x", RULES, [item])[0].startswith(f"x{why}")


def test_the_values_in_a_dictionary_of_a_rule_are_read_as_those_of_options_are() -> None:
    given = [{"approaches": "exec, debug", "namespaces": "shop\nbilling", "reason": " "}]
    assert read("x", RULES, given) == [{"approaches": ["exec", "debug"], "namespaces": ["shop", "billing"]}]


def test_an_alias_is_read_by_the_rule_of_its_option() -> None:
    spec: dict[str, Rule] = {"validate_certs": {"type": "bool", "aliases": ["verify_ssl"]}}
    assert read_values(spec, {"verify_ssl": "no"}).values == {"verify_ssl": False}
    assert read_values(spec, {"verify_ssl": ""}).values == {}


def test_an_option_that_is_not_specified_stays_for_ansible_to_refuse() -> None:
    assert read_values({}, {"cuont": ""}).values == {"cuont": ""}


def test_numbers_in_texts_are_numbers_at_every_depth() -> None:
    given = {
        "compliance": {"min": "80"},
        "a": {"b": {"max": " 0 "}},
        "c": ["1.5"],
        "d": "80 %",
        "e": None,
        "f": True,
    }
    wanted = {**given, "compliance": {"min": 80}, "a": {"b": {"max": 0}}}
    assert numbers_in_text(given) == wanted
    assert isinstance(numbers_in_text("80"), int)


def test_the_ids_of_must_pass_that_look_like_numbers_stay_texts() -> None:
    given = {"must_pass": {"cis": ["5.1", "1_000", "7"]}, "compliance": {"min": "80"}}
    threshold = threshold_option({"threshold": given, "threshold_source": "t.yml"})
    limits = {limit.key: limit.value for limit in threshold.all_limits}
    assert limits["must_pass.cis"] == ["1_000", "5.1", "7"] and limits["compliance.min"] == 80
