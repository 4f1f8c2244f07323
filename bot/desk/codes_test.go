package desk

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"escalator/rules/lang"
)

func TestCodes_areSortedAndExplained(t *testing.T) {
	last := 0
	for _, c := range Codes() {
		if c.Code <= last {
			t.Errorf("%d after %d", c.Code, last)
		}
		last = c.Code
		if c.Meaning == "" || c.WayOut == "" || c.Verdict == Done {
			t.Errorf("%d is not explained", c.Code)
		}
	}
}

// The classes as CONTRACT.md 4 and PROTOCOL.md 11.18, 11.22 and 11.23 list them.
func TestCodes_everyClassHoldsExactlyItsCodes(t *testing.T) {
	want := map[Verdict][]int{
		Hold:       {60010, 60016, 60017, 60020, 60021, 70009, 70013, 70014, 70016, 70020, 70051, 90009, 141000},
		Retry:      {60007, 60008, 60011, 60013, 60014, 60018, 60019, 70050, 70114, 70169, 70202, 70500, 90992, 91000, 141002, 141009},
		Resign:     {60004, 60005, 70001, 70003, 70005},
		NextTarget: {141001, 141011},
		AskState:   {141003, 141027},
		GiveUp: {
			60002, 60003, 60006, 60009, 60012, 60015, 70002, 70107, 70206, 70398, 70402, 70403, 71000, 72000, 72001,
			90001, 90002, 90005, 90007, 90010, 93000, 141004, 141005, 141006,
		},
	}
	for verdict, codes := range want {
		var got []int
		for _, c := range Codes() {
			if c.Verdict == verdict {
				got = append(got, c.Code)
			}
		}
		if !slices.Equal(got, codes) {
			t.Errorf("%v:\n got %v\nwant %v", verdict, got, codes)
		}
	}
}

func TestError_verdictOfWhatIsNotInTheTable(t *testing.T) {
	tests := []struct {
		name      string
		err       Error
		want      Verdict
		transport bool
		unlisted  bool
	}{
		{"unknown code", Error{Code: 12345}, GiveUp, false, false},
		{"unknown code of Desk", Error{Code: 141051}, GiveUp, false, true},
		{"known code of Desk", Error{Code: 141004}, GiveUp, false, false},
		{"beyond 1410xx", Error{Code: 141100}, GiveUp, false, false},
		{"no answer", Error{Err: errTimeout}, AskState, true, false},
		{"cancelled", Error{Err: errTimeout, canceled: true}, AskState, false, false},
		{"another session's state", Error{Err: ErrOtherSession, Status: 200}, AskState, false, false},
		{"429 with a known code", Error{Code: 60018, Status: 429}, Retry, false, false},
		{"429 with a code of its own", Error{Code: 429, Status: 429}, Retry, false, false},
		{"429 with an unlisted code of Desk", Error{Code: 141051, Status: 429}, Retry, false, false},
		{"429 because of the key", Error{Code: 70009, Status: 429}, Hold, false, false},
		{"429 without JSON", Error{Err: errForm, Status: 429}, AskState, true, false},
	}
	for _, tt := range tests {
		if got := tt.err.Verdict(); got != tt.want || tt.err.Transport() != tt.transport || tt.err.Unlisted() != tt.unlisted {
			t.Errorf("%s: %v, transport %v, unlisted %v", tt.name, got, tt.err.Transport(), tt.err.Unlisted())
		}
	}
	if d := (&Error{Code: 70050}).RetryAfter(); d != lockout {
		t.Errorf("70050 waits %v", d)
	}
	if d := (&Error{Code: 70050, retryAfter: time.Hour}).RetryAfter(); d != time.Hour {
		t.Errorf("70050 with an hour asked for waits %v", d)
	}
	if d := (&Error{Code: 141002}).RetryAfter(); d != 0 {
		t.Errorf("141002 waits %v", d)
	}
}

func TestRetryAfter_secondsAndDates(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		" 30 ":                          30 * time.Second,
		"0":                             0,
		"-5":                            0,
		"soon":                          0,
		"1.5":                           0,
		"999999999999999999999":         24 * time.Hour,
		"9223372036854775807":           24 * time.Hour,
		"Sun, 01 Mar 2026 12:00:45 GMT": 45 * time.Second,
		"Sun, 01 Mar 2026 11:00:00 GMT": 0,
		"Mon, 01 Mar 2027 12:00:00 GMT": 24 * time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("Retry-After %q: %v, want %v", value, got, want)
		}
	}
}

func TestRetryAfter_aDateIsReadByTheSendersClock(t *testing.T) {
	h := http.Header{"Retry-After": {"Sun, 01 Mar 2026 12:00:45 GMT"}, "Date": {"Sun, 01 Mar 2026 12:00:15 GMT"}}
	if got := RetryAfter(h, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)); got != 30*time.Second {
		t.Errorf("%v", got)
	}
}

func TestError_textTellsTheStory(t *testing.T) {
	got := (&Error{Op: "transfer_to_human", Code: 141005, Info: "no such session"}).Error()
	if want := "transfer_to_human: code 141005 (the session does not exist): no such session"; got != want {
		t.Error(got)
	}
	got = (&Error{Op: "send_msg", Err: errors.New("x")}).Error()
	if want := "send_msg: x"; got != want {
		t.Error(got)
	}
	if Verdict(99).String() != "unknown" || AskState.String() != "ask_state" || !strings.Contains(unknownCode.String(), "no page") {
		t.Error("names")
	}
}

// What Desk said is kept in English. Read back, code and meaning are Chinese.
func TestError_isReadInChinese_fromWhatWasKept(t *testing.T) {
	for _, row := range Codes() {
		e := &Error{Op: "transfer_to_human", Code: row.Code, Info: "no such AgentGroupId"}
		want := e.Said().In(lang.Chinese)
		if got := lang.Recognize(e.Error()).In(lang.Chinese); got != want {
			t.Errorf("%q reads\n%s, want\n%s", e.Error(), got, want)
		}
		last := "not delivered within 30m0s; last: " + e.Error()
		if got := lang.Recognize(last).In(lang.Chinese); got != "30m0s 内未送达；最后一次："+want {
			t.Errorf("%q reads\n%s", last, got)
		}
	}
}
