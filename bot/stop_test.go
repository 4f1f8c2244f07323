package bot

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/memory"
)

// hangingOutbox is on a disk that takes no more from some time on.
type hangingOutbox struct {
	*memory.Outbox
	hangs    atomic.Bool
	released chan struct{}
}

func (o *hangingOutbox) Put(ctx context.Context, t *store.Transfer) error {
	if o.hangs.Load() {
		<-o.released
	}
	return o.Outbox.Put(ctx, t)
}

// A turn by the clock that hangs on its disk must not keep the courier from
// hearing that the service stops: its call to Desk would go on to the very end.
func TestStop_aTurnThatHangs_doesNotHoldUpTheCourier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outbox := &hangingOutbox{Outbox: memory.NewOutbox(nil), released: make(chan struct{})}
		w := newWorld(t, outbox)
		w.bot.SetPolicy(mustLoad(t, `
version: 1
lists: {person: [human]}
targets: {default: {}}
rules:
  - {id: ask, when: {says: [$person]}, then: {transfer: default}}
  - {id: silent, when: {bot_silent: 30s}, then: {transfer: default}}
`))
		w.bot.Start()
		w.handle(w.told("", "s1", "ChatBot.UserSendMsg", "k1", "hello"))
		time.Sleep(29 * time.Second)
		w.desk.slow = time.Hour
		w.handle(w.told("", "s2", "ChatBot.UserSendMsg", "k2", "a human"))
		synctest.Wait()
		outbox.hangs.Store(true)
		time.Sleep(2 * time.Second) // s1 has been left alone for 30 s: its turn hangs

		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("planted end"))
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- w.bot.Stop(ctx) }()
		time.Sleep(2 * time.Second)
		if lines := w.log.Lines("transfer"); len(lines) != 1 || lines[0]["outcome"] != "retrying" {
			t.Errorf("the call to Desk was not cut: %v", lines)
		}
		close(outbox.released)
		if err := <-stopped; err == nil || err.Error() != "planted end" {
			t.Errorf("Stop = %v", err)
		}
	})
}
