package bot

import (
	"context"
	"fmt"
	"net/http"

	"escalator/bot/desk"
	"escalator/bot/inbound"
	"escalator/bot/mask"
	"escalator/bot/store"
	"escalator/bot/trace"
)

// Request is one callback as it came.
type Request struct {
	Event *desk.Event
	// Query and Header are for the operator's own bot, to which the callback may be
	// passed on as it is; the query is recorded too.
	Query  string
	Header http.Header
}

// Handle does what one callback asks for and returns the answer to it. The
// error wraps ErrUnavailable when the sender should try again.
func (b *Bot) Handle(ctx context.Context, r Request) (Answer, error) {
	ctx, span := b.Tracer.Start(b.Tracer.Received(ctx, r.Header), "callback", trace.Server)
	defer span.End()
	x := exchanges.Get().(*exchange)
	*x = exchange{Bot: b, Request: r, policy: b.Policy(), at: b.Clock.Now(), wall: b.Clock.Wall(), key: b.inbound.Key(r.Event)}
	defer func() {
		*x = exchange{} // nothing may be kept alive, or seen by the next one
		exchanges.Put(x)
	}()
	repeat, err := x.run(ctx)
	if span.IsRecording() {
		x.describe(span, repeat, err)
	}
	if err != nil {
		return Answer{}, err
	}
	if repeat {
		b.Metrics.DedupHits.Inc()
	}
	if x.news && b.Recorder != nil {
		b.Recorder.Record(x.wall, r.Query, r.Event.Body, x.failed)
	}
	return Answer{JSON: x.json, Repeat: repeat}, nil
}

// describe says what a callback was.
func (x *exchange) describe(s trace.Span, repeat bool, err error) {
	e := x.Event
	s.Set("command", mask.Clip(e.Command), "event", mask.Clip(e.Name), "session", mask.Clip(e.SessionID), "request_id", mask.Clip(e.RequestID))
	switch {
	case err != nil:
		s.Set("result", "unavailable")
		s.Fail("it could not be stored: the sender is asked to try again")
	case repeat:
		s.Set("result", "duplicate")
	default:
		s.Set("result", "ok")
	}
}

// maxGrowths bounds how often a streamed message may come again, longer each time.
const maxGrowths = 64

// run answers the callback, as the first of its copies or as a repeat.
func (x *exchange) run(ctx context.Context) (repeat bool, err error) {
	if x.key == "" { // an answer that has to be computed anew each time
		_, err = x.first(ctx)
		return false, err
	}
	x.noteRequest()
	x.home = x.inbound.Conversation(x.Event)
	if x.Chats != nil {
		x.chat = x.inbound.Chat(x.policy, x.Event)
	}
	for n := 1; ; n++ {
		var counted bool
		c, err := x.once(ctx, x.key, x.claim, func(c store.Claim) ([]byte, error) {
			if counted = c.Counted; counted {
				return x.resume(ctx)
			}
			return x.first(ctx)
		})
		switch {
		case err != nil:
			return false, err
		case x.left != nil:
			_, err = x.answer(ctx, x.left, false)
			return false, err
		case c.First:
			return counted, nil
		case n < maxGrowths && x.inbound.Grown(x.Event, textLen(c.Answer)):
			x.key = inbound.Step(x.key, "longer")
		default:
			return true, x.again(ctx, c.Answer)
		}
	}
}

// claiming claims a key.
type claiming func(context.Context) (store.Claim, error)

// beside claims the key of a step, which is kept beside a conversation.
func (b *Bot) beside(key, conversation string) claiming {
	return func(ctx context.Context) (store.Claim, error) { return b.Dedup.Claim(ctx, key, conversation) }
}

// claim claims the callback itself, where all replicas look for its copies.
func (x *exchange) claim(ctx context.Context) (store.Claim, error) {
	if x.chat == nil {
		return x.Dedup.Claim(ctx, x.key, x.home)
	}
	c, err := x.Chats.ClaimIn(ctx, x.key, x.home, (*store.Chat)(x.chat))
	if p := c.Place; err == nil && p != nil {
		x.home, x.known = p.Conversation, &inbound.Known{Conversation: p.Conversation, Left: p.Left, Echo: p.Echo, Acted: hasActed(p.Answer)}
		x.inbound.Learn(x.chat, x.known)
	}
	return c, err
}

// once does a step of which there may be several copies in one of them: the others
// wait for it, by the claim of its key. Work returns what to keep for them; nil lets the next copy try
// again. What a copy gets that is not the first is in the claim's Answer.
func (b *Bot) once(ctx context.Context, key string, claim claiming, work func(store.Claim) ([]byte, error)) (c store.Claim, err error) {
	c, err = claim(ctx)
	if err != nil {
		return c, fmt.Errorf("%w: waiting for the first of several copies: %w", ErrUnavailable, err)
	}
	if !c.First {
		return c, nil
	}
	// The claim must end, also when the sender hangs up and when we panic.
	ctx = context.WithoutCancel(ctx)
	var kept []byte
	defer func() {
		if kept == nil {
			b.Dedup.Release(ctx, key)
		}
	}()
	if kept, err = work(c); kept != nil {
		b.Dedup.Finish(ctx, key, kept)
	}
	return c, err
}
