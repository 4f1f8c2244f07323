package quiet_test

import (
	"testing"
	"time"

	"escalator/bot/quiet"
)

func TestLine_isWrittenOnceAMinute_andSaysHowManyWereLeftOut(t *testing.T) {
	var l quiet.Line
	start := time.Now()
	written, omitted := 0, 0
	for ms := range 150_000 { // 2.5 minutes, a fault each millisecond
		if ok, n := l.Allow(start.Add(time.Duration(ms) * time.Millisecond)); ok {
			written++
			omitted += n
		}
	}
	if written != 3 || omitted != 2*59_999 {
		t.Errorf("%d lines that tell of %d more", written, omitted)
	}
}
