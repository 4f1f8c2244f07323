package redis

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"escalator/bot/store"
)

// keys names what we keep in Redis, under a prefix of the app:
//
//	escalator:APP:{CONVERSATION}:c         the conversation
//	escalator:APP:{CONVERSATION}:m:KEY     what became of a callback
//	escalator:APP:{PAIR}:chat              who reports the chat of a customer with an account
//	escalator:APP:{history}:e:SESSION      what happened in a conversation, for people to read
//	escalator:APP:{history}:u:USER         the session of a user's last entry there
//	escalator:APP:{history}:of …           what each session takes there, and their order
//	escalator:APP:{feed}:NAME              what replicas tell each other: decisions, and what became of them
//	escalator:APP:{outbox}:records …       the transfers, and their order
//	escalator:APP:{kept}:version …         what is kept beside the conversations, by kind (records.lua)
//	escalator:APP:{alarms}                 when conversations want to be woken
//	escalator:APP:{mutes}                  the rules that operators silenced
//	escalator:APP:{rate}                   the turns of delivery
//	escalator:APP:{replicas}               when each replica was here last
//	escalator:APP:{probe} …                written to see whether Redis can be
//
// What stands in braces decides the slot of a cluster.
type keys string

func newKeys(app uint64) keys { return keys("escalator:" + strconv.FormatUint(app, 10) + ":") }

func (k keys) conversation(id string) string { return string(k) + "{" + tag(id) + "}:c" }

// callback names what is kept of a callback: beside its conversation where it has one.
func (k keys) callback(key, conversation string) string {
	if conversation == "" {
		conversation = key
	}
	return string(k) + "{" + tag(conversation) + "}:m:" + key
}

// chat names what is known of a chat: beside its conversation of plain IM.
func (k keys) chat(pair string) string { return string(k) + "{" + tag(pair) + "}:chat" }

// version names the number of the record that was put last, and records what is kept of
// a kind: values, order, ends.
func (k keys) version() string { return string(k) + "{kept}:version" }

func (k keys) records(kind store.Kind) []string {
	base := string(k) + "{kept}:" + string(kind) + ":"
	return []string{base + "values", base + "order", base + "ends"}
}

func (k keys) alarms() string { return string(k) + "{alarms}" }
func (k keys) mutes() string  { return string(k) + "{mutes}" }
func (k keys) rate() string   { return string(k) + "{rate}" }

func (k keys) replicas() string { return string(k) + "{replicas}" }

// probes returns the keys on which is tried whether Redis can be used.
func (k keys) probes() []string {
	base := string(k) + "{probe}"
	return []string{base, base + ":hash", base + ":order"}
}

// outbox returns the keys of the outbox in the order in which scripts take them.
func (k keys) outbox() []string {
	base := string(k) + "{outbox}:"
	return []string{base + "records", base + "due", base + "ready", base + "leased", base + "given", base + "waiting", base + "ended"}
}

// maxTag is the longest id that is a tag as it is.
const maxTag = 128

// tag makes an id fit between braces: a brace in it would end the tag early,
// and keys of one conversation would be in several slots.
func tag(id string) string {
	if id != "" && len(id) <= maxTag && !strings.ContainsAny(id, "{}") {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}
