{{/*
Annotations of a setup hook. Setup runs before the other objects of the release exist, so everything that its Jobs need is
also a hook, which is deleted when it has succeeded. Call with (dict "weight" n).
*/}}
{{- define "checkresult.setupHook" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{/* A Job that runs one command. Call with (dict "root" $ "name" "…" "weight" n "args" list). */}}
{{- define "checkresult.setupJob" -}}
{{- $pod := dict "root" .root "setup" true -}}
{{- $values := .root.Values -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- include "checkresult.metadata" (dict "root" .root "component" "setup" "suffix" .name "annotations" (include "checkresult.setupHook" . | fromYaml)) | nindent 2 }}
spec:
  backoffLimit: 4
  activeDeadlineSeconds: {{ $values.setup.activeDeadlineSeconds }}
  # Exit code 2 means invalid settings: a retry cannot succeed.
  podFailurePolicy:
    rules:
      - action: FailJob
        onExitCodes:
          containerName: {{ .name }}
          operator: In
          values: [2]
  template:
    metadata:
      labels:
        {{- include "checkresult.podLabels" (dict "root" .root "component" "setup") | nindent 8 }}
    spec:
      {{- include "checkresult.podSecurity" .root | nindent 6 }}
      serviceAccountName: {{ ternary (printf "%s-setup" (include "checkresult.fullname" .root)) $values.serviceAccount.name $values.serviceAccount.create }}
      restartPolicy: Never
      containers:
        - name: {{ .name }}
          {{- include "checkresult.container" .root | nindent 10 }}
          args: {{ .args | toJson }}
          env:
            {{- range $name, $value := include "checkresult.environment" $pod | fromJson }}
            - name: {{ $name }}
              value: {{ $value | quote }}
            {{- end }}
            {{- include "checkresult.nodeEnv" (dict "root" .root "heap" (dict "semiSpaceMiB" 2 "oldSpaceMiB" 64)) | trim | nindent 12 }}
          resources:
            {{- toYaml $values.setup.resources | nindent 12 }}
          volumeMounts:
            {{- include "checkresult.volumeMounts" $pod | nindent 12 }}
      volumes:
        {{- include "checkresult.volumes" $pod | nindent 8 }}
{{- end -}}
