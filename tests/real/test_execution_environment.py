# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built execution environment on the real cluster: its content, our scan of it, jobs that end, are cancelled or killed."""

from __future__ import annotations

import importlib.metadata
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence

import pytest
import yaml
from ansible_collections.securescan.kubernetes.tests.real.built_environment import (
    IMAGE,
    Podman,
    built_environment,
)
from ansible_collections.securescan.kubernetes.tests.support.access_tasks import run_task
from ansible_collections.securescan.kubernetes.tests.support.accesses_left import left
from ansible_collections.securescan.kubernetes.tests.support.navigator import navigate, navigator_version
from ansible_collections.securescan.kubernetes.tests.support.real_systems import SECTIONS, shown
from ansible_collections.securescan.kubernetes.tests.support.receptor_mesh import Mesh, wait_until
from ansible_collections.securescan.kubernetes.tests.support.scan_runs import Run, run_scan

SECTION = SECTIONS[0]
# More would have to be explained in docs/execution-environment.md.
MOST_MEGABYTES = 600
SECONDS = 240
# It was 72 of 117 when this was written; what only a running container or root can show is not reviewed.
FEWEST_PASSED = 65
# Of the pod of a job, not of the image.
NOT_OF_THE_IMAGE = {
    "workload-baseline wb-image-digest": "the image is loaded from a file, and only a registry gives a digest",
    "workload-baseline wb-liveness-probe": "a job ends by itself",
    "workload-baseline wb-readiness-probe": "nobody connects to a job",
}


@pytest.fixture(scope="module")
def engine() -> Podman:
    return built_environment()


def inside(engine: Podman, *command: str, options: Sequence[str] = ()) -> str:
    return engine.run("run", "--rm", "--pull=never", *options, IMAGE, *command)


def test_the_image_is_small_and_holds_what_it_must_and_no_more(engine: Podman) -> None:
    assert inside(engine, "id", "-u").strip() == "1000"
    assert "securescan.kubernetes" in inside(engine, "ansible-galaxy", "collection", "list")
    assert "No broken requirements" in inside(engine, "python3", "-m", "pip", "check")
    privileged = ("find", "/", "-xdev", "-type", "f", "-perm", "/6000")
    assert inside(engine, *privileged, options=["--user=root"]) == ""
    assert inside(engine, "sh", "-c", "test -w /etc/passwd || echo held").strip() == "held"
    # a user id as OpenShift chooses it
    chosen = inside(engine, "sh", "-c", "touch /runner/file && id -u", options=["--user=1000650000:0"])
    assert chosen.strip() == "1000650000"
    assert "securescan.kubernetes" in inside(engine, "kubectl-securescan", "version")
    size = int(engine.run("image", "inspect", IMAGE, "--format", "{{.Size}}"))
    assert size < MOST_MEGABYTES * 1_000_000
    shown(
        "Podman, ansible-builder",
        engine.version(),
        "the image is built; it has no setuid program and is not root",
        SECTION,
    )


def test_our_own_scan_of_the_image_finds_nothing_that_is_its_own(
    engine: Podman, cluster, helper_operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    archive = tmp_path / "image.tar"
    engine.run("save", "--format", "docker-archive", "--output", archive, IMAGE)
    cluster.made_here.load_images([archive])
    archive.unlink()
    namespace = f"environment-{uuid.uuid4().hex[:6]}"
    pod = yaml.safe_load((pathlib.Path(__file__).with_name("environment_pod.yml")).read_text())
    pod["metadata"]["namespace"] = namespace
    pod["spec"]["containers"][0]["image"] = IMAGE
    # the node of the test's cluster has none to give
    pod["spec"]["containers"][0]["resources"]["requests"]["ephemeral-storage"] = "0"
    cluster.kubectl("create", "namespace", namespace)
    try:
        cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
        cluster.kubectl("create", "serviceaccount", pod["spec"]["serviceAccountName"], "-n", namespace)
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        cluster.kubectl("wait", "--for=condition=Ready", "pods", "--all", "-n", namespace, "--timeout=120s")
        run = Run(run_scan(helper_operator_kubeconfig, tmp_path, namespaces=[namespace], approach="image"))
    finally:
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
    (target,) = run.targets
    failed = {
        f"{profile} {control}": [result.get("message") for result in found["results"]]
        for (profile, control), found in run.controls(target).items()
        if run.verdicts(target)[profile, control] == "failed"
    }
    assert set(failed) <= set(NOT_OF_THE_IMAGE), json.dumps(failed, indent=1)
    assert list(run.verdicts(target).values()).count("passed") >= FEWEST_PASSED
    shown(
        "Podman, ansible-builder",
        engine.version(),
        "our own scan at rest: of both baselines only digest and probes of its pod fail; a third is not reviewed",
        SECTION,
    )


def scan_host(**changes: object) -> dict[str, object]:
    host = {
        "ansible_connection": "local",
        "scan_namespaces": "shop",
        "scan_fail_on": "never",
        "scan_concurrency": 1,
    }
    return {**host, **changes}


@pytest.fixture
def message_queues() -> Iterator[None]:
    """ansible-navigator asks for the folder /dev/mqueue where it uses Podman; a machine in a container has none."""
    folder = pathlib.Path("/dev/mqueue")
    is_missing = not folder.exists()
    if is_missing:
        folder.mkdir()
    yield
    if is_missing:
        folder.rmdir()


def test_navigator_scans_in_the_image(
    engine: Podman, operator_kubeconfig: pathlib.Path, message_queues: None, tmp_path: pathlib.Path
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(operator_kubeconfig, tmp_path / "kubeconfig")
    done = navigate(
        project,
        "securescan.kubernetes.scan",
        scan_host(scan_kubeconfig="/run/kubeconfig", scan_output_dir="/results"),
        *("--execution-environment", "true", "--container-engine", "podman", "--pull-policy", "never"),
        *("--execution-environment-image", IMAGE),
        *("--execution-environment-volume-mounts", f"{tmp_path / 'kubeconfig'}:/run/kubeconfig"),
        *("--execution-environment-volume-mounts", f"{results}:/results"),
        environ=engine.environ,
    )
    assert done.status == 0, done.output
    assert list(results.glob("sample/latest/summary.json"))
    shown(
        "ansible-navigator",
        navigator_version(),
        "scans in the built image",
        SECTION,
    )


class Job:
    """A job as a container group runs it: `ansible-runner worker` in the image, with its input as a stream."""

    def __init__(self, folder: pathlib.Path, kubeconfig: pathlib.Path) -> None:
        self.folder = folder
        private = folder / "private"
        for name in ("project", "inventory"):
            (private / name).mkdir(parents=True)
        play = [{"ansible.builtin.import_playbook": "securescan.kubernetes.scan"}]
        (private / "project" / "scan.json").write_text(json.dumps(play))
        shutil.copy(kubeconfig, private / "project" / "kubeconfig")
        host = scan_host(
            scan_kubeconfig="/runner/project/kubeconfig",
            scan_output_dir="{{ lookup('ansible.builtin.env', 'AWX_ISOLATED_DATA_DIR') }}/scans",
        )
        (private / "inventory" / "hosts.json").write_text(json.dumps({"all": {"hosts": {"sample": host}}}))
        self.payload = folder / "payload"
        with self.payload.open("wb") as stream:
            subprocess.run(
                [_runner(), "transmit", private, "-p", "scan.json", "--ident", "job"],
                check=True,
                stdout=stream,
            )

    def process(self, streamed: bytes) -> pathlib.Path:
        """The folder of the run, as it came back."""
        done = subprocess.run(
            [_runner(), "process", self.folder / "out", "--ident", "job"],
            input=streamed,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert done.returncode == 0, done.stdout.decode()[-4000:]
        return self.folder / "out" / "artifacts" / "job" / "scans" / "sample" / "latest"


def _runner() -> str:
    return str(pathlib.Path(sys.executable).parent / "ansible-runner")


WORKER = ("ansible-runner", "worker", "--private-data-dir", "/runner")


@pytest.fixture
def job(operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path) -> Job:
    return Job(tmp_path, operator_kubeconfig)


class Container:
    """A job's container that runs."""

    def __init__(self, engine: Podman, job: Job) -> None:
        self.name = f"securescan-{uuid.uuid4().hex[:8]}"
        self._engine = engine
        self._streamed = job.folder / "streamed"
        with job.payload.open("rb") as payload, self._streamed.open("wb") as streamed:
            self.process = subprocess.Popen(
                ["podman", "run", "--rm", "-i", "--pull=never", "--name", self.name, IMAGE, *WORKER],
                env={**os.environ, **engine.environ},
                stdin=payload,
                stdout=streamed,
                stderr=subprocess.DEVNULL,
            )

    def has_scanned(self) -> bool:
        """Whether the job came to its end."""
        return b'"status": "successful"' in self._streamed.read_bytes()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + SECONDS
        while not is_so():
            assert self.process.poll() is None and time.monotonic() < end, "the job ended too early, or hangs"
            time.sleep(0.05)

    def end(self, *command: str) -> None:
        """By a command of Podman, such as `kill`."""
        self._engine.run(*command, self.name)
        self.process.wait(timeout=SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self._engine.run("rm", "--force", "--ignore", self.name)
            self.process.wait(timeout=SECONDS)


@pytest.fixture
def container(engine: Podman, job: Job) -> Iterator[Container]:
    running = Container(engine, job)
    yield running
    running.close()


def accesses(cluster) -> set[str]:
    return set(left(cluster).split())


@pytest.mark.parametrize("way", ["stop", "interrupt"])
def test_a_job_that_is_cancelled_leaves_nothing(
    way: str, cluster, container: Container, engine: Podman
) -> None:
    before = accesses(cluster)
    container.wait_until(lambda: not accesses(cluster) <= before)
    if way == "stop":
        # what a container group does: SIGTERM, and SIGKILL when its patience is over
        container.end("stop", "--time", "60")
    else:
        # Ctrl-C: Podman passes it on
        container.process.send_signal(signal.SIGINT)
        container.process.wait(timeout=SECONDS)
    assert not container.has_scanned(), "it was at its end before it was cancelled"
    assert accesses(cluster) <= before
    shown(
        "Podman",
        engine.version(),
        "a job in the image that is cancelled removes its access before its container ends",
        SECTION,
    )


def sweep_the_rest(cluster, kubeconfig: pathlib.Path, before: set[str]) -> None:
    """Of what is not from before, as if its time were over."""

    def is_swept() -> bool:
        rest = sorted(accesses(cluster) - before)
        if rest:
            expired = "securescan.kubernetes/expires=20200101T000000Z"
            cluster.kubectl_run("label", "--overwrite", *rest, "-n", "shop", expired)
            run_task(kubeconfig, state="swept", namespaces=["shop"])
        return accesses(cluster) <= before

    wait_until(is_swept)


def test_a_job_that_is_killed_is_found_by_the_sweep(
    cluster, container: Container, engine: Podman, operator_kubeconfig: pathlib.Path
) -> None:
    before = accesses(cluster)
    container.wait_until(lambda: any(name.startswith("rolebinding") for name in accesses(cluster) - before))
    container.end("kill")
    assert not accesses(cluster) <= before, "what is killed cannot remove anything"
    sweep_the_rest(cluster, operator_kubeconfig, before)
    shown(
        "Podman",
        engine.version(),
        "a job in the image that is killed leaves its access, and the sweep removes it",
        SECTION,
    )


# A job of an execution node, which is cancelled as soon as a file is there. ansible-runner looks for it each 0.05 seconds: a scan
# of the tests takes less than its usual 5.
ISOLATED = """
import pathlib, sys
import ansible_runner
folder = pathlib.Path(sys.argv[1])
done = ansible_runner.run(private_data_dir=str(folder), playbook="scan.json", ident="job", quiet=True,
                          process_isolation=True, process_isolation_executable="podman", container_image=sys.argv[2],
                          container_options=["--user=root", "--pull=never"], settings={"pexpect_timeout": 0.05},
                          cancel_callback=(folder / "cancel").exists)
print(done.status)
"""


def test_runner_kills_an_isolated_job_that_is_cancelled_and_the_sweep_finds_it(
    engine: Podman, job: Job, cluster, operator_kubeconfig: pathlib.Path
) -> None:
    before = accesses(cluster)
    process = subprocess.Popen(
        [sys.executable, "-c", ISOLATED, str(job.folder / "private"), IMAGE],
        env={**os.environ, **engine.environ},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        end = time.monotonic() + SECONDS
        while not any(name.startswith("rolebinding") for name in accesses(cluster) - before):
            assert process.poll() is None and time.monotonic() < end, "the job ended too early, or hangs"
            time.sleep(0.05)
        (job.folder / "private" / "cancel").touch()
        output, _nothing = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
    assert output.split()[-1] == "canceled", output
    ended = list((job.folder / "private" / "artifacts" / "job").glob("scans/sample/*/summary.json"))
    assert ended == [], "it was at its end before it was cancelled"
    assert not accesses(cluster) <= before, "what is killed cannot remove anything"
    sweep_the_rest(cluster, operator_kubeconfig, before)
    shown(
        "ansible-runner",
        importlib.metadata.version("ansible-runner"),
        "cancels a job with process isolation by killing its container; the sweep removes its access",
        SECTION,
    )


def test_a_node_of_a_mesh_scans_in_the_image(
    engine: Podman, job: Job, cluster, tmp_path: pathlib.Path
) -> None:
    before = accesses(cluster)
    podman = str(shutil.which("podman"))
    mesh = Mesh(
        tmp_path,
        ("eu",),
        lambda _folder: [podman, "run", "--rm", "-i", "--pull=never", IMAGE, *WORKER],
        engine.environ,
    )
    try:
        mesh.wait_for_regions()
        run = job.process(mesh.results(mesh.submit("eu", job.payload)))
    finally:
        mesh.close()
    assert json.loads((run / "summary.json").read_text())["target_counts"]["scanned"] > 0
    assert accesses(cluster) <= before
    shown("Receptor", mesh.version(), "a node scans in the built image, and its results come back", SECTION)


def test_runner_isolates_a_job_in_the_image(
    engine: Podman, cluster, operator_kubeconfig: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """As AWX does it on an execution node: root of the container is the user of the node."""
    before = accesses(cluster)
    job = Job(tmp_path, operator_kubeconfig)
    isolation = (
        "--process-isolation",
        "--process-isolation-executable",
        "podman",
        "--container-image",
        IMAGE,
    )
    done = subprocess.run(
        [
            *(_runner(), "run", job.folder / "private", "-p", "scan.json", "--ident", "job", *isolation),
            *("--container-option=--user=root", "--container-option=--pull=never"),
        ],
        check=False,
        env={**os.environ, **engine.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-4000:]
    assert list((job.folder / "private" / "artifacts" / "job" / "scans").glob("sample/latest/summary.json"))
    assert accesses(cluster) <= before
    shown(
        "ansible-runner",
        importlib.metadata.version("ansible-runner"),
        "a job with process isolation scans in the built image",
        SECTION,
    )
