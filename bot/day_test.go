//go:build !race

package bot

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sirupsen/logrus"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"escalator/bot/decisions"
	"escalator/bot/desk"
	"escalator/bot/mask"
	"escalator/bot/metrics"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

const (
	dayRules = `
version: 1
targets: {default: {}}
rules:
  - {id: ask-human, when: {says: [$ask_human]}, then: {transfer: default}, cooldown: 2m}
  - {id: bot-stuck, when: {bot_missed: {times: 3, within: 15m}}, then: {transfer: default}}
  - {id: same, when: {repeats: {times: 3, within: 10m}}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30m}, then: {transfer: default}}
`
	dayArrivals = 4000 // 22 s apart
	// Traffic of the morning and of the evening is of others; each one comes back
	// for messagesEach messages, and one in askOneIn asks for a person.
	messagesEach, askOneIn = 6, 40
)

// generousDesk takes everybody at once and remembers nothing.
type generousDesk struct{}

func (generousDesk) TransferToHuman(context.Context, desk.TransferRequest) (desk.TransferResult, error) {
	return desk.TransferResult{AgentID: agent}, nil
}

func (generousDesk) SessionState(context.Context, desk.StateRequest) (desk.SessionState, error) {
	return desk.SessionState{State: desk.StateChatbot}, nil
}

func (generousDesk) ContactUser(context.Context, desk.ContactRequest) (string, error) {
	return agent, nil
}

func (generousDesk) EndQueuing(context.Context, string) error { return nil }

func (generousDesk) SendMsg(context.Context, desk.SendRequest) error { return nil }

const agent = "li@example.com"

// day is a service that lives through days in virtual time.
type day struct {
	bot           *Bot
	marks         *memory.Dedup
	conversations *memory.Conversations
	outbox        *memory.Outbox
	number        int
}

func newDay(t *testing.T) *day {
	log := logrus.New()
	log.SetOutput(io.Discard)
	d := &day{outbox: memory.NewOutbox(nil), marks: memory.NewDedup(memory.DedupOptions{Keep: 10 * time.Minute, Max: 100_000})}
	d.conversations = memory.NewConversations(memory.ConversationsOptions{
		Outbox: d.outbox, Max: 100_000, Expires: func(c *rules.Conversation) time.Time { return d.bot.Policy().Expiry(c) },
	})
	d.bot = New(Options{
		Policy: mustLoad(t, dayRules), Desk: generousDesk{}, Outbox: d.outbox, Conversations: d.conversations, Dedup: d.marks,
		Records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(1000)}),
		Horizon: 30 * time.Minute, LogText: mask.Masked, Log: log, Metrics: metrics.New(prometheus.NewRegistry()),
	})
	return d
}

// pass lets time go by, with the sweeps that belong to it.
func (d *day) pass(t time.Duration) {
	time.Sleep(t)
	for range min(int(t/(100*time.Millisecond)), 1000) { // a thousand are three rounds of all shards
		d.marks.Sweep()
		d.conversations.Sweep()
	}
}

// traffic is one day: arrivals all day long, and then a day and a half of rest, in
// which even those end who are with a person.
func (d *day) traffic(t *testing.T) {
	for range dayArrivals {
		d.number++
		text := fmt.Sprintf("where is my parcel number %d, it should have been here by now", d.number*7919)
		if d.number%askOneIn == 0 {
			text = "我要转人工"
		}
		session := d.number/(8*messagesEach)*8 + d.number%8
		body := fmt.Sprintf(`{"SessionId":"s%d","Event":"ChatBot.UserSendMsg","ClientUserId":"u%d","CustomerServiceId":"@s",`+
			`"MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":%q}}]}`, session, session, text)
		e, err := desk.Decode(desk.ParseQuery(fmt.Sprintf("CallbackCommand=%s&RequestID=%d", desk.CommandSessionEvent, d.number)), []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.bot.Handle(t.Context(), Request{Event: e}); err != nil {
			t.Fatal(err)
		}
		d.pass(24 * time.Hour / dayArrivals)
	}
	for range 36 {
		d.pass(time.Hour)
	}
	for range 3 * decisions.Keep { // decisions are forgotten when others come
		d.bot.Decisions().Add(&decisions.Record{}, "")
	}
	synctest.Wait()
}

func heapAfterCollection() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one leaves what pools had
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// Whatever a day brings is forgotten in the end: the second day leaves no more
// behind than the first.
func TestBot_aDayOfTraffic_leavesTheMemoryAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.bot.Start()
		d.traffic(t)
		after := heapAfterCollection()
		d.traffic(t)
		if grown := heapAfterCollection() - after; grown > 256<<10 {
			t.Errorf("the second day leaves %d KiB more than the first", grown>>10)
		}
		list, _ := d.outbox.List(t.Context())
		if d.conversations.Live() != 0 || d.marks.Len() != 0 || len(list) != 0 {
			t.Errorf("left after a day and a half of rest: %d conversations, %d marks, %d transfers", d.conversations.Live(), d.marks.Len(), len(list))
		}
		if fired := testutil.ToFloat64(d.bot.Metrics.Decisions.WithLabelValues("ask-human", "transfer")); fired < dayArrivals/askOneIn {
			t.Errorf("%v transfers in two days: this was no traffic", fired)
		}
		if err := d.bot.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
