package desktest

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"escalator/bot/desk"

	"github.com/google/go-cmp/cmp"
)

func TestDesk_faults_showAsTheyShould(t *testing.T) {
	d, c := start(t, Options{AcceptRepeats: true})
	d.SetAgent(Agent{ID: "a@x.com", Online: true})
	tests := []struct {
		name    string
		f       Fault
		verdict desk.Verdict
		status  int
		acted   bool
	}{
		{"code", Fault{Kind: FaultCode, Code: 141002}, desk.Retry, 200, false},
		{"dropped before", Fault{Kind: FaultDrop}, desk.AskState, 0, false},
		{"dropped after", Fault{Kind: FaultDrop, After: true}, desk.AskState, 0, true},
		{"gateway", Fault{Kind: Fault502}, desk.AskState, 502, false},
		{"gateway after", Fault{Kind: Fault502, After: true}, desk.AskState, 502, true},
		{"page", Fault{Kind: FaultHTML}, desk.AskState, 200, false},
		{"cut JSON", Fault{Kind: FaultInvalid, After: true}, desk.AskState, 200, true},
		{"delay", Fault{Kind: FaultDelay, Delay: time.Millisecond}, desk.Done, 0, true},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := "s" + strconv.Itoa(i)
			d.Begin(id)
			tt.f.Command = "transfer_to_human"
			if err := d.Fail(tt.f); err != nil {
				t.Fatal(err)
			}
			if state(t, c, id) != desk.StateChatbot {
				t.Error("the fault hit another command")
			}
			_, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: id})
			var e *desk.Error
			if errors.As(err, &e) && (e.Verdict() != tt.verdict || e.Status != tt.status) || (err == nil) != (tt.verdict == desk.Done) {
				t.Errorf("%v", err)
			}
			if acted := len(d.Ledger().Of(id)) == 1; acted != tt.acted || (state(t, c, id) == desk.StateWaiting) != tt.acted {
				t.Errorf("acted: %v", acted)
			}
			if _, err := c.TransferToHuman(t.Context(), desk.TransferRequest{SessionID: id}); err != nil {
				t.Errorf("the fault is not used up: %v", err)
			}
		})
	}
	if twice := d.Ledger().AcceptedTwice(); len(twice) != 4 {
		t.Errorf("accepted twice: %v", twice)
	}
}

func TestDesk_randomFaults_areTheSameWithTheSameSeed(t *testing.T) {
	run := func() (codes []int) {
		d, c := start(t, Options{Seed: 42})
		if err := d.Fail(Fault{Kind: FaultCode, Code: 141009, Probability: 0.5}); err != nil {
			t.Fatal(err)
		}
		for range 40 {
			_, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"})
			codes = append(codes, codeOf(err))
		}
		d.ClearFaults()
		if _, err := c.SessionState(t.Context(), desk.StateRequest{SessionID: "s"}); err != nil {
			t.Error(err)
		}
		return codes
	}
	a, b := run(), run()
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
	if n := strings.Count(strings.Trim(strings.Join(strings.Fields(jsonText(a)), ""), "[]"), "141009"); n < 8 || n > 32 {
		t.Errorf("%d of 40", n)
	}
}

func jsonText(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func TestDesk_Fail_refusesNonsense(t *testing.T) {
	d := New(Options{})
	defer d.Close()
	for _, f := range []Fault{{}, {Kind: "x"}, {Kind: FaultCode}, {Kind: FaultDrop, Probability: 2}} {
		if d.Fail(Fault{Kind: FaultDrop}, f) == nil || len(d.Faults()) != 0 {
			t.Errorf("accepted %+v", f)
		}
	}
}
