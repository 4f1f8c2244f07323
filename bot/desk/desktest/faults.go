package desktest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Kind is how a fault shows.
type Kind string

// The kinds of faults.
const (
	FaultCode    Kind = "code"    // answers Fault.Code without doing anything
	FaultDelay   Kind = "delay"   // answers properly, but late
	FaultDrop    Kind = "drop"    // closes the connection without an answer
	Fault429     Kind = "429"     // a gateway that asks for a second's pause
	Fault502     Kind = "502"     // a gateway's answer
	FaultHTML    Kind = "html"    // HTTP 200 with a page
	FaultInvalid Kind = "invalid" // HTTP 200 with JSON that is cut
	FaultOmit    Kind = "omit"    // answers properly, but without Fault.Fields
)

// Fault is one way to fail. Without Probability it is used up after Times uses,
// in the order of Fail; with it, it stays until ClearFaults.
type Fault struct {
	Command     string        `json:"command,omitempty"` // "transfer_to_human", …; empty: any
	Kind        Kind          `json:"kind"`
	Code        int           `json:"code,omitempty"`
	Fields      []string      `json:"fields,omitempty"` // left out of the answer, however deep they are in it
	After       bool          `json:"after,omitempty"`  // acts first, then fails; not for FaultCode
	Delay       time.Duration `json:"delay,omitempty"`  // before anything else, with every kind
	Times       int           `json:"times,omitempty"`  // default 1
	Probability float64       `json:"probability,omitempty"`
}

func (f Fault) check() error {
	kinds := []Kind{FaultCode, FaultDelay, FaultDrop, Fault429, Fault502, FaultHTML, FaultInvalid, FaultOmit}
	switch {
	case !slices.Contains(kinds, f.Kind):
		return fmt.Errorf("unknown kind %q, valid are %v", f.Kind, kinds)
	case f.Kind == FaultCode && f.Code == 0:
		return fmt.Errorf("a fault of kind %q needs a code", f.Kind)
	case f.Kind == FaultOmit && len(f.Fields) == 0:
		return fmt.Errorf("a fault of kind %q needs fields", f.Kind)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("the probability %v is not between 0 and 1", f.Probability)
	}
	return nil
}

// Fail makes the emulator fail from now on. A fault that makes no sense is an
// error, and none of the faults is then set.
func (d *Desk) Fail(faults ...Fault) error {
	for _, f := range faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range faults {
		f.Times = max(f.Times, 1)
		d.faults = append(d.faults, &f)
	}
	return nil
}

// ClearFaults makes the emulator work again.
func (d *Desk) ClearFaults() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = nil
}

// Faults returns the faults that are set.
func (d *Desk) Faults() []Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]Fault, 0, len(d.faults))
	for _, f := range d.faults {
		all = append(all, *f)
	}
	return all
}

// fault draws the fault of one call, nil for none.
func (d *Desk) fault(command string) *Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, f := range d.faults {
		if f.Command != "" && f.Command != command {
			continue
		}
		if f.Probability > 0 {
			if d.random.Float64() >= f.Probability {
				continue
			}
			return f
		}
		if f.Times--; f.Times == 0 {
			d.faults = slices.Delete(d.faults, i, i+1)
		}
		return f
	}
	return nil
}

// wait passes the time of a delay, or less when caller or emulator go away.
func (d *Desk) wait(ctx context.Context, delay time.Duration) {
	if delay <= 0 {
		return
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-d.ctx.Done():
	}
}

// show answers as the fault says. Dropping uses the server's own way to end a
// connection without an answer, so it works behind a real server only.
func (f *Fault) show(w http.ResponseWriter, answer reply) {
	switch f.Kind {
	case FaultCode, FaultDelay:
		writeJSON(w, http.StatusOK, answer)
	case FaultOmit:
		writeJSON(w, http.StatusOK, without(answer, f.Fields))
	case FaultDrop:
		panic(http.ErrAbortHandler)
	case Fault429:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case Fault502:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><h1>502 Bad Gateway</h1></html>")
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>It works!</body></html>")
	case FaultInvalid:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0,"Err`)
	}
}

// without returns an answer that lacks the named fields.
func without(answer reply, names []string) any {
	var v any
	b, err := json.Marshal(answer)
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return answer
	}
	strip(v, names)
	return v
}

func strip(v any, names []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range names {
			delete(v, name)
		}
		for _, inner := range v {
			strip(inner, names)
		}
	case []any:
		for _, inner := range v {
			strip(inner, names)
		}
	}
}
