package rules

// One miss at most counts per user message, and the last bot message with text before the next user message decides: a
// good answer after a miss takes the miss back. So the miss of the exchange under way is kept apart (missAt) and only
// enters the ring, and the streak, when the next user message closes the exchange.
//
// A rule that fires has had its misses: each rule's state says how many of the ring, the oldest, count for it no more.
// That is a number and not a time, because several things may happen in one millisecond.

// exchange is what came of the customer's last message so far.
type exchange uint8

const (
	exchangeOpen exchange = iota
	exchangeMissed
	exchangeAnswered
)

// noAnswer holds the marks of messages that are no answer of the bot: they neither count nor reset.
var noAnswer = map[string]bool{
	"welcome": true, "thinking": true, "queuing": true, "connectingToAgent": true, "connectedToAgent": true,
	"failedToConnectAgent": true, "satisfactionRating": true, "proactiveClosure": true, "timeoutAutoClosure": true,
	"automaticReplyAfterWorkingHours": true, "chooseGroup": true, "concurrentLimit": true,
}

// closeExchange books what came of the last message; a new message of the customer opens the next exchange.
func (c *Conversation) closeExchange() {
	switch c.exchange {
	case exchangeMissed:
		c.own().addMiss(c.missAt)
		c.streak = min(c.streak+1, maxStamps)
	case exchangeAnswered:
		c.streak = 0
	case exchangeOpen: // the bot said nothing that tells
	}
	c.exchange, c.missAt = exchangeOpen, 0
	rules := c.recall().rules
	for i := range rules {
		rules[i].spentNow = false
	}
}

// addMiss keeps a miss. It is spent for the rules that fired in its exchange, and so is all that came before it.
func (m *memory) addMiss(at int64) {
	full := len(m.misses) == maxStamps // then the oldest goes
	m.misses = pushStamp(m.misses, at)
	for i := range m.rules {
		switch s := &m.rules[i]; {
		case s.spentNow:
			s.spent = uint8(len(m.misses))
		case full && s.spent > 0:
			s.spent--
		}
	}
}

// spend makes all misses so far count no more for the rule that has this state.
func (c *Conversation) spend(s *ruleState) {
	s.spent, s.spentNow = uint8(len(c.recall().misses)), true
}

// miss notes that the bot failed to answer; it says whether that is news in this exchange.
func (c *Conversation) miss(now int64) bool {
	news := c.exchange != exchangeMissed
	c.exchange, c.missAt = exchangeMissed, now
	return news
}

// answered notes a good answer of the bot.
func (c *Conversation) answered() { c.exchange, c.missAt = exchangeAnswered, 0 }

// missed counts the misses within a time that a rule has not fired on, all of them or only those in a row. The rule's
// state may be nil.
func (c *Conversation) missed(now, within int64, inARow bool, s *ruleState) int {
	ring, spentNow := c.recall().misses, false
	from := 0
	if inARow {
		if c.exchange == exchangeAnswered {
			return 0
		}
		from = len(ring) - min(int(c.streak), len(ring))
	}
	if s != nil {
		from, spentNow = max(from, min(int(s.spent), len(ring))), s.spentNow
	}
	n := countSince(ring[from:], now, within)
	if c.exchange == exchangeMissed && !spentNow && now-c.missAt <= within {
		n++
	}
	return min(n, maxCount)
}
