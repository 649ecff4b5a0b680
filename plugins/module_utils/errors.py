# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a scan can fail, each with a stable code, and the one exception that carries it.

A kind says what went wrong in general and what to do about it. The exception adds what was tried, on what,
and what came back, so that a record in a result can be understood without the log of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorKind:
    """One row of the catalogue: `code` (SCAN-nnn, never reused), `reason` (snake_case word), meaning and
    advice."""

    code: str
    reason: str
    meaning: str
    advice: str


# 1xx input, 2xx connection and API, 3xx access, 4xx targets, 5xx reaching a container, 6xx collecting,
# 7xx profiles, 8xx results and gate, 9xx our own defects
_CATALOGUE: tuple[ErrorKind, ...] = (
    ErrorKind(
        "SCAN-101",
        "missing_library",
        "A Python package that is needed is not installed.",
        "Install it for the Python that runs the task; `pip install -r` takes the requirements.txt of the "
        "collection.",
    ),
    ErrorKind(
        "SCAN-102",
        "bad_option",
        "An option has a value that cannot be used.",
        "Correct the option.",
    ),
    ErrorKind(
        "SCAN-103",
        "bad_file",
        "A file that was named cannot be read or understood.",
        "Correct the file or its path.",
    ),
    ErrorKind(
        "SCAN-104",
        "write_failed",
        "A result could not be written.",
        "Check the output folder's permissions and free space, then run again.",
    ),
    ErrorKind(
        "SCAN-105",
        "shared_folder",
        "Others are allowed to write to the folder of the results, or to one above it.",
        "Choose a folder that only root and you can write to, or take the rights from the others (chmod go-w). Where "
        "nobody else is on that machine, allow_shared_folder accepts it.",
    ),
    ErrorKind(
        "SCAN-201",
        "no_credential",
        "No credential for the cluster was given.",
        "Set kubeconfig, or host with api_key or a client certificate, or the K8S_AUTH_* variables. The "
        "pod's own identity is used only when it is asked for.",
    ),
    ErrorKind(
        "SCAN-202",
        "unreachable",
        "The API server could not be reached.",
        "Check host, port, proxy and firewall from the machine that runs the task.",
    ),
    ErrorKind(
        "SCAN-203",
        "tls_failed",
        "The API server's certificate was not accepted.",
        "Give the cluster's CA (ca_cert) or the right server name (tls_server_name).",
    ),
    ErrorKind(
        "SCAN-204",
        "not_authenticated",
        "The API server did not accept the credential (401).",
        "Renew the credential; a scanner token lives only for minutes.",
    ),
    ErrorKind(
        "SCAN-205",
        "not_permitted",
        "The API server refused the request (403).",
        "Grant the verb and resource named in the message, or ask who owns the policy named there.",
    ),
    ErrorKind(
        "SCAN-206",
        "not_found",
        "The object does not exist (404).",
        "Check names and namespace; perhaps the object was deleted meanwhile.",
    ),
    ErrorKind(
        "SCAN-207",
        "conflict",
        "The object was changed by somebody else, or already exists (409).",
        "Run again; if that does not help, another scan or operator manages the same object.",
    ),
    ErrorKind(
        "SCAN-208",
        "throttled",
        "The API server asked for less traffic (429) for longer than we wait.",
        "Lower the concurrency, or give the identity a larger flow-control share.",
    ),
    ErrorKind(
        "SCAN-209",
        "server_error",
        "The API server failed (5xx).",
        "Look at the API server's health and its log at the time given.",
    ),
    ErrorKind(
        "SCAN-210",
        "bad_reply",
        "The API server answered with something that is not a valid reply.",
        "Check that the address is a Kubernetes API server and that no proxy alters its answers.",
    ),
    ErrorKind(
        "SCAN-211",
        "invalid_request",
        "The API server refused the object as invalid (400 or 422).",
        "The cluster's version may lack a field; the message names it.",
    ),
    ErrorKind(
        "SCAN-220",
        "foreign_kubeconfig",
        "A kubeconfig in a Secret of a hub asks for what only a kubeconfig of your own can.",
        "Put a token or a client certificate with its CA into the Secret. Set trusted in kubeconfig_secret only when "
        "everybody who can write that Secret is allowed to run programs as the user of the task.",
    ),
    ErrorKind(
        "SCAN-221",
        "bad_hub_secret",
        "A Secret of a hub does not hold what reaches its cluster.",
        "Look at the Secret on the hub, and at the key and format in kubeconfig_secret.",
    ),
    ErrorKind(
        "SCAN-222",
        "same_name",
        "Two clusters of an inventory have the same name.",
        "Give one of them another name (name_format), or leave one out (exclude).",
    ),
    ErrorKind(
        "SCAN-301",
        "access_incomplete",
        "The scan's access could not be created completely; what was created was removed.",
        "See the cause; the grantor needs every right that it grants.",
    ),
    ErrorKind(
        "SCAN-302",
        "access_remains",
        "Some of the scan's access could not be removed.",
        "Run the access module with state=absent and the same run id, with a credential that is allowed to delete it.",
    ),
    ErrorKind(
        "SCAN-303",
        "guard_unsupported",
        "The cluster has no ValidatingAdmissionPolicies, so the guard cannot be created.",
        "They need Kubernetes 1.30 or newer (admissionregistration.k8s.io/v1); scans work without the guard.",
    ),
    ErrorKind(
        "SCAN-304",
        "access_too_wide",
        "A scanner is allowed to do what no scan needs.",
        "Somebody has bound a role to all ServiceAccounts: look for RoleBindings and ClusterRoleBindings of "
        "system:serviceaccounts, system:authenticated and the scan's namespaces. What every identity of the cluster is "
        "meant to have goes into also_allowed.",
    ),
    ErrorKind(
        "SCAN-401",
        "no_targets",
        "The selection matched no container.",
        "Check namespaces, selectors and names, or allow an empty selection.",
    ),
    ErrorKind(
        "SCAN-402",
        "pod_gone",
        "The pod no longer exists.",
        "It was deleted or replaced after the selection; run again to scan its successor.",
    ),
    ErrorKind(
        "SCAN-403",
        "pod_replaced",
        "A pod of that name exists, but it is not the one that was selected.",
        "Run again: access is made for exactly the pods that were selected.",
    ),
    ErrorKind(
        "SCAN-404",
        "container_not_running",
        "The container is not running.",
        "Wait until it runs, or find out why it does not (crash, image pull, finished).",
    ),
    ErrorKind(
        "SCAN-405",
        "platform_unsupported",
        "The container's platform cannot be scanned this way.",
        "Only Linux containers can be scanned by this approach.",
    ),
    ErrorKind(
        "SCAN-406",
        "identity_unknown",
        "The user and group that the container runs as are not known.",
        "Set runAsUser and runAsGroup in the pod, or use nodes whose runtime reports the container's user "
        "(Kubernetes 1.33 or newer).",
    ),
    ErrorKind(
        "SCAN-407",
        "target_privileged",
        "The container holds capabilities; the kernel hides its files from a process that holds less.",
        "Scan it by exec if it has a shell, drop its capabilities, or let the debug container have the "
        "same ones (debug_match_capabilities).",
    ),
    ErrorKind(
        "SCAN-408",
        "pod_violates_policy",
        "The pod itself breaks the Pod Security level of its namespace, so nothing can be added to it.",
        "Correct the pod's own security context, or scan it by exec if it has a shell.",
    ),
    ErrorKind(
        "SCAN-409",
        "approach_forbidden",
        "A rule of the operator forbids the approach for this pod.",
        "Scan it by an approach that is allowed there (approach=auto passes over forbidden ones), or change "
        "forbidden_approaches.",
    ),
    ErrorKind(
        "SCAN-410",
        "memory_short",
        "The pod does not have enough memory left for a scan; a scan shares the memory limit of its containers.",
        "Raise the pod's memory limit, scan it by exec or by its image, or ask for less "
        "(debug_memory_headroom).",
    ),
    ErrorKind(
        "SCAN-411",
        "pod_not_replaceable",
        "No controller would replace the pod.",
        "Let the pod's owner delete it and create it again; what the scan left is then gone.",
    ),
    ErrorKind(
        "SCAN-412",
        "debug_in_use",
        "A debug container of a scan still runs in the pod.",
        "Wait until the scan is over, or the time for which the container is kept (debug_keep_alive), then run again.",
    ),
    ErrorKind(
        "SCAN-413",
        "eviction_refused",
        "The pod cannot be evicted now.",
        "Look at the PodDisruptionBudget and at the workload's pods that are not ready; raise wait_timeout.",
    ),
    ErrorKind(
        "SCAN-414",
        "not_replaced",
        "The pod was evicted, and no other pod has become ready in its place.",
        "Look at the workload and its new pod; raise wait_timeout if it is only slow.",
    ),
    ErrorKind(
        "SCAN-415",
        "recycle_stopped",
        "The pod was left alone, because one before it could not be replaced.",
        "Correct what the message says about that pod, then run again.",
    ),
    ErrorKind(
        "SCAN-416",
        "container_replaced",
        "The container is not the one that was selected: it was restarted or changed before or while it was scanned.",
        "Run again, or set renew_access, which scans once what has taken its place. If it comes again, look at the "
        "container's restarts, and at who changes the pod's images.",
    ),
    ErrorKind(
        "SCAN-417",
        "limit_reached",
        "The limit on the number of targets was reached before this was looked at.",
        "Raise limit, or name fewer. A sample is taken by patterns: a plain name is expected to be scanned.",
    ),
    ErrorKind(
        "SCAN-420",
        "not_reached",
        "The scan's time was over before this container was scanned.",
        "Run the same command again: what was not reached comes first. If it comes again, raise the deadline or "
        "concurrency, or scan only what is due (due_only).",
    ),
    ErrorKind(
        "SCAN-421",
        "out_of_time",
        "The scan's time was over before it was known what there is to scan.",
        "Raise the deadline, or look why the API server takes so long to list the pods.",
    ),
    ErrorKind(
        "SCAN-501",
        "no_such_program",
        "The container has no such program.",
        "A container without a shell cannot be scanned by exec; a debug container or its image can be.",
    ),
    ErrorKind(
        "SCAN-502",
        "connection_lost",
        "The connection ended before the reply did.",
        "Run again; if that does not help, look at proxies, load balancers and the node.",
    ),
    ErrorKind(
        "SCAN-503",
        "timed_out",
        "The deadline passed before the reply was complete.",
        "Raise the timeout, or lower the concurrency.",
    ),
    ErrorKind(
        "SCAN-504",
        "too_much_output",
        "The container sent more than the limit allows.",
        "Raise the output limit, or ask for less; the surplus was not read.",
    ),
    ErrorKind(
        "SCAN-505",
        "protocol_refused",
        "The server supports none of our protocols for exec.",
        "The API server or a proxy before it must allow WebSocket upgrades (Kubernetes 1.29 or newer).",
    ),
    ErrorKind(
        "SCAN-506",
        "exec_failed",
        "The server could not run the program in the container.",
        "See the server's message; it comes from the node's container runtime.",
    ),
    ErrorKind(
        "SCAN-507",
        "cancelled",
        "The scan was cancelled before this target was done.",
        "Run again; nothing of this target was kept.",
    ),
    ErrorKind(
        "SCAN-508",
        "debug_refused",
        "The cluster does not allow an ephemeral container in the pod.",
        "Ask the owner of the policy that the message names, or scan by another approach.",
    ),
    ErrorKind(
        "SCAN-509",
        "image_pull_failed",
        "An image that the scan needs could not be pulled.",
        "Check scanner_image, and that the node reaches its registry: an ephemeral container or sidecar "
        "has the pod's own pull secrets, a helper pod those of scanner_image_pull_secrets.",
    ),
    ErrorKind(
        "SCAN-510",
        "debug_failed",
        "The debug container did not start, or ended too early.",
        "See the message; the image must hold a POSIX shell (sh) and sleep.",
    ),
    ErrorKind(
        "SCAN-511",
        "debug_unsupported",
        "The cluster has no ephemeral containers.",
        "They need Kubernetes 1.25 or newer; scan by exec where the container has a shell.",
    ),
    ErrorKind(
        "SCAN-512",
        "image_unknown",
        "The node does not report which image the container runs.",
        "Wait until the image is pulled, or scan the container by another approach.",
    ),
    ErrorKind(
        "SCAN-513",
        "helper_refused",
        "The cluster does not allow the helper pod.",
        "See the message: the namespace, its Pod Security level, a quota or a policy; or scan by another "
        "approach.",
    ),
    ErrorKind(
        "SCAN-514",
        "helper_failed",
        "The helper pod did not start, or ended too early.",
        "See the message; scanner_image must hold a POSIX shell (sh) and sleep.",
    ),
    ErrorKind(
        "SCAN-515",
        "image_volumes_unsupported",
        "The cluster has no image volumes.",
        "They are on by default from Kubernetes 1.35; scan by exec or debug.",
    ),
    ErrorKind(
        "SCAN-516",
        "no_approach",
        "None of the tried approaches reaches the container.",
        "See why each of them failed; give the options that others need (scanner_image, helper_namespace).",
    ),
    ErrorKind(
        "SCAN-517",
        "no_sidecar",
        "No sidecar for scans runs in the pod.",
        "Add one with scan_sidecar, wait for the rollout and run again; or scan by exec or debug.",
    ),
    ErrorKind(
        "SCAN-518",
        "sidecar_unfit",
        "The kernel does not allow the pod's sidecar to read the container: it asks for the same user and group.",
        "Run scan_sidecar again, which adds one sidecar for each identity; or scan by debug.",
    ),
    ErrorKind(
        "SCAN-519",
        "template_immutable",
        "The workload's pod template cannot be changed.",
        "Let scan_sidecar write manifests (manifests_only), and create the workload again from them.",
    ),
    ErrorKind(
        "SCAN-520",
        "rollout_failed",
        "The workload's pods did not start with its new template.",
        "Correct what the message names, or undo the change (scan_sidecar with state=absent).",
    ),
    ErrorKind(
        "SCAN-521",
        "foreign_scanner",
        "The container from which a scan would look is not what the collection makes, so it was not entered.",
        "Find out who made or changed it; give the image that it was made with (scanner_image), or scan by another "
        "approach.",
    ),
    ErrorKind(
        "SCAN-601",
        "incomplete_reply",
        "The collector's reply is not complete, so none of it is used.",
        "Run again; if that does not help, the container cuts off or changes the collector's output.",
    ),
    ErrorKind(
        "SCAN-602",
        "invalid_reply",
        "The collector's reply is malformed, so none of it is used.",
        "The container's shell or tools behave in an unknown way; please report it with the shell's name.",
    ),
    ErrorKind(
        "SCAN-603",
        "collector_failed",
        "The collector ended with an error.",
        "See its exit code and message; the container's shell may be restricted.",
    ),
    ErrorKind(
        "SCAN-604",
        "target_unreadable",
        "The kernel does not let the scanner look into the target's process.",
        "Run the scanner with the target's UID and GID, or scan the target by exec or by its image.",
    ),
    ErrorKind(
        "SCAN-605",
        "target_missing",
        "The scanner does not see the target's process.",
        "Perhaps the container was restarted meanwhile; run again. If that does not help, scan the target by exec.",
    ),
    ErrorKind(
        "SCAN-606",
        "contradicting_evidence",
        "Two approaches gave different answers about files that the container cannot have changed in between, so neither "
        "is believed.",
        "Find out who answers wrongly: look at the container's image and its shell, and at who changed files in it. Until "
        "then treat it as hostile.",
    ),
    ErrorKind(
        "SCAN-607",
        "not_cross_checked",
        "A cross-check is required, and no second approach could make it, or not of all facts.",
        "Give what other approaches need (scanner_image, helper_namespace), or be content with cross_check=possible.",
    ),
    ErrorKind(
        "SCAN-701",
        "bad_profile",
        "A profile breaks the rules of the profile language.",
        "Correct the place that the message names.",
    ),
    ErrorKind(
        "SCAN-702",
        "profile_not_found",
        "No profile of that name or path exists.",
        "Give a shipped profile's name or the path of a profile file.",
    ),
    ErrorKind(
        "SCAN-703",
        "profile_tests_failed",
        "A profile's verdicts are not those that its tests expect.",
        "Correct the profile or the expectation that the message names.",
    ),
    ErrorKind(
        "SCAN-801",
        "bad_threshold",
        "The threshold breaks the rules of threshold files.",
        "Correct the key that the message names; unknown keys are errors because a typo would disable a "
        "limit.",
    ),
    ErrorKind(
        "SCAN-802",
        "bad_results",
        "A results document is missing, empty, cut off, not HDF, or not the one that the run wrote.",
        "It was not used, and nothing passes by it. Look for who changed or removed it, and scan again.",
    ),
    ErrorKind(
        "SCAN-803",
        "bad_waivers",
        "A waiver file breaks InSpec's waiver format.",
        "Correct the entry that the message names.",
    ),
    ErrorKind(
        "SCAN-804",
        "gate_failed",
        "Something was found that the threshold does not allow.",
        "The reasons name each unmet limit; fix the findings, or agree on a waiver with an expiry.",
    ),
    ErrorKind(
        "SCAN-805",
        "bad_attestations",
        "A file of attestations breaks SAF's attestation format.",
        "Correct the entry that the message names.",
    ),
    ErrorKind(
        "SCAN-806",
        "bad_facts",
        "The facts that a run kept for a target are missing, changed or in another format.",
        "They were not used; scan the target again with keep_facts.",
    ),
    ErrorKind(
        "SCAN-807",
        "other_cluster",
        "The run is of another cluster than the one that the task is about.",
        "Name a run of this cluster. Where the run is meant, set cluster_name (scan_cluster_name of the role) to the "
        "run's name for its cluster.",
    ),
    ErrorKind(
        "SCAN-808",
        "not_scanned",
        "Fewer containers were scanned than the threshold asks for. Nothing was found against those that were scanned.",
        "Correct what kept the others from being scanned, then scan again: summary.md has the cause of each.",
    ),
    ErrorKind(
        "SCAN-809",
        "not_judged",
        "Nothing was found, but the threshold asks for more than could be judged: controls that were not reviewed or "
        "ended in an error, or evidence of a better grade.",
        'Let be read what could not be read, attest or waive it: summary.md has the cause of each under "Not reviewed, '
        'and why".',
    ),
    ErrorKind(
        "SCAN-851",
        "bad_teams",
        "The rules for teams and environments cannot be understood.",
        "Correct the entry that the message names; docs/teams.md has the keys.",
    ),
    ErrorKind(
        "SCAN-852",
        "bad_deadlines",
        "The policy of deadlines cannot be understood.",
        "Correct the entry that the message names; unknown keys are errors because a typo would remove a deadline.",
    ),
    ErrorKind(
        "SCAN-853",
        "unhealthy",
        "A cluster cannot be scanned as it should be, or the scanner does not find what it must find.",
        "Each check that failed says what to do; docs/health.md has them all.",
    ),
    ErrorKind(
        "SCAN-820",
        "fleet_gate_failed",
        "The gate of a cluster of the fleet found something that its threshold does not allow.",
        "summary.md of the fleet run names the clusters; the summary.md of a cluster's run names what failed there.",
    ),
    ErrorKind(
        "SCAN-821",
        "fleet_not_covered",
        "Of a cluster of the fleet fewer containers were scanned or judged than its threshold asks for, or its time ended. "
        "Nothing was found against the others.",
        "Correct what kept them from being scanned, then run the fleet again: what is missing comes first.",
    ),
    ErrorKind(
        "SCAN-822",
        "fleet_unreachable",
        "A cluster of the fleet has no results: it did not answer, refused, broke, or its turn did not come.",
        "summary.md of the fleet run has the cause of each. Scan these again by --limit, or by the same fleet_run_id with "
        "fleet_resume.",
    ),
    ErrorKind(
        "SCAN-823",
        "scan_unfinished",
        "The scan of a cluster began, and nobody said how it ended: its process was killed, or the machine failed.",
        "Run the fleet again: its own command finishes what is missing. Sweep removes what the scan may have left.",
    ),
    ErrorKind(
        "SCAN-824",
        "cluster_broken",
        "A task of a cluster's play failed with an error that has no code, such as a variable that is not defined.",
        "Correct what the message names; ansible-playbook with --limit and -vvv tells more.",
    ),
    ErrorKind(
        "SCAN-825",
        "cluster_out_of_time",
        "The time that a cluster was given ended before its scan did.",
        "Give it more (fleet_cluster_deadline, fleet_deadline), scan more containers at a time (scan_concurrency), or fewer.",
    ),
    ErrorKind(
        "SCAN-826",
        "no_shard",
        "No fleet run that was merged has the cluster.",
        "Look for the shard that was to scan it: it did not run, or its results did not arrive. Merge again with them.",
    ),
    ErrorKind(
        "SCAN-831",
        "store_unreachable",
        "The store could not be reached.",
        "Check the address, the server, the credential and the folder's permissions. The runs' folders are whole: ingest them "
        "again when the store can be reached.",
    ),
    ErrorKind(
        "SCAN-832",
        "store_locked",
        "Somebody else held the store for longer than we wait.",
        "Run again when the other one is done; nothing of a target was written by halves, and the runs' folders are whole.",
    ),
    ErrorKind(
        "SCAN-833",
        "store_full",
        "The store has no room left.",
        "Make room, or remove what is old (state=pruned), then ingest again; the runs' folders are whole.",
    ),
    ErrorKind(
        "SCAN-834",
        "store_newer",
        "The store has a newer schema than this version of the collection knows.",
        "Use the version of the collection that migrated it, or a newer one. A schema does not go back: restore a backup for "
        "that.",
    ),
    ErrorKind(
        "SCAN-835",
        "not_a_store",
        "What the address names is not a store of this collection, or is damaged.",
        "Correct the address. A damaged store is replaced by its backup (state=restored); the runs' folders can be ingested "
        "again.",
    ),
    ErrorKind(
        "SCAN-836",
        "store_outdated",
        "The store has an older schema.",
        "Make a backup, then run scan_store with state=migrated.",
    ),
    ErrorKind(
        "SCAN-837",
        "run_refused",
        "The run does not fit what the store has of it.",
        "A run is written once. Look for who changed its folder, or gave two runs the same id.",
    ),
    ErrorKind(
        "SCAN-838",
        "store_incomplete",
        "Some of the runs could not be taken into the store as a whole.",
        "See the causes; correct them and ingest the same folders again: what is there already is not written twice.",
    ),
    ErrorKind(
        "SCAN-861",
        "push_incomplete",
        "Some of what was to be sent to a system is not there.",
        "What was not sent is kept: the same command, the next push or state=flush sends it first. The system's messages say "
        "why it refused single items.",
    ),
    ErrorKind(
        "SCAN-862",
        "bad_spool",
        "The outbox of a system is damaged, changed by somebody else, or not one of this collection.",
        "Nothing was sent by it. Look for who changed it; move the file away to begin anew: everything of the run is then "
        "sent again.",
    ),
    ErrorKind(
        "SCAN-863",
        "push_busy",
        "Another push to the same system is under way.",
        "Run again when it is over.",
    ),
    ErrorKind(
        "SCAN-871",
        "not_signed",
        "The results are not signed by a key that is trusted.",
        "Sign them (scan_sign), or name the public key of who signed them in trusted_keys.",
    ),
    ErrorKind(
        "SCAN-872",
        "bad_evidence",
        "The results are not those that were signed.",
        "Do not use them: take the copy of the one who signed, or scan again. scan_verify names all that differs.",
    ),
    ErrorKind(
        "SCAN-873",
        "bad_key",
        "A key cannot be used.",
        "Correct what the message names; docs/signing.md says how to make a key.",
    ),
    ErrorKind(
        "SCAN-874",
        "signing_failed",
        "The command that signs gave no signature that fits the public key.",
        "Run it by hand with the same environment; docs/signing.md has commands that work.",
    ),
    ErrorKind(
        "SCAN-880",
        "object_differs",
        "A store of objects has another object where a file of the run belongs.",
        "Look at who has written it: a run's files are written once and never replaced. Another prefix has room for this run.",
    ),
    ErrorKind(
        "SCAN-881",
        "object_not_locked",
        "A store of objects has taken a file, and does not lock it.",
        "Make the bucket with object lock, and allow PutObjectRetention to the key.",
    ),
    ErrorKind(
        "SCAN-882",
        "bad_configuration_items",
        "The mapping of places to configuration items cannot be used.",
        "Correct the entry that the message names.",
    ),
    ErrorKind(
        "SCAN-890",
        "bad_exception_policy",
        "A policy of exceptions has a key or a value that it cannot have.",
        "Correct the key that the message names; the guide on exceptions has an example.",
    ),
    ErrorKind(
        "SCAN-891",
        "exceptions_need_action",
        "A review of waivers and attestations found entries that need action.",
        "Renew, narrow, approve or remove each entry that the table names; the reasons stand beside it.",
    ),
    ErrorKind(
        "SCAN-901",
        "internal",
        "The collection has a defect.",
        "Please report it with the message; the other targets' results stand.",
    ),
    ErrorKind(
        "SCAN-911",
        "bad_request",
        "A request for a scan cannot be read.",
        "Correct the request; docs/schemas/request.schema.json says what one is.",
    ),
    ErrorKind(
        "SCAN-912",
        "request_refused",
        "A request for a scan is not allowed by the way on which it came.",
        "Ask the operator of the event source: its options say who is allowed to ask for what.",
    ),
    ErrorKind(
        "SCAN-913",
        "queue_full",
        "As many requests wait as the queue holds.",
        "Send the request again later. Look whether the playbook request.yml runs, and how long its scans take.",
    ),
    ErrorKind(
        "SCAN-914",
        "request_not_running",
        "A request is not one that a scan has taken, or that time is over.",
        "Look at the queue: perhaps the request has ended, or another scan has taken it because the first took too long.",
    ),
)

KINDS: dict[str, ErrorKind] = {kind.reason: kind for kind in _CATALOGUE}


# The messages of these kinds say what the kind means, of the one thing that they are about: said again, it is noise.
_SAID_BY_MESSAGES = frozenset(
    {
        "bad_attestations",
        "bad_configuration_items",
        "bad_deadlines",
        "bad_evidence",
        "bad_exception_policy",
        "bad_facts",
        "bad_file",
        "bad_key",
        "bad_option",
        "bad_profile",
        "bad_request",
        "bad_results",
        "bad_teams",
        "bad_threshold",
        "bad_waivers",
        "container_not_running",
        "missing_library",
        "no_targets",
        "profile_not_found",
        "profile_tests_failed",
        "queue_full",
        "request_refused",
        "shared_folder",
        "unreachable",
        "write_failed",
    }
)


class ScanError(Exception):
    """A failure with its kind and what led to it.

    :param reason: a `reason` of the catalogue (KeyError otherwise: an unknown reason is a defect of ours)
    :param message: what came back, one sentence; must not hold credentials
    :param tried: what was tried and on what, e.g. "exec into shop/api-1/app"
    :param cause: the likely cause, where it is known better than the kind's meaning
    :param advice: the next step, where it is known better than the kind's advice
    """

    def __init__(
        self, reason: str, message: str, *, tried: str = "", cause: str = "", advice: str = ""
    ) -> None:
        self.kind = KINDS[reason]
        self.message = message
        self.tried = tried
        self.cause = cause or self.kind.meaning
        self.advice = advice or self.kind.advice
        super().__init__(str(self))

    @property
    def reason(self) -> str:
        return self.kind.reason

    def record(self) -> dict[str, str]:
        """The failure as it stands in results: code, reason, message, tried, cause, advice (all strings)."""
        return {
            "code": self.kind.code,
            "reason": self.kind.reason,
            "message": self.message,
            "tried": self.tried,
            "cause": self.cause,
            "advice": self.advice,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, str]) -> ScanError:
        """The failure that a record was made of.

        :raises KeyError: `record` is not such a record
        """
        return cls(
            record["reason"],
            record["message"],
            tried=record["tried"],
            cause=record["cause"],
            advice=record["advice"],
        )

    def __str__(self) -> str:
        said = [self.message]
        known = {self.message, self.kind.meaning} if self.reason in _SAID_BY_MESSAGES else {self.message}
        if self.cause and self.cause not in known:
            said.append(self.cause)
        said.append(self.advice)
        sentences = " ".join(_sentence(text) for text in said)
        tried = f"{self.tried}: " if self.tried else ""
        return f"{tried}{sentences} ({self.kind.code} {self.kind.reason})"


def _sentence(text: str) -> str:
    """The text with a mark at its end."""
    return text if text.endswith(("?", "!")) else text.rstrip(".") + "."
