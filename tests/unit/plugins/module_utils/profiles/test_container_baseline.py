# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped profile container-baseline: each control passes, fails and is Not Reviewed where it should."""

from __future__ import annotations

import copy
import re
import statistics
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Fact, Facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.evaluation import evaluate
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.evidence import EvaluationContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.loader import load_profile
from ansible_collections.securescan.kubernetes.plugins.module_utils.profiles.queries import required_queries

PROFILES = Path(__file__).resolve().parents[5] / "profiles"
STAT = {"type": "file", "mode": 0o644, "uid": 0, "gid": 0, "size": 9, "mtime": 0, "link_target": None}
ABSENT = Fact("absent", cause="")
UNREADABLE = Fact("unreadable", cause="it cannot be opened for reading")


def walk(*paths):
    return {"entries": [{"path": path} for path in paths], "complete": True, "unreadable": 0}


def user(name, uid, password="shadow"):
    return {"name": name, "password": password, "uid": uid, "gid": uid, "gecos": "", "home": "/",
            "shell": "/usr/sbin/nologin"}


def secret(name, password):
    return dict.fromkeys(("last_change", "min", "max", "warn", "inactive", "expire"), None) | {"name": name,
                                                                                               "password": password}


def package(name, installed=True):
    return {"name": name, "version": "1.0", "arch": "amd64", "installed": installed}


# What the collector sees in a Debian container that is as it should be, run as user 1000.
GOOD = {
    "file:/etc/passwd": STAT, "file:/etc/group": STAT, "file:/etc/shadow": dict(STAT, mode=0o640, gid=42),
    "file:/etc/ssh/ssh_host_rsa_key": ABSENT, "file:/etc/ssh/ssh_host_ecdsa_key": ABSENT,
    "file:/etc/ssh/ssh_host_ed25519_key": ABSENT,
    "file:/run/docker.sock": ABSENT, "file:/var/run/docker.sock": ABSENT,
    "file:/run/containerd/containerd.sock": ABSENT, "file:/run/crio/crio.sock": ABSENT,
    "walk:/bin[match=setuid]": walk("/bin/su"), "walk:/sbin[match=setuid]": walk(),
    "walk:/usr[match=setuid]": walk("/usr/bin/su", "/usr/bin/passwd"),
    "walk:/bin[match=setgid]": walk("/bin/chage"), "walk:/sbin[match=setgid]": walk("/sbin/unix_chkpwd"),
    "walk:/usr[match=setgid]": walk("/usr/bin/chage"),
    "walk:/etc[match=world_writable]": walk(), "walk:/opt[match=world_writable]": walk(),
    "walk:/srv[match=world_writable]": walk(), "walk:/opt[match=unowned]": walk(), "walk:/srv[match=unowned]": walk(),
    "walk:/usr[match=world_writable]": walk(),
    "walk:/etc[match=unowned]": walk(), "walk:/usr[match=unowned]": walk(),
    "passwd": [user("root", 0), user("daemon", 1, "disabled"), user("app", 1000, "locked")],
    "group": [{"name": "root", "gid": 0, "members": []}, {"name": "app", "gid": 1000, "members": ["app"]}],
    "shadow": [secret("root", "disabled"), secret("daemon", "disabled"), secret("app", "yescrypt")],
    "packages": {"manager": "dpkg",
                 "packages": [package("bash"), package("telnetd", installed=False), package("libc6")]},
    "processes": [{"pid": 1, "ppid": 0, "uid": 1000, "gid": 1000, "state": "S", "name": "app", "cmdline": ["/app"]}],
    "sockets": [{"protocol": "tcp", "address": "0.0.0.0", "port": 8080, "uid": 1000}],
    "environment": ["DB_PASSWORD_FILE", "HOME", "KUBERNETES_SERVICE_HOST", "PATH", "TOKENIZER"],
    "sysctl:kernel.randomize_va_space": "2", "sysctl:net.ipv4.conf.all.accept_source_route": "0",
    "mounts": [{"mount_point": "/", "fstype": "overlay", "source": "overlay", "options": ["ro"], "root": "/"},
               {"mount_point": "/sys", "fstype": "sysfs", "source": "sysfs", "options": ["ro", "nosuid"], "root": "/"}],
}
GOOD_POD = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "node", "hostPath": {"path": "/var/lib/kubelet"}}],
    "containers": [{"name": "app", "image": "app:1", "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                    "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}},
                    "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                        "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}}]}}


def change(path, value):
    """A change of the good pod: the part at a path of keys gets a value (None: is left out)."""
    pod = copy.deepcopy(GOOD_POD)
    *parents, last = path.split(".")
    part = pod["spec"]
    for key in parents:
        part = part[int(key) if key.isdigit() else key]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return pod


OWN = "containers.0.securityContext."
BAD = {  # facts or pods with which the control fails
    "cb-passwd-file": [{"file:/etc/passwd": dict(STAT, mode=0o664)}, {"file:/etc/passwd": dict(STAT, uid=1000)}],
    "cb-group-file": [{"file:/etc/group": dict(STAT, mode=0o646)}, {"file:/etc/group": dict(STAT, gid=5)}],
    "cb-shadow-file": [{"file:/etc/shadow": dict(STAT, mode=0o644)},
                       {"file:/etc/shadow": dict(STAT, mode=0o600, uid=5)}],
    "cb-setuid-files": [{"walk:/usr[match=setuid]": walk("/usr/bin/su", "/usr/local/bin/backdoor")}],
    "cb-setgid-files": [{"walk:/sbin[match=setgid]": walk("/sbin/backdoor")}],
    "cb-world-writable": [{"walk:/etc[match=world_writable]": walk("/etc/profile")}],
    "cb-unowned-files": [{"walk:/usr[match=unowned]": walk("/usr/lib/x")}],
    "cb-ssh-host-keys": [{"file:/etc/ssh/ssh_host_ed25519_key": STAT}],
    "cb-runtime-socket": [{"file:/run/containerd/containerd.sock": dict(STAT, type="socket")}],
    "cb-root-uid": [{"passwd": [user("root", 0), user("toor", 0)]}],
    "cb-passwd-passwords": [{"passwd": [user("root", 0, "empty")]}, {"passwd": [user("root", 0, "sha512")]}],
    "cb-shadow-passwords": [{"shadow": [secret("root", "empty")]}],
    "cb-password-hashes": [{"shadow": [secret("root", "md5")]}, {"shadow": [secret("root", "des")]}],
    "cb-unique-users": [{"passwd": [user("a", 1), user("b", 1)]}, {"passwd": [user("a", 1), user("a", 2)]}],
    "cb-unique-groups": [{"group": [{"name": "a", "gid": 1, "members": []}, {"name": "b", "gid": 1, "members": []}]}],
    "cb-forbidden-packages": [{"packages": {"manager": "dpkg", "packages": [package("telnetd")]}}],
    "cb-forbidden-processes": [{"processes": GOOD["processes"] + [dict(GOOD["processes"][0], pid=9, name="sshd")]}],
    "cb-main-process-user": [{"processes": [dict(GOOD["processes"][0], uid=0)]}, {"processes": []}],
    "cb-forbidden-ports": [{"sockets": [{"protocol": "tcp6", "address": "::", "port": 22, "uid": 0}]}],
    "cb-secret-variables": [{"environment": ["DB_PASSWORD"]}, {"environment": ["API_TOKEN"]},
                            {"environment": ["AWS_SECRET_ACCESS_KEY"]}, {"environment": ["apikey"]}],
    "cb-address-randomisation": [{"sysctl:kernel.randomize_va_space": "0"}, {"sysctl:kernel.randomize_va_space": "1"}],
    "cb-source-routing": [{"sysctl:net.ipv4.conf.all.accept_source_route": "1"}],
    "cb-sysfs-read-only": [{"mounts": [dict(GOOD["mounts"][1], options=["rw"])]}],
    "cb-privileged": [change(OWN + "privileged", True)],
    "cb-privilege-escalation": [change(OWN + "allowPrivilegeEscalation", None),
                                change(OWN + "allowPrivilegeEscalation", True)],
    "cb-run-as-non-root": [change("securityContext.runAsNonRoot", None), change(OWN + "runAsNonRoot", False),
                           change(OWN + "runAsUser", 0)],
    "cb-capabilities": [change(OWN + "capabilities", None), change(OWN + "capabilities.add", ["SYS_ADMIN"]),
                        change(OWN + "capabilities.drop", ["NET_RAW"])],
    "cb-read-only-root": [change(OWN + "readOnlyRootFilesystem", None)],
    "cb-seccomp": [change("securityContext.seccompProfile", None),
                   change(OWN + "seccompProfile", {"type": "Unconfined"})],
    "cb-host-namespaces": [change("hostNetwork", True), change("hostPID", True), change("hostIPC", True)],
    "cb-host-paths": [change("containers.0.volumeMounts", [{"name": "node", "mountPath": "/x"}])],
    "cb-resource-limits": [change("containers.0.resources", {}),
                           change("containers.0.resources", {"limits": {"cpu": 1}})],
    "cb-service-account-token": [change("containers.0.volumeMounts",
                                        [{"name": "t", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}])],
}
# What makes a control Not Applicable instead.
NOT_APPLICABLE = {
    "cb-passwd-file": {"file:/etc/passwd": ABSENT}, "cb-group-file": {"file:/etc/group": ABSENT},
    "cb-shadow-file": {"file:/etc/shadow": ABSENT},
    "cb-forbidden-packages": {"packages": ABSENT}, "cb-sysfs-read-only": {"mounts": GOOD["mounts"][:1]},
    "cb-unowned-files": {"file:/etc/passwd": ABSENT},
    "cb-root-uid": {"file:/etc/passwd": ABSENT}, "cb-unique-groups": {"file:/etc/group": ABSENT},
    "cb-shadow-passwords": {"file:/etc/shadow": ABSENT},
    "cb-main-process-user": change("shareProcessNamespace", True),
}


@pytest.fixture(scope="module")
def profile():
    return load_profile("container-baseline", [PROFILES], {})


def judge(profile, facts=None, pod=None, container="app"):
    """Status of each control as readers of HDF compute it."""
    values = {key: value if isinstance(value, Fact) else Fact("ok", value) for key,
              value in {**GOOD, **(facts or {})}.items()}
    result = evaluate(profile, Facts(values), EvaluationContext({}, pod if pod is not None else GOOD_POD, container))
    return {control.id: status_of(control) for control in result.controls}


def status_of(control):
    statuses = {segment.status for segment in control.results}
    if not statuses or "error" in statuses:
        return "Profile Error"
    if control.impact == 0:
        return "Not Applicable"
    return "Failed" if "failed" in statuses else "Passed" if "passed" in statuses else "Not Reviewed"


def apply(profile, case):
    return judge(profile, pod=case) if "spec" in case else judge(profile, facts=case)


def test_a_good_container_passes_everything(profile):
    assert set(judge(profile).values()) == {"Passed"}
    assert {query.key for query in required_queries([profile])} == set(GOOD)


def test_a_good_container_that_does_not_run_as_root_passes_all_but_the_hashes(profile):
    others = {name: status for name, status in judge(profile, {"shadow": UNREADABLE}).items() if status != "Passed"}
    assert others == {"cb-shadow-passwords": "Not Reviewed", "cb-password-hashes": "Not Reviewed"}


def test_a_good_container_without_databases_passes_or_is_not_applicable(profile):
    """As it is for an image with busybox and nothing else."""
    bare = {"file:/etc/passwd": ABSENT, "file:/etc/group": ABSENT, "file:/etc/shadow": ABSENT, "passwd": ABSENT,
            "group": ABSENT, "shadow": ABSENT, "packages": ABSENT,
            "walk:/etc[match=unowned]": Fact("unsupported", cause="no /etc/passwd"), "walk:/sbin[match=setuid]": ABSENT}
    assert set(judge(profile, bare).values()) == {"Passed", "Not Applicable"}


@pytest.mark.parametrize(("control", "case"), [(control, case) for control, cases in BAD.items() for case in cases])
def test_a_bad_container_fails(profile, control, case):
    changed = {name: status for name, status in apply(profile, case).items() if status != "Passed"}
    assert changed.pop(control) == "Failed"
    # a change may concern other controls too, but only these
    assert set(changed) <= {"cb-main-process-user", "cb-privilege-escalation", "cb-capabilities", "cb-seccomp",
                            "cb-unique-users",
                            "cb-password-hashes"}


@pytest.mark.parametrize(("control", "case"), list(NOT_APPLICABLE.items()))
def test_what_does_not_apply_is_not_applicable(profile, control, case):
    assert apply(profile, case)[control] == "Not Applicable"


def test_every_control_has_the_three_cases(profile):
    assert [control["id"] for control in profile.controls] == list(BAD)
    away = dict.fromkeys(GOOD, UNREADABLE)
    context = EvaluationContext({}, {}, "app")
    result = evaluate(profile, Facts(away), context)
    assert {control.id: status_of(control) for control in result.controls} == dict.fromkeys(BAD, "Not Reviewed")


def test_impacts_spread_over_all_severities(profile):
    impacts = [control["impact"] for control in profile.controls]
    assert {"low": 0.1 <= min(impacts) < 0.4, "medium": 0.4 in impacts, "high": 0.7 in impacts,
            "critical": 0.9 in impacts} == dict.fromkeys(
        ("low", "medium", "high", "critical"), True)


def test_every_control_is_documented_and_tagged(profile):
    assert len(profile.controls) >= 18
    for control in profile.controls:
        assert set(control["descriptions"]) == {"rationale", "check", "fix"}, control["id"]
        assert control["desc"], control["id"]
        assert control["id"].startswith("cb-")
        for tag in control["tags"]["nist"]:
            assert re.fullmatch(r"[A-Z]{2}-[0-9]{1,2}(\([0-9]{1,2}\))?", tag), control["id"]
        for tag in control["tags"].get("cis", []):
            assert re.fullmatch(r"(K8s|Docker) [45](\.[0-9]{1,2}){1,2}", tag), control["id"]
        assert set(control["tags"]) <= {"nist", "nist_800_190", "cis"}


def test_inputs_change_what_is_allowed():
    allowed = load_profile("container-baseline", [PROFILES],
                           {"forbidden_ports": [8080], "allowed_setuid_files": ["/bin/su", "/usr/bin/su"],
                            "allowed_capabilities": []})
    changed = {name for name, status in judge(allowed).items() if status == "Failed"}
    assert changed == {"cb-forbidden-ports", "cb-setuid-files", "cb-capabilities"}


def test_speed(profile):
    """Over a Debian container of 100 packages; the goal is 1 ms."""
    packages = {"manager": "dpkg", "packages": [package("lib%d" % number) for number in range(100)]}
    facts = Facts({key: value if isinstance(value, Fact) else Fact("ok", value) for key,
                   value in dict(GOOD, packages=packages).items()})
    context = EvaluationContext({}, GOOD_POD, "app")
    rounds = []
    for _round in range(50):
        begun = time.perf_counter()
        evaluate(profile, facts, context)
        rounds.append((time.perf_counter() - begun) * 1000)
    print("container-baseline: %.2f ms (median of 50)" % statistics.median(rounds))
    assert min(rounds) < 5


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the collector reads /proc")
def test_what_the_collector_really_sends_can_be_judged():
    """The machine that runs the tests, collected by its own sh: whatever the verdicts, none is an error."""
    profile = load_profile("container-baseline", [PROFILES],
                           {"program_directories": ["/bin"], "system_directories": ["/etc"]})
    request = make_request(required_queries([profile]))
    reply = subprocess.run(["sh"], input=build_script(request, "0" * 16), stdout=subprocess.PIPE, check=True).stdout
    facts = read_facts(request, reply, "0" * 16)
    result = evaluate(profile, facts, EvaluationContext({}, GOOD_POD, "app"))
    assert [segment.message for control in result.controls for segment in control.results
            if segment.status == "error"] == []
    assert {status_of(control) for control in result.controls} >= {"Passed"}
