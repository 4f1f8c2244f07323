package decisions

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/logtest"
	"escalator/bot/store/redis"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

// shows is a list of decisions of a replica.
func shows(t *testing.T, server *redistest.Server, name string) *List {
	t.Helper()
	c, err := redis.New(redis.Options{URL: server.URL(), App: 1})
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(&logtest.Buffer{})
	l := New(Options{Records: c, Feed: c, Replica: name, Log: log})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { l.Run(ctx) })
	t.Cleanup(func() { cancel(); work.Wait(); _ = c.Close() })
	return l
}

func listed(t *testing.T, l *List) string {
	t.Helper()
	p, err := l.Page(t.Context(), &Filter{}, 100, "")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range p.Decisions {
		all = append(all, r.Replica+":"+r.Session+r.Label)
	}
	return strings.Join(all, " ")
}

// Each replica shows the decisions of all, whatever becomes of Redis; none comes twice, and
// one that starts knows them too.
func TestReplica_decisionsOfAll_areShownByEach(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	a, b := shows(t, server, "a"), shows(t, server, "b")
	decide := func(l *List, session string) {
		l.Add(&Record{At: time.Now(), Session: session, User: session, Outcome: rules.OutcomeTransfer}, "words")
	}
	wants := func(what, want string, lists ...*List) {
		t.Helper()
		for _, l := range lists {
			for began := time.Now(); listed(t, l) != want; runtime.Gosched() {
				if time.Since(began) > 10*time.Second {
					t.Fatalf("%s: %s shows %s, want %s", what, l.Replica, listed(t, l), want)
				}
			}
		}
	}
	decide(a, "1")
	decide(b, "2")
	wants("both", "b:2 a:1", a, b)
	p, _ := b.Page(t.Context(), &Filter{Session: "1"}, 1, "")
	if _, err := b.SetLabel(t.Context(), p.Decisions[0].ID, Label{Label: Wrong, By: "op"}); err != nil {
		t.Fatal(err)
	}
	wants("the label", "b:2 a:1wrong", a, b)
	told, _, err := a.Feed.ReadFeed(t.Context(), feeds[feedChanges], "", 100)
	if all := string(bytes.Join(told, nil)); err != nil || !strings.Contains(all, `"label":"wrong"`) || strings.Contains(all, "words") {
		t.Errorf("of a label the replicas tell %s, %v: its words are where they can be forgotten", all, err)
	}

	server.Kill()
	decide(a, "3")
	wants("alone", "a:3 b:2 a:1wrong", a)
	server.Restart()
	decide(b, "4")
	wants("again", "b:4 a:3 b:2 a:1wrong", a, b, shows(t, server, "c"))

	if _, err := a.Forget(t.Context(), "4"); err != nil {
		t.Fatal(err)
	}
	wants("forgotten", "a:3 b:2 a:1wrong", a, b, shows(t, server, "d"))
	told, _, err = a.Feed.ReadFeed(t.Context(), feeds[feedChanges], "", 100)
	if all := string(bytes.Join(told, nil)); err != nil || !strings.Contains(all, "gone") || strings.Contains(all, `"4"`) {
		t.Errorf("the replicas tell %s, %v: it names who is forgotten", all, err)
	}
	decide(b, "4") // the customer is back
	wants("back", "b:4 a:3 b:2 a:1wrong", a, b, shows(t, server, "e"))
}
