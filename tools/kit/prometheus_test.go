package kit

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// faster is how much shorter every time in the rule file is under test: five minutes are 1.5 s.
const faster = 200

// The times of the rule file: how long, over which range, how long ago, and ages that a metric tells in seconds.
var (
	times = regexp.MustCompile(`(for: |\[|offset )(\d+)([dhms])`)
	ages  = regexp.MustCompile(`(_seconds\)? > )(\d+)`)
	hours = regexp.MustCompile(`(record: escalator:working_hours\n +expr: ).*`)
)

// hastened is the rule file with shorter times, and work around the clock; else it is as it is shipped.
func hastened(t *testing.T) string {
	t.Helper()
	seconds := map[string]int{"d": 86400, "h": 3600, "m": 60, "s": 1}
	n := 0
	text := times.ReplaceAllStringFunc(read(t, alertsFile), func(found string) string {
		n++
		m := times.FindStringSubmatch(found)
		value, _ := strconv.Atoi(m[2])
		return fmt.Sprint(m[1], value*seconds[m[3]]*1000/faster, "ms")
	})
	text = ages.ReplaceAllStringFunc(text, func(found string) string {
		m := ages.FindStringSubmatch(found)
		value, _ := strconv.ParseFloat(m[2], 64)
		return fmt.Sprint(m[1], value/faster)
	})
	if n < 40 || !hours.MatchString(text) {
		t.Fatalf("the rule file does not look as it did: %d times", n)
	}
	return hours.ReplaceAllString(text, "${1}vector(1)")
}

// prometheus is a real one that looks at services several times a second.
type prometheus struct{ url string }

// startPrometheus has one scrape the addresses of each job, until the test ends.
func startPrometheus(t *testing.T, jobs map[string][]string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	config := "global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}\nrule_files: [alerts.yaml]\nscrape_configs:\n"
	for job, targets := range jobs {
		config += fmt.Sprintf("  - {job_name: %s, static_configs: [{targets: [%q]}]}\n", job, strings.Join(targets, `", "`))
	}
	write(t, filepath.Join(dir, "prometheus.yml"), strings.ReplaceAll(config, `\"`, `"`))
	write(t, filepath.Join(dir, "alerts.yaml"), hastened(t))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	cmd := exec.Command("prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("prometheus: %s", said.String())
		}
	})
	p := &prometheus{url: "http://" + address}
	within(t, 20*time.Second, "prometheus is ready", func() bool {
		resp, err := http.Get(p.url + "/-/ready")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return p
}

// within waits until something holds.
func within(t *testing.T, timeout time.Duration, what string, holds func() bool) {
	t.Helper()
	late, look := time.After(timeout), time.NewTicker(100*time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("within %s it did not come to this: %s", timeout, what)
		}
	}
}

// ask asks Prometheus's API, and returns the data of a good answer.
func (p *prometheus) ask(t *testing.T, path string, query url.Values, data any) error {
	t.Helper()
	resp, err := http.Get(p.url + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}

// alert is one that Prometheus would send.
type alert struct {
	Labels, Annotations map[string]string
	State               string
}

// firing are the alerts of a job that fire now, by name.
func (p *prometheus) firing(t *testing.T, job string) map[string]alert {
	t.Helper()
	var data struct{ Alerts []alert }
	if err := p.ask(t, "/api/v1/alerts", nil, &data); err != nil {
		t.Fatal(err)
	}
	now := map[string]alert{}
	for _, a := range data.Alerts {
		if a.State == "firing" && a.Labels["job"] == job {
			now[a.Labels["alertname"]] = a
		}
	}
	return now
}

// sees says whether a query has a value now.
func (p *prometheus) sees(t *testing.T, query string) bool {
	t.Helper()
	var data struct{ Result []json.RawMessage }
	if err := p.ask(t, "/api/v1/query", url.Values{"query": {query}}, &data); err != nil {
		t.Fatal(err)
	}
	return len(data.Result) > 0
}
