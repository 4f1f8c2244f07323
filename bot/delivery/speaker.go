package delivery

import (
	"context"
	"errors"
	"sync"
	"time"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/history"
	"escalator/bot/mask"
	"escalator/bot/retry"
)

const (
	// speakers and speechQueue bound the messages of ours under way. A queue
	// that is full drops the newest: words may be lost, transfers are not.
	speakers    = 4
	speechQueue = 1024
	// speechLife is how old words may be: later they would only confuse.
	speechLife = 30 * time.Second
	// sayFirst is how long a transfer waits for the words that come before it.
	sayFirst = time.Second
)

// What becomes of a message.
const (
	saidSent    = "sent"
	saidFailed  = "failed"  // Desk refused it
	saidDropped = "dropped" // it could not be sent in time
)

// Speech is one message of ours to a customer.
type Speech struct {
	Name          string // what the log calls the conversation
	Session       string // empty for plain IM: then User and Service say to whom, and as whom
	User, Service string
	Rule          string // whose words they are
	RequestID     string // of the callback that led to them, for the log; may be empty
	Text          string
	Random        uint32          // MsgRandom, the same on every try: Desk tells repeats by it; 0: a fresh one
	Done          func(sent bool) // called once; may be nil
	Traceparent   string          // of the span that it belongs to; "": there is none

	born time.Time
}

// speaker sends what rules and targets say, beside the transfers.
type speaker struct {
	opt    *Options
	queue  chan *Speech
	ctx    context.Context //nolint:containedctx // the speaker's own life, made in newSpeaker
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

func newSpeaker(o *Options) *speaker {
	s := &speaker{opt: o, queue: make(chan *Speech, speechQueue)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

func (s *speaker) start() {
	for range speakers {
		s.work.Go(s.run)
	}
}

// stop ends the speaker; what it has not said is dropped, and told.
func (s *speaker) stop() {
	s.cancel(errStopped)
	s.work.Wait()
	for {
		select {
		case m := <-s.queue:
			s.end(m, saidDropped, errStopped)
		default:
			return
		}
	}
}

// Say queues a message and returns at once. An empty one is nothing to say.
func (c *Courier) Say(m *Speech) { c.speaker.say(m) }

func (s *speaker) say(m *Speech) {
	if m.Text == "" {
		return
	}
	if m.Random == 0 {
		m.Random = desk.NewMsgRandom()
	}
	m.born = s.opt.Now()
	select {
	case s.queue <- m:
	default:
		s.end(m, saidDropped, errors.New("too many messages are waiting"))
	}
}

func (s *speaker) run() {
	for {
		select {
		case m := <-s.queue:
			s.deliver(m)
		case <-s.ctx.Done():
			return
		}
	}
}

// deliver tries until the message is sent, refused, or too old.
func (s *speaker) deliver(m *Speech) {
	for attempt := 1; ; attempt++ {
		left := m.born.Add(speechLife).Sub(s.opt.Now())
		if left <= 0 {
			s.end(m, saidDropped, errors.New("it was not sent in time"))
			return
		}
		ctx, cancel := context.WithTimeout(s.opt.Tracer.Under(s.ctx, m.Traceparent), left)
		err := s.opt.Desk.SendMsg(ctx, m.request(s.opt.OwnMark))
		cancel()
		if err == nil {
			s.end(m, saidSent, nil)
			return
		}
		failure, ok := errors.AsType[*desk.Error](err)
		if s.ctx.Err() != nil || ok && !repeatable(failure) {
			s.end(m, saidFailed, err)
			return
		}
		wait := retry.Backoff(attempt)
		if ok {
			wait = max(wait, failure.RetryAfter())
		}
		if wait >= left { // no use in waiting for a try that would come too late
			s.end(m, saidDropped, err)
			return
		}
		_ = clock.Pause(s.ctx, wait) // when it ends, so does the next try
	}
}

func (m *Speech) request(ownMark string) desk.SendRequest {
	r := desk.SendRequest{SessionID: m.Session, Text: m.Text, MsgRandom: m.Random, CloudCustomData: ownMark}
	if m.Session == "" {
		r.From, r.To = m.Service, m.User
	}
	return r
}

// repeatable reports whether words that met this error may be said again. An
// outcome that is not known is no danger: Desk knows the message by its number.
func repeatable(e *desk.Error) bool {
	v := e.Verdict()
	return v == desk.Retry || v == desk.AskState && e.Transport()
}

// end tells what became of a message: first those who wait for it, so that an
// offer is open by the time the log says that it was made.
func (s *speaker) end(m *Speech, outcome string, err error) {
	if m.Done != nil {
		m.Done(outcome == saidSent)
	}
	s.opt.Metrics.Said.WithLabelValues(outcome).Inc()
	line := s.opt.Log.WithFields(fields(m.Name, m.User, m.Rule, m.RequestID)).WithField("outcome", outcome)
	if s.opt.Happened != nil {
		e := history.Entry{Kind: history.Said, Session: m.Name, User: mask.Clip(m.User), Rule: m.Rule, Text: m.Text, Outcome: outcome, RequestID: mask.Clip(m.RequestID)}
		if err != nil {
			e.Error = err.Error()
		}
		s.opt.Happened(e)
	}
	if err != nil {
		line.WithError(err).Warn("say")
	} else {
		line.Info("say")
	}
}
