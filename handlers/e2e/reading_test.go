package e2e_test

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"escalator/bot/desk/desktest"
)

// gauge reads one unlabelled value off the text of /metrics, -1 if it is not there.
func gauge(metrics, name string) float64 {
	for line := range strings.Lines(metrics) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			if v, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				return v
			}
		}
	}
	return -1
}

// logged returns the lines with a message whose field is at least least.
func logged(o *output, msg, field string, least float64) (found []map[string]any) {
	for _, line := range logLines(o.String()) {
		if v, ok := line[field].(float64); line["msg"] == msg && ok && v >= least {
			found = append(found, line)
		}
	}
	return found
}

// probe sends a callback again and returns what the emulator does not keep of
// the answer.
func (s *service) probe(c desktest.Callback) (status int, header http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"?"+sign(time.Now())+"&RequestID="+c.RequestID, bytes.NewReader(c.Body))
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header
}
