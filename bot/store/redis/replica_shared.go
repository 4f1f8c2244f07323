package redis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// keepMutes is the expiry of the mutes: longer than the longest of them.
const keepMutes = 8 * 24 * time.Hour

// Mutes returns the rules that operators silenced, each as it was kept. The
// error is ErrAway while Redis cannot be used.
func (r *Replica) Mutes(ctx context.Context) (mutes map[string]string, err error) {
	err = r.ask(ctx, "reading mutes", func(ctx context.Context) (err error) {
		mutes, err = r.client.rdb.HGetAll(ctx, r.client.keys.mutes()).Result()
		return err
	})
	return mutes, err
}

// PutMute keeps a rule's mute for all replicas, or removes it if value is "".
func (r *Replica) PutMute(ctx context.Context, rule, value string) error {
	key := r.client.keys.mutes()
	return r.ask(ctx, "keeping a mute", func(ctx context.Context) error {
		_, err := r.client.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			if value == "" {
				p.HDel(ctx, key, rule)
				return nil
			}
			p.HSet(ctx, key, rule, value)
			p.PExpire(ctx, key, keepMutes)
			return nil
		})
		return err
	})
}

// Overdue returns the conversations whose alarm another replica should have
// heard a while ago, and did not. Each is given to one replica.
func (r *Replica) Overdue(ctx context.Context) (ids []string, err error) {
	err = r.ask(ctx, "reading alarms", func(ctx context.Context) (err error) {
		ids, err = r.client.overdue(ctx, r.client.now())
		return err
	})
	return ids, err
}

// ask runs f on Redis, within the time of one call. Where Redis is away there
// is nobody else to ask: ErrAway.
func (r *Replica) ask(ctx context.Context, op string, f func(context.Context) error) error {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	done, err := r.on(func() error { return fault(ctx, op, f(call)) })
	if !done {
		return ErrAway
	}
	return err
}
