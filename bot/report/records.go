package report

import (
	"context"
	"errors"
	"time"

	"escalator/bot/desk"
)

const (
	// maxRecords bounds the records of one report.
	maxRecords = 100_000
	// A question to Desk is of at most window: one answers with 10,000 records at most.
	window = 24 * time.Hour
)

// Desk is what is needed of the REST API; *desk.Client is one.
type Desk interface {
	Records(ctx context.Context, from, to time.Time, user string) (desk.Page[desk.SessionRecord], error)
}

// Fetch reads Desk's records of the sessions between two times, a day at a time. whole is
// false where Desk has more than are read, or ctx ended.
func Fetch(ctx context.Context, from Desk, since, until time.Time) (rows []desk.SessionRecord, whole bool, err error) {
	for ; since.Before(until); since = since.Add(window) {
		page, err := from.Records(ctx, since, minTime(until, since.Add(window).Add(-time.Second)), "")
		if err != nil && len(rows) > 0 && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			return rows, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, page.Items...)
		if page.Cut || len(rows) > maxRecords {
			return rows, false, nil
		}
	}
	return rows, true, nil
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
