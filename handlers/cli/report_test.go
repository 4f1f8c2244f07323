package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
	"escalator/bot/report"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const reportedRules = `version: 1
targets: {sales: {group: 1}, refunds: {group: 2}}
rules:
  - {id: ask, when: {says: [human]}, then: {transfer: sales}}
  - {id: refund, when: {says: [refund]}, then: {transfer: refunds}}
`

// groupOf is the group of a rule's target: by it the emulator's account tells rules apart.
var groupOf = map[string]int64{"ask": 1, "refund": 2}

// played is an emulator in virtual time, and the callbacks that it sent.
type played struct {
	t      *testing.T
	desk   *desktest.Desk
	client *desk.Client
	rand   *rand.Rand

	mu    sync.Mutex
	now   time.Time
	lines []played1
}

// played1 is a callback by the time of its event.
type played1 struct {
	at   time.Time
	line []byte
}

func newPlayed(t *testing.T, seed uint64) *played {
	t.Helper()
	p := &played{t: t, rand: rand.New(rand.NewPCG(seed, 2)), now: time.Now().Add(-12 * 24 * time.Hour).Truncate(time.Second)}
	recorder := httptest.NewServer(p)
	t.Cleanup(recorder.Close)
	p.desk = desktest.New(desktest.Options{Prompts: true, Now: p.clock, CallbackURL: recorder.URL})
	if err := p.desk.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.desk.Close)
	p.agent(true, false)
	var err error
	if p.client, err = desk.NewClient(desk.ClientOptions{Identity: p.desk.Identity(), URL: p.desk.URL(), Now: p.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.client.Close)
	return p
}

func (p *played) clock() time.Time { p.mu.Lock(); defer p.mu.Unlock(); return p.now }

func (p *played) later(d time.Duration) { p.mu.Lock(); defer p.mu.Unlock(); p.now = p.now.Add(d) }

// agent is the only one, of both groups: online or not, and with room or not.
func (p *played) agent(online, busy bool) {
	p.desk.SetAgent(desktest.Agent{ID: "li@example.com", Groups: []int64{1, 2}, Online: online, Busy: busy})
}

// ServeHTTP records as the service does, by the time that the event has.
func (p *played) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var event struct {
		Event     string
		EventTime int64
	}
	_ = json.Unmarshal(body, &event)
	at := time.UnixMilli(event.EventTime)
	line, err := json.Marshal(map[string]any{"at": at, "query": r.URL.RawQuery, "body": json.RawMessage(body)})
	if err != nil {
		p.t.Error(err)
	}
	if event.Event != "Flush" {
		p.mu.Lock()
		p.lines = append(p.lines, played1{at, line})
		p.mu.Unlock()
	}
	_, _ = io.WriteString(w, `{"ActionStatus":"OK","ErrorCode":0}`)
}

// calls lets the customer ask, and the rule call a person.
func (p *played) calls(id, rule string) {
	p.desk.UserSays(id, map[string]string{"ask": "a human please", "refund": "refund my order"}[rule])
	p.later(time.Second)
	group := groupOf[rule]
	_, _ = p.client.TransferToHuman(p.t.Context(), desk.TransferRequest{SessionID: id, AgentGroupID: &group, TipIfNoAgent: true})
	p.later(time.Second)
}

// session plays one session to its end, which is one of all that there are.
func (p *played) session(id, user string) {
	p.desk.Begin(id, desktest.WithUser(user))
	p.later(time.Duration(1+p.rand.IntN(60)) * time.Second)
	p.desk.UserSays(id, "hello")
	p.later(time.Second)
	rule := []string{"ask", "refund"}[p.rand.IntN(2)]
	end := p.rand.IntN(8)
	p.agent(end != 1, end == 2) // 1: nobody there, 2: they wait in the queue
	switch end {
	case 0: // the bot alone
		p.desk.BotSays(id, "Your parcel is on its way.", "")
	case 1:
		p.calls(id, rule)
		if p.rand.IntN(2) == 0 { // somebody comes, and the customer asks once more
			p.agent(true, false)
			p.later(10 * time.Minute)
			p.calls(id, []string{"ask", "refund"}[p.rand.IntN(2)])
			p.desk.Accept(id)
		}
	case 2, 3: // waits in the queue, or for an agent who does not take it
		p.calls(id, rule)
		p.later(3 * time.Minute)
	case 4: // a short talk
		p.calls(id, rule)
		p.desk.Accept(id)
		p.later(time.Duration(1+p.rand.IntN(28)) * time.Second)
	default:
		p.calls(id, rule)
		p.desk.Accept(id)
		p.later(time.Duration(30+p.rand.IntN(900)) * time.Second)
	}
	p.desk.CloseSession(id)
	if end > 3 && p.rand.IntN(3) > 0 {
		p.desk.Rate(id, 1+p.rand.IntN(5))
	}
	p.desk.BotSays(id, "", "", desktest.WithEvent("Flush")) // returns when all before it was sent
	p.later(time.Duration(p.rand.IntN(12)) * time.Minute)
}

// asked is what the emulator's ledger has of a session's transfers.
type asked struct {
	first, last time.Time
	group       int64
	code        int
}

// ledger reads the transfers of each session.
func (p *played) ledger() map[string]*asked {
	all := map[string]*asked{}
	for _, c := range p.desk.Ledger().Calls {
		var request struct {
			SessionId    string //nolint:revive // Tencent's name
			AgentGroupId int64  //nolint:revive // likewise
		}
		if c.Command != "transfer_to_human" || json.Unmarshal(c.Request, &request) != nil {
			continue
		}
		a := all[request.SessionId]
		if a == nil {
			a = &asked{first: c.At}
			all[request.SessionId] = a
		}
		a.last, a.group, a.code = c.At, request.AgentGroupId, c.Code
	}
	return all
}

// count is the emulator's own count, by its records and its ledger.
func (p *played) count(since, until time.Time) *report.Report {
	want := &report.Report{}
	rows := map[string]*tally{"": {}, "ask": {}, "refund": {}}
	ledger, records := p.ledger(), p.desk.Records()
	newest := slices.MaxFunc(p.lines, func(a, b played1) int { return a.at.Compare(b.at) }).at
	for _, r := range records {
		if !since.IsZero() && r.Began.Before(since) || !until.IsZero() && !r.Began.Before(until) {
			continue
		}
		want.Sessions++
		if r.Took.IsZero() {
			want.Alone++
		} else {
			want.WithPerson++
		}
		a := ledger[r.Session]
		if a == nil {
			continue
		}
		again, known := false, !newest.Before(a.last.Add(24*time.Hour))
		for _, o := range records {
			if b := ledger[o.Session]; b != nil && o.User == r.User && o.Session != r.Session {
				for _, at := range []time.Time{b.first, b.last} {
					again = again || at.After(a.last) && !at.After(a.last.Add(24*time.Hour))
				}
			}
		}
		rule := map[int64]string{1: "ask", 2: "refund"}[a.group]
		for _, row := range []*tally{rows[rule], rows[""]} {
			row.add(r, a, again, known)
		}
	}
	share := float64(want.Alone) / float64(want.Sessions)
	want.Containment = &share
	want.All = rows[""].row("")
	want.Rules = []report.Row{rows["ask"].row("ask"), rows["refund"].row("refund")}
	slices.SortStableFunc(want.Rules, func(a, b report.Row) int { return cmp.Compare(b.Called, a.Called) })
	return want
}

// tally counts what a row says.
type tally struct {
	called, taken, nobody, unanswered, short, stars, rated, again, againOf int
}

func (c *tally) add(r desktest.Record, a *asked, again, known bool) {
	c.called++
	switch {
	case !r.Took.IsZero():
		c.taken++
		if r.Ended.Sub(r.Took) < 30*time.Second {
			c.short++
		}
	case a.code == 141001:
		c.nobody++
	default:
		c.unanswered++
	}
	if r.Rating > 0 {
		c.rated++
		c.stars += r.Rating
	}
	if again {
		c.again++
	}
	if again || known {
		c.againOf++
	}
}

func (c *tally) row(rule string) report.Row {
	mean, failed := float64(c.stars)/float64(c.rated), 0
	return report.Row{
		Rule: rule, Called: c.called, Taken: &c.taken, Nobody: &c.nobody, Unanswered: &c.unanswered, Failed: &failed,
		Short: &c.short, ShortOf: c.taken, Rating: &mean, Rated: c.rated, Again: &c.again, AgainOf: c.againOf,
	}
}

// write writes the recording, and the rules, into a folder, in the order of time.
func (p *played) write(dir string) (recording string) {
	p.t.Helper()
	slices.SortStableFunc(p.lines, func(a, b played1) int { return a.at.Compare(b.at) })
	var b bytes.Buffer
	for _, l := range p.lines {
		b.Write(append(l.line, '\n'))
	}
	recording = filepath.Join(dir, "callbacks.jsonl")
	for file, content := range map[string][]byte{recording: b.Bytes(), filepath.Join(dir, "rules.yaml"): []byte(reportedRules)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
	return recording
}

// reports runs the command.
func (p *played) reports(dir string, args ...string) (out string) {
	p.t.Helper()
	settings := map[string]string{
		"ESCALATOR_SDKAPPID": "1400000000", "ESCALATOR_SECRET_KEY": desktest.DefaultKey.Reveal(), "ESCALATOR_API_URL": p.desk.URL(), "COLUMNS": "120",
	}
	var stdout, stderr bytes.Buffer
	code := Run(p.t.Context(), append([]string{"report", "--rules", filepath.Join(dir, "rules.yaml")}, args...), Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(name string) string { return settings[name] },
	})
	if code != 0 {
		p.t.Fatalf("exit %d\n%s%s", code, stdout.String(), stderr.String())
	}
	return stdout.String()
}

func (p *played) reportOf(dir string, args ...string) *report.Report {
	p.t.Helper()
	var got report.Report
	if err := json.Unmarshal([]byte(p.reports(dir, append(args, "--json")...)), &got); err != nil {
		p.t.Fatal(err)
	}
	return &got
}

// TestReport_of1000Sessions_saysWhatTheEmulatorCounts plays sessions of all ends, several of
// one customer, over some days, and compares each figure.
func TestReport_of1000Sessions_saysWhatTheEmulatorCounts(t *testing.T) {
	p := newPlayed(t, 15)
	var boundary time.Time
	for i := range 1000 {
		if i == 500 {
			boundary = p.clock().Add(2 * time.Second) // this session begins before it, and goes on behind it
		}
		p.session(fmt.Sprintf("s%04d", i), fmt.Sprintf("u%03d", p.rand.IntN(600)))
	}
	dir := t.TempDir()
	recording := p.write(dir)
	whole := p.count(time.Time{}, time.Time{})
	first, second := p.count(time.Time{}, boundary), p.count(boundary, time.Time{})
	p.later(time.Until(p.clock())) // signatures are made now
	for name, c := range map[string]struct {
		want *report.Report
		args []string
	}{
		"all":    {whole, nil},
		"before": {first, []string{"--until", boundary.Format(time.RFC3339Nano)}},
		"after":  {second, []string{"--since", boundary.Format(time.RFC3339Nano)}},
	} {
		got := p.reportOf(dir, append([]string{recording, "--desk"}, c.args...)...)
		if got.Records == nil || *got.Records < 500 || !got.Whole {
			t.Errorf("%s: records %v, whole %t", name, got.Records, got.Whole)
		}
		got.Records, got.Whole, got.Since, got.Until = nil, false, time.Time{}, time.Time{}
		if diff := gocmp.Diff(c.want, got, cmpopts.IgnoreUnexported(report.Row{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	if n := first.Sessions; n != 501 || first.Sessions+second.Sessions != whole.Sessions {
		t.Errorf("%d sessions before the boundary, %d after it", n, second.Sessions)
	}
	for what, n := range map[string]int{"taken": *whole.All.Taken, "nobody": *whole.All.Nobody, "unanswered": *whole.All.Unanswered, "short": *whole.All.Short, "rated": whole.All.Rated, "again": *whole.All.Again} {
		if n < 20 {
			t.Errorf("only %d are %s: the play proves little", n, what)
		}
	}
	if whole.All.Called != whole.Rules[0].Called+whole.Rules[1].Called || whole.All.AgainOf == whole.All.Called {
		t.Errorf("called %d; of %d it is known whether they asked again", whole.All.Called, whole.All.AgainOf)
	}
}

// TestReport_whatNobodyToldIsADash reads records from a file; some lines of both cannot be used.
func TestReport_whatNobodyToldIsADash(t *testing.T) {
	p := newPlayed(t, 1)
	for _, id := range []string{"a", "b"} {
		p.desk.Begin(id)
		p.later(time.Second)
		p.desk.UserSays(id, "a human please")
		p.later(time.Hour)
	}
	dir := t.TempDir()
	recording, records := p.write(dir), filepath.Join(dir, "records.txt")
	rows := `{"SessionId":"a","AgentId":"li","Duration":"12","SatisfactionSelected":4,"Timestamp":1}` + "\n\nnonsense\n" + `{"AgentId":"li"}` + "\n"
	for file, content := range map[string]string{records: rows, filepath.Join(dir, "talk.jsonl"): `{"text":"hello"}` + "\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	without := p.reports(dir, recording)
	for _, want := range []string{"containment: –", "Desk's records were not read", "ask            2      –      –       –      –   2      –          –      –"} {
		if !strings.Contains(without, want) {
			t.Errorf("without records it does not say %q:\n%s", want, without)
		}
	}
	with := p.reports(dir, recording, filepath.Join(dir, "talk.jsonl"), "--records", records)
	for _, want := range []string{"records of Desk that were read: 1", "ask            2      1      –       –      –   1      1    4.0 (1)      –"} {
		if !strings.Contains(with, want) {
			t.Errorf("with records it does not say %q:\n%s", want, with)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, 2, "report needs files"},
		{[]string{recording, "--desk", "--records", records}, 2, "--records or --desk"},
		{[]string{recording, "--since", "yesterday"}, 2, "is not a time like 2027-02-06"},
		{[]string{recording, "--records", records + ".gone"}, 1, "records.txt.gone"},
		{[]string{filepath.Join(dir, "talk.jsonl")}, 1, "nothing to report"},
	} {
		var out, errOut bytes.Buffer
		args := append([]string{"report", "--rules", filepath.Join(dir, "rules.yaml")}, c.args...)
		if code := Run(t.Context(), args, Env{Stdout: &out, Stderr: &errOut, Getenv: func(string) string { return "" }}); code != c.code || !strings.Contains(errOut.String(), c.want) {
			t.Errorf("%v: exit %d: %s", c.args, code, errOut.String())
		}
	}
}
