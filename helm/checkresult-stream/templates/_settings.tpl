{{/*
The service's settings. files/settings.json knows the required ones and the defaults; it is generated. Functions that
answer with more than a text answer in JSON.
*/}}

{{- define "checkresult.facts" -}}
{{ .Files.Get "files/settings.json" }}
{{- end -}}

{{/* YAML has lists and numbers; the environment has texts. A whole number comes as a float, which would print as 1e+06. */}}
{{- define "checkresult.text" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- toString . -}}
{{- end -}}
{{- end -}}

{{/* A setting's value, or its default. Call with (dict "root" $ "name" "…"). */}}
{{- define "checkresult.setting" -}}
{{- $defaults := (include "checkresult.facts" .root | fromJson).defaults -}}
{{- $given := get .root.Values.settings .name -}}
{{- include "checkresult.text" (ternary (get $defaults .name) $given (eq (toString $given) "")) -}}
{{- end -}}

{{/*
Where the files of the pods come from, as {NAME: {secret|configMap: "NAME/KEY"} | {serviceAccountToken: …} | {path: …}}.
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

{{/* The variable that names the file: of a secret it has _FILE behind. Call with the setting's name. */}}
{{- define "checkresult.fileVariable" -}}
{{- if hasSuffix "_FILE" . -}}{{ . }}{{- else -}}{{ . }}_FILE{{- end -}}
{{- end -}}

{{/* The environment of the pods, without what Node needs: a JSON object. Call with (dict "root" $ "setup" true|false). */}}
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
