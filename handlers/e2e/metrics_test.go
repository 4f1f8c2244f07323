package e2e_test

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"escalator/bot/desk/desktest"
	"escalator/bot/store/redis/redistest"
)

// promised are the metrics that people may build alerts on, without the prefix, each with its labels.
var promised = map[string]string{
	"callbacks_total": "command event result", "callback_seconds": "", "decisions_total": "outcome rule", "transfers_total": "code outcome",
	"transfer_seconds": "", "outbox_pending": "", "outbox_oldest_seconds": "", "outbox_given_up": "", "sessions_live": "", "dedup_hits_total": "",
	"unknown_events_total": "event", "courier_held": "", "rules_reload_total": "result", "rules_info": "version", "rules_last_reload_successful": "",
	"build_info": "commit go version", "rules_last_reload_success_timestamp_seconds": "", "log_dropped_total": "", "store_errors_total": "",
	"recording_errors_total": "", "say_total": "outcome", "desk_up": "", "desk_agents": "state", "desk_queue": "", "notify_total": "channel outcome", "mutes": "",
}

// notAtZero are the gauges that begin with something else.
var notAtZero = map[string]bool{
	"build_info": true, "rules_info": true, "rules_last_reload_successful": true, "rules_last_reload_success_timestamp_seconds": true,
	"ready": true, "desk_up": true, "desk_agents": true, "desk_queue": true, "redis_up": true,
}

// freshMetrics are those of a service that has just begun, with all its parts.
func freshMetrics(t *testing.T) (s *service, text string, families []*dto.MetricFamily) {
	t.Helper()
	s = startService(t, "ESCALATOR_REDIS_URL="+redistest.Start(t).URL())
	_, text = s.get("/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range parsed {
		if strings.HasPrefix(name, "escalator_") {
			families = append(families, f)
		}
	}
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return s, text, families
}

// An alert on a series that has never moved would see nothing.
func TestMetrics_ofAServiceThatBegins_areWhole(t *testing.T) {
	t.Parallel()
	s, text, families := freshMetrics(t)
	labels := map[string]string{}
	for _, f := range families {
		name := strings.TrimPrefix(f.GetName(), "escalator_")
		labels[name] = strings.Join(labelNames(f), " ")
		for _, m := range f.GetMetric() {
			if v := value(m); v != 0 && !notAtZero[name] {
				t.Errorf("%s %v begins at %v", name, m.GetLabel(), v)
			}
		}
	}
	for name, want := range promised {
		if got, there := labels[name]; !there || got != want {
			t.Errorf("escalator_%s: there: %v, with the labels %q, want %q", name, there, got, want)
		}
	}
	for _, want := range []string{
		`build_info{commit=`, `ready 1`, `desk_up 1`, `redis_up 1`, `rules_last_reload_successful 1`, `desk_agents{state="free"} NaN`,
		`say_total{outcome="dropped"} 0`, `evicted_total{what="conversation"} 0`, `forward_seconds_count{result="failed"} 0`,
		`rules_reload_total{result="refused"} 0`, `unknown_events_total{event="other"} 0`,
		`decisions_total{outcome="none",rule=""} 0`, `decisions_total{outcome="closed",rule="ask-human"} 0`, `decisions_total{outcome="suppressed",rule="ask-human"} 0`,
		`transfers_total{code="141004",outcome="failed"} 0`, `transfers_total{code="network",outcome="retrying"} 0`, `transfers_total{code="0",outcome="unanswered"} 0`,
		`callbacks_total{command="",event="",result="sign_stale"} 0`, `callbacks_total{command="other",event="",result="ok"} 0`,
		`callbacks_total{command="Desk.SessionEventNotify",event="other",result="unavailable"} 0`,
		`notify_total{channel="webhook",outcome="failed"} 0`, `last_agent_total{outcome="away"} 0`, `limits_reached_total{limit="bodies"} 0`,
	} {
		if !strings.Contains(text, "escalator_"+want) {
			t.Errorf("escalator_%s is missing", want)
		}
	}
	if taken := gauge(text, "escalator_rules_last_reload_success_timestamp_seconds"); time.Since(time.Unix(int64(taken), 0)) > time.Minute {
		t.Errorf("the rules were taken at %v", taken)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promtool check metrics would say %v %v", problems, err)
	}
	request(t, http.MethodPost, s.admin+"/api/rules/ask-human/mute", `{"for":"2h","by":"li","why":"a test"}`)
	if _, text = s.get("/metrics"); gauge(text, "escalator_mutes") != 1 {
		t.Error("a mute is not counted")
	}
}

// TestMetrics_page has docs/metrics.md say what the service says of its metrics (-update writes it anew).
func TestMetrics_page(t *testing.T) {
	t.Parallel()
	_, _, families := freshMetrics(t)
	const file = "../../docs/metrics.md"
	want := metricsPage(t, families)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/metrics.md is not what the metrics say (-want +got; go test -run TestMetrics_page -update ./handlers/e2e):\n%s", diff)
	}
}

const metricsHead = `# Metrics

<!-- Made of the help of the metrics by TestMetrics_page in handlers/e2e: change it there. -->

` + "`GET /metrics`" + ` of the operators' listener, for Prometheus; with ` + "`ESCALATOR_ADMIN_TOKEN`" + ` it needs the token. Series that can be foreseen are there from the
start, at 0. Labels come from closed sets. With several replicas each counts for itself; where all tell the same number, it is said.

What to alert on, and what to do then, is in [runbook.md](runbook.md). Beside these there are the usual ` + "`go_…` and `process_…`" + `.
`

// open says what the labels hold that have no end of values, or whose values stand elsewhere.
var open = map[string]string{
	"decisions_total rule": "the id of a rule, empty where none decided", "transfers_total code": "Desk's code, `0` for none, `network` where Desk did not answer, `other` for codes that no page documents (the log has them)",
	"unknown_events_total event": "the name, `other` after the first 32", "rules_info version": "SHA-256 of the rule file and what it includes",
	"build_info version": "as `escalator version` prints it", "build_info commit": "the same", "build_info go": "the compiler's version",
}

// metricsPage is docs/metrics.md.
func metricsPage(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var page strings.Builder
	page.WriteString(metricsHead)
	for _, f := range families {
		says, look, both := strings.Cut(f.GetHelp(), " Look when ")
		if !both || !strings.HasSuffix(says, ".") || !strings.HasSuffix(look, ".") {
			t.Errorf("the help of %s does not say when to look, and what to do: %s", f.GetName(), f.GetHelp())
		}
		kind := f.GetType().String()
		fmt.Fprintf(&page, "\n## %s\n\n%s%s. %s\n", f.GetName(), kind[:1], strings.ToLower(kind[1:]), says)
		for _, label := range labelNames(f) {
			fmt.Fprintf(&page, "\n- `%s`: %s", label, cmp.Or(open[strings.TrimPrefix(f.GetName(), "escalator_")+" "+label], labelValues(f, label)))
		}
		if len(labelNames(f)) > 0 {
			page.WriteString("\n")
		}
		fmt.Fprintf(&page, "\n*Look when* %s\n", look)
	}
	return page.String()
}

func labelNames(f *dto.MetricFamily) (names []string) {
	for _, l := range f.GetMetric()[0].GetLabel() {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return names
}

// labelValues lists the values of a label.
func labelValues(f *dto.MetricFamily, label string) string {
	var values []string
	for _, m := range f.GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == label && l.GetValue() != "" {
				values = append(values, "`"+l.GetValue()+"`")
			}
		}
	}
	slices.Sort(values)
	return strings.Join(slices.Compact(values), ", ")
}

// value is the number of a series, for a histogram how many it has seen; what nobody knows is 0.
func value(m *dto.Metric) float64 {
	v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue() + float64(m.GetHistogram().GetSampleCount())
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// TestMetrics_nothingThatHappens_isASeriesOfItsOwn has the service meet what it may meet, and looks for series that came late.
func TestMetrics_nothingThatHappens_isASeriesOfItsOwn(t *testing.T) {
	t.Parallel()
	s := startServiceWithRules(t, storyRules, "ESCALATOR_FORWARD_URL=http://127.0.0.1:1/", "ESCALATOR_RECORD_DIR="+t.TempDir())
	series := func() map[string]bool {
		_, text := s.get("/metrics")
		all := map[string]bool{}
		for line := range strings.Lines(text) {
			if name, _, ok := strings.Cut(line, "} "); ok && strings.HasPrefix(name, "escalator_") {
				all[name] = true
			}
		}
		return all
	}
	foreseen := series()
	for i, fault := range []desktest.Fault{
		{Kind: desktest.FaultCode, Code: 141001},
		{Kind: desktest.FaultCode, Code: 141004},
		{Kind: desktest.FaultCode, Code: 141005},
		{Kind: desktest.Fault502},
		{Kind: desktest.FaultCode, Code: 60007},
		{Kind: desktest.FaultHTML},
	} {
		fault.Command = "transfer_to_human"
		if err := s.desk.Fail(fault); err != nil {
			t.Fatal(err)
		}
		session := fmt.Sprint("s", i)
		s.desk.Begin(session)
		a := s.desk.UserSays(session, "a human please", desktest.WithRequestID(session))
		s.desk.Resend(a.Request)
		s.log("transfer", map[string]any{"request_id": session})
	}
	s.desk.Begin("offered")
	for _, words := range []string{"a refund", "no", "hello", "a refund", "yes", "a human please"} {
		s.desk.UserSays("offered", words)
	}
	s.desk.UserSays("offered", "?", desktest.WithEvent("Nobody.Knows"))
	s.desk.SendIM("Bot.OnC2CMessage", desktest.IM{From: "jared", To: "@customer_service_account", Text: "a human please"})
	s.post("Some.Command", `{"CallbackCommand":"Some.Command"}`)
	request(t, http.MethodPost, s.url+"?"+sign(time.Now())+"0", `{}`)
	request(t, http.MethodPost, s.url+"?"+sign(time.Now())+"&CallbackCommand=Desk.SessionEventNotify", `[]`)
	request(t, http.MethodPost, s.url+"/elsewhere", `{}`)
	for name := range series() {
		if !foreseen[name] && !strings.HasPrefix(name, "escalator_unknown_events_total") { // named by Desk
			t.Errorf("%s} was not there from the start", name)
		}
	}
}
