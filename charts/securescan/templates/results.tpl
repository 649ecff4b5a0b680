{{- with .Values.results.claim }}
{{- if .create }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "securescan.claim" $ }}
  namespace: {{ $.Release.Namespace }}
  labels:
    {{- include "securescan.labels" $ | nindent 4 }}
  {{- if .keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes: {{ toJson .accessModes }}
  {{- with .storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .size }}
{{- end }}
{{- end }}
