package redis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
)

// keepMutes is the expiry of the mutes: longer than the longest of them.
const keepMutes = 8 * 24 * time.Hour

// Mutes implements store.Mutes.
func (c *Client) Mutes(ctx context.Context) (mutes map[string]string, err error) {
	err = c.do(ctx, "reading mutes", func(ctx context.Context) (err error) {
		mutes, err = c.rdb.HGetAll(ctx, c.keys.mutes()).Result()
		return err
	})
	return mutes, err
}

// PutMutes implements store.Mutes.
func (c *Client) PutMutes(ctx context.Context, mutes map[string]string) error {
	key := c.keys.mutes()
	return c.do(ctx, "keeping mutes", func(ctx context.Context) error {
		_, err := c.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			for rule, value := range mutes {
				if value == "" {
					p.HDel(ctx, key, rule)
				} else {
					p.HSet(ctx, key, rule, value)
				}
			}
			p.PExpire(ctx, key, keepMutes)
			return nil
		})
		return err
	})
}

var _ store.Mutes = (*Client)(nil)
