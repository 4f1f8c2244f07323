package kit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	corev1 "k8s.io/api/core/v1"
)

const dashboardFile = root + "/deploy/grafana/escalator.json"

// panel is what is tested of a panel.
type panel struct {
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ UID string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []struct {
		Expr       string
		Datasource struct{ UID string }
	}
}

// board is what is tested of the dashboard.
type board struct {
	UID           string
	SchemaVersion uint16
	Panels        []panel
	Annotations   struct{ List []struct{ Expr string } }
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Grafana's own types know every field of it; Grafana itself is not at hand.
func TestDashboard_isWhatGrafanaReads(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	//nolint:staticcheck // its successor is another form of dashboard, which Grafana before 12 cannot read
	err := new(dashboard.Dashboard).UnmarshalJSONStrict([]byte(read(t, dashboardFile)))
	if problems, ok := errors.AsType[cog.BuildErrors](err); err != nil && (!ok || len(problems) > 0) { // an empty list is returned for a good one
		t.Error(err)
	}
	b := readBoard(t)
	if current := dashboard.NewDashboard().SchemaVersion; b.SchemaVersion != current {
		t.Errorf("schema %d, current is %d", b.SchemaVersion, current)
	}
	if b.UID != "escalator" {
		t.Errorf("uid %q: links to it would break", b.UID)
	}
	if v := b.Templating.List[0]; v.Name != "datasource" || v.Type != "datasource" {
		t.Errorf("the first variable is %v", v)
	}
}

func TestDashboard_everyPanelSaysWhatItShows(t *testing.T) {
	var rows, titles []string
	for _, p := range readBoard(t).Panels {
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if p.Title == "" || slices.Contains(titles, p.Title) {
			t.Errorf("the title %q is not one of its own", p.Title)
		}
		titles = append(titles, p.Title)
		if !strings.HasSuffix(p.Description, ".") || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("%s: description %q, unit %q, %d queries", p.Title, p.Description, p.FieldConfig.Defaults.Unit, len(p.Targets))
		}
		if p.Datasource.UID != "${datasource}" {
			t.Errorf("%s: reads from %s", p.Title, p.Datasource.UID)
		}
		for _, q := range p.Targets {
			selectors, filtered := regexp.MustCompile(`\{[^}]*\}`).FindAllString(q.Expr, -1), strings.Count(q.Expr, `{job=~"$job",instance=~"$instance"`)
			if q.Datasource.UID != "${datasource}" || filtered == 0 || filtered != len(selectors) {
				t.Errorf("%s: %s is not only of what is chosen above", p.Title, q.Expr)
			}
		}
	}
	if want := []string{"Traffic", "Decisions by rule", "Transfers", "Outbox", "Desk and agents", "Store and Redis", "Process"}; !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
}

func TestDashboard_panelsDoNotOverlap(t *testing.T) {
	taken := map[[2]int]string{}
	for _, p := range readBoard(t).Panels {
		g := p.GridPos
		if g.X < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
			t.Errorf("%s is outside of the grid: %v", p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s and %s overlap", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// wantShows runs each query of the dashboard over the last minutes, as Grafana does, and wants to see something.
func (b board) wantShows(t *testing.T, p *prometheus) {
	t.Helper()
	chosen := strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "5s")
	now := time.Now()
	shows := func(what, query string) {
		t.Helper()
		var data struct {
			Result []struct{ Values [][2]any }
		}
		err := p.ask(t, "/api/v1/query_range", url.Values{
			"query": {chosen.Replace(query)}, "start": {fmt.Sprint(now.Add(-3 * time.Minute).Unix())}, "end": {fmt.Sprint(now.Unix())}, "step": {"1s"},
		}, &data)
		for _, series := range data.Result {
			for _, value := range series.Values {
				if text, ok := value[1].(string); ok && text != "NaN" {
					if _, err := strconv.ParseFloat(text, 64); err == nil {
						return
					}
				}
			}
		}
		t.Errorf("%s shows nothing: %s (%v)", what, query, err)
	}
	for _, panel := range b.Panels {
		for _, q := range panel.Targets {
			shows(panel.Title, q.Expr)
		}
	}
	for _, a := range b.Annotations.List {
		shows("annotation", a.Expr)
	}
	for _, v := range b.Templating.List[1:] {
		labels := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`).FindStringSubmatch(v.Definition)
		if labels == nil {
			t.Fatalf("%s: what is %s?", v.Name, v.Definition)
		}
		shows("variable "+v.Name, fmt.Sprintf("count by (%s) (%s)", labels[2], labels[1]))
	}
}

func TestDashboard_ofTheChart_isTheFile(t *testing.T) {
	m := mustRender(t, usual+"dashboard: {enabled: true}\n")["ConfigMap escalator-dashboard"].(*corev1.ConfigMap)
	if m.Data["escalator.json"] != read(t, dashboardFile) || m.Labels["grafana_dashboard"] != "1" {
		t.Errorf("labels %v, %d bytes", m.Labels, len(m.Data["escalator.json"]))
	}
}
