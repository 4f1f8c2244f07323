package kit

import (
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

const alertsFile, alertTests = root + "/deploy/prometheus/alerts.yaml", root + "/deploy/prometheus/alerts_test.yaml"

// alerts reads the rule file strictly, as the Prometheus operator does.
func alerts(t *testing.T, text string) (all []monitoringv1.Rule) {
	t.Helper()
	var file monitoringv1.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert != "" {
				all = append(all, r)
			}
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d alerts", len(all))
	}
	return all
}

func TestAlerts_sayWhatTheyMean_andWhereToReadOn(t *testing.T) {
	mustRun(t, "promtool", "check", "rules", alertsFile)
	for _, a := range alerts(t, read(t, alertsFile)) {
		if s := a.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
		if !strings.HasPrefix(a.Alert, "Escalator") {
			t.Errorf("%s: among the alerts of others nobody knows whose it is", a.Alert)
		}
		for _, name := range []string{"summary", "description"} {
			if text := a.Annotations[name]; !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s %q is no sentence", a.Alert, name, text)
			}
		}
		if got, want := a.Annotations["runbook_url"], "docs/runbook.md#"+strings.ToLower(a.Alert); got != want {
			t.Errorf("%s: runbook_url %s, want %s", a.Alert, got, want)
		}
	}
}

// Each alert has one moment at which it fires, and one before at which it does not, on its own series.
func TestAlerts_fireWhenTheyShould_andNotBefore(t *testing.T) {
	mustRun(t, "promtool", "test", "rules", alertTests)
	tested := map[string]map[bool]bool{}
	asked := regexp.MustCompile(`alertname="(\w+)",alertstate="firing"\}\)', eval_time: \w+, exp_samples: (\[\]|\[\{labels: '\{\}', value: 1\}\])\}`)
	for _, m := range asked.FindAllStringSubmatch(read(t, alertTests), -1) {
		if tested[m[1]] == nil {
			tested[m[1]] = map[bool]bool{}
		}
		tested[m[1]][m[2] != "[]"] = true
	}
	for _, a := range alerts(t, read(t, alertsFile)) {
		if !tested[a.Alert][true] || !tested[a.Alert][false] {
			t.Errorf("%s: tested that it fires: %v, that it does not: %v", a.Alert, tested[a.Alert][true], tested[a.Alert][false])
		}
	}
}

// In a cluster the working hours and the address of the runbook are values of the chart.
func TestAlerts_ofTheChart_areThoseOfTheFile(t *testing.T) {
	rendered := func(values string) string {
		spec := mustRender(t, usual+values)["PrometheusRule escalator"].(*monitoringv1.PrometheusRule).Spec
		text, err := yaml.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	plain := rendered("prometheusRule: {enabled: true}\n")
	if got, want := len(alerts(t, plain)), len(alerts(t, read(t, alertsFile))); got != want {
		t.Errorf("%d alerts, %d in the file", got, want)
	}
	own := rendered("prometheusRule: {enabled: true, runbook: https://wiki.example/escalator, workingHours: hour() < 12}\n")
	if n := strings.Count(own, "https://wiki.example/escalator#escalator"); n != len(alerts(t, own)) || strings.Contains(own, "docs/runbook.md") {
		t.Errorf("%d of %d alerts lead to the runbook", n, len(alerts(t, own)))
	}
	if !strings.Contains(own, "expr: hour() < 12\n") || strings.Contains(plain, "hour() < 12") {
		t.Error("the working hours are not as said")
	}
	if diff := strings.ReplaceAll(strings.ReplaceAll(own, "https://wiki.example/escalator", "docs/runbook.md"), "hour() < 12", "vector(1) and hour() >= 1 < 10 and day_of_week() >= 1 <= 5"); diff != plain {
		t.Error("more than these differs")
	}
}
