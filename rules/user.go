package rules

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// UserKeptFor is how long something is kept of a customer after the last contact. It is also the longest time that a
// file may ask for where it asks about the customer.
const UserKeptFor = 30 * 24 * time.Hour

// User is what is kept of a customer (RULES.md 7). The zero value is one of whom nothing is kept. It is not safe for
// concurrent use.
type User struct {
	// First and Last are the first and the last contact. Last is exact to a minute, so that not every message has to be
	// written down.
	First, Last time.Time
	// Agent is the id of the person who had the customer last, as far as Desk has named one; AgentAt is when a person
	// had the customer last, zero for never.
	Agent   string
	AgentAt time.Time

	cooldowns []userCooldown // at most maxUserCooldowns, one of a rule
}

// userCooldown is the last firing of a rule whose cooldown belongs to the customer, or (nobody) the answer that nobody
// was online. It ends as the file in force says.
type userCooldown struct {
	key    uint32
	nobody bool
	at     int64 // milliseconds since 1970
}

const (
	// maxUserCooldowns is also how many rules of a file may have a cooldown per customer: none is forgotten early.
	maxUserCooldowns = 8
	// contactStep is how exact Last is.
	contactStep = time.Minute
)

// keyOf names a rule in what is kept of a user. Four bytes tell the few rules of a customer apart; what a rule does in
// shadow is another one's past.
func (r *rule) keyOf() uint32 {
	if r.mode == ModeShadow {
		return uint32(stableKey(r.id, "shadow"))
	}
	return uint32(stableKey(r.id))
}

// Until is when nothing is kept any more of the customer.
func (u *User) Until() time.Time { return u.Last.Add(UserKeptFor) }

// Known says that something is kept of the customer.
func (u *User) Known() bool { return !u.First.IsZero() }

// WithAgent notes that a person has the customer; agent is that person's id, "" where Desk does not tell. Without a user
// (nil) it does nothing.
func (u *User) WithAgent(agent string, at time.Time) {
	if u == nil {
		return
	}
	u.see(at)
	if agent != "" && agent != u.Agent || at.Sub(u.AgentAt) >= contactStep {
		u.Agent, u.AgentAt, u.Last = cmp.Or(agent, u.Agent), at, at
	}
}

// see notes a contact.
func (u *User) see(now time.Time) {
	u.age(now)
	switch {
	case !u.Known():
		u.First, u.Last = now, now
	case now.Sub(u.Last) >= contactStep:
		u.Last = now
	}
}

// age gives up what is kept no more. Stamps that are later than now come from a clock that was set back since: left
// alone, a cooldown would go on for as long.
func (u *User) age(now time.Time) {
	if u.Known() && now.After(u.Until()) {
		*u = User{}
	}
	for _, at := range []*time.Time{&u.First, &u.Last, &u.AgentAt} {
		if at.After(now) {
			*at = now
		}
	}
	for i := range u.cooldowns {
		u.cooldowns[i].at = min(u.cooldowns[i].at, now.UnixMilli())
	}
}

// cooldown gives the last firing of a rule, nil if none is kept.
func (u *User) cooldown(key uint32) *userCooldown {
	for i := range u.cooldowns {
		if u.cooldowns[i].key == key {
			return &u.cooldowns[i]
		}
	}
	return nil
}

// rest begins a rule's cooldown. Where there are too many, one goes that no rule of the file has, the oldest first.
func (u *User) rest(c userCooldown, inFile []uint32) {
	at := time.UnixMilli(c.at)
	u.see(at)
	u.Last = at // the record must outlive the cooldown
	if old := u.cooldown(c.key); old != nil {
		*old = c
		return
	}
	u.cooldowns = append(u.cooldowns, c)
	if len(u.cooldowns) <= maxUserCooldowns {
		return
	}
	out := slices.MinFunc(u.cooldowns, func(a, b userCooldown) int {
		inA, inB := slices.Contains(inFile, a.key), slices.Contains(inFile, b.key)
		switch {
		case inA != inB && inB:
			return -1
		case inA != inB:
			return 1
		}
		return cmp.Compare(a.at, b.at)
	})
	u.cooldowns = slices.DeleteFunc(u.cooldowns, func(c userCooldown) bool { return c.key == out.key })
}

// restAgain begins a rule's cooldown anew in what is kept of the customer, because nobody was online.
func (p *Policy) restAgain(u *User, ruleID string, shadow bool, now int64) {
	if r := p.findRule(ruleID); u != nil && r != nil && r.perCustomer && shadow == (r.mode == ModeShadow) {
		u.rest(userCooldown{key: r.userKey, nobody: true, at: now}, p.userKeys)
	}
}

// MergeUsers joins what two stores that were apart keep of one customer, as Encode gives it: the earliest first contact,
// the latest last contact, the person who came last, of each cooldown the latest. Their order does not matter.
func MergeUsers(ours, theirs []byte) []byte {
	a, b := ParseUser(ours), ParseUser(theirs)
	switch {
	case !a.Known():
		return b.Encode()
	case !b.Known():
		return a.Encode()
	}
	if b.First.Before(a.First) {
		a.First = b.First
	}
	if b.Last.After(a.Last) {
		a.Last = b.Last
	}
	if later := b.AgentAt.Compare(a.AgentAt); later > 0 || later == 0 && b.Agent > a.Agent {
		a.Agent, a.AgentAt = b.Agent, b.AgentAt
	}
	for _, c := range b.cooldowns {
		if mine := a.cooldown(c.key); mine == nil {
			a.cooldowns = append(a.cooldowns, c)
		} else if c.after(*mine) > 0 {
			*mine = c
		}
	}
	slices.SortFunc(a.cooldowns, func(x, y userCooldown) int { return cmp.Or(y.after(x), cmp.Compare(x.key, y.key)) })
	a.cooldowns = a.cooldowns[:min(len(a.cooldowns), maxUserCooldowns)]
	return a.Encode()
}

// after compares two stamps of a rule. The answer that nobody was there comes after the firing.
func (c userCooldown) after(o userCooldown) int {
	switch {
	case c.at != o.at:
		return cmp.Compare(c.at, o.at)
	case c.nobody == o.nobody:
		return 0
	case c.nobody:
		return 1
	}
	return -1
}

// latestStamp is a bound of what can be a time, in milliseconds since 1970: the year 6429.
const latestStamp = 1 << 47

// MaxUserSize is the most bytes that Encode gives.
const MaxUserSize = 160

// userVersion is the first byte of an encoded user. A later version may only add at the end, so that an older program
// reads what it knows.
const userVersion = 1

// Encode gives at most MaxUserSize bytes for ParseUser; nil where nothing is kept. Where an agent's id has no room in
// them, which one of up to 60 bytes always has, it is left out.
func (u *User) Encode() []byte {
	if !u.Known() {
		return nil
	}
	b := u.encode(u.Agent)
	if len(b) > MaxUserSize {
		b = u.encode("")
	}
	return b
}

// encode writes all but the first contact as their distance from the last one, and nothing that is too old to be of use.
func (u *User) encode(agent string) []byte {
	last := u.Last.UnixMilli()
	w := writer{append(make([]byte, 0, MaxUserSize), userVersion)}
	w.int(u.First.UnixMilli())
	w.uint(uint64(max(0, last-u.First.UnixMilli())))
	if ago := last - u.AgentAt.UnixMilli(); u.AgentAt.IsZero() || !inUserTime(ago) {
		w.uint(0)
	} else {
		w.uint(uint64(ago) + 1)
		w.text(agent)
	}
	var running []userCooldown
	for _, c := range u.cooldowns {
		if inUserTime(last - c.at) {
			running = append(running, c)
		}
	}
	w.uint(uint64(len(running)))
	for _, c := range running {
		w.b = binary.LittleEndian.AppendUint32(w.b, c.key)
		w.flag(c.nobody)
		w.uint(uint64(last - c.at))
	}
	return w.b
}

// inUserTime says that so many milliseconds before the last contact are within what is kept of a user.
func inUserTime(ago int64) bool { return ago >= 0 && ago <= UserKeptFor.Milliseconds() }

// ParseUser reads what Encode gave. Whatever the bytes are, it gives a user that can be used: of bytes that make no sense
// nothing is kept.
func ParseUser(data []byte) User {
	if len(data) == 0 || data[0] < userVersion {
		return User{}
	}
	r := reader{b: data[1:]}
	first := r.int()
	last := first + int64(r.uint())
	u := User{First: time.UnixMilli(first), Last: time.UnixMilli(last)}
	if ago := r.uint(); ago > 0 {
		u.AgentAt = time.UnixMilli(last - int64(ago-1))
		u.Agent = string(r.bytes(r.count(MaxUserSize)))
	}
	for range r.count(maxUserCooldowns) {
		c := userCooldown{key: r.key32(), nobody: r.flag(), at: last - int64(r.uint())}
		if u.cooldown(c.key) == nil && inUserTime(last-c.at) {
			u.cooldowns = append(u.cooldowns, c)
		}
	}
	if r.err != nil || !u.Known() || first > last || last > latestStamp || first < -latestStamp || !u.AgentAt.IsZero() && !inUserTime(last-u.AgentAt.UnixMilli()) {
		return User{}
	}
	return u
}
