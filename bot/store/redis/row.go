package redis

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"escalator/bot/store"
)

// outboxRow is a transfer as Redis holds it: a head that the scripts read (see
// put.lua), and the transfer as JSON.
type outboxRow struct{ id, value string }

// rowBody is the JSON of a row: all of the transfer but what stands in the head.
type rowBody struct {
	*store.Transfer
	Episode *struct{} `json:"episode,omitempty"`
	Created *struct{} `json:"created,omitempty"`
	Due     *struct{} `json:"due,omitempty"`
	State   *struct{} `json:"state,omitempty"`
}

// headFields is how many fields stand before the JSON.
const headFields = 6

var states = []store.TransferState{store.Pending, store.Waiting, store.GivenUp}

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
	body, err := json.Marshal(rowBody{Transfer: t})
	if err != nil {
		return "", fmt.Errorf("storing the transfer of %s: %w", t.ID, err)
	}
	return fmt.Sprintf("%c|%s|%d|%d|%s|%c|%s", stateLetter(t.State), t.Episode, max(0, t.Created.UnixMicro()), max(0, t.Due.UnixMicro()), token, doubt, body), nil
}

// decode reads a record. One that is in doubt may have been carried out.
func (r *outboxRow) decode() (*store.Transfer, error) {
	fields := strings.SplitN(r.value, "|", headFields+1)
	if len(fields) != headFields+1 {
		return nil, errors.New("it is no record of ours")
	}
	t := &store.Transfer{Episode: fields[1]}
	if err := json.Unmarshal([]byte(fields[headFields]), &rowBody{Transfer: t}); err != nil {
		return nil, err
	}
	state := slices.IndexFunc(states, func(s store.TransferState) bool { return string(stateLetter(s)) == fields[0] })
	if state < 0 {
		return nil, errors.New("it has a state of an unknown kind")
	}
	t.State = states[state]
	for _, stamp := range []struct {
		of   *time.Time
		text string
	}{{&t.Created, fields[2]}, {&t.Due, fields[3]}} {
		us, err := strconv.ParseInt(stamp.text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("its times: %w", err)
		}
		*stamp.of = time.UnixMicro(us)
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
	t.OutcomeUnknown = t.OutcomeUnknown || fields[5] != string(doubtNone)
	return t, nil
}

// readTaken reads the answer of take.lua: a record, or when the next is due
// (zero: none is known).
func readTaken(answer any) (r *outboxRow, next time.Time) {
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
		return &outboxRow{id: text(2), value: text(1)}, time.Time{}
	}
	if due, err := strconv.ParseFloat(text(1), 64); err == nil && due >= 0 {
		next = time.UnixMicro(int64(due))
	}
	return nil, next
}
