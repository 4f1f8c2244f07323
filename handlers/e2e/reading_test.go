package e2e_test

import (
	"strconv"
	"strings"
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
