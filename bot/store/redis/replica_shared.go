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
	key := r.client.keys.mutes()
	err = r.ask(func() error {
		return r.client.do(ctx, "reading mutes", []string{key}, func(ctx context.Context) (err error) {
			mutes, err = r.client.rdb.HGetAll(ctx, key).Result()
			return err
		})
	})
	return mutes, err
}

// PutMute keeps a rule's mute for all replicas, or removes it if value is "".
func (r *Replica) PutMute(ctx context.Context, rule, value string) error {
	key := r.client.keys.mutes()
	keep := func(ctx context.Context) error {
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
	}
	return r.ask(func() error { return r.client.do(ctx, "keeping a mute", []string{key}, keep) })
}

// PutMutes keeps all of the mutes at once: nobody sees a part of them.
func (r *Replica) PutMutes(ctx context.Context, mutes map[string]string) error {
	key := r.client.keys.mutes()
	keep := func(ctx context.Context) error {
		_, err := r.client.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, mutes)
			p.PExpire(ctx, key, keepMutes)
			return nil
		})
		return err
	}
	return r.ask(func() error { return r.client.do(ctx, "keeping mutes", []string{key}, keep) })
}

// Overdue returns the conversations whose alarm another replica should have
// heard a while ago, and did not. Each is given to one replica.
func (r *Replica) Overdue(ctx context.Context) (ids []string, err error) {
	err = r.ask(func() (err error) {
		ids, err = r.client.overdue(ctx, r.client.now())
		return err
	})
	return ids, err
}

// ask runs f on Redis. Where that is away there is nobody else to ask: ErrAway.
func (r *Replica) ask(f func() error) error {
	done, err := r.on(f)
	if !done {
		return ErrAway
	}
	return err
}
