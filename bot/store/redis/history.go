package redis

import (
	"context"
	_ "embed"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"escalator/bot/store"
)

var (
	//go:embed scripts/history.lua
	historySource string
	//go:embed scripts/forget.lua
	forgetSource string

	historyScript = redis.NewScript(historySource)
	forgetScript  = redis.NewScript(forgetSource)
)

const (
	// maxHistoryEntries bounds the entries of one session: 200 turns, and what happened between them.
	maxHistoryEntries = 400
	// sweepAtOnce is how many sessions are looked at for what is too old or too much,
	// sweeps how often after one batch of entries.
	sweepAtOnce, sweeps = 100, 20
	// scanAtOnce is how many sessions are looked at in a round trip for those of a user.
	scanAtOnce = 1000
)

// history returns the keys of a session's history in the order in which scripts take them.
func (k keys) history(session string) []string {
	base := string(k) + "{history}:"
	return []string{base + "e:" + session, base + "of", base + "order", base + "bytes"}
}

func (k keys) historyOf(user string) string { return string(k) + "{history}:u:" + user }

// AppendHistory implements store.Histories, in one round trip unless something has to go.
func (c *Client) AppendHistory(ctx context.Context, rows []store.HistoryRow, bounds store.HistoryBounds) error {
	now := c.now().UnixMilli()
	var calls []call
	place := map[string]int{}
	for i := range rows {
		r := &rows[i]
		n, known := place[r.Session]
		if !known {
			n = len(calls)
			place[r.Session] = n
			calls = append(calls, call{historyScript, append(c.keys.history(r.Session), ""), []any{r.Session, "", now, bounds.For.Milliseconds(), bounds.Bytes, maxHistoryEntries}})
		}
		if r.User != "" {
			calls[n].args[1] = r.User
		}
		calls[n].args = append(calls[n].args, r.Data)
	}
	for _, call := range calls {
		user, _ := call.args[1].(string)
		call.keys[4] = c.keys.historyOf(user)
	}
	answers, err := c.runAll(ctx, "keeping history", calls...)
	if err != nil {
		return err
	}
	last, _ := answers[len(answers)-1].([]any)
	if len(last) != 2 {
		return nil
	}
	bytes, _ := last[0].(int64)
	oldest, _ := last[1].(int64)
	if until := now - bounds.For.Milliseconds(); bytes > bounds.Max || oldest < until {
		return c.sweepHistory(ctx, bytes, bounds.Max, until)
	}
	return nil
}

// sweepHistory removes the sessions whose last entry is older than a time in milliseconds, and
// the oldest ones while there are too many bytes.
func (c *Client) sweepHistory(ctx context.Context, bytes, most, until int64) error {
	for range sweeps {
		var list []redis.Z
		err := c.do(ctx, "looking for old history", func(ctx context.Context) (err error) {
			list, err = c.rdb.ZRangeWithScores(ctx, c.keys.history("")[2], 0, sweepAtOnce-1).Result()
			return err
		})
		if err != nil {
			return err
		}
		for _, z := range list {
			if bytes <= most && int64(z.Score) >= until {
				return nil
			}
			session, _ := z.Member.(string)
			if bytes, err = c.forgetSession(ctx, session, strconv.FormatFloat(z.Score, 'f', 0, 64)); err != nil {
				return err
			}
		}
		if len(list) < sweepAtOnce {
			return nil
		}
	}
	return nil
}

// forgetSession removes a session whose last entry is of a time in milliseconds, or of any ("").
// It returns the bytes that all others take.
func (c *Client) forgetSession(ctx context.Context, session, last string) (bytes int64, err error) {
	answer, err := c.run(ctx, "removing history", forgetScript, c.keys.history(session), session, last)
	bytes, _ = answer.(int64)
	return bytes, err
}

// History implements store.Histories.
func (c *Client) History(ctx context.Context, session string) (entries [][]byte, err error) {
	err = c.do(ctx, "reading history", func(ctx context.Context) error {
		texts, err := c.rdb.LRange(ctx, c.keys.history(session)[0], 0, -1).Result()
		for _, text := range texts {
			entries = append(entries, []byte(text))
		}
		return err
	})
	return entries, err
}

// HistoryOf implements store.Histories.
func (c *Client) HistoryOf(ctx context.Context, user string) (entry []byte, err error) {
	err = c.do(ctx, "reading history", func(ctx context.Context) error {
		session, err := c.rdb.Get(ctx, c.keys.historyOf(user)).Result()
		if err != nil {
			return err
		}
		entry, err = c.rdb.LIndex(ctx, c.keys.history(session)[0], -1).Bytes()
		return err
	})
	return entry, err
}

// EachHistory implements store.Histories, a hundred sessions in a round trip, those first in
// which something happened last.
func (c *Client) EachHistory(ctx context.Context, since time.Time, take func(entry []byte) bool) (whole bool, err error) {
	for from := int64(0); ; from += sweepAtOnce {
		var sessions []string
		var lists []*redis.StringSliceCmd
		err := c.do(ctx, "reading all history", func(ctx context.Context) (err error) {
			sessions, err = c.rdb.ZRangeArgs(ctx, redis.ZRangeArgs{
				Key: c.keys.history("")[2], Start: "+inf", Stop: strconv.FormatInt(since.UnixMilli(), 10), ByScore: true, Rev: true, Offset: from, Count: sweepAtOnce,
			}).Result()
			if err != nil || len(sessions) == 0 {
				return err
			}
			_, err = c.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, session := range sessions {
					lists = append(lists, p.LRange(ctx, c.keys.history(session)[0], 0, -1))
				}
				return nil
			})
			return err
		})
		if err != nil {
			return false, err
		}
		for _, list := range lists {
			for _, entry := range list.Val() {
				if !take([]byte(entry)) {
					return false, nil
				}
			}
		}
		if len(sessions) < sweepAtOnce {
			return true, nil
		}
	}
}

// ForgetHistory implements store.Histories. It looks at all sessions.
func (c *Client) ForgetHistory(ctx context.Context, name string) (sessions int, err error) {
	for cursor := uint64(0); ; {
		var page []string
		err := c.do(ctx, "looking for a user's history", func(ctx context.Context) (err error) {
			page, cursor, err = c.rdb.HScan(ctx, c.keys.history("")[1], cursor, "", scanAtOnce).Result()
			return err
		})
		if err != nil {
			return sessions, err
		}
		for i := 0; i+1 < len(page); i += 2 {
			session := page[i]
			if _, user, _ := strings.Cut(page[i+1], " "); user != name && session != name {
				continue
			}
			if _, err := c.forgetSession(ctx, session, ""); err != nil {
				return sessions, err
			}
			sessions++
		}
		if cursor == 0 {
			break
		}
	}
	return sessions, c.do(ctx, "forgetting a user", func(ctx context.Context) error { return c.rdb.Del(ctx, c.keys.historyOf(name)).Err() })
}

var _ store.Histories = (*Client)(nil)
