package desk

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// DedupKey names this callback for de-duplication (CONTRACT.md 4): the command
// with RequestID; without one with the conversation, Event and MsgKey; without
// a key with the hash of the body. "" means that it must be computed anew each
// time: assignment and task-flow callbacks without a RequestID.
//
// The key is a SHA-256 over parts that each carry a tag and their length, so
// that no two different callbacks can be spelled alike.
func (e *Event) DedupKey() string {
	if e.dedup == "" {
		e.dedup = e.dedupKey()
	}
	return e.dedup
}

func (e *Event) dedupKey() string {
	var room [512]byte
	parts := part(room[:0], 'c', e.Command)
	switch {
	case e.RequestID != "":
		parts = part(parts, 'r', e.RequestID)
	case e.Command == CommandAssignHuman, e.Command == CommandAssignAgent, e.Command == CommandTaskFlow:
		return ""
	case e.MsgKey != "" && e.hasConversation():
		parts = e.conversation(parts)
		parts = part(parts, 'e', e.Name)
		parts = part(parts, 'k', e.MsgKey)
	default:
		sum := sha256.Sum256(e.Body)
		parts = part(parts, 'b', string(sum[:]))
	}
	sum := sha256.Sum256(parts)
	var key [43]byte // a SHA-256 in base64
	base64.RawURLEncoding.Encode(key[:], sum[:])
	return string(key[:])
}

func (e *Event) hasConversation() bool {
	return e.SessionID != "" || e.GroupID != "" || (e.From != "" && e.To != "")
}

func (e *Event) conversation(parts []byte) []byte {
	switch {
	case e.SessionID != "":
		return part(parts, 's', e.SessionID)
	case e.From != "" && e.To != "":
		return part(part(parts, 'f', e.From), 't', e.To)
	default:
		return part(parts, 'g', e.GroupID)
	}
}

func part(b []byte, tag byte, s string) []byte {
	b = append(b, tag)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}
