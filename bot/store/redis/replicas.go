package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// keepReplicas is how long a replica that is gone is still told of.
const keepReplicas = 10 * time.Minute

// Replicas notes that a replica is here, and returns when each was here last, by the
// clocks of the replicas.
func (c *Client) Replicas(ctx context.Context, self string) (seen map[string]time.Time, err error) {
	key, now := c.keys.replicas(), c.now()
	var found *redis.MapStringStringCmd
	err = c.do(ctx, "noting replicas", func(ctx context.Context) error {
		_, err := c.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, key, self, now.UnixMilli())
			p.PExpire(ctx, key, keepReplicas)
			found = p.HGetAll(ctx, key)
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	seen = map[string]time.Time{}
	var gone []string
	for name, value := range found.Val() {
		ms, err := strconv.ParseInt(value, 10, 64)
		at := time.UnixMilli(ms)
		if err != nil || now.Sub(at) > keepReplicas {
			gone = append(gone, name)
			continue
		}
		seen[name] = at
	}
	if len(gone) > 0 {
		_ = c.do(ctx, "forgetting replicas", func(ctx context.Context) error { return c.rdb.HDel(ctx, key, gone...).Err() })
	}
	return seen, nil
}
