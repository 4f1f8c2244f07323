package rules

// Lasting reports whether the conversation must survive a restart: the customer is not with the bot, or a rule has
// fired in it, so that a cooldown, an offer or the count of transfers goes on. What is lost of the others is a count
// that had not come to anything yet.
func (c *Conversation) Lasting() bool {
	m := c.recall()
	return c.phase != PhaseBot || len(m.rules) > 0 || len(m.accepted) > 0
}
