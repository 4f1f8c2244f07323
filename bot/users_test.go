package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/decisions"

	"escalator/bot/desk"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/bot/store/redis"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

const userRules = `
version: 1
lists: {person: [human], gift: [gift]}
targets: {default: {}, sales: {group: 7}}
events: {Agent.Said: agent_message, Session.Over: closed}
rules:
  - {id: again, when: {says: [$person], had_agent: {within: 7d}}, then: {transfer: sales, prefer_last_agent: 7d}, cooldown: 0s}
  - {id: ask, when: {says: [$person]}, then: {transfer: default}, cooldown: 0s}
  - {id: gift, when: {says: [$gift]}, then: {keep: true, say: Here it is.}, cooldown: {for: 24h, per: customer}}
  - {id: new, when: {says: [hello], first_contact: true}, then: {keep: true, say: Welcome.}, cooldown: 0s}
  - {id: silent, when: {bot_silent: 30s}, then: {keep: true, say: Still here.}, cooldown: {for: 24h, per: customer}}
`

// withUsers runs test with rules that ask about the customer.
func withUsers(t *testing.T, test func(w *world)) {
	t.Helper()
	inWorld(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, userRules))
		test(w)
	})
}

// visit has a customer say something in a session, and returns the rule and the outcome that it led to.
func (w *world) visit(session, user, text string) string {
	w.t.Helper()
	before := len(w.decisions(decisions.Keep))
	w.handle(w.of(session, user, desk.EventUserMessage, text))
	synctest.Wait()
	all := w.decisions(decisions.Keep)
	if len(all) == before {
		return "none"
	}
	return strings.TrimSpace(fmt.Sprint(all[0].Rule, " ", all[0].Outcome))
}

// of makes an event of a customer's session; more are fields of its own.
func (w *world) of(session, user, name, text string, more ...string) *desk.Event {
	w.t.Helper()
	w.seq++
	return w.raw(desk.CommandSessionEvent, fmt.Sprintf(`{"SessionId":%q,"Event":%q,"ClientUserId":%q,"CustomerServiceId":"@service","MsgKey":"m%d","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%q}}]%s}`,
		session, name, user, w.seq, text, strings.Join(more, "")))
}

// kept is what is kept of a customer.
func (w *world) kept(user string) rules.User {
	w.t.Helper()
	r, err := w.bot.Records.Record(w.t.Context(), store.KindUser, user)
	if err != nil {
		w.t.Fatal(err)
	}
	return rules.ParseUser(r.Value)
}

func wantVisit(w *world, what, got, want string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func TestUsers_firstSession_andTheNext(t *testing.T) {
	withUsers(t, func(w *world) {
		wantVisit(w, "the first session", w.visit("s1", "u1", "hello"), "new keep")
		wantVisit(w, "still the first", w.visit("s1", "u1", "hello"), "new keep")
		wantVisit(w, "the second session", w.visit("s2", "u1", "hello"), "none")
		wantVisit(w, "another customer", w.visit("s3", "u2", "hello"), "new keep")
		w.handle(w.of("s1", "u1", "Session.Over", ""))
		wantVisit(w, "the first one, closed", w.visit("s1", "u1", "hello"), "none")
	})
}

func TestUsers_cooldownPerCustomer_inAllSessions(t *testing.T) {
	withUsers(t, func(w *world) {
		wantVisit(w, "once", w.visit("s1", "u1", "gift"), "gift keep")
		wantVisit(w, "in another session", w.visit("s2", "u1", "gift"), "gift suppressed")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		wantVisit(w, "a day later", w.visit("s3", "u1", "gift"), "gift keep")
	})
}

// The person who takes over is known to the next session, and is asked first there.
func TestUsers_lastAgent_isAskedFirstNextTime(t *testing.T) {
	withUsers(t, func(w *world) {
		wantVisit(w, "the first time", w.visit("s1", "u1", "human"), "ask transfer")
		if u := w.kept("u1"); u.Agent != "li@example.com" {
			t.Errorf("after the transfer kept is %+v", u)
		}
		w.desk.answer(nil, code(141001))
		wantVisit(w, "the next time", w.visit("s2", "u1", "human"), "again transfer")
		sent := w.desk.sent()
		if len(sent) != 3 || !slices.Equal(sent[1].AgentIDs, []string{"li@example.com"}) || sent[1].AgentGroupID != nil || *sent[2].AgentGroupID != 7 {
			t.Errorf("asked for %+v", sent)
		}
		if target := w.decisions(1)[0].Target; target != "sales" {
			t.Errorf("the target is %q", target)
		}
	})
}

// Events name the agent too, and the one whom a session was handed over to.
func TestUsers_eventThatNamesAnAgent(t *testing.T) {
	withUsers(t, func(w *world) {
		w.visit("s1", "u1", "x")
		w.handle(w.of("s1", "u1", "Agent.Said", "good day", `,"AgentId":"wang@example.com"`))
		if u := w.kept("u1"); u.Agent != "wang@example.com" {
			t.Errorf("kept is %+v", u)
		}
		w.handle(w.of("s1", "u1", "Agent.Said", "I take over", `,"AgentId":"chen@example.com"`))
		w.handle(w.of("s1", "u1", "Agent.Said", "…"))
		if u := w.kept("u1"); u.Agent != "chen@example.com" {
			t.Errorf("kept is %+v", u)
		}
	})
}

func TestUsers_ofGroupsAndNobody_nothingIsKept(t *testing.T) {
	withUsers(t, func(w *world) {
		w.handle(w.of("s1", "u1", desk.EventUserMessage, "hello", `,"GroupId":"@TGS#1"`))
		w.handle(w.of("s2", "@TGS#2", desk.EventUserMessage, "human"))
		w.handle(w.of("s3", "", desk.EventUserMessage, "hello"))
		w.handle(w.of("s1", "u1", desk.EventUserMessage, "human", `,"GroupId":"@TGS#1"`))
		synctest.Wait()
		all, err := w.bot.Records.Records(t.Context(), store.KindUser)
		if err != nil || len(all) > 0 {
			t.Errorf("kept: %v, %v", all, err)
		}
	})
}

func TestUsers_plainIM_theAccount(t *testing.T) {
	withUsers(t, func(w *world) {
		w.handle(w.raw(desk.CommandC2CAfter, `{"From_Account":"u1","To_Account":"@other","MsgKey":"a","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"gift"}}]}`))
		synctest.Wait()
		if u := w.kept("u1"); !u.Known() {
			t.Error("nothing is kept of the account")
		}
		wantVisit(w, "in a session of Desk", w.visit("s1", "u1", "gift"), "gift suppressed")
	})
}

func TestUsers_fileWithoutSuchWords_keepsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		w.user("human")
		if u := w.kept("user1"); u.Known() {
			t.Errorf("kept is %+v", u)
		}
	})
}

// A turn by the clock comes from nobody; after a restart only the conversation can tell whose it is.
func TestUsers_turnByTheClock_afterARestart(t *testing.T) {
	withUsers(t, func(w *world) {
		w.visit("s1", "u1", "x")
		time.Sleep(31 * time.Second)
		synctest.Wait()
		wantVisit(w, "the first silence", fmt.Sprint(w.decisions(1)[0].Rule, " ", w.decisions(1)[0].Outcome), "silent keep")

		w.visit("s2", "u1", "x")
		a := newAlarm("s2", time.Time{}) // as Wake makes it
		time.Sleep(30 * time.Second)
		w.bot.timers.set("s2", time.Time{})
		w.bot.timers.fire(a)
		wantVisit(w, "in another session", fmt.Sprint(w.decisions(1)[0].Rule, " ", w.decisions(1)[0].Outcome), "silent suppressed")
	})
}

// Also when nothing is kept any more.
func TestForget_customer_isAsNew(t *testing.T) {
	withUsers(t, func(w *world) {
		w.visit("s1", "u1", "gift")
		for _, was := range []bool{true, false} {
			if f, err := w.bot.Forget(t.Context(), "u1"); err != nil || f.Record != was {
				t.Errorf("Forget = %+v, %v", f, err)
			}
		}
		if u := w.kept("u1"); u.Known() {
			t.Errorf("kept is %+v", u)
		}
		wantVisit(w, "in another session", w.visit("s2", "u1", "gift"), "gift keep")
	})
}

// Desk takes one answer to the question who is to get a session: the last agent, who may be away, would be a dead end.
func TestUsers_assignment_namesTheTarget(t *testing.T) {
	withUsers(t, func(w *world) {
		w.bot.SetPolicy(mustLoad(t, strings.Replace(userRules, "says: [$person], had", "had", 1)))
		w.visit("s1", "u1", "human")
		w.handle(w.of("s1", "u1", "Session.Over", ""))
		w.seq++
		answer := w.handle(w.raw(desk.CommandAssignHuman, `{"SessionId":"s9","ClientUserId":"u1","CustomerServiceId":"@service"}`))
		if got := string(answer.JSON); !strings.Contains(got, `"AgentGroupId":7`) || strings.Contains(got, "li@example.com") {
			t.Errorf("answered %s", got)
		}
	})
}

// awayRecords cannot be used.
type awayRecords struct{}

func (awayRecords) Record(context.Context, store.Kind, string) (store.Record, error) {
	return store.Record{}, store.ErrAway
}

func (awayRecords) Records(context.Context, store.Kind) ([]store.Record, error) {
	return nil, store.ErrAway
}

func (awayRecords) PutRecords(context.Context, ...store.Record) error { return store.ErrAway }

// A transfer is not held up by what nobody can look up, and the log does not fill.
func TestUsers_recordsAway_goOnAsUnknown(t *testing.T) {
	withUsers(t, func(w *world) {
		w.bot.Records = awayRecords{}
		wantVisit(w, "a request", w.visit("s1", "u1", "human"), "ask transfer")
		wantVisit(w, "first contact", w.visit("s2", "u1", "hello"), "none")
		wantVisit(w, "a cooldown of the customer", w.visit("s3", "u1", "gift"), "gift keep")
		wantVisit(w, "in the same conversation", w.visit("s3", "u1", "gift"), "gift suppressed")
		if lines := w.log.Lines("customer records cannot be read: rules treat every customer as unknown"); len(lines) != 1 {
			t.Errorf("%d lines", len(lines))
		}
	})
}

// conflicting has somebody always get ahead.
type conflicting struct{ store.Conversations }

func (c conflicting) Update(ctx context.Context, id string, change store.Change) error {
	err := c.Conversations.Update(ctx, id, func(conv *rules.Conversation) (store.Effect, error) {
		f, err := change(conv)
		if err == nil && len(f.Records) > 0 {
			return f, store.ErrConflict
		}
		return f, err
	})
	return err
}

func TestUsers_somebodyAlwaysFaster_goOnAsUnknown(t *testing.T) {
	withUsers(t, func(w *world) {
		w.bot.Conversations = conflicting{w.bot.Conversations}
		wantVisit(w, "a request", w.visit("s1", "u1", "human"), "ask transfer")
		w.wantOutcomes("assigned")
	})
}

// gifts counts the gifts that sessions of one customer get who ask for them at the same time.
func gifts(t *testing.T, worlds []*world, user string) (n int) {
	t.Helper()
	var all sync.WaitGroup
	var events []*desk.Event
	for i, w := range worlds {
		events = append(events, w.of(fmt.Sprint(user, " in ", i), user, desk.EventUserMessage, "gift"))
	}
	for i, w := range worlds {
		all.Go(func() {
			for {
				_, err := w.bot.Handle(t.Context(), Request{Event: events[i]})
				if !errors.Is(err, ErrUnavailable) {
					return
				}
			}
		})
	}
	all.Wait()
	for _, w := range slices.Compact(worlds) {
		for _, d := range w.decisions(decisions.Keep) {
			if d.User == user && d.Outcome == rules.OutcomeKeep {
				n++
			}
		}
	}
	return n
}

func TestUsers_sessionsAtTheSameTime_fireOnce(t *testing.T) {
	w := newWorld(t, memory.NewOutbox(nil), func(o *Options) { o.Policy = mustLoad(t, userRules) })
	w.bot.Start()
	defer func() { _ = w.bot.Stop(context.WithoutCancel(t.Context())) }()
	for i := range 50 {
		if n := gifts(t, []*world{w, w, w, w, w, w, w, w}, fmt.Sprint("u", i)); n != 1 {
			t.Fatalf("customer %d got %d gifts", i, n)
		}
	}
}

func TestUsers_sessionsOnTwoReplicasAtTheSameTime_fireOnce(t *testing.T) {
	server := redistest.Start(t)
	var worlds []*world
	for range 2 {
		client, err := redis.New(redis.Options{URL: server.URL(), App: 1, DedupFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		shared := redis.NewStore(client, func(*rules.Conversation) time.Time { return time.Now().Add(time.Hour) }, store.Alarms{})
		w := newWorld(t, memory.NewOutbox(nil), func(o *Options) {
			o.Conversations, o.Records, o.Policy = shared, shared, mustLoad(t, userRules)
		})
		w.bot.Start()
		worlds = append(worlds, w)
		t.Cleanup(func() {
			_ = w.bot.Stop(context.WithoutCancel(t.Context()))
			_ = client.Close()
		})
	}
	for i := range 30 {
		if n := gifts(t, worlds, fmt.Sprint("u", i)); n != 1 {
			t.Fatalf("customer %d got %d gifts", i, n)
		}
	}
}
