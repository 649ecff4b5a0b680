{{/* The inventory: one host, which is the cluster. */}}
{{- define "securescan.inventory" -}}
{{- $host := dict -}}
{{- if .Values.cluster.inCluster -}}
{{- $_ := set $host "scan_in_cluster" true -}}
{{- else -}}
{{- $_ := set $host "scan_kubeconfig" "/etc/securescan/kubeconfig/kubeconfig" -}}
{{- end -}}
{{ toYaml (dict "all" (dict "hosts" (dict .Values.cluster.name $host))) }}
{{- end }}

{{/* The content of a file of a Secret, as a template of Ansible: so it stands in no object but the Secret. */}}
{{- define "securescan.secretFile" -}}
{{ printf "{{ lookup('ansible.builtin.file', '/etc/securescan/%s') }}" . }}
{{- end }}

{{/*
Variables of the roles scan and fleet. Those of the chart go before scan.variables; the schema refuses the same in both. The folders are
those of volumes, which are writable for everybody in the pod: there is nobody else in it.
*/}}
{{- define "securescan.variables" -}}
{{- $scan := .Values.scan -}}
{{- $own := dict
    "scan_namespaces" $scan.namespaces
    "scan_approaches" $scan.approaches
    "scan_owner" (printf "chart-%s" (include "securescan.name" .))
    "fleet_output_dir" "/results"
    "fleet_allow_shared_folder" true
    "scan_allow_shared_folder" true
    "fleet_deadline" $scan.deadlineSeconds
    "fleet_fail_on" $scan.failOn -}}
{{- if $scan.scannerImage -}}
{{- $_ := set $own "scan_scanner_image" $scan.scannerImage -}}
{{- end -}}
{{- if .Values.cluster.inCluster -}}
{{- $_ := set $own "scan_account_namespace" (include "securescan.accounts" .) -}}
{{- if has "image" $scan.approaches -}}
{{- $_ := set $own "scan_helper_namespace" (include "securescan.helpers" .) -}}
{{- $_ := set $own "scan_scanner_image_pull_secrets" $scan.scannerImagePullSecrets -}}
{{- end -}}
{{- end -}}
{{- with .Values.results.s3 -}}
{{- if .bucket -}}
{{- $sink := dict "system" "s3" "bucket" .bucket -}}
{{- range $key := list "url" "region" "prefix" -}}
{{- with index $.Values.results.s3 $key -}}
{{- $_ := set $sink $key . -}}
{{- end -}}
{{- end -}}
{{- if .secret -}}
{{- $_ := set $sink "access_key" (include "securescan.secretFile" "s3/access_key") -}}
{{- $_ := set $sink "secret_key" (include "securescan.secretFile" "s3/secret_key") -}}
{{- end -}}
{{- if .caConfigMap -}}
{{- $_ := set $sink "ca_cert" "/etc/securescan/s3-ca/ca.crt" -}}
{{- end -}}
{{- $_ := set $own "fleet_push" (list $sink) -}}
{{- end -}}
{{- end -}}
{{- with .Values.results.store -}}
{{- if .address -}}
{{- $_ := set $own "scan_store" .address -}}
{{- if .secret -}}
{{- $_ := set $own "scan_store_password" (include "securescan.secretFile" "store/password") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{ toYaml (merge $own .Values.scan.variables) }}
{{- end }}
