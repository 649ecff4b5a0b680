{{/*
The pod of a scan, a sweep or a test: a dictionary of context, component and playbook. The image's own entry point stays: it is
an init, which hands SIGTERM on, so that a scan that is ended removes its access.
*/}}
{{- define "securescan.pod" -}}
{{- $context := .context -}}
{{- $values := .context.Values -}}
{{- $writes := eq .component "scan" -}}
metadata:
  {{- with $values.pod.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- include "securescan.labels" $context | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $values.pod.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  restartPolicy: Never
  {{- if $values.cluster.inCluster }}
  serviceAccountName: {{ include "securescan.grantor" $context }}
  {{- else }}
  serviceAccountName: {{ include "securescan.name" $context }}-no-rights
  {{- end }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ $values.pod.terminationGracePeriodSeconds }}
  securityContext:
    runAsNonRoot: true
    {{- with $values.pod.runAsUser }}
    runAsUser: {{ . }}
    runAsGroup: {{ . }}
    {{- end }}
    {{- with $values.pod.fsGroup }}
    fsGroup: {{ . }}
    fsGroupChangePolicy: OnRootMismatch
    {{- end }}
    seccompProfile: {type: RuntimeDefault}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $values.pod.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "affinity" }}
  {{- with index $values.pod $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "securescan.image" $context | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args:
        - ansible-playbook
        - {{ .playbook }}
        - --inventory=/etc/securescan/settings/inventory.yml
        - --extra-vars=@/etc/securescan/settings/variables.yml
        {{- if $values.scan.secretVariables.secret }}
        - --extra-vars=@/etc/securescan/variables/variables.yml
        {{- end }}
      workingDir: /tmp
      env:
        - {name: ANSIBLE_CONFIG, value: /etc/securescan/settings/ansible.cfg}
        - {name: ANSIBLE_HOME, value: /tmp/ansible}
        - {name: ANSIBLE_NOCOLOR, value: "1"}
        - {name: HOME, value: /tmp}
        - {name: USER, value: scan}
        - {name: LANG, value: C.UTF-8}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        privileged: false
        capabilities: {drop: [ALL]}
      resources:
        {{- toYaml $values.pod.resources | nindent 8 }}
      volumeMounts:
        - {name: settings, mountPath: /etc/securescan/settings, readOnly: true}
        - {name: temporary, mountPath: /tmp}
        {{- if $writes }}
        - {name: results, mountPath: /results}
        {{- end }}
        {{- if $values.scan.files }}
        - {name: files, mountPath: /etc/securescan/files, readOnly: true}
        {{- end }}
        {{- if $values.cluster.inCluster }}
        - {name: grantor, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
        {{- else }}
        - {name: kubeconfig, mountPath: /etc/securescan/kubeconfig, readOnly: true}
        {{- end }}
        {{- if $values.scan.secretVariables.secret }}
        - {name: variables, mountPath: /etc/securescan/variables, readOnly: true}
        {{- end }}
        {{- if $values.results.s3.secret }}
        - {name: s3, mountPath: /etc/securescan/s3, readOnly: true}
        {{- end }}
        {{- if $values.results.s3.caConfigMap }}
        - {name: s3-ca, mountPath: /etc/securescan/s3-ca, readOnly: true}
        {{- end }}
        {{- if $values.results.store.secret }}
        - {name: store, mountPath: /etc/securescan/store, readOnly: true}
        {{- end }}
        {{- if $values.metrics.caConfigMap }}
        - {name: metrics-ca, mountPath: /etc/securescan/metrics-ca, readOnly: true}
        {{- end }}
  volumes:
    - name: settings
      configMap: {name: {{ include "securescan.name" $context }}-settings}
    - name: temporary
      emptyDir: {sizeLimit: 256Mi}
    {{- if $writes }}
    - name: results
      {{- if include "securescan.hasClaim" $context }}
      persistentVolumeClaim: {claimName: {{ include "securescan.claim" $context }}}
      {{- else }}
      emptyDir: {sizeLimit: {{ $values.results.ephemeralSize }}}
      {{- end }}
    {{- end }}
    {{- if $values.scan.files }}
    - name: files
      configMap: {name: {{ include "securescan.name" $context }}-files}
    {{- end }}
    {{- if $values.cluster.inCluster }}
    # What a token that is mounted by itself would be, and only here.
    - name: grantor
      projected:
        defaultMode: 0440
        sources:
          - serviceAccountToken: {path: token, expirationSeconds: 3600}
          - configMap:
              name: kube-root-ca.crt
              items: [{key: ca.crt, path: ca.crt}]
    {{- else }}
    - name: kubeconfig
      secret:
        secretName: {{ $values.cluster.kubeconfig.secret }}
        defaultMode: 0440
        items: [{key: {{ $values.cluster.kubeconfig.key }}, path: kubeconfig}]
    {{- end }}
    {{- with $values.scan.secretVariables }}
    {{- if .secret }}
    - name: variables
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        items: [{key: {{ .key }}, path: variables.yml}]
    {{- end }}
    {{- end }}
    {{- with $values.results.s3 }}
    {{- if .secret }}
    - name: s3
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        items: [{key: access_key, path: access_key}, {key: secret_key, path: secret_key}]
    {{- end }}
    {{- if .caConfigMap }}
    - name: s3-ca
      configMap: {name: {{ .caConfigMap }}, items: [{key: ca.crt, path: ca.crt}]}
    {{- end }}
    {{- end }}
    {{- with $values.results.store }}
    {{- if .secret }}
    - name: store
      secret:
        secretName: {{ .secret }}
        defaultMode: 0440
        items: [{key: {{ .key }}, path: password}]
    {{- end }}
    {{- end }}
    {{- if $values.metrics.caConfigMap }}
    - name: metrics-ca
      configMap: {name: {{ $values.metrics.caConfigMap }}, items: [{key: ca.crt, path: ca.crt}]}
    {{- end }}
{{- end }}
