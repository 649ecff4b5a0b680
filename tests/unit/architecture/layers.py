# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rooms of the collection's code, from top to bottom, and which rooms each is allowed to import.

The one table: a test holds it against the imports, docs/architecture.md shows it, and `make changed` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """A folder or a single file of plugins/ with one idea.

    `path` is below plugins/, `purpose` one sentence for the documentation, `imports` the names of the rooms, which all stand
    below it in the table.
    """

    path: str
    purpose: str
    imports: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The folder's or file's name: `results` for module_utils/results, `errors` for module_utils/errors.py."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".py")


def _engine(name: str, purpose: str, imports: str = "") -> Room:
    return Room(f"module_utils/{name}", purpose, tuple(imports.split()))


ROOMS: tuple[Room, ...] = (
    Room(
        "modules",
        "options and documentation; one call",
        ("module_run", "tasks", "options"),
    ),
    Room(
        "action",
        "the same names as the modules, in the controller",
        ("plugin_utils", "tasks", "options"),
    ),
    Room("doc_fragments", "what the documentation of several modules has in common"),
    Room("inventory", "clusters as hosts", ("inventories",)),
    Room("callback", "a fleet's table, Prometheus metrics", ("plugin_utils", "reports")),
    Room("filter", "filters over HDF documents and summaries", ("results",)),
    Room(
        "plugin_utils",
        "what the action and callback plugins share",
        ("module_run", "tasks", "options", "reports", "evidence", "store", "results", "network"),
    ),
    _engine(
        "command",
        "the command for people and pipelines: its flags as options, the tasks called directly, output and exit status",
        "tasks options reports results targets cluster",
    ),
    _engine("module_run.py", "a task as an Ansible module", "tasks options"),
    _engine(
        "tasks",
        "what one task does: validated options in, result out",
        "scanning health proof preflight options requests footprint sidecar engines approaches tickets sinks reports evidence "
        "store judging profiles vocabulary kept drift results collector access targets cluster network bounded_work time_limit",
    ),
    _engine(
        "scanning",
        "what a run does: its access, several targets at a time, each reached, judged and recorded",
        "options engines approaches kept drift results collector access targets cluster bounded_work time_limit",
    ),
    _engine(
        "health",
        "whether scans of a cluster work and find what they must find: checks, trial pods, canaries",
        "results cluster",
    ),
    _engine(
        "proof",
        "what a scanner's token cannot do: asked of the API server, and tried",
        "preflight access cluster",
    ),
    _engine(
        "preflight",
        "what a scan would do and need, told beforehand",
        "approaches results access targets cluster",
    ),
    _engine(
        "inventories",
        "clusters as hosts, by reference: one file per source that clusters are found in",
        "options targets cluster",
    ),
    _engine(
        "events",
        "what event sources do: rollouts, upgrades and overdue places as requests; messages that become requests in the queue",
        "options sidecar requests store results cluster",
    ),
    _engine(
        "options",
        "the options of all modules, each said once: what Ansible validates, and the frozen class that a task makes of it",
        "sidecar engines approaches tickets sinks reports evidence store requests profiles results access targets cluster",
    ),
    _engine(
        "footprint",
        "what scans have left in pods, and its removal by eviction",
        "approaches targets cluster network",
    ),
    _engine(
        "sidecar",
        "sidecars in pod templates: what a template needs, the change and its removal, the rollout, manifests",
        "approaches targets cluster network",
    ),
    _engine(
        "engines",
        "what judges a target: the interface, the built-in engine, the list; refuses references to others",
        "approaches judging profiles vocabulary results collector targets",
    ),
    _engine(
        "approaches",
        "how a target is reached: a session on it, and its facts; one file per approach",
        "drift results collector access targets cluster network",
    ),
    _engine(
        "tickets",
        "the findings of runs as tickets: what each is about, its text, and one file per tracker that has them",
        "sinks results network safe_text",
    ),
    _engine(
        "sinks",
        "one file per system that runs are sent to, and the outbox that keeps what it sends from being lost or sent twice",
        "reports results cluster network",
    ),
    _engine(
        "evidence",
        "signed evidence: the manifest of a run, statements about its targets, keys, verification, the chain from run to run",
        "reports results safe_text",
    ),
    _engine("reports", "one file per format, made from runs", "results safe_text"),
    _engine(
        "store",
        "what is remembered of all runs: places, findings with their lives, evidence; SQLite or PostgreSQL",
        "results",
    ),
    _engine(
        "requests",
        "a request for a scan: what it can say, who is allowed to send it, the queue that keeps it until it has ended",
        "results targets",
    ),
    _engine(
        "judging",
        "facts and a compiled profile give verdicts; the cases that test a profile",
        "profiles vocabulary kept results collector",
    ),
    _engine("profiles", "loads, resolves and compiles profiles; their inputs", "vocabulary collector"),
    _engine(
        "vocabulary",
        "the words of the profile language: resources, matchers, conditions, types of values",
        "drift collector targets",
    ),
    _engine(
        "kept",
        "what is kept of a target so that it can be judged again without a scan",
        "results collector targets",
    ),
    _engine(
        "drift",
        "a container against its image: two listings compared, the report",
        "results collector targets",
    ),
    _engine(
        "results",
        "the typed run and its folder, HDF, status and severity, waivers, attestations, threshold, gate; knows no profile, no "
        "approach and no cluster",
    ),
    _engine("collector", "request -> POSIX sh -> frames -> typed facts"),
    _engine(
        "access",
        "what is made for a scan, its life cycle, the scanner's token; the admission policies for scanners and grantors",
        "targets cluster",
    ),
    _engine("targets", "selection and identity; knows no connection"),
    _engine("cluster", "connection, credentials, REST by fixed paths, exec", "network"),
    _engine("network", "deadline, TLS, proxy, HTTP pool, WebSocket; knows no cluster"),
    _engine("bounded_work.py", "work on many items at a time, which ends when it is interrupted"),
    _engine("time_limit.py", "the end of a whole task's time, as an event"),
    _engine("suggestions.py", "what a name that is not known might have been meant to be"),
    _engine("times.py", "times as texts, as the Kubernetes API and others write them"),
    _engine("text_layout.py", "columns, wrapped lines and plurals of texts for terminals"),
    _engine("counted_yaml.py", "the one reader of YAML, which counts while it reads, and its writer"),
    _engine("strict_json.py", "JSON that every program reads alike"),
    _engine("safe_text.py", "makes text from containers and servers harmless"),
    _engine("object_shapes.py", "the types of all fields of Kubernetes objects that are read"),
    _engine("literal_secrets.py", "which secrets stand in the variables of a pod's spec"),
    _engine("secret_variables.py", "whether a variable holds a secret, by its name or its value"),
    _engine("secret_texts.py", "what in a text looks like a secret"),
    _engine("secret_names.py", "which names are those of secrets"),
    _engine("path_owners.py", "who besides us can put something else in a path's place"),
    _engine("editor_schema.py", "parts of the JSON schemas by which editors check the files of people"),
    _engine("errors.py", "every kind of failure, with a stable code; the one exception"),
)

# What any room above is allowed to import, and so is named in no room's imports.
FOUNDATION = frozenset(
    {
        "suggestions",
        "text_layout",
        "times",
        "safe_text",
        "object_shapes",
        "literal_secrets",
        "secret_variables",
        "secret_texts",
        "secret_names",
        "path_owners",
        "editor_schema",
        "errors",
        "counted_yaml",
        "strict_json",
    }
)


def above(names: set[str]) -> set[str]:
    """These rooms and all that import them, directly or not."""
    found = set(names)
    for room in reversed(ROOMS):
        if found & (FOUNDATION | set(room.imports)):
            found.add(room.name)
    return found
