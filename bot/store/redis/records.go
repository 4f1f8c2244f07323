package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/bot/store"
)

const (
	// keepRecords is the expiry of the records, moved by every put. Each ends by its own
	// time, and what has none stays while anybody comes.
	keepRecords = 400 * 24 * time.Hour
	// recordPage is how many are listed at once: all but those of users and the words left
	// are one page.
	recordPage = 1000
)

// Record implements store.Records.
func (c *Client) Record(ctx context.Context, kind store.Kind, name string) (r store.Record, err error) {
	value, there := "", false
	err = c.do(ctx, "reading a record", func(ctx context.Context) (err error) {
		value, err = c.rdb.HGet(ctx, c.keys.records(kind)[0], name).Result()
		there = err == nil
		return err
	})
	r = store.Record{Kind: kind, Name: name}
	if err != nil || !there {
		return r, err
	}
	if !c.readRecord(&r, value) {
		c.report(fmt.Sprintf("the record of %.200q under %s cannot be read: it starts afresh", name, c.keys.records(kind)[0]))
	}
	return r, nil
}

// readRecord reads a value into r, see records.lua. One that is over leaves nothing there;
// it reports false for one that is not ours, which leaves nothing either.
func (c *Client) readRecord(r *store.Record, value string) (ours bool) {
	head, rest, ok := strings.Cut(value, "|")
	till, body, ok2 := strings.Cut(rest, "|")
	version, err := strconv.ParseUint(head, 10, 64)
	end, err2 := strconv.ParseInt(till, 10, 64)
	if !ok || !ok2 || err != nil || err2 != nil {
		return false
	}
	if end != 0 {
		if r.Until = time.UnixMilli(end); !r.Until.After(c.now()) {
			r.Until = time.Time{}
			return true
		}
	}
	r.Version, r.Value = version, []byte(body)
	return true
}

// PutRecords implements store.Records in one round trip.
func (c *Client) PutRecords(ctx context.Context, records ...store.Record) error {
	if err := store.CheckRecords(records); err != nil || len(records) == 0 {
		return err
	}
	p := c.putting(records)
	answer, err := c.run(ctx, "keeping records", putRecordsScript, p.keys, p.args...)
	if err != nil {
		return err
	}
	return p.kept(answer)
}

// recordPut is what records.lua is told.
type recordPut struct {
	client *Client
	kinds  []store.Kind
	keys   []string
	args   []any
}

func (c *Client) putting(records []store.Record) *recordPut {
	p := &recordPut{client: c, keys: []string{c.keys.version()}}
	for _, r := range records {
		if !slices.Contains(p.kinds, r.Kind) {
			p.kinds = append(p.kinds, r.Kind)
			p.keys = append(p.keys, c.keys.records(r.Kind)...)
		}
	}
	p.args = []any{c.now().UnixMilli(), keepRecords.Milliseconds(), len(p.kinds)}
	for _, kind := range p.kinds {
		p.args = append(p.args, c.caps[kind])
	}
	for _, r := range records {
		end := int64(0)
		if !r.Until.IsZero() {
			end = r.Until.UnixMilli()
		}
		there := 0
		if r.Value != nil {
			there = 1
		}
		p.args = append(p.args, slices.Index(p.kinds, r.Kind)+1, r.Name, r.Version, end, there, r.Value)
	}
	return p
}

// kept reads the answer of the script: records that went early are counted.
func (p *recordPut) kept(answer any) error {
	early, ok := answer.([]any)
	if !ok {
		return store.ErrConflict
	}
	for i, n := range early {
		for n, _ := n.(int64); n > 0 && i < len(p.kinds); n-- {
			p.client.evicted(p.kinds[i])
		}
	}
	return nil
}

// Records implements store.Records, page by page. One that is put meanwhile is listed
// once, as it was last.
func (c *Client) Records(ctx context.Context, kind store.Kind) ([]store.Record, error) {
	var all []store.Record
	place := map[string]int{}
	for after, more := uint64(0), true; more; {
		answer, err := c.run(ctx, "listing records", listRecordsScript, c.keys.records(kind)[:2], after, recordPage)
		if err != nil {
			return nil, err
		}
		page, _ := answer.([]any)
		more = false
		for i := 0; i+1 < len(page); i += 2 {
			name, _ := page[i].(string)
			value, _ := page[i+1].(string)
			r := store.Record{Kind: kind, Name: name}
			if !c.readRecord(&r, value) { // Record tells of it
				continue
			}
			head, _, _ := strings.Cut(value, "|")
			version, _ := strconv.ParseUint(head, 10, 64)
			after, more = max(after, version), len(page) == 2*recordPage
			if at, twice := place[name]; twice {
				all[at].Value = nil
			}
			place[name] = len(all)
			all = append(all, r)
		}
	}
	return slices.DeleteFunc(all, func(r store.Record) bool { return r.Value == nil }), nil
}

var _ store.Records = (*Client)(nil)
