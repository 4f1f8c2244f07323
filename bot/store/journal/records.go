package journal

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"

	"escalator/bot/store"
)

// recordKey is the key of a record: its kind and its name, which may hold anything.
func recordKey(r *store.Record) string { return string(r.Kind) + "\x00" + r.Name }

// personal says of the key of a record that it is of a customer: what somebody has removed
// of one must not stay in a file.
func personal(key string) bool {
	kind, _, _ := strings.Cut(key, "\x00")
	return kind == string(store.KindWords) || kind == string(store.KindUser) || kind == string(store.KindLabel)
}

// appendRecord appends a record; one without a value is gone.
func appendRecord(b []byte, r *store.Record) []byte {
	if r.Value == nil {
		return appendEntry(b, ofRecord, recordKey(r), nil)
	}
	return appendEntry(b, ofRecord, recordKey(r), func(b []byte) []byte {
		b = binary.AppendUvarint(b, r.Version)
		until := int64(0)
		if !r.Until.IsZero() {
			until = r.Until.UnixMilli()
		}
		return append(binary.AppendVarint(b, until), r.Value...)
	})
}

// readRecord reads what appendRecord has written.
func readRecord(key string, value []byte) (r store.Record, err error) {
	kind, name, ok := bytes.Cut([]byte(key), []byte{0})
	version, n := binary.Uvarint(value)
	until, m := binary.Varint(value[max(0, n):])
	if !ok || n <= 0 || m <= 0 {
		return r, errEntry
	}
	r = store.Record{Kind: store.Kind(kind), Name: string(name), Version: version, Value: value[n+m:]}
	if until != 0 {
		r.Until = time.UnixMilli(until)
	}
	return r, store.CheckRecords([]store.Record{r})
}
