{{/*
Settings of the service. The required ones and the defaults are in files/settings.json, which is generated. Templates that
return more than a string return JSON.
*/}}

{{- define "checkresult.facts" -}}
{{ .Files.Get "files/settings.json" }}
{{- end -}}

{{/* Converts a YAML value to the text of an environment variable. Integers arrive as floats, which would print as 1e+06. */}}
{{- define "checkresult.text" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* The value of a setting or its default. Call with (dict "root" $ "name" "…"). */}}
{{- define "checkresult.setting" -}}
{{- $defaults := (include "checkresult.facts" .root | fromJson).defaults -}}
{{- $given := get .root.Values.settings .name -}}
{{- include "checkresult.text" (ternary (get $defaults .name) $given (eq (toString $given) "")) -}}
{{- end -}}

{{/*
The sources of the files in the pods, as {NAME: {secret|configMap: "NAME/KEY"} | {serviceAccountToken: …} | {path: …}}.
Call with (dict "root" $ "setup" true|false).
*/}}
{{- define "checkresult.files" -}}
{{- $values := .root.Values -}}
{{- $fullname := include "checkresult.fullname" .root -}}
{{- $files := dict -}}
{{- if $values.externalSecret.enabled -}}
{{- $made := ternary (printf "%s-setup" $fullname) $fullname .setup -}}
{{- range $name := keys $values.externalSecret.data -}}
{{- $_ := set $files $name (dict "secret" (printf "%s/%s" $made $name)) -}}
{{- end -}}
{{- end -}}
{{- if and $values.settings.ALIBABA_CLOUD_ROLE_ARN $values.settings.ALIBABA_CLOUD_OIDC_PROVIDER_ARN -}}
{{- $token := dict "audience" "sts.aliyuncs.com" "expirationSeconds" $values.rrsa.tokenExpirationSeconds -}}
{{- $_ := set $files "ALIBABA_CLOUD_OIDC_TOKEN_FILE" (dict "serviceAccountToken" $token) -}}
{{- end -}}
{{- range $given := (ternary (list $values $values.setup) (list $values) .setup) -}}
{{- range $name, $reference := $given.secrets -}}
{{- $_ := set $files $name (dict "secret" $reference) -}}
{{- end -}}
{{- range $name, $source := $given.files -}}
{{- $_ := set $files $name $source -}}
{{- end -}}
{{- end -}}
{{- toJson $files -}}
{{- end -}}

{{/* The variable with the path of the file: secrets have the suffix _FILE. Call with the name of the setting. */}}
{{- define "checkresult.fileVariable" -}}
{{- if hasSuffix "_FILE" . -}}{{ . }}{{- else -}}{{ . }}_FILE{{- end -}}
{{- end -}}

{{/* The settings in the environment of the pods, as a JSON object. Call with (dict "root" $ "setup" true|false). */}}
{{- define "checkresult.environment" -}}
{{- $environment := dict -}}
{{- $values := .root.Values -}}
{{- range $given := (ternary (list $values $values.setup) (list $values) .setup) -}}
{{- range $name, $value := $given.settings -}}
{{- $_ := set $environment $name (include "checkresult.text" $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $source := include "checkresult.files" . | fromJson -}}
{{- $_ := set $environment (include "checkresult.fileVariable" $name) (get $source "path" | default (printf "/etc/checkresult/%s" $name)) -}}
{{- end -}}
{{- toJson $environment -}}
{{- end -}}
