package app

import (
	"context"
	"sync"
)

// BreakListener has the public listener fail under the service.
func (a *App) BreakListener() error { return a.public.Close() }

// HangStore has the store give no answer after so many, until the returned function is called.
func (a *App) HangStore(after int) (goOn func()) {
	gate, answers := make(chan struct{}), a.storeAnswers
	a.storeAnswers = func(ctx context.Context, beat int) error {
		if beat >= after {
			<-gate
		}
		return answers(ctx, beat)
	}
	return sync.OnceFunc(func() { close(gate) })
}
