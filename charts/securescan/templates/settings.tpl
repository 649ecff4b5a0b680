apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "securescan.name" . }}-settings
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
data:
  ansible.cfg: |
    [defaults]
    {{- if .Values.metrics.pushUrl }}
    callbacks_enabled = securescan.kubernetes.scan_fleet, securescan.kubernetes.scan_metrics
    {{- else }}
    callbacks_enabled = securescan.kubernetes.scan_fleet
    {{- end }}
    retry_files_enabled = false
    {{- with .Values.metrics }}
    {{- if .pushUrl }}

    [callback_scan_metrics]
    push_url = {{ .pushUrl }}
    push_job = {{ printf "securescan-%s" (include "securescan.name" $) }}
    {{- if .caConfigMap }}
    push_ca_cert = /etc/securescan/metrics-ca/ca.crt
    {{- end }}
    {{- end }}
    {{- end }}
  inventory.yml: |
    {{- include "securescan.inventory" . | nindent 4 }}
  variables.yml: |
    {{- include "securescan.variables" . | nindent 4 }}
{{- with .Values.scan.files }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "securescan.name" $ }}-files
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "securescan.labels" $ | nindent 4 }}
data:
  {{- toYaml . | nindent 2 }}
{{- end }}
