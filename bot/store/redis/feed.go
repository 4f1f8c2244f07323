package redis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
)

const (
	// keepFeed is the expiry of a stream, moved by every entry.
	keepFeed = 7 * 24 * time.Hour
	// feedPage is how many entries are looked at in a round trip.
	feedPage = 1000
	// feedValue is the field of an entry.
	feedValue = "v"
)

func (k keys) feed(name string) string { return string(k) + "{feed}:" + name }

// AppendFeed implements store.Feed, in one round trip.
func (c *Client) AppendFeed(ctx context.Context, name string, keep int, entries [][]byte) error {
	key := c.keys.feed(name)
	return c.do(ctx, "telling of decisions", func(ctx context.Context) error {
		_, err := c.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, entry := range entries {
				p.XAdd(ctx, &redis.XAddArgs{Stream: key, MaxLen: int64(keep), Approx: true, Values: []any{feedValue, entry}})
			}
			p.PExpire(ctx, key, keepFeed)
			return nil
		})
		return err
	})
}

// ReadFeed implements store.Feed.
func (c *Client) ReadFeed(ctx context.Context, name, after string, most int) (entries [][]byte, next string, err error) {
	messages, err := c.feedPage(ctx, name, after, most)
	next = after
	for _, m := range messages {
		value, _ := m.Values[feedValue].(string)
		entries, next = append(entries, []byte(value)), m.ID
	}
	return entries, next, err
}

func (c *Client) feedPage(ctx context.Context, name, after string, most int) (messages []redis.XMessage, err error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	err = c.do(ctx, "reading decisions", func(ctx context.Context) (err error) {
		messages, err = c.rdb.XRangeN(ctx, c.keys.feed(name), from, "+", int64(most)).Result()
		return err
	})
	return messages, err
}

// ForgetFeed implements store.Feed.
func (c *Client) ForgetFeed(ctx context.Context, name string, gone func(entry []byte) bool) error {
	for after := ""; ; {
		messages, err := c.feedPage(ctx, name, after, feedPage)
		if err != nil || len(messages) == 0 {
			return err
		}
		var ids []string
		for _, m := range messages {
			if value, _ := m.Values[feedValue].(string); gone([]byte(value)) {
				ids = append(ids, m.ID)
			}
			after = m.ID
		}
		if len(ids) == 0 {
			continue
		}
		if err := c.do(ctx, "forgetting decisions", func(ctx context.Context) error { return c.rdb.XDel(ctx, c.keys.feed(name), ids...).Err() }); err != nil {
			return err
		}
	}
}

var _ store.Feed = (*Client)(nil)
