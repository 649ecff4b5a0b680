apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "securescan.name" . }}-scan
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "securescan.labels" . | nindent 4 }}
    app.kubernetes.io/component: scan
spec:
  schedule: {{ .Values.scan.schedule | quote }}
  timeZone: {{ .Values.scan.timeZone }}
  suspend: {{ .Values.scan.suspend }}
  # a scan that is still going goes on; the next one is the next night's
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: {{ .Values.history.succeeded }}
  failedJobsHistoryLimit: {{ .Values.history.failed }}
  jobTemplate:
    metadata:
      labels:
        {{- include "securescan.labels" . | nindent 8 }}
        app.kubernetes.io/component: scan
    spec:
      # a gate that failed would fail again
      backoffLimit: 0
      # a node that is drained is no failure: a new pod goes on where the results say
      podFailurePolicy:
        rules:
          - action: Ignore
            onPodConditions: [{type: DisruptionTarget, status: "True"}]
      # the scan ends by itself before
      activeDeadlineSeconds: {{ add .Values.scan.deadlineSeconds 900 }}
      template:
        {{- include "securescan.pod" (dict "context" . "component" "scan" "playbook" "securescan.kubernetes.fleet") | nindent 8 }}
