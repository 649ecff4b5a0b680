# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX does with its objects: takes the answers of a survey, makes of a template and its credentials the private folder of a
job, runs it by ansible-runner, slices an inventory, and goes through the nodes of a workflow.

The objects come out of the double of its API (awx_double.py). A job's folder goes away with its job, as its container does.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ansible_runner
import yaml
from jinja2 import sandbox

from .awx_double import AwxDouble, Object
from .awx_rules import accepted_prompts

# AWX drops the result of an event beyond this many characters
MAX_EVENT_RES = 700_000


@dataclass
class Job:
    """One that has run. `artifacts`: what it has handed on. `env` and `extra_vars` are what its container had.

    :ivar largest_result: characters of the largest result in an event
    """

    id: int
    name: str
    status: str
    artifacts: Object = field(default_factory=dict)
    extra_vars: Object = field(default_factory=dict)
    stdout: str = ""
    events: int = 0
    largest_result: int = 0
    hosts: tuple[str, ...] = ()


@dataclass
class Night:
    """A workflow that has run: its jobs by the identifiers of nodes, and what became of it."""

    jobs: dict[str, list[Job]]
    status: str


@dataclass
class Runner:
    """Runs what the double has. `folder` is where jobs have their folders, `project` the project as AWX has fetched it.

    :ivar environ: what the image of jobs has in its environment
    """

    awx: AwxDouble
    folder: pathlib.Path
    project: pathlib.Path
    environ: Mapping[str, str]
    approves: Callable[[str], bool] = lambda _name: True

    def template(
        self,
        name: str,
        prompts: Mapping[str, Any] | None = None,
        handed_on: Mapping[str, Any] | None = None,
        **meta: Any,
    ) -> list[Job]:
        """The jobs of one launch: one, or one for each slice. `handed_on`: artifacts of the jobs before it in a workflow."""
        template = self.awx.of("job_templates", name=name)
        accepted = accepted_prompts(template, self.awx.survey_of("job_templates", template), prompts or {})
        hosts = sorted(self._hosts(template["inventory"]))
        count = min(template["job_slice_count"], max(len(hosts), 1))
        return [
            self._job(template, accepted, handed_on or {}, hosts[number::count] if count > 1 else hosts, meta)
            for number in range(count)
        ]

    def workflow(self, name: str) -> Night:
        """Goes through its nodes: a node begins when all that lead to it have ended or cannot be reached any more."""
        workflow = self.awx.of("workflow_job_templates", name=name)
        nodes = {
            one["id"]: one
            for one in self.awx.objects["workflow_job_template_nodes"].values()
            if one["workflow_job_template"] == workflow["id"]
        }
        number, jobs, status = self.awx.next_id(), {}, "successful"
        state: dict[int, str] = {}
        artifacts: dict[int, Object] = {}
        while len(state) < len(nodes):
            ready = [
                one
                for key, one in nodes.items()
                if key not in state and self._parents(key, nodes) <= set(state)
            ]
            assert ready, "the nodes wait for each other"
            for node in ready:
                key = node["id"]
                ways = [
                    (parent, way) for parent in self._parents(key, nodes) for way in self._ways(parent, key)
                ]
                if ways and not any(_is_open(state[parent], way) for parent, way in ways):
                    state[key] = "not run"
                    continue
                before: Object = {}
                for parent in sorted(self._parents(key, nodes)):
                    before.update(artifacts.get(parent, {}))
                ran, state[key], handed = self._node(node, before, number, name)
                jobs[node["identifier"]] = ran
                artifacts[key] = {**before, **handed}
                wanted = ("failure_nodes", "always_nodes")
                if state[key] == "failed" and not any(
                    self.awx.joined.get(("workflow_job_template_nodes", key, way)) for way in wanted
                ):
                    status = "failed"
        return Night(jobs, status)

    def _node(self, node: Object, before: Object, number: int, name: str) -> tuple[list[Job], str, Object]:
        found = self.awx.unified(node["unified_job_template"])
        assert found is not None
        kind, template = found
        if kind == "workflow_approval_templates":
            return [], "successful" if self.approves(template["name"]) else "failed", {}
        groups = self.awx.joined_to("workflow_job_template_nodes", node["id"], "instance_groups")
        prompts = {"limit": node["limit"], "instance_groups": [one["name"] for one in groups]}
        ran = self.template(template["name"], prompts, before, workflow_job_id=number, workflow_job_name=name)
        handed: Object = {}
        for job in ran:
            handed.update(job.artifacts)
        failed = any(job.status != "successful" for job in ran)
        return ran, "failed" if failed else "successful", handed

    def _ways(self, parent: int, child: int) -> list[str]:
        return [
            way
            for way in ("success_nodes", "failure_nodes", "always_nodes")
            if child in self.awx.joined.get(("workflow_job_template_nodes", parent, way), [])
        ]

    def _parents(self, child: int, nodes: Mapping[int, Object]) -> set[int]:
        return {parent for parent in nodes if self._ways(parent, child)}

    def _hosts(self, inventory: int) -> dict[str, Object]:
        return {
            one["name"]: json.loads(one["variables"] or "{}")
            for one in self.awx.objects["hosts"].values()
            if one["inventory"] == inventory and one["enabled"]
        }

    def _job(
        self, template: Object, accepted: Object, handed_on: Mapping[str, Any], hosts: list[str], meta: Object
    ) -> Job:
        number = self.awx.next_id()
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"job-{number}-", dir=self.folder))
        try:
            return self._run(folder, number, template, accepted, handed_on, hosts, meta)
        finally:
            shutil.rmtree(folder)

    def _run(
        self,
        folder: pathlib.Path,
        number: int,
        template: Object,
        accepted: Object,
        handed_on: Mapping[str, Any],
        hosts: list[str],
        meta: Object,
    ) -> Job:
        own = json.loads(template["extra_vars"] or "{}")
        variables = {
            **own,
            **handed_on,
            **accepted["extra_vars"],
            **{
                f"{prefix}_{key}": value
                for prefix in ("awx", "tower")
                for key, value in {"job_id": number, **meta}.items()
            },
        }
        (folder / "env").mkdir()
        (folder / "env" / "extravars").write_text(_guarded(variables, own))
        env, arguments = self._injected(folder, template)
        self._write_inventory(folder, template["inventory"], hosts)
        limit = accepted.get("limit") or template["limit"]
        arguments += ["--limit", limit] if limit else []
        job = Job(number, template["name"], "", extra_vars=variables, hosts=tuple(hosts))

        def see(event: Object) -> bool:
            data = event.get("event_data") or {}
            job.events += 1
            job.largest_result = max(job.largest_result, len(json.dumps(data.get("res", {}))))
            job.artifacts.update(data.get("artifact_data") or {})
            return True

        done = ansible_runner.run(
            private_data_dir=str(folder),
            project_dir=str(self.project),
            playbook=template["playbook"],
            ident=str(number),
            envvars={**self.environ, **env},
            cmdline=" ".join(arguments),
            forks=template["forks"] or 5,
            event_handler=see,
            quiet=True,
        )
        job.status, job.stdout = done.status, done.stdout.read()
        return job

    def _injected(self, folder: pathlib.Path, template: Object) -> tuple[dict[str, str], list[str]]:
        """The environment and the arguments that the template's credentials give: files of the job's folder, variables, and
        variables of the play in a file of their own."""
        env: dict[str, str] = {}
        arguments: list[str] = []
        jinja = sandbox.ImmutableSandboxedEnvironment()
        for credential in self.awx.joined_to("job_templates", template["id"], "credentials"):
            kind = self.awx.objects["credential_types"][credential["credential_type"]]
            known: Object = {name: value for name, value in credential["inputs"].items() if value != ""}
            paths: Any = {}
            for label, text in kind["injectors"].get("file", {}).items():
                path = _written(folder, jinja.from_string(text).render(**known))
                paths = path if label == "template" else {**paths, label.partition(".")[2]: path}
            known["tower"] = {"filename": paths}
            for name, text in kind["injectors"].get("env", {}).items():
                env[name] = jinja.from_string(text).render(**known)
            given = {
                name: jinja.from_string(text).render(**known)
                for name, text in kind["injectors"].get("extra_vars", {}).items()
            }
            if given:
                arguments += ["-e", f"@{_written(folder, _guarded(given, {}))}"]
        return env, arguments

    def _write_inventory(self, folder: pathlib.Path, inventory: int, hosts: list[str]) -> None:
        known = self._hosts(inventory)
        variables = json.loads(self.awx.objects["inventories"][inventory]["variables"] or "{}")
        data = {
            "all": {"hosts": hosts, "vars": variables},
            "_meta": {"hostvars": {host: known[host] for host in hosts}},
        }
        (folder / "inventory").mkdir()
        script = folder / "inventory" / "hosts"
        script.write_text(f"#! /usr/bin/env python3\nprint({json.dumps(data)!r})\n")
        script.chmod(stat.S_IRWXU)


def _is_open(status: str, way: str) -> bool:
    if status == "not run":
        return False
    return way == "always_nodes" or (way == "success_nodes") == (status == "successful")


def _written(folder: pathlib.Path, text: str) -> str:
    handle, path = tempfile.mkstemp(dir=folder / "env")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    return path


class _Unsafe(str):
    """A text that Ansible must not take for a template."""


class _Dumper(yaml.SafeDumper):
    pass


_Dumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def _guarded(variables: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """Variables as YAML. What is not the template's own can be no template of Ansible."""
    return yaml.dump(
        {
            name: value if name in own and own[name] == value else _unsafe(value)
            for name, value in variables.items()
        },
        Dumper=_Dumper,
    )


def _unsafe(value: Any) -> Any:
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, Mapping):
        return {name: _unsafe(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_unsafe(one) for one in value]
    return value
