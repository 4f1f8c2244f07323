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
		work := (*exchange).first
		c, err := x.claim(ctx)
		if c.Counted {
			work = (*exchange).resume
		}
		if err == nil {
			err = x.once(ctx, x.key, c, work)
		}
		switch {
		case err != nil:
			return false, err
		case x.left != nil:
			_, err = x.answer(ctx, x.left, false)
			return false, err
		case c.First:
			return c.Counted, nil
		case n < maxGrowths && x.inbound.Grown(x.Event, textLen(c.Answer)):
			x.key = inbound.Step(x.key, "longer")
		default:
			return true, x.again(ctx, c.Answer)
		}
	}
}

// beside claims the key of a step, which is kept beside a conversation.
func (b *Bot) beside(ctx context.Context, key, conversation string) (store.Claim, error) {
	c, err := b.Dedup.Claim(ctx, key, conversation)
	return c, unclaimed(err)
}

// unclaimed is the error of a claim.
func unclaimed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: waiting for the first of several copies: %w", ErrUnavailable, err)
}

// claim claims the callback itself, where all replicas look for its copies.
func (x *exchange) claim(ctx context.Context) (store.Claim, error) {
	if x.chat == nil {
		return x.beside(ctx, x.key, x.home)
	}
	c, err := x.Chats.ClaimIn(ctx, x.key, x.home, (*store.Chat)(x.chat))
	if p := c.Place; err == nil && p != nil {
		x.home, x.known = p.Conversation, &inbound.Known{Conversation: p.Conversation, Left: p.Left, Echo: p.Echo, Acted: hasActed(p.Answer)}
		x.inbound.Learn(x.chat, x.known)
	}
	return c, unclaimed(err)
}

// once does a step in the first of its copies, which has claimed its key: the others wait
// for it, and find in their claims what work returns for them; nil lets the next copy try
// again.
func (x *exchange) once(ctx context.Context, key string, c store.Claim, work func(*exchange, context.Context) ([]byte, error)) error {
	if !c.First {
		return nil
	}
	// The claim must end, also when the sender hangs up and when we panic.
	lasting := context.WithoutCancel(ctx)
	var kept []byte
	defer func() {
		if kept == nil {
			x.Dedup.Release(lasting, key)
		}
	}()
	kept, err := work(x, ctx)
	if kept != nil {
		x.Dedup.Finish(lasting, key, kept)
	}
	return err
}
