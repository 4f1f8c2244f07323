package rules

// One miss at most counts per user message, and the last bot message before the next user message decides: a good
// answer after a miss takes the miss back. So the miss of the exchange under way is kept apart (missAt) and only
// enters the ring, and the streak, when the next user message closes the exchange.

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
		m := c.own()
		m.misses = pushStamp(m.misses, c.missAt)
		c.streak = min(c.streak+1, maxStamps)
	case exchangeAnswered:
		c.streak = 0
	case exchangeOpen: // the bot said nothing that tells
	}
	c.exchange, c.missAt = exchangeOpen, 0
}

// miss notes that the bot failed to answer; it says whether that is news in this exchange.
func (c *Conversation) miss(now int64) bool {
	news := c.exchange != exchangeMissed
	c.exchange, c.missAt = exchangeMissed, now
	return news
}

// answered notes a good answer of the bot.
func (c *Conversation) answered() { c.exchange, c.missAt = exchangeAnswered, 0 }

// missed counts the misses within a time, all of them or only those in a row.
func (c *Conversation) missed(now, within int64, inARow bool) int {
	ring := c.recall().misses
	if inARow {
		if c.exchange == exchangeAnswered {
			return 0
		}
		ring = ring[len(ring)-min(int(c.streak), len(ring)):]
	}
	n := countSince(ring, now, within)
	if c.exchange == exchangeMissed && now-c.missAt <= within {
		n++
	}
	return min(n, maxCount)
}
