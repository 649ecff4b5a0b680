# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24 refuses of an object's own fields, and what it hides. The double of its API is beside it (awx_double.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2 import sandbox

if TYPE_CHECKING:
    from .awx_double import AwxDouble

Object = dict[str, Any]
ENCRYPTED = "$encrypted$"
# the types of answers, and what their defaults are
SURVEY_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "text": str,
    "textarea": str,
    "password": str,
    "multiplechoice": str,
    "multiselect": str,
    "integer": int,
    "float": (float, int),
}
_VARIABLE = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_KINDS = {
    "ssh",
    "vault",
    "net",
    "scm",
    "cloud",
    "registry",
    "token",
    "insights",
    "external",
    "kubernetes",
    "galaxy",
    "cryptography",
}
_FORBIDDEN_VARIABLES = {
    "VIRTUAL_ENV", "PATH", "PYTHONPATH", "JOB_ID", "INVENTORY_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES",
    "CALLBACK_QUEUE", "CALLBACK_CONNECTION", "CACHE", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION",
}  # fmt: skip
_FIELD_KEYS = {
    "type",
    "format",
    "choices",
    "id",
    "label",
    "help_text",
    "multiline",
    "secret",
    "ask_at_runtime",
    "default",
}
# of each type of notification: what its configuration must have, and which of it are secrets
_NOTIFICATIONS: Mapping[str, tuple[set[str], set[str]]] = {
    "webhook": ({"url", "headers"}, {"password"}),
    "slack": ({"channels", "token"}, {"token"}),
    "mattermost": ({"mattermost_url"}, set()),
    "email": ({"host", "port", "sender", "recipients", "use_tls", "use_ssl", "timeout"}, {"password"}),
    "pagerduty": ({"token", "service_key", "subdomain", "client_name"}, {"token"}),
}


class Refused(Exception):  # noqa: N818 - it is an answer
    """An answer of the API that is no success."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body = status, body


def check_survey(spec: Any) -> None:
    """:raises Refused: 400, with what is wrong, for what AWX does not store as a survey"""
    for name, wanted in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec.get(name), wanted):
            raise _error(f"Field '{name}' is missing from survey spec, or of another type.")
    if not spec["spec"]:
        raise _error("'spec' doesn't contain any items.")
    seen: set[str] = set()
    for place, question in enumerate(spec["spec"]):
        for name, wanted in (("type", str), ("question_name", str), ("variable", str), ("required", bool)):
            if not isinstance(question.get(name), wanted):
                raise _error(f"'{name}' missing from survey question {place}, or of another type.")
        if question["variable"] in seen:
            raise _error(f"'variable' '{question['variable']}' duplicated in survey question {place}.")
        seen.add(question["variable"])
        _check_question(place, question)


def _check_question(place: int, question: Object) -> None:
    kind, default = question["type"], question.get("default", "")
    if kind not in SURVEY_TYPES:
        raise _error(f"'{kind}' in survey question {place} is not an allowed question type.")
    if default != "" and not isinstance(default, SURVEY_TYPES[kind]):
        raise _error(f"Default value {default} in survey question {place} expected to be of type {kind}.")
    for name in ("min", "max"):
        if not isinstance(question.get(name, 0), (int, type(None))):
            raise _error(f"The {name} limit in survey question {place} expected to be integer.")
    if kind in ("multiselect", "multiplechoice"):
        if "choices" not in question:
            raise _error(f"Survey question {place} of type {kind} must specify choices.")
        chosen = [line for line in str(default).splitlines() if line.strip()]
        if kind == "multiplechoice" and len(chosen) > 1:
            raise _error("Multiple Choice (Single Select) can only have one default value.")
        if any(one not in choices_of(question) for one in chosen):
            raise _error("Default choice must be answered from the choices listed.")
    if isinstance(default, str) and default.startswith(ENCRYPTED):
        raise _error("$encrypted$ is a reserved keyword.")


def choices_of(question: Object) -> list[str]:
    choices = question["choices"]
    return [line for line in choices.splitlines() if line.strip()] if isinstance(choices, str) else choices


def wrong_answers(spec: list[Object], answers: Mapping[str, Any]) -> list[str]:
    """What AWX says of answers to a survey that it does not take. A required list can be empty: only its name must be there."""
    said = []
    for question in spec:
        name, kind = question["variable"], question["type"]
        if name not in answers:
            if question["required"]:
                said.append(f"'{name}' value missing")
            continue
        value = answers[name]
        if kind in ("text", "textarea", "password"):
            if not isinstance(value, str):
                said.append(f"Value {value} for '{name}' expected to be a string.")
            elif len(value) < (question.get("min") or 0):
                said.append(f"'{name}' value {value} is too small.")
            elif question.get("max") not in ("", None) and len(value) > question["max"]:
                said.append(f"'{name}' value {value} is too large.")
        elif kind in ("integer", "float"):
            is_right = type(value) is int if kind == "integer" else type(value) in (int, float)
            if not is_right:
                said.append(f"Value {value} for '{name}' expected to be a number.")
            elif not (question.get("min") or value) <= value <= (question.get("max") or value):
                said.append(f"'{name}' value {value} is out of its bounds.")
        elif kind == "multiselect":
            if not isinstance(value, list):
                said.append(f"'{name}' value is expected to be a list.")
            else:
                said += [
                    f"Value {one} for '{name}' expected to be a choice."
                    for one in value
                    if one not in choices_of(question)
                ]
        elif value not in choices_of(question):
            said.append(f"Value {value} for '{name}' expected to be a choice.")
    return said


def accepted_prompts(template: Object, survey: list[Object], asked: Mapping[str, Any]) -> Object:
    """{extra_vars, limit, instance_groups} that a launch sets.

    :raises Refused: 400, for answers that the survey does not take, and for what the template does not ask for
    """
    answers = dict(asked.get("extra_vars") or {})
    wrong = wrong_answers(survey, answers)
    if wrong:
        raise Refused(400, {"variables_needed_to_start": wrong})
    beyond = set(answers) - {question["variable"] for question in survey}
    if beyond and not template["ask_variables_on_launch"]:
        raise Refused(
            400, {"extra_vars": [f"Variables {', '.join(sorted(beyond))} are not allowed on launch."]}
        )
    # a default that is no answer is left out, such as the text that a default of several choices is
    defaults = {
        one["variable"]: one["default"]
        for one in survey
        if one.get("default") is not None and not wrong_answers([one], {one["variable"]: one["default"]})
    }
    taken: Object = {"extra_vars": {**defaults, **answers}}
    for name in ("limit", "instance_groups"):
        if asked.get(name) and template.get(f"ask_{name}_on_launch"):
            taken[name] = asked[name]
    return taken


def check_credential_type(one: Object) -> None:
    """:raises Refused: 400, for fields, injectors and templates that AWX does not store"""
    if one["kind"] not in _KINDS:
        raise Refused(400, {"kind": [f'"{one["kind"]}" is not a valid choice.']})
    fields = one["inputs"].get("fields", [])
    _only(one["inputs"], {"fields", "required"}, "inputs")
    ids = [field.get("id", "") for field in fields]
    for field in fields:
        _only(field, _FIELD_KEYS, "inputs")
        if not _VARIABLE.fullmatch(field.get("id", "")) or "label" not in field or field["id"] == "tower":
            raise Refused(400, {"inputs": [f"{field} is an invalid field"]})
        if field.setdefault("type", "string") not in ("string", "boolean"):
            raise Refused(400, {"inputs": [f"{field['type']} is no type"]})
        if field.get("format", "url") not in ("url", "ssh_private_key"):
            raise Refused(400, {"inputs": [f"{field['format']} is no format"]})
    if len(set(ids)) != len(ids):
        raise Refused(400, {"inputs": ["field IDs must be unique"]})
    _check_injectors(one["injectors"], ids)


def _check_injectors(injectors: Object, ids: list[str]) -> None:
    _only(injectors, {"file", "env", "extra_vars"}, "injectors")
    files = list(injectors.get("file", {}))
    if any(not re.fullmatch(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?", name) for name in files):
        raise Refused(400, {"injectors": ["file templates are called template, or template.NAME"]})
    if "template" in files and len(files) > 1:
        raise Refused(400, {"injectors": ["Must use multi-file syntax when injecting multiple files"]})
    for name in injectors.get("env", {}):
        if name.startswith("ANSIBLE_") or name in _FORBIDDEN_VARIABLES or not _VARIABLE.fullmatch(name):
            raise Refused(
                400, {"injectors": [f"Environment variable {name} is not allowed to be used in credentials."]}
            )
    named: Any = "FILE" if files == ["template"] else {name.partition(".")[2]: "FILE" for name in files}
    known = {**dict.fromkeys(ids, "EXAMPLE"), "tower": {"filename": named}}
    for kind, templates in injectors.items():
        for name, template in templates.items():
            try:
                sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined).from_string(
                    template
                ).render(known)
            except (jinja2.TemplateError, TypeError) as error:
                raise Refused(
                    400, {"injectors": [f"{name} of {kind} uses an undefined field ({error})"]}
                ) from None


def check_credential(one: Object, types: Mapping[int, Object]) -> None:
    """:raises Refused: 400, for inputs that the type does not have, or of another type"""
    fields = {field["id"]: field for field in types[one["credential_type"]]["inputs"].get("fields", [])}
    for name, value in one["inputs"].items():
        if name not in fields:
            raise Refused(
                400, {"inputs": {name: [f"Additional properties are not allowed ('{name}' was unexpected)"]}}
            )
        if not isinstance(value, bool if fields[name]["type"] == "boolean" else str):
            raise Refused(400, {"inputs": {name: [f"{value} is not of type '{fields[name]['type']}'"]}})


def check_notification(one: Object) -> None:
    """:raises Refused: 400, for a type that is not known and a configuration that lacks something"""
    if one["notification_type"] not in _NOTIFICATIONS:
        raise Refused(400, {"notification_type": [f'"{one["notification_type"]}" is not a valid choice.']})
    needed, secrets = _NOTIFICATIONS[one["notification_type"]]
    missing = sorted(needed - set(one["notification_configuration"]))
    if missing:
        raise Refused(
            400,
            {"__all__": [f"Missing required fields for Notification Configuration: {', '.join(missing)}."]},
        )
    for name in secrets:
        one["notification_configuration"].setdefault(name, "")


def check_playbook(one: Object, playbooks: frozenset[str]) -> None:
    """:raises Refused: 400, for a playbook that the project does not have, slices and forks that are no numbers of them"""
    if one["playbook"] not in playbooks:
        raise Refused(400, {"playbook": ["Playbook not found for project."]})
    if type(one["job_slice_count"]) is not int or one["job_slice_count"] < 1:
        raise Refused(400, {"job_slice_count": ["Ensure this value is greater than or equal to 1."]})
    if type(one["forks"]) is not int or one["forks"] < 0:
        raise Refused(400, {"forks": ["Ensure this value is greater than or equal to 0."]})


def check_rrule(rule: str) -> None:
    """:raises Refused: 400, for a rule of a schedule that AWX does not take"""
    said = []
    starts = re.findall(r".*?(DTSTART(;[^:]+)?\:[0-9]+T[0-9]+Z?)", rule)
    if len(starts) != 1:
        said.append("Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.findall(r".*?(DTSTART:[0-9]+T[0-9]+) ", rule):
        said.append("DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.")
    rules = re.findall(r".*?(RULE\:[^\s]*)", rule)
    if not rules:
        said.append("One or more rule required in rrule.")
    for one in rules:
        parts = dict(re.findall(r"([A-Z]+)=([A-Za-z0-9,]+)", one))
        if not parts.get("INTERVAL", "").isdigit() or int(parts["INTERVAL"]) < 1:
            said.append(f"INTERVAL required in rrule: {one}")
        if parts.get("FREQ") not in ("MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
            said.append(f"rrule parsing failed validation: {one}")
    if said:
        raise Refused(400, {"rrule": said})


def hidden(awx: AwxDouble, kind: str, one: Object) -> Object:
    """An object without its secrets, as answers show it."""
    if kind == "credentials":
        fields = awx.objects["credential_types"][one["credential_type"]]["inputs"].get("fields", [])
        secret = {field["id"] for field in fields if field.get("secret")}
        inputs = {
            name: ENCRYPTED if name in secret and value else value for name, value in one["inputs"].items()
        }
        return {**one, "inputs": inputs}
    if kind == "notification_templates":
        secret = _NOTIFICATIONS[one["notification_type"]][1]
        shown = {
            name: ENCRYPTED if name in secret else value
            for name, value in one["notification_configuration"].items()
        }
        return {**one, "notification_configuration": shown}
    return one


def _only(given: Mapping[str, Any], known: set[str], name: str) -> None:
    for key in given:
        if key not in known:
            raise Refused(400, {name: [f"Additional properties are not allowed ('{key}' was unexpected)"]})


def _error(text: str) -> Refused:
    return Refused(400, {"error": text})
