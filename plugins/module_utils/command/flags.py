# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The flags of the command, by subject. kubectl's names and letters where kubectl has the flag."""

from __future__ import annotations

from .flag import CONTAINERS, CONTEXTS, FILES, FOLDERS, NAMESPACES, PROFILES, Flag, FlagGroup

CLUSTER = FlagGroup(
    "the cluster, as kubectl has them",
    (
        Flag("kubeconfig", "the kubeconfig; else KUBECONFIG or ~/.kube/config", value="PATH", complete=FILES),
        Flag("context", "the context of the kubeconfig", value="NAME", complete=CONTEXTS),
        Flag("host", "the API server's address; needs a credential", flag="server", short="s", value="URL"),
        Flag("api_key", "a bearer token; - reads it from the standard input", flag="token", value="TOKEN"),
        Flag("ca_cert", "the CA of the server", flag="certificate-authority", value="PATH", complete=FILES),
        Flag("client_cert", "your certificate", flag="client-certificate", value="PATH", complete=FILES),
        Flag("client_key", "the key of your certificate", flag="client-key", value="PATH", complete=FILES),
        Flag("tls_server_name", "the name in the server's certificate", value="NAME"),
        Flag("impersonate_user", "the user to act as", flag="as", value="USER"),
        Flag("impersonate_groups", "a group to act as; can be repeated", flag="as-group", value="GROUP"),
        Flag("in_cluster", "use the ServiceAccount of the pod that this runs in"),
        Flag("validate_certs", "is refused", flag="insecure-skip-tls-verify"),
    ),
)

_NAMESPACE = Flag(
    "namespaces", "a namespace or a pattern", flag="namespace", short="n", value="NAME", complete=NAMESPACES
)

NAMESPACE = FlagGroup("which namespaces", (_NAMESPACE,))

SELECTION = FlagGroup(
    "which containers; lists can be repeated, or have commas",
    (
        _NAMESPACE,
        Flag("label_selectors", "labels of pods", flag="selector", short="l", value="SELECTOR"),
        Flag("field_selectors", "fields of pods", flag="field-selector", value="SELECTOR"),
        Flag("namespace_selectors", "labels of namespaces", flag="namespace-selector", value="SELECTOR"),
        Flag(
            "containers",
            "names of containers",
            flag="container",
            short="c",
            value="NAME",
            complete=CONTAINERS,
        ),
        Flag("images", "references of images", flag="image", value="PATTERN"),
        Flag("exclude_namespaces", "not these namespaces", flag="exclude-namespace", value="NAME"),
        Flag("exclude_workloads", "not these workloads", flag="exclude-workload", value="KIND/NAME"),
        Flag("exclude_pods", "not these pods", flag="exclude-pod", value="NAME"),
        Flag("exclude_containers", "not these containers", flag="exclude-container", value="NAME"),
        Flag("exclude_images", "not these images", flag="exclude-image", value="PATTERN"),
        Flag("container_kinds", "kinds of containers", flag="container-kind", value="KIND"),
        Flag("finished_pods", "pods that have ended, too"),
        Flag("replicas", "of pods that are alike: all of them, or one", value="WORD"),
        Flag("limit", "so many containers at most", value="NUMBER"),
        Flag("allow_empty", "it is no error when nothing is selected"),
    ),
)

APPROACH = FlagGroup(
    "how the containers are reached",
    (
        Flag("approach", "one approach, or auto", value="WORD"),
        Flag("approaches", "what auto may take", value="WORD"),
        Flag("prefer", "what auto looks to", value="WORD"),
        Flag("cross_check", "whether a second approach checks the first", value="WORD"),
        Flag("scanner_image", "the image of containers that are added", value="IMAGE"),
        Flag("scanner_image_pull_policy", "when it is pulled", value="WORD"),
        Flag(
            "scanner_image_pull_secrets", "Secrets to pull it", flag="scanner-image-pull-secret", value="NAME"
        ),
        Flag(
            "helper_namespace",
            "where pods for the approach image are made",
            value="NAME",
            complete=NAMESPACES,
        ),
        Flag(
            "debug_keep_alive", "seconds that an ephemeral container waits for a next scan", value="SECONDS"
        ),
        Flag("debug_match_capabilities", "give it the capabilities of a target that runs as root"),
        Flag("debug_memory_headroom", "memory that a pod must have left for it", value="SIZE"),
        Flag("forbidden_approaches", "rules in JSON that forbid approaches for pods", value="JSON"),
    ),
)

JUDGING = FlagGroup(
    "what they are judged by",
    (
        Flag(
            "profiles",
            "a shipped profile, or a path",
            flag="profile",
            short="p",
            value="NAME",
            complete=PROFILES,
        ),
        Flag("inputs", "an input of the profiles; can be repeated", flag="input", value="NAME=VALUE"),
        Flag("waivers", "a file of waivers", value="PATH", complete=FILES),
        Flag("attestations", "a file of attestations", value="PATH", complete=FILES),
        Flag("exception_policy", "which of both count", value="PATH", complete=FILES),
    ),
)

OWNERSHIP = FlagGroup(
    "who owns the namespaces",
    (
        Flag("teams", "a file of rules for teams", value="PATH", complete=FILES),
        Flag("deadlines", "a file of deadlines", value="PATH", complete=FILES),
    ),
)

GATE = FlagGroup(
    "the gate",
    (
        Flag("threshold", "a file of limits in SAF's format, or JSON", value="PATH", complete=FILES),
        Flag(
            "baseline", "an earlier run, or previous: only what is new counts", value="PATH", complete=FOLDERS
        ),
        Flag("fail_on", "what gives another exit status than 0", value="WORD"),
        Flag("table", "which rows the table has", flag="rows", value="WORD"),
    ),
)

_OUTPUT_DIR = Flag("output_dir", "keep the results there; else they go away", value="PATH", complete=FOLDERS)
_FORMATS = Flag("formats", "reports that are written with the results", flag="report", value="FORMAT")
_SHARED = Flag("allow_shared_folder", "others may change that folder")
_CLUSTER_NAME = Flag("cluster_name", "what the cluster is called in the results", value="NAME")

RESULTS = FlagGroup("the results", (_OUTPUT_DIR, _FORMATS, _SHARED, _CLUSTER_NAME))

_SHA256 = Flag("summary_sha256", "the SHA-256 that the summary must have", value="HEX")

EARLIER_RUN = FlagGroup("the earlier run", (_SHA256,))

REPORTS = FlagGroup(
    "the results",
    (
        _FORMATS,
        _SHARED,
        _CLUSTER_NAME,
        _SHA256,
        Flag("max_age", "the oldest run that is taken", value="SECONDS"),
    ),
)

DEPTH = FlagGroup(
    "what else is kept of them",
    (
        Flag("keep_facts", "keep the facts, so that they can be judged again"),
        Flag("drift", "compare with the image, too"),
        Flag("drift_paths", "what is compared", flag="drift-path", value="PATH"),
    ),
)

_STORE = Flag("store", "the store that knows earlier results", value="ADDRESS")

HISTORY = FlagGroup("earlier results", (_STORE,))

TIME = FlagGroup(
    "time",
    (
        Flag("timeout", "most seconds for a container", value="SECONDS"),
        Flag("concurrency", "containers at a time", value="NUMBER"),
        Flag("output_limit", "most bytes of a container's answer", value="BYTES"),
        Flag("deadline", "most seconds for everything", value="SECONDS"),
        Flag("deadline_at", "the time at which it must have ended", value="TIME"),
        Flag("resume", "go on with an interrupted scan of the results' folder"),
        Flag("resume_max_age", "how old that scan may be", value="SECONDS"),
        Flag("due_only", "only what has no young and whole result"),
        Flag("due_after", "how old such a result may be", value="SECONDS"),
        _STORE,
    ),
)

ACCESS = FlagGroup(
    "the access that is made for the scan",
    (
        Flag("owner", "its mark", value="NAME"),
        Flag("lifetime", "when its tokens end at the latest", value="SECONDS"),
        Flag("account_namespace", "where its ServiceAccount is", value="NAME", complete=NAMESPACES),
        Flag("renew_access", "make a new one for a scan that takes longer"),
    ),
)

ESTIMATE = FlagGroup(
    "the estimate",
    (
        Flag("timeout", "seconds that a scan would give a container", value="SECONDS"),
        Flag("concurrency", "containers at a time", value="NUMBER"),
        Flag("earlier_run", "the folder of a run whose times are taken", value="PATH", complete=FOLDERS),
        _CLUSTER_NAME,
    ),
)

# Options without a flag, and why.
WITHOUT_FLAG = {
    "access": "is for plays in which two identities share the work",
    "compiled_profiles": "is filled in",
    "threshold_source": "is filled in",
    "decision": "is filled in",
    "decision_sha256": "is filled in",
    "run_dir": "is a word of the command line",
    "workloads": "are words of the command line",
    "pods": "are words of the command line",
    "username": "a kubeconfig has it",
    "password": "would be seen by everybody on the machine; a kubeconfig, or libpq's password file, has it",
    "store_password": "would be seen by everybody on the machine; libpq's password file has it",
    "proxy": "a kubeconfig (proxy-url) or HTTPS_PROXY has it",
    "no_proxy": "NO_PROXY has it",
    "proxy_headers": "would be seen by everybody on the machine",
    "kubeconfig_secret": "is for inventories of a hub",
    "hub_kubeconfig": "is for inventories of a hub",
    "hub_context": "is for inventories of a hub",
    "trusted_keys": "scan_verify of a play has it",
    "require_signature": "scan_verify of a play has it",
    "configuration_items": "is for one format of plays",
    "state": "is the subcommand",
    "run_id": "is of an access that a play has made",
    "scanner_kubeconfig": "is for plays in which two identities share the work",
    "explain": "is the subcommand",
    "footprint": "the playbook footprint tells it",
    "listed": "-o json has all",
    "output_file": "-o json and the shell write it",
}
