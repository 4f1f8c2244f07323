package otlp

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"escalator/bot/clock"
	"escalator/bot/retry"
)

const (
	// maxQueue bounds the spans that wait; over it the newest are dropped. With what is
	// in a span it is some 4 MB.
	maxQueue = 2048
	// maxBatch is how many go into one request, and batchEvery how long the first of them
	// waits for others.
	maxBatch   = 512
	batchEvery = 2 * time.Second
	// maxTries is how often a batch is sent before it is dropped.
	maxTries = 5
	// closeTimeout is how long a stop waits for the collector.
	closeTimeout = 500 * time.Millisecond
)

// Options is what a Tracer needs of the service.
type Options struct {
	Version, Instance string // of the service
	Log               *logrus.Logger
	Dropped           func(spans int) // counts spans that were lost
}

// sender takes the spans that have ended to the collector. It is an sdk.SpanProcessor.
type sender struct {
	config *Config
	opt    Options
	http   *http.Client

	queue   chan sdk.ReadOnlySpan
	lost    atomic.Int64 // spans since the collector last took some
	failing atomic.Bool  // the last try failed
	told    bool         // the log says that spans are lost; the worker's own

	ctx     context.Context //nolint:containedctx // the worker's own life, made in newSender
	cancel  context.CancelFunc
	closing chan struct{}
	once    sync.Once
	work    sync.WaitGroup
}

func newSender(c *Config, o Options) *sender {
	s := &sender{config: c, opt: o, http: newClient(), queue: make(chan sdk.ReadOnlySpan, maxQueue), closing: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.work.Go(s.run)
	return s
}

// OnStart implements sdk.SpanProcessor.
func (*sender) OnStart(context.Context, sdk.ReadWriteSpan) {}

// OnEnd implements sdk.SpanProcessor.
func (s *sender) OnEnd(span sdk.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	select {
	case s.queue <- span:
	default:
		s.drop(1)
	}
}

// ForceFlush implements sdk.SpanProcessor; nobody asks for it.
func (*sender) ForceFlush(context.Context) error { return nil }

// Shutdown implements sdk.SpanProcessor. Where the collector does not answer, what waits
// is given up.
func (s *sender) Shutdown(ctx context.Context) error {
	s.once.Do(func() { close(s.closing) })
	if s.failing.Load() {
		s.cancel()
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	unhurried := context.AfterFunc(ctx, s.cancel)
	s.work.Wait()
	unhurried()
	s.cancel()
	s.http.CloseIdleConnections()
	return nil
}

func (s *sender) drop(spans int) {
	s.lost.Add(int64(spans))
	s.opt.Dropped(spans)
}

// run sends batches until the service stops, and then what waits.
func (s *sender) run() {
	for {
		batch, open := s.gather()
		if len(batch) > 0 {
			s.deliver(batch)
		}
		if !open {
			return
		}
	}
}

// gather waits for spans, and a moment for more of them. Open is false for the last of all.
func (s *sender) gather() (batch []sdk.ReadOnlySpan, open bool) {
	closing := s.closing
	select {
	case span := <-s.queue:
		batch = append(batch, span)
	case <-closing:
		return s.rest(batch)
	}
	full := time.NewTimer(batchEvery)
	defer full.Stop()
	for len(batch) < maxBatch {
		select {
		case span := <-s.queue:
			batch = append(batch, span)
		case <-full.C:
			return batch, true
		case <-closing:
			return s.rest(batch)
		}
	}
	return batch, true
}

// rest takes what waits, up to a batch.
func (s *sender) rest(batch []sdk.ReadOnlySpan) ([]sdk.ReadOnlySpan, bool) {
	for len(batch) < maxBatch {
		select {
		case span := <-s.queue:
			batch = append(batch, span)
		default:
			return batch, false
		}
	}
	return batch, true
}

// deliver sends a batch, again where that may help, or drops it.
func (s *sender) deliver(batch []sdk.ReadOnlySpan) {
	body, err := encode(batch)
	for try := 1; err == nil; try++ {
		var rejected int
		rejected, err = s.post(body)
		s.failing.Store(err != nil)
		if err == nil {
			s.arrived(rejected)
			return
		}
		failure, ok := errors.AsType[*sendError](err)
		if !ok || !failure.again || try == maxTries || s.stopping() {
			break
		}
		s.tell(err)
		_ = clock.Pause(s.ctx, max(retry.Backoff(try), failure.after))
		err = s.ctx.Err()
	}
	s.drop(len(batch))
	s.tell(err)
}

func (s *sender) stopping() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// tell says once that spans are lost.
func (s *sender) tell(err error) {
	if s.told || s.ctx.Err() != nil {
		return
	}
	s.told = true
	s.opt.Log.WithError(err).WithField("collector", s.config.Address()).
		Warn("traces do not reach their collector: spans that wait too long are dropped")
}

// arrived notes that the collector has taken a batch, but for so many.
func (s *sender) arrived(rejected int) {
	if rejected > 0 {
		s.drop(rejected)
		s.tell(errRejected)
		return
	}
	lost := s.lost.Swap(0)
	if s.told || lost > 0 {
		s.told = false
		s.opt.Log.WithFields(logrus.Fields{"collector": s.config.Address(), "dropped": lost}).Warn("traces reach their collector again")
	}
}
