package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"escalator/rules/lang"
)

// untilSignal has the first SIGINT or SIGTERM end the context that it returns. Before it
// is called, and after the first one, a signal ends the process at once.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// hastyTimeout is how long somebody who reads standard error has for it.
const hastyTimeout = time.Second

var errStalled = lang.Errorf("nobody reads")

// hasty writes to somebody who may not read, and then leaves it.
type hasty struct {
	to      io.Writer
	stalled bool
}

// Write implements io.Writer.
func (h *hasty) Write(p []byte) (int, error) {
	if h.stalled {
		return 0, errStalled
	}
	done := make(chan error, 1)
	go func(p []byte) {
		_, err := h.to.Write(p)
		done <- err
	}(slices.Clone(p))
	select {
	case err := <-done:
		return len(p), err
	case <-time.After(hastyTimeout):
		h.stalled = true
		return 0, errStalled
	}
}

// untilUnread has the end of who reads standard output end the context that it returns, and not the process, which has
// things to put away.
func untilUnread(ctx context.Context, env Env) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if o, ok := env.Stdout.(*output); ok {
		signal.Ignore(syscall.SIGPIPE)
		o.unread = cancel
	}
	return ctx, cancel
}

// output is standard output, and remembers that the disk behind it took less than all.
type output struct {
	io.Writer
	mu     sync.Mutex
	err    error
	unread func() // is called when nobody reads any more; nil: the process ends by itself
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = err
		if o.unread != nil {
			o.unread()
		}
	}
	return n, err
}

func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
