package desk

import (
	"context"
	"errors"
)

// Bounds of what is read, whatever Desk says it has.
const (
	maxItems   = 1000  // groups, agents, entries, rows
	maxRecords = 10000 // session records of one question
	pageSize   = 100   // the most that Desk gives at once
)

// Page is what was read of a list.
type Page[T any] struct {
	Items []T
	Total *int // how many Desk says there are; nil: it does not say
	Cut   bool // there are more than we read: the bound was reached
}

// listing is a list that Desk gives in pages.
type listing[T any] struct {
	op      string
	list    string // the member that holds the items
	size    int    // of a page
	bound   int    // of the items
	anyBase bool   // whether pages count from 0 or 1 is not documented: see pages
	request func(page int) any
	decode  func(answer) T
}

// pages reads a list page by page until one is not full. A page that is the one
// before once more ends it too, else a server that ignores the offset would be
// asked until the bound. Where the base is unknown, page 0 may also be refused,
// empty or the same as page 1.
func pages[T any](ctx context.Context, c *Client, l listing[T]) (Page[T], error) {
	var all Page[T]
	last := ""
	for page := 0; page*l.size <= l.bound+l.size; page++ {
		tryOn := page == 0 && l.anyBase
		a, err := c.call(ctx, l.op, l.request(page))
		if e, ok := errors.AsType[*Error](err); ok && tryOn && e.Err == nil && e.Code == codeIllegal {
			continue
		}
		if err != nil {
			return Page[T]{}, err
		}
		items, _ := a.list(l.list)
		raw := rawOf(items)
		if repeated := raw == last && len(items) > 0; repeated && page == 1 && l.anyBase {
			continue
		} else if repeated {
			return all, nil
		}
		last = raw
		all.Total = a.total()
		for _, item := range items {
			if len(all.Items) == l.bound {
				all.Cut = true
				return all, nil
			}
			all.Items = append(all.Items, l.decode(item))
		}
		if len(items) < l.size && (!tryOn || len(items) > 0) {
			return all, nil
		}
	}
	return all, nil
}

// codeIllegal is "illegal parameters".
const codeIllegal = 141004

// total returns how long the whole list is; two spellings are documented.
func (a answer) total() *int {
	for _, where := range []answer{a, a.data()} {
		for _, name := range []string{"TotalCount", "Total"} {
			if n := where.figure(name); n != nil {
				return n
			}
		}
	}
	return nil
}

func rawOf(items []answer) string {
	if len(items) == 0 {
		return ""
	}
	first, last := items[0].root, items[len(items)-1].root
	return first.Raw + "\n" + last.Raw
}
