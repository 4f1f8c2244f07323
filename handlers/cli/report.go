package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"flag"
	"os"
	"strings"
	"time"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/report"
	"escalator/handlers/app"
	"escalator/rules"
	"escalator/rules/lang"
	"escalator/rules/replay"
)

const reportUsage = `FILE… [--records FILE | --desk] [flags]

Shows what became of the customers for whom the rules called a person. FILEs and folders
hold recorded callbacks, which the rules decide on again. How the sessions ended comes from
Desk's records: from a file (one record of describe_im_cdr_list a line, as JSON), or from
Desk itself (settings as for serve). What is not known is shown as –.`

// maxRecordLine bounds a line of a file of records.
const maxRecordLine = 1 << 20

// reportOutcomes reports on recorded traffic.
func reportOutcomes(ctx context.Context, env Env, args []string) error {
	fs := newFlags("report")
	file := rulesFlag(fs, env)
	recordFile := fs.String("records", "", "`FILE` with Desk's records of the sessions, one JSON object a line")
	askDesk := fs.Bool("desk", false, "read the records from Desk")
	since, until := dayFlag(fs, "since", "sessions that began at this `time` or later, like 2027-02-06 or 2027-02-06T09:00:00+08:00"), dayFlag(fs, "until", "sessions that began before this `time`")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, reportUsage)
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return &usageError{[]lang.Text{"report needs files of recorded callbacks, folders of them, or - for standard input"}}
	case *recordFile != "" && *askDesk:
		return &usageError{[]lang.Text{"report takes the records from a file or from Desk: --records or --desk"}}
	}
	policy, err := readRulesOrShipped(env, *file)
	if err != nil {
		return err
	}
	g, err := gatherRecorded(env, policy, files)
	switch {
	case err != nil:
		return err
	case g.first.IsZero():
		env.tell("nothing to report: no line holds a recorded callback that counts")
		return exitError(exitBad)
	case *recordFile != "":
		err = g.recordsOf(*recordFile)
	case *askDesk:
		err = g.recordsOfDesk(ctx, env)
	}
	if err != nil {
		return err
	}
	r := g.Report(since.at, until.at)
	if *asJSON {
		return writeJSON(env.Stdout, struct {
			*report.Report
			Skipped int `json:"skipped"`
		}{r, g.lines.skipped})
	}
	writeReport(env, r)
	return nil
}

// dayTime is a time that a flag holds.
type dayTime struct{ at time.Time }

// dayFlag declares a flag for a time, or a day in the zone of this machine.
func dayFlag(fs *flag.FlagSet, name, usage string) *dayTime {
	d := &dayTime{}
	fs.Func(name, usage, func(s string) (err error) {
		if d.at, err = time.Parse(time.RFC3339, s); err == nil {
			return nil
		}
		if d.at, err = time.ParseInLocation(time.DateOnly, s, time.Local); err != nil {
			return lang.Errorf("%q is not a time like 2027-02-06 or 2027-02-06T09:00:00+08:00", s)
		}
		return nil
	})
	return d
}

// gathered is what recordings tell.
type gathered struct {
	report.Gathering
	lines       *lineFiles
	replay      *replay.Replay
	recorded    *inbound.Recorded
	order       *inOrder
	names       map[string]string // Desk's id of the session by the conversation
	decided     int               // decisions that were taken up
	first, last time.Time
}

// gatherRecorded plays recorded callbacks through the rules.
func gatherRecorded(env Env, policy *rules.Policy, files []string) (*gathered, error) {
	accounts, err := recordedAccounts(env)
	if err != nil {
		return nil, err
	}
	g := &gathered{
		lines: &lineFiles{env: env}, replay: replay.New(policy), recorded: inbound.NewRecorded(policy, accounts), order: &inOrder{}, names: map[string]string{},
	}
	err = g.lines.each(files, func(file string, line int, rec *replay.Record) {
		switch {
		case rec.Desk != nil:
			g.order.add(*rec.At, func() { g.replay.Told(*rec.At, *rec.Desk) })
			return
		case rec.Body == nil:
			g.lines.skip(file, line, lang.Errorf("it is not a recorded callback"))
			return
		}
		e, err := inbound.Decode(rec.Query, rec.Body)
		if err != nil {
			g.lines.skip(file, line, err)
			return
		}
		g.order.add(*rec.At, func() { g.callback(e, *rec.At, time.Duration(rec.BotFailedUS)*time.Microsecond) })
	})
	g.order.finish()
	g.replay.Finish(g.order.newest)
	g.takeUp()
	return g, err
}

// callback takes one callback. What it leads to later is put in order.
func (g *gathered) callback(e *desk.Event, at time.Time, failed time.Duration) {
	for _, event := range g.recorded.Events(e, at, failed) {
		if e.SessionID != "" {
			g.names[event.Session] = strings.Clone(e.SessionID)
		}
		if event.At.Equal(at) {
			g.event(event, rules.Stars(e))
		} else {
			g.order.put(event.At, func() { g.event(event, 0) })
		}
	}
}

// event plays an event, and takes what it says and what the rules decide.
func (g *gathered) event(e replay.Event, stars int) {
	f := report.Fact{At: e.At, Session: g.nameOf(e.Session), User: e.User, Stars: stars}
	if e.Turn == nil {
		f.Kind = report.Told(e.Observe)
	} else if marked, isMark := rules.MarkEvent(e.Turn.Mark); isMark {
		f.Kind = report.Told(marked)
	}
	g.Add(f)
	if g.first.IsZero() {
		g.first = e.At
	}
	g.last = e.At
	g.replay.Add(e)
	g.takeUp()
}

// takeUp takes the decisions that were made since the last time.
func (g *gathered) takeUp() {
	decisions := g.replay.Result().Decisions
	for i := g.decided; i < len(decisions); i++ {
		if d := &decisions[i]; d.Outcome == rules.OutcomeTransfer {
			g.Add(report.Fact{At: d.At, Session: g.nameOf(d.Session), Kind: report.Called, Rule: d.Rule})
		}
	}
	g.decided = len(decisions)
}

// nameOf is Desk's id of a session, else the name of the conversation.
func (g *gathered) nameOf(conversation string) string {
	return cmp.Or(g.names[conversation], conversation)
}

// recordsOf reads Desk's records from a file, which is taken to hold them all.
func (g *gathered) recordsOf(name string) error {
	f, err := os.Open(name) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var rows []desk.SessionRecord
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxRecordLine)
	for n := 1; lines.Scan(); n++ {
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		row, err := desk.ParseSessionRecord(text)
		if err != nil {
			g.lines.skip(name, n, err)
			continue
		}
		rows = append(rows, row)
	}
	if err := lines.Err(); err != nil {
		return lang.Errorf("reading %s: %w", name, err)
	}
	g.Records(rows, true)
	return nil
}

// recordsOfDesk reads the records from Desk, from an hour before the recordings to a day
// after them: a session may have begun before, or been written down later.
func (g *gathered) recordsOfDesk(ctx context.Context, env Env) error {
	s, err := loadSettings(nil, env)
	if err != nil {
		return err
	}
	client, err := app.DeskClient(s)
	if err != nil {
		return err
	}
	defer client.Close()
	rows, whole, err := report.Fetch(ctx, client, g.first.Add(-time.Hour), g.last.Add(24*time.Hour))
	if err != nil {
		return lang.Errorf("reading Desk's records: %w", err)
	}
	g.Records(rows, whole)
	return nil
}
