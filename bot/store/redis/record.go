package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"escalator/bot/store"
)

// record is a transfer as Redis holds it: a head that the scripts read (see
// put.lua), and the transfer as JSON.
type record struct{ id, value string }

// headFields is how many fields stand before the JSON.
const headFields = 6

func stateLetter(s store.TransferState) byte { return s.String()[0] } // p, w, g

// The doubts of a record; see put.lua.
const (
	doubtNone = '0'
	doubtNew  = 'n'
	doubts    = "01nw"
)

// encode writes a transfer down with the token of who may save it.
func encode(t *store.Transfer, token string, doubt rune) (string, error) {
	if t.ID == "" || strings.Contains(t.Episode, "|") {
		return "", fmt.Errorf("storing a transfer: the id %q or the episode %q cannot be kept", t.ID, t.Episode)
	}
	body, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	return fmt.Sprintf("%c|%s|%d|%d|%s|%c|%s", stateLetter(t.State), t.Episode, max(0, t.Created.UnixMicro()), max(0, t.Due.UnixMicro()), token, doubt, body), nil
}

// decode reads a record. One that is in doubt may have been carried out.
func (r *record) decode() (*store.Transfer, error) {
	fields := strings.SplitN(r.value, "|", headFields+1)
	if len(fields) != headFields+1 {
		return nil, errors.New("it is no record of ours")
	}
	t := &store.Transfer{}
	if err := json.Unmarshal([]byte(fields[headFields]), t); err != nil {
		return nil, err
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if t.ID != r.id {
		return nil, errors.New("it stands under another id")
	}
	if doubt := fields[5]; len(doubt) != 1 || !strings.Contains(doubts, doubt) {
		return nil, errors.New("it has a doubt of an unknown kind")
	}
	due, err := strconv.ParseInt(fields[3], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("its due time: %w", err)
	}
	if due != t.Due.UnixMicro() { // it was hastened
		t.Due = time.UnixMicro(due)
	}
	t.OutcomeUnknown = t.OutcomeUnknown || fields[5] != string(doubtNone)
	return t, nil
}

// readTaken reads the answer of take.lua: a record, or when the next is due
// (zero: none is known).
func readTaken(answer any) (r *record, next time.Time) {
	list, _ := answer.([]any)
	if len(list) == 0 {
		return nil, time.Time{}
	}
	text := func(i int) (s string) {
		if i < len(list) {
			s, _ = list[i].(string)
		}
		return s
	}
	if n, _ := list[0].(int64); n > 0 {
		return &record{id: text(2), value: text(1)}, time.Time{}
	}
	if due, err := strconv.ParseFloat(text(1), 64); err == nil && due >= 0 {
		next = time.UnixMicro(int64(due))
	}
	return nil, next
}
