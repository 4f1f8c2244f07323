{{- define "escalator.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "escalator.selector" -}}
app.kubernetes.io/name: escalator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "escalator.labels" -}}
{{ include "escalator.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "escalator.rules" -}}
{{ .Values.rules.existingConfigMap | default (printf "%s-rules" (include "escalator.name" .)) }}
{{- end }}

{{- /* What the schema cannot say, because it is about two values at once. */}}
{{- define "escalator.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.redis.enabled) }}
{{- fail (printf "replicas is %d: several replicas share their state through Redis. Set redis.enabled=true and the key redis_url of the Secret %q, or replicas=1" (int .Values.replicas) .Values.secret.name) }}
{{- end }}
{{- range $name, $value := .Values.settings }}
{{- if regexMatch "(_KEY|_TOKEN|_REDIS_URL|_FORWARD_URL|_HEADERS)$" $name }}
{{- $key := trimPrefix "ESCALATOR_" $name | lower }}
{{- $how := "" }}
{{- if not (has $key (list "secret_key" "admin_token" "callback_token" "redis_url")) }}
{{- $how = printf ", and set settings.%s_FILE=/run/secrets/escalator/%s" $name $key }}
{{- end }}
{{- fail (printf "settings.%s holds a secret: put it into the Secret %q under the key %s%s" $name $.Values.secret.name $key $how) }}
{{- end }}
{{- if has (trimPrefix "ESCALATOR_" $name) (list "SDKAPPID" "API_URL" "CALLBACK_PATH" "LISTEN" "ADMIN_LISTEN" "RULES" "DATA_DIR" "DRAIN_DELAY" "SHUTDOWN_GRACE" "SECRET_KEY_FILE" "ADMIN_TOKEN_FILE" "CALLBACK_TOKEN_FILE" "REDIS_URL_FILE") }}
{{- fail (printf "settings.%s is set by the chart: use the value for it (helm show values)" $name) }}
{{- end }}
{{- end }}
{{- if and .Values.rules.files .Values.rules.existingConfigMap }}
{{- fail "rules.files and rules.existingConfigMap are both set: leave one out" }}
{{- end }}
{{- if and .Values.rules.files (not (get .Values.rules.files "rules.yaml" | trim)) }}
{{- fail "rules.files has no rules.yaml, or an empty one: that is the main file" }}
{{- end }}
{{- range $name, $_ := include "escalator.labels" . | fromYaml }}
{{- if hasKey $.Values.podLabels $name }}
{{- fail (printf "podLabels.%s is set by the chart" $name) }}
{{- end }}
{{- end }}
{{- end }}
