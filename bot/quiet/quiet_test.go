package quiet_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/logtest"
	"escalator/bot/quiet"
)

// newLog returns a log and what it writes.
func newLog() (*logrus.Logger, *logtest.Buffer) {
	out := &logtest.Buffer{}
	log := logrus.New()
	log.SetOutput(out)
	log.SetFormatter(&logrus.JSONFormatter{})
	return log, out
}

// omitted adds up what the lines tell of others.
func omitted(lines []map[string]any) (sum int) {
	for _, line := range lines {
		n, _ := line["omitted"].(float64)
		sum += int(n)
	}
	return sum
}

func TestLines_aFlood_isOneLineInTenSeconds_andEachLineIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := newLog()
		var l quiet.Lines
		const flood = 25_000 // a fault each millisecond
		for i := range flood {
			l.Log("disk", log.WithField("n", i), logrus.ErrorLevel, "full")
			time.Sleep(time.Millisecond)
		}
		if n := len(out.Lines("full")); n != 3 { // at once, after 10 s, after 20 s
			t.Errorf("%d lines during the flood", n)
		}
		time.Sleep(time.Minute) // nobody has to come for the rest to be told
		lines := out.Lines("full")
		if len(lines) != 4 || len(lines)+omitted(lines) != flood || lines[3]["n"] != float64(flood-1) || lines[3]["level"] != "error" {
			t.Errorf("%d lines tell of %d, the last %v", len(lines), len(lines)+omitted(lines), lines[len(lines)-1])
		}
		l.Log("disk", log.WithField("n", 0), logrus.ErrorLevel, "full") // it is over: this one is news
		if n := len(out.Lines("full")); n != 5 {
			t.Errorf("%d lines after a quiet minute", n)
		}
	})
}

func TestLines_kindsDoNotHideEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := newLog()
		var l quiet.Lines
		for range 100 {
			l.Log("stale", log.WithField("why", "stale"), logrus.WarnLevel, "refused")
			l.Log("forged", log.WithField("why", "forged"), logrus.WarnLevel, "refused")
		}
		if n := len(out.Lines("refused")); n != 2 {
			t.Errorf("%d lines of two kinds", n)
		}
	})
}

func TestLines_aStrangerWhoChoosesTheKind_fillsNeitherLogNorMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out := newLog()
		var l quiet.Lines
		for i := range 100_000 {
			l.Log(fmt.Sprint("path ", i), log.WithField("n", i), logrus.WarnLevel, "unknown path")
		}
		time.Sleep(time.Minute)
		lines := out.Lines("unknown path")
		if len(lines) > 70 || len(lines)+omitted(lines) != 100_000 {
			t.Errorf("%d lines tell of %d", len(lines), len(lines)+omitted(lines))
		}
	})
}
