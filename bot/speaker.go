package bot

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"escalator/bot/desk"
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

// ownWords is the CloudCustomData of everything that we say.
const ownWords = `{"` + ownMark + `":"say"}`

// speech is one message of ours to a customer.
type speech struct {
	session string // empty for plain IM: then user and service say to whom, and as whom
	user    string
	service string
	rule    string
	text    string
	random  uint32 // the same on every try: Desk tells repeats by it
	born    time.Time
	done    func(sent bool) // called once; may be nil
}

// speaker sends what rules and targets say, beside the transfers.
type speaker struct {
	bot    *Bot
	queue  chan *speech
	ctx    context.Context //nolint:containedctx // the speaker's own life, made in newSpeaker
	cancel context.CancelCauseFunc
	work   sync.WaitGroup
}

func newSpeaker(b *Bot) *speaker {
	s := &speaker{bot: b, queue: make(chan *speech, speechQueue)}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

func (s *speaker) start() {
	for range speakers {
		s.work.Go(s.run)
	}
}

// stop ends the speaker; what it has not said is dropped.
func (s *speaker) stop() {
	s.cancel(errStopped)
	s.work.Wait()
}

// say queues a message and returns at once.
func (s *speaker) say(m *speech) {
	if m.text == "" {
		return
	}
	if m.random == 0 {
		m.random = desk.NewMsgRandom()
	}
	m.born = s.bot.Now()
	select {
	case s.queue <- m:
	default:
		s.end(m, "dropped", errors.New("too many messages are waiting"))
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
func (s *speaker) deliver(m *speech) {
	for attempt := 1; ; attempt++ {
		left := m.born.Add(speechLife).Sub(s.bot.Now())
		if left <= 0 {
			s.end(m, "dropped", errors.New("it was not sent in time"))
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, left)
		err := s.bot.Desk.SendMsg(ctx, m.request())
		cancel()
		if err == nil {
			s.end(m, "sent", nil)
			return
		}
		if failure, ok := errors.AsType[*desk.Error](err); s.ctx.Err() != nil || ok && !repeatable(failure) {
			s.end(m, "failed", err)
			return
		}
		timer := time.NewTimer(min(backoff(attempt), left))
		select {
		case <-timer.C:
		case <-s.ctx.Done():
			timer.Stop()
		}
	}
}

func (m *speech) request() desk.SendRequest {
	r := desk.SendRequest{SessionID: m.session, Text: m.text, MsgRandom: m.random, CloudCustomData: ownWords}
	if m.session == "" {
		r.From, r.To = m.service, m.user
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
func (s *speaker) end(m *speech, outcome string, err error) {
	if m.done != nil {
		m.done(outcome == "sent")
	}
	line := s.bot.Log.WithFields(logrus.Fields{"session": clip(m.session), "rule": m.rule, "outcome": outcome})
	if err != nil {
		line.WithError(err).Warn("say")
	} else {
		line.Info("say")
	}
}
