{{- if .Values.sweep.enabled }}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "securescan.name" . }}-sweep
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
    app.kubernetes.io/component: sweep
spec:
  schedule: {{ .Values.sweep.schedule | quote }}
  timeZone: {{ .Values.scan.timeZone }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: {{ .Values.history.failed }}
  jobTemplate:
    metadata:
      labels:
        {{- include "securescan.labels" . | nindent 8 }}
        app.kubernetes.io/component: sweep
    spec:
      backoffLimit: 1
      activeDeadlineSeconds: 900
      template:
        {{- include "securescan.pod" (dict "context" . "component" "sweep" "playbook" "securescan.kubernetes.sweep") | nindent 8 }}
{{- end }}
