# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double of AWX refuses what AWX refuses."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.tests.support.awx_double import AwxDouble
from ansible_collections.securescan.kubernetes.tests.support.awx_rules import (
    Refused,
    accepted_prompts,
    check_credential_type,
    check_rrule,
    check_survey,
)

QUESTION = {"question_name": "Namespaces", "variable": "names", "type": "text", "required": False}


def survey(**changes: object) -> dict:
    return {"name": "", "description": "", "spec": [{**QUESTION, **changes}]}


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "word"},
        {"required": "no"},
        {"type": "multiselect"},
        {"type": "multiplechoice", "choices": ["a"], "default": "b"},
        {"type": "integer", "default": "8"},
        {"default": "$encrypted$"},
        {"max": "many"},
    ],
)
def test_a_survey_that_awx_does_not_take(changes):
    check_survey(survey())
    with pytest.raises(Refused):
        check_survey(survey(**changes))


@pytest.mark.parametrize(
    "injectors",
    [
        {"env": {"ANSIBLE_CONFIG": "x"}},
        {"env": {"PATH": "x"}},
        {"env": {"TOKEN": "{{ tokn }}"}},
        {"file": {"template": "{{ token }}", "template.two": "x"}},
        {"env": {"A": "{{ tower.filename.other }}"}, "file": {"template.one": "x"}},
        {"argv": {"A": "x"}},
    ],
)
def test_injectors_that_awx_does_not_take(injectors):
    kind = {"kind": "cloud", "inputs": {"fields": [{"id": "token", "label": "Token"}]}}
    check_credential_type({**kind, "injectors": {"env": {"TOKEN": "{{ token }}"}}})
    with pytest.raises(Refused):
        check_credential_type({**kind, "injectors": injectors})


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T010000 RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T010000Z RRULE:FREQ=DAILY",
        "DTSTART:20260101T010000Z RRULE:FREQ=SECONDLY;INTERVAL=1",
        "DTSTART:20260101T010000Z",
    ],
)
def test_a_rule_of_a_schedule_that_awx_does_not_take(rule):
    check_rrule("DTSTART;TZID=Europe/Berlin:20260101T010000 RRULE:FREQ=HOURLY;INTERVAL=24")
    with pytest.raises(Refused):
        check_rrule(rule)


def test_a_launch_takes_answers_and_nothing_else():
    template = {"ask_variables_on_launch": False, "ask_limit_on_launch": True}
    questions = [{**QUESTION, "type": "multiselect", "choices": ["shop", "web"], "default": "shop\nweb"}]
    # a default of several choices is a text, and so no answer
    assert accepted_prompts(template, questions, {})["extra_vars"] == {}
    # a list can be empty, also where an answer is required
    assert accepted_prompts(template, questions, {"extra_vars": {"names": []}})["extra_vars"] == {"names": []}
    for wrong in ({"names": ["kube-system"]}, {"names": "shop"}, {"other": 1}):
        with pytest.raises(Refused):
            accepted_prompts(template, questions, {"extra_vars": wrong})
    assert accepted_prompts(template, questions, {"limit": "eu", "inventory": 3}) == {
        "extra_vars": {},
        "limit": "eu",
    }


def test_objects_need_their_fields_are_unique_and_name_others_that_are_there():
    awx = AwxDouble(frozenset({"playbooks/scan.yml"}))

    def post(path: str, /, user: str = "admin", **body: object) -> tuple[int, object]:
        return awx.answer("POST", f"/api/v2/{path}/", {}, body, user)

    status, organization = post("organizations", name="securescan")
    assert status == 201
    assert post("organizations", name="securescan")[0] == 400
    assert post("teams", name="shop")[0] == 400
    assert post("teams", name="shop", organization=4711)[0] == 400
    assert post("teams", user="ann", name="shop", organization=organization["id"])[0] == 403
    _status, kind = post(
        "credential_types",
        name="k",
        kind="cloud",
        inputs={"fields": [{"id": "a", "label": "A", "secret": True}]},
    )
    _status, credential = post("credentials", name="c", credential_type=kind["id"], inputs={"a": "secret"})
    assert credential["inputs"] == {"a": "$encrypted$"}
    assert post("credentials", name="d", credential_type=kind["id"], inputs={"b": "x"})[0] == 400
    _status, project = post("projects", name="p", organization=organization["id"])
    assert post("job_templates", name="t", project=project["id"], playbook="playbooks/other.yml")[0] == 400
    assert post("job_templates", name="t", project=project["id"], playbook="playbooks/scan.yml")[0] == 201
