package kit

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const chartDir = root + "/deploy/helm/escalator"

// usual are the values that everybody has to set.
const usual = "sdkAppID: 1400000000\n"

// render renders the chart as `helm template escalator` does.
func render(t *testing.T, values string) (string, error) {
	t.Helper()
	c, err := loader.Load(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "escalator", Namespace: "support", IsInstall: true}
	all, err := chartutil.ToRenderValues(c, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return "", err
	}
	var names []string
	for name := range files {
		if strings.HasSuffix(name, ".yaml") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var text strings.Builder
	for _, name := range names {
		text.WriteString("---\n" + files[name] + "\n")
	}
	return text.String(), nil
}

func mustRender(t *testing.T, values string) map[string]any {
	t.Helper()
	return decode(t, mustRenderText(t, values))
}

func mustRenderText(t *testing.T, values string) string {
	t.Helper()
	text, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestChart_passesHelmsLint(t *testing.T) {
	var values map[string]any
	if err := yaml.Unmarshal([]byte(usual), &values); err != nil {
		t.Fatal(err)
	}
	for _, m := range lint.All(chartDir, values, "support", true).Messages {
		if m.Severity > support.InfoSev {
			t.Error(m)
		}
	}
}

func TestChart_aWrongValue_isRefusedWithItsName(t *testing.T) {
	for values, want := range map[string][]string{
		"":                                              {"sdkAppID", "minimum"},
		"sdkAppID: \"1400000000\"":                      {"sdkAppID", "integer"},
		usual + "replica: 3":                            {"replica", "not allowed"},
		usual + "replicas: 0":                           {"replicas", "minimum"},
		usual + "replicas: 3":                           {"replicas is 3", "redis.enabled=true"},
		usual + "apiURL: http://10.0.0.1":               {"apiURL", "^https://"},
		usual + "persistence: {size: 5GB}":              {"persistence", "size"},
		usual + "service: {type: Clusterip}":            {"service", "type"},
		usual + "settings: {LOG_LEVEL: info}":           {"settings", "LOG_LEVEL"},
		usual + "settings: {ESCALATOR_SECRET_KEY: x}":   {"settings.ESCALATOR_SECRET_KEY", "the Secret"},
		usual + "settings: {ESCALATOR_LISTEN: \":80\"}": {"settings.ESCALATOR_LISTEN", "set by the chart"},
		usual + "settings: {ESCALATOR_MAX_USERS: 5}":    {"settings", "string"},
		usual + "rules: {files: {rules.yml: x}}":        {"rules.yaml", "main file"},
		usual + "rules: {existingConfigMap: mine, files: {rules.yaml: x}}": {"both set"},
		usual + "networkPolicy: {operatorsFrom: monitoring}":               {"operatorsFrom", "array"},
		usual + "callbackPath: callback":                                   {"callbackPath"},
		usual + "goMemLimit: 900M":                                         {"goMemLimit"},
		usual + "image: {repository: \"\"}":                                {"image", "repository"},
		// A name that the program does not know would change nothing, and nobody would notice.
		usual + "settings: {ESCALATOR_LOGLEVEL: debug}": {"settings", "ESCALATOR_LOGLEVEL"},
		usual + "settings: {OTEL_SERVICENAME: desk}":    {"settings", "OTEL_SERVICENAME"},
		// A secret, with the way that it takes instead.
		usual + "settings: {OTEL_EXPORTER_OTLP_HEADERS: a=b}": {"settings.OTEL_EXPORTER_OTLP_HEADERS holds a secret", "settings.OTEL_EXPORTER_OTLP_HEADERS_FILE=/run/secrets/escalator/otel_exporter_otlp_headers"},
		usual + "settings: {ESCALATOR_FORWARD_URL: x}":        {"the key forward_url", "settings.ESCALATOR_FORWARD_URL_FILE=/run/secrets/escalator/forward_url"},
		// What the cluster would refuse later, or drop.
		usual + "resources: {limit: {memory: 1Gi}}":                     {"resources", "limit"},
		usual + "networkPolicy: {operatorsFrom: [{namespace: watch}]}":  {"operatorsFrom", "namespace"},
		usual + "networkPolicy: {callbacksFrom: [{ipBlock: 10.0.0.0}]}": {"callbacksFrom", "ipBlock"},
		usual + "networkPolicy: {callbacksFrom: [{}]}":                  {"callbacksFrom", "minProperties"},
		usual + "tolerations: [{keyy: x}]":                              {"tolerations", "keyy"},
		usual + "affinity: {podAfinity: {}}":                            {"affinity", "podAfinity"},
		usual + "secret: {name: My_Secret}":                             {"secret", "name"},
		usual + "image: {tag: v1 0}":                                    {"image", "tag"},
		usual + "imagePullSecrets: [{nam: x}]":                          {"imagePullSecrets", "nam"},
		usual + "podLabels: {app.kubernetes.io/name: mine}":             {"podLabels.app.kubernetes.io/name", "set by the chart"},
		usual + "podLabels: {helm.sh/chart: mine}":                      {"podLabels.helm.sh/chart", "set by the chart"},
		usual + "rules: {files: {rules.yaml: \" \\n\"}}":                {"rules.yaml", "empty"},
	} {
		_, err := render(t, values)
		if err == nil {
			t.Errorf("taken: %s", values)
			continue
		}
		for _, word := range want {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not name %q: %v", values, word, err)
			}
		}
	}
}

// The schema knows the settings of this program, no more and no fewer.
func TestChart_knowsEachSetting(t *testing.T) {
	var schema struct {
		Properties struct {
			Settings struct{ Properties map[string]any }
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, chartDir+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`\b(ESCALATOR|OTEL)_[A-Z0-9_]+`).FindAllString(mustRun(t, binary, "help", "serve"), -1)
	slices.Sort(want)
	if diff := cmp.Diff(slices.Compact(want), slices.Sorted(maps.Keys(schema.Properties.Settings.Properties))); diff != "" {
		t.Errorf("the program (-) and values.schema.json (+) differ:\n%s", diff)
	}
}

// A rule file arrives in the pod byte for byte, whatever it begins and ends with.
func TestChart_rulesArriveAsTheyAre(t *testing.T) {
	for name, text := range map[string]string{
		"usual": "version: 1\n", "no line end": "version: 1", "indented": "   # ours\nversion: 1\n", "blank lines": "\n\nversion: 1\n\n\n",
		"trailing blanks": "version: 1  \n  \n", "a tab": "version: 1 #\t退款\n", "a number": "1", "a template": "say: '{{ .Values }}'\n",
	} {
		values, err := yaml.Marshal(map[string]any{"sdkAppID": 1400000000, "rules": map[string]any{"files": map[string]string{"rules.yaml": text, "refunds.txt": text}}})
		if err != nil {
			t.Fatal(err)
		}
		rules := mustRender(t, string(values))["ConfigMap escalator-rules"].(*corev1.ConfigMap)
		if diff := cmp.Diff(map[string]string{"rules.yaml": text, "refunds.txt": text}, rules.Data); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// everything switches on what is off by default.
const everything = usual + `
replicas: 3
redis: {enabled: true}
image: {repository: registry.example.com/escalator, tag: v1.2.3}
imagePullSecrets: [{name: pull}]
settings: {ESCALATOR_AI_PROVIDER: self, ESCALATOR_LOG_TEXT: none}
rules: {files: {rules.yaml: "version: 1\n", refunds.txt: "refund\n"}}
persistence: {size: 20Gi, storageClassName: fast}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboard: {enabled: true}
networkPolicy: {callbacksFrom: [{namespaceSelector: {matchLabels: {name: ingress}}}]}
podAnnotations: {a: b}
podLabels: {team: support}
nodeSelector: {disk: ssd}
tolerations: [{key: x, operator: Exists}]
`

func TestChart_decodesStrictly(t *testing.T) {
	for name, values := range map[string]string{"usual": usual, "everything": everything} {
		t.Run(name, func(t *testing.T) {
			objects := mustRender(t, values)
			set := objects["StatefulSet escalator"].(*appsv1.StatefulSet)
			pod := set.Spec.Template.Spec
			c := pod.Containers[0]
			if s := c.SecurityContext; s == nil || !*s.ReadOnlyRootFilesystem || *s.AllowPrivilegeEscalation || !*pod.SecurityContext.RunAsNonRoot {
				t.Errorf("the container may too much: %v", c.SecurityContext)
			}
			if got := *pod.TerminationGracePeriodSeconds; got != 45 {
				t.Errorf("the pod has %d s to stop", got)
			}
			_, budget := objects["PodDisruptionBudget escalator"]
			if budget != (*set.Spec.Replicas > 1) {
				t.Errorf("a budget for %d replicas: %v", *set.Spec.Replicas, budget)
			}
			wantMounts(t, &pod, objects)
			wantSelected(t, set, objects)
			wantCommand(t, c.Lifecycle.PreStop.Exec.Command)
		})
	}
}

// wantMounts checks that each mount has its volume, and the folder of the rules its file.
func wantMounts(t *testing.T, pod *corev1.PodSpec, objects map[string]any) {
	t.Helper()
	volumes := map[string]corev1.Volume{"data": {}} // from the claim template
	for _, v := range pod.Volumes {
		volumes[v.Name] = v
	}
	for _, m := range pod.Containers[0].VolumeMounts {
		if _, ok := volumes[m.Name]; !ok {
			t.Errorf("nothing is mounted at %s", m.MountPath)
		}
	}
	rules := objects["ConfigMap "+volumes["rules"].ConfigMap.Name].(*corev1.ConfigMap)
	if rules.Data["rules.yaml"] == "" {
		t.Error("the rules have no rules.yaml")
	}
}

// wantSelected checks that the services lead to the pods and to ports that these have.
func wantSelected(t *testing.T, set *appsv1.StatefulSet, objects map[string]any) {
	t.Helper()
	ports := map[string]int32{}
	for _, p := range set.Spec.Template.Spec.Containers[0].Ports {
		ports[p.Name] = p.ContainerPort
	}
	for _, o := range objects {
		s, ok := o.(*corev1.Service)
		if !ok {
			continue
		}
		for k, v := range s.Spec.Selector {
			if set.Spec.Template.Labels[k] != v {
				t.Errorf("service %s selects %s=%s, which no pod has", s.Name, k, v)
			}
		}
		for _, p := range s.Spec.Ports {
			if ports[p.TargetPort.String()] == 0 {
				t.Errorf("service %s leads to port %s, which no container has", s.Name, p.TargetPort.String())
			}
		}
	}
	if _, ok := objects["Service "+set.Spec.ServiceName]; !ok {
		t.Errorf("there is no service %s", set.Spec.ServiceName)
	}
}

// The program starts with what the chart gives it, answers the probes where the chart looks, and stops.
func TestChart_theProgramRunsWithItsManifest(t *testing.T) {
	objects := mustRender(t, usual+"settings: {ESCALATOR_LOG_TEXT: none}\n")
	c := objects["StatefulSet escalator"].(*appsv1.StatefulSet).Spec.Template.Spec.Containers[0]
	dir := t.TempDir()
	for _, name := range []string{"secret_key", "callback_token", "admin_token"} {
		write(t, filepath.Join(dir, "run/secrets/escalator", name), "a-secret-of-its-own\n")
	}
	for name, text := range objects["ConfigMap escalator-rules"].(*corev1.ConfigMap).Data {
		write(t, filepath.Join(dir, "etc/escalator/rules", name), text)
	}
	cmd := exec.Command(binary, c.Args...)
	var names strings.Builder
	for _, e := range c.Env {
		value := e.Value
		switch {
		case strings.HasPrefix(value, "/run/"), strings.HasPrefix(value, "/etc/"), strings.HasPrefix(value, "/data"):
			value = filepath.Join(dir, value)
		case strings.HasSuffix(e.Name, "LISTEN"):
			value = "127.0.0.1:0"
		case e.Name == "ESCALATOR_DRAIN_DELAY":
			value = "0s"
		}
		cmd.Env = append(cmd.Env, e.Name+"="+value)
		names.WriteString(e.Name + "\n")
	}
	wantSettings(t, "the StatefulSet", names.String())
	p := serve(t, cmd)
	for what, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		if status := p.get(probe.HTTPGet.Path); status != 200 {
			t.Errorf("%s probe: %d", what, status)
		}
	}
	p.stop()
}
