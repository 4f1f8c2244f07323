package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/desk"
	"escalator/bot/desk/desktest"
)

// sender counts what customers and bots said, one callback each.
type sender struct {
	s         *service
	mu        sync.Mutex
	messages  int
	callbacks int
}

// hold has many sessions at once, each by one goroutine from its begin to its end.
func (c *sender) hold(from, to int, talk func(session string, n int)) {
	c.s.t.Helper()
	next := make(chan int)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for n := range next {
				talk(fmt.Sprintf("s-%04d", n), n)
			}
		})
	}
	for n := from; n < to; n++ {
		next <- n
	}
	close(next)
	all.Wait()
}

func (c *sender) user(session string, words ...string) {
	for _, w := range words { // in the human phase too: a service must bear that
		c.sent(c.s.desk.UserSays(session, w, desktest.WithEvent(desk.EventUserMessage)), 1)
	}
}

func (c *sender) bot(session, mark string) { c.sent(c.s.desk.BotSays(session, "I see.", mark), 0) }

func (c *sender) sent(a desktest.Answer, messages int) {
	if a.Err != nil {
		c.s.t.Errorf("callback: %v", a.Err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.callbacks++
	c.messages += messages
}

// talks are the five kinds of sessions, five callbacks each.
func (c *sender) talks(session string, n int) {
	switch n % 5 {
	case 0: // is called, and asks on
		c.user(session, "hello", "转人工", "转人工", "I want a human", "anybody?")
	case 1: // not now
		c.user(session, "先别转人工", "what is new", "I don't need a human agent", "thanks", "bye")
	case 2: // the same again and again, and yes to the offer
		c.user(session, "where is my parcel?", "where is my parcel", "where is my parcel", "yes please", "thanks")
	case 3: // the bot misses
		c.bot(session, "fallback")
		c.user(session, "change my address")
		c.bot(session, "fallback")
		c.user(session, "move my order")
		c.bot(session, "fallback")
	default: // of interest to a rule that only watches
		c.user(session, "how do I get a refund", "and when", "money back", "ok", "refund now")
	}
}

// tally is the figures of one rule, or those of all.
type tally struct{ Fired, Near, Suppressed, Shadow int64 }

// figures are all figures, from one source.
type figures struct {
	Messages int64
	Outcomes map[string]int64 // none excepted; near and shadow too
	Rules    map[string]tally
}

func newFigures() *figures { return &figures{Outcomes: map[string]int64{}, Rules: map[string]tally{}} }

// ofLog counts the lines of the log.
func ofLog(lines []map[string]any) (f *figures, notable int64) {
	f = newFigures()
	text := func(line map[string]any, name string) string { s, _ := line[name].(string); return s }
	add := func(rule string, change func(*tally)) { t := f.Rules[rule]; change(&t); f.Rules[rule] = t }
	for _, line := range lines {
		if line["msg"] != "decision" {
			continue
		}
		outcome, rule, near := text(line, "outcome"), text(line, "rule"), text(line, "near")
		shadow, _ := line["shadow"].([]any)
		if line["event"] == desk.EventUserMessage {
			f.Messages++
		}
		if outcome != "none" || near != "" || len(shadow) > 0 {
			notable++
		}
		switch {
		case outcome == "transfer", outcome == "offer":
			add(rule, func(t *tally) { t.Fired++ })
		case outcome == "suppressed" && rule != "":
			add(rule, func(t *tally) { t.Suppressed++ })
		case outcome == "none" && near != "":
			f.Outcomes["near"]++
			add(near, func(t *tally) { t.Near++ })
		}
		if outcome != "none" && outcome != "shadow" {
			f.Outcomes[outcome]++
		}
		if len(shadow) > 0 {
			f.Outcomes["shadow"]++
		}
		for _, id := range shadow {
			add(fmt.Sprint(id), func(t *tally) { t.Shadow++ })
		}
	}
	return f, notable
}

const countedRules = `
  - id: watched-refund
    mode: shadow
    when: {says: [refund, money back]}
    then: {transfer: default}
`

// Every figure of the console is one of the API, of /metrics and of the log: after 10,000 callbacks.
func TestConsole_figuresAreThoseOfAPIAndLog(t *testing.T) {
	t.Parallel()
	rules := strings.Replace(shippedRules(t), "global: 50/s", "global: 500/s", 1)
	at := strings.Index(rules, "  # Acted on at once")
	s := startServiceWithRules(t, rules[:at]+strings.TrimPrefix(countedRules, "\n")+rules[at:], "ESCALATOR_DELIVERY_HORIZON=1m")
	c := &sender{s: s}
	for part := range 4 { // agents come and go
		s.desk.SetOnline(agentLi, part%2 == 0)
		c.hold(part*500, part*500+500, c.talks)
	}
	s.desk.SetOnline(agentLi, true)
	if c.callbacks != 10_000 || t.Failed() {
		t.Fatalf("%d callbacks", c.callbacks)
	}
	within(t, time.Minute, "the end of all transfers", func() bool {
		_, outbox := s.get("/api/outbox")
		return strings.Contains(outbox, `"pending":[]`)
	})

	// The log lines of the last decisions may still be on their way.
	var want *figures
	var notable int64
	eventually(t, "a log that has all", func() bool {
		want, notable = ofLog(logLines(s.out.String()))
		return want.Messages >= int64(c.messages)
	})
	for _, kind := range []string{"transfer", "offer", "suppressed", "near", "shadow"} {
		if want.Outcomes[kind] == 0 {
			t.Errorf("no %s among them", kind)
		}
	}
	if want.Messages != int64(c.messages) {
		t.Errorf("%d messages were sent, the log has %d", c.messages, want.Messages)
	}
	t.Logf("%d callbacks: %+v", c.callbacks, want)
	if diff := cmp.Diff(want, ofStats(t, s)); diff != "" {
		t.Errorf("/api/stats (-log +stats):\n%s", diff)
	}
	if diff := cmp.Diff(want.decided(), ofMetrics(t, s)); diff != "" {
		t.Errorf("/metrics (-log +metrics):\n%s", diff)
	}
	if diff := cmp.Diff(want.Outcomes, ofDecisions(t, s, notable)); diff != "" {
		t.Errorf("/api/decisions (-log +decisions):\n%s", diff)
	}
	comparePages(t, s, want)
}

// decided are the outcomes that /metrics has too: nothing else was decided where a rule only watched.
func (f *figures) decided() map[string]int64 {
	m := maps.Clone(f.Outcomes)
	delete(m, "near")
	return m
}

func readAnswer(t *testing.T, s *service, path string, into any) {
	t.Helper()
	status, body := s.get(path)
	if err := json.Unmarshal([]byte(body), into); status != 200 || err != nil {
		t.Fatalf("%s: %d %v\n%s", path, status, err, body)
	}
}

func ofStats(t *testing.T, s *service) *figures {
	t.Helper()
	var got struct {
		Totals struct {
			Messages  int64
			Decisions map[string]int64
			Rules     map[string]tally
		}
	}
	readAnswer(t, s, "/api/stats?since=1h", &got)
	maps.DeleteFunc(got.Totals.Decisions, func(name string, n int64) bool { return name == "none" || n == 0 })
	maps.DeleteFunc(got.Totals.Rules, func(_ string, n tally) bool { return n == tally{} })
	return &figures{got.Totals.Messages, got.Totals.Decisions, got.Totals.Rules}
}

func ofMetrics(t *testing.T, s *service) map[string]int64 {
	t.Helper()
	_, body := s.get("/metrics")
	all := map[string]int64{}
	for _, m := range regexp.MustCompile(`(?m)^escalator_decisions_total\{outcome="(\w+)",rule="[^"]*"\} (\S+)$`).FindAllStringSubmatch(body, -1) {
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if m[1] != "none" && n > 0 { // what can happen is there from the start, at 0
			all[m[1]] += int64(n)
		}
	}
	return all
}

// ofDecisions reads the list to its end.
func ofDecisions(t *testing.T, s *service, notable int64) map[string]int64 {
	t.Helper()
	all, before, n := map[string]int64{}, "", int64(0)
	for more := true; more; {
		var got struct {
			Decisions []struct {
				ID, Outcome, Near string
				Shadow            []string
			}
			Kept int64
			More bool
		}
		readAnswer(t, s, "/api/decisions?n=1000"+before, &got)
		if got.Kept != notable {
			t.Fatalf("%d decisions are kept, the log has %d", got.Kept, notable)
		}
		for _, d := range got.Decisions {
			n++
			before = "&before=" + d.ID
			switch {
			case d.Outcome == "shadow": // counted below
			case d.Outcome != "none":
				all[d.Outcome]++
			case d.Near != "":
				all["near"]++
			}
			if len(d.Shadow) > 0 {
				all["shadow"]++
			}
		}
		more = got.More && len(got.Decisions) > 0
	}
	if n != notable {
		t.Errorf("the pages of /api/decisions have %d, the log has %d", n, notable)
	}
	return all
}

// comparePages reads the figures as a person does, from the page.
func comparePages(t *testing.T, s *service, want *figures) {
	t.Helper()
	tab := openTab(t)
	var live []string
	tab.read(s.admin+"/console/", `const b = [...document.querySelectorAll('.hour .figure b')].map((e) => e.firstChild ? e.firstChild.textContent.trim() : ''); return b.length === 3 && b[0] ? b : null;`, &live)
	if diff := cmp.Diff([]string{grouped(want.Messages), grouped(want.Outcomes["transfer"]), "—"}, live); diff != "" {
		t.Errorf("Live (-log +page):\n%s", diff)
	}

	var table map[string][]string
	tab.read(s.admin+"/console/rules", `const rows = [...document.querySelectorAll('main tbody tr')]; return rows.length ? Object.fromEntries(rows.map((r) => [r.querySelector('a.strong').textContent, [...r.cells].slice(4, 8).map((c) => c.textContent.trim())])) : null;`, &table)
	shown := map[string][]string{}
	for id := range table {
		shown[id] = want.Rules[id].shown()
	}
	for id := range want.Rules {
		shown[id] = want.Rules[id].shown()
	}
	if diff := cmp.Diff(shown, table); diff != "" {
		t.Errorf("Rules (-log +page):\n%s", diff)
	}
	for id := range shown {
		var one []string
		tab.read(s.admin+"/console/rules/"+id, `const b = [...document.querySelectorAll('.counts .count b')].slice(0, 4).map((e) => e.textContent.trim()); return b.length === 4 ? b : null;`, &one)
		if diff := cmp.Diff(shown[id], one); diff != "" {
			t.Errorf("rule %s (-log +page):\n%s", id, diff)
		}
	}
	compareDelivery(t, s, tab)
}

// compareDelivery compares what the page of deliveries says with the API: of it the log has no counts.
func compareDelivery(t *testing.T, s *service, tab *browserTab) {
	t.Helper()
	var outbox struct {
		GivenUp []any `json:"given_up"`
	}
	var status struct {
		Ready struct{ Status string }
		Store struct{ Conversations, Marks int64 }
		Log   struct{ Dropped int64 }
	}
	readAnswer(t, s, "/api/outbox", &outbox)
	readAnswer(t, s, "/api/status", &status)
	var page struct {
		GivenUp string
		Arrived bool
		Facts   map[string]string
		Bar     string
	}
	tab.read(s.admin+"/console/delivery", `
		const head = [...document.querySelectorAll('.head')].find((e) => e.querySelector('h2')?.textContent === 'Given up'), bar = document.querySelector('.service')?.innerText.trim();
		const facts = Object.fromEntries([...document.querySelectorAll('dl.facts dt')].map((e) => [e.textContent, e.nextElementSibling.textContent.trim()]));
		return head && bar && facts.Conversations ? {GivenUp: head.querySelector('.quiet').textContent, Arrived: document.body.innerText.includes('Every transfer has arrived.'), Facts: facts, Bar: bar} : null;`, &page)
	got := []string{page.GivenUp, page.Facts["Conversations"], page.Facts["Callbacks remembered"], page.Facts["Log"], strings.Fields(page.Bar)[0]}
	want := []string{grouped(int64(len(outbox.GivenUp))), grouped(status.Store.Conversations), grouped(status.Store.Marks), "no lines lost", status.Ready.Status}
	if diff := cmp.Diff(want, got); diff != "" || !page.Arrived || status.Log.Dropped != 0 {
		t.Errorf("Delivery, arrived %v, %d lines dropped (-API +page):\n%s", page.Arrived, status.Log.Dropped, diff)
	}
}

func (n tally) shown() []string {
	return []string{grouped(n.Fired), grouped(n.Near), grouped(n.Suppressed), grouped(n.Shadow)}
}

// grouped is a number as English pages write it.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
