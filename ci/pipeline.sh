#!/bin/sh
# The steps of a pipeline that scans a namespace, the same for every system. They are run at the root of the checkout:
#
#   ci/pipeline.sh prove    makes an access as the scan will, and proves what its token can NOT do: reports/proof.json
#   ci/pipeline.sh scan     scans and decides the gate; fails when the gate does
#   ci/pipeline.sh finish   always, also after a failure or a cancellation: fills reports/, leaves no access in the cluster
#
# In the environment: K8S_AUTH_KUBECONFIG, SCAN_NAMESPACES, and SCAN_WORKLOADS for a part of them.
set -eu

play() {
    playbook=$1
    shift
    ansible-playbook --inventory ci/inventory.yml "securescan.kubernetes.$playbook" "$@"
}

# The run's id has a random part, so that nobody can make its ServiceAccount beforehand.
begin() {
    rm -rf scan-results reports
    mkdir reports
    random=$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
    echo "ci-$(date -u +%Y%m%dt%H%M%S)-$random" >reports/run-id
}

collect() {
    for report in summary.md gate.junit.xml results.sarif problems.sarif; do
        for path in scan-results/*/latest/"$report"; do
            if [ -e "$path" ]; then
                cp "$path" reports/
            else
                echo "no $report: the scan did not get that far" >&2
            fi
        done
    done
}

run_id() {
    SCAN_RUN_ID=$(cat reports/run-id)
    export SCAN_RUN_ID
}

case ${1:-} in
    prove)
        begin
        run_id
        play access_proof --extra-vars scan_access_proof_file=reports/proof.json
        ;;
    scan)
        run_id
        play scan
        ;;
    finish)
        # where no run has begun, what is there is an earlier one's
        [ -e reports/run-id ] || { rm -rf reports scan-results && mkdir reports; }
        collect
        status=0
        if [ -e reports/run-id ]; then
            run_id
            play access --extra-vars access_state=absent || status=$?
        fi
        # what earlier pipelines have left, whose machine was lost
        play sweep || status=$?
        rm -f reports/run-id
        exit "$status"
        ;;
    *)
        echo "usage: ci/pipeline.sh prove|scan|finish" >&2
        exit 64
        ;;
esac
