package store

import (
	"context"
	"errors"
	"fmt"
)

// maxConflicts bounds how often a record is read again. Each time somebody else has got
// ahead.
const maxConflicts = 16

// UpdateRecord reads a record, has change change it, and puts it; again where somebody
// else was faster. Where change returns false nothing is put. The error may be that of
// change.
func UpdateRecord(ctx context.Context, records Records, kind Kind, name string, change func(*Record) (put bool, err error)) error {
	for n := 1; ; n++ {
		r, err := records.Record(ctx, kind, name)
		if err != nil {
			return fmt.Errorf("reading a record (%s): %w", kind, err)
		}
		if put, err := change(&r); err != nil || !put {
			return err
		}
		r.Kind, r.Name = kind, name
		switch err = records.PutRecords(ctx, r); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrConflict) || n == maxConflicts:
			return fmt.Errorf("putting a record (%s): %w", kind, err)
		}
	}
}

// RemoveRecord removes a record, whatever becomes of it meanwhile, and reports whether it
// was there.
func RemoveRecord(ctx context.Context, records Records, kind Kind, name string) (removed bool, err error) {
	err = UpdateRecord(ctx, records, kind, name, func(r *Record) (bool, error) {
		removed = r.Value != nil
		r.Value = nil
		return removed, nil
	})
	return removed && err == nil, err
}
