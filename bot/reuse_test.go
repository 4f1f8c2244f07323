package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/desk"
	"escalator/bot/mask"
)

// What differs from run to run: ids that are drawn by lot.
var drawn = regexp.MustCompile(`"(id|decision|took_us)":("[^"]*"|\d+)`)

// keptOf tells all that is kept after some callbacks. Where spoil is true, the bytes of each
// body are overwritten as soon as it is answered.
func keptOf(t *testing.T, spoil bool) (kept string) {
	t.Helper()
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		for _, e := range []*desk.Event{
			w.event(desk.EventSessionBegin, "", ""),
			w.event(desk.EventUserMessage, "where is order 13800138000", ""),
			w.event(desk.EventUserMessage, "not a human, no", ""),
			w.event(desk.EventBotMessage, "sorry", "fallback"),
			w.event("A.New.Event", "what is this", ""),
			w.of("s2", "user2", desk.EventUserMessage, "vip", `,"CloudCustomData":{"messageType":"x","role":"robot"}`),
			w.event(desk.EventUserMessage, "a human please", ""),
			w.event(desk.EventUserMessage, "a human, now", ""),
			w.event("Agent.Said", "hello, this is Li", ""),
			w.of("s3", "user3", "Session.Over", "bye", `,"SatisfactionSelected":1`),
			w.raw(desk.CommandC2CAfter, `{"From_Account":"user4","To_Account":"@service","MsgKey":"k","MsgBody":[{"MsgType":"TIMTextElem","MsgContent":{"Text":"human"}}]}`),
			w.raw(desk.CommandAssignHuman, `{"SessionId":"s2","ClientUserId":"user2","CustomerServiceId":"@service"}`),
		} {
			_ = w.handle(e)
			if spoil {
				for i := range e.Body {
					e.Body[i] = '#'
				}
			}
			w.passes(time.Second)
		}
		told := []any{w.decisions(100)}
		for _, name := range []string{"s1", "s2", "s3", "im:user4|@service"} {
			c, err := w.bot.Conversation(w.t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, c)
		}
		pending, err := w.outbox.List(w.t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all, err := json.Marshal(append(told, pending, w.desk.sent()))
		if err != nil {
			t.Fatal(err)
		}
		lines := slices.Sorted(strings.Lines(drawn.ReplaceAllString(w.log.String(), ""))) // the courier's come when they come
		kept = drawn.ReplaceAllString(string(all), "") + strings.Join(lines, "")
	})
	return kept
}

// Whatever is kept of a callback is a copy: its body may be used again, and a word of ten
// bytes must not keep a body of a megabyte alive.
func TestHandle_nothingThatIsKept_isAPieceOfTheBody(t *testing.T) {
	whole, spoiled := keptOf(t, false), keptOf(t, true)
	for i := range whole {
		if i >= len(spoiled) || whole[i] != spoiled[i] {
			from := max(0, i-200)
			t.Fatalf("the body was used again, and what was kept of it changed:\n%.400s\nwant\n%.400s", spoiled[min(from, len(spoiled)):], whole[from:])
		}
	}
	if !strings.Contains(whole, "this is Li") || strings.Contains(spoiled, "####") {
		t.Error(spoiled)
	}
}

// echoing is an own bot that answers slowly, and names what it was asked.
type echoing struct{}

func (echoing) Forward(ctx context.Context, query string, header http.Header, body []byte) ([]byte, error) {
	select {
	case <-time.After(time.Duration(len(query)) * time.Millisecond):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	var e struct{ SessionID string }
	err := json.Unmarshal(body, &e)
	return fmt.Appendf(nil, `{"asked":"%s %s %s"}`, e.SessionID, query, header.Get("X-Test")), err
}

// What a callback is worked on with is used again by the next one: each gets its own answer all the
// same, also beside those whose sender has left.
func TestHandle_manyAtOnce_eachGetsItsOwnAnswer(t *testing.T) {
	withCallbacks(t, func(w *world) {
		w.bot.Backend, w.bot.AIProvider = echoing{}, AIProviderSelf
		var all sync.WaitGroup
		for i := range 64 {
			events := make([]*desk.Event, 20)
			for n := range events {
				events[n] = w.of(fmt.Sprint("s", i), fmt.Sprint("u", i), desk.EventUserMessage, fmt.Sprint("hello ", n))
			}
			all.Go(func() {
				for n, e := range events {
					ctx, leave := context.WithCancel(w.t.Context())
					leaves := (i+n)%5 == 0
					if leaves {
						leave()
					}
					query := strings.Repeat("q", 1+(i*7+n)%11)
					answer, err := w.bot.Handle(ctx, Request{Event: e, Query: query, Header: http.Header{"X-Test": {fmt.Sprint(i, n)}}})
					leave()
					if want := fmt.Sprintf(`{"asked":"s%d %s %d %d"}`, i, query, i, n); err != nil || !leaves && string(answer.JSON) != want {
						t.Errorf("%s, %v, want %s", answer.JSON, err, want)
					}
				}
			})
		}
		all.Wait()
		synctest.Wait()
	})
}
