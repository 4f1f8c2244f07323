package rules

import "time"

// User is what is kept of a customer (RULES.md 7). The zero value is one of whom nothing is kept.
type User struct {
	// First and Last are the first and the last contact.
	First, Last time.Time
	// Agent is the id of the person who had the customer last, and AgentAt when.
	Agent   string
	AgentAt time.Time
}
