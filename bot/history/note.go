package history

import (
	"escalator/bot/mask"
	"escalator/rules"
)

const (
	// maxText is how many characters are kept of words that are not the customer's.
	maxText = 500
	// noteSize is what a note takes in the queue beside its text, in bytes.
	noteSize = 1 << 10
	// maxEntry is how long an encoded entry may be.
	maxEntry = 16 << 10
)

// Note is an entry on its way to be kept. Take one with History.Note, fill it, and give
// it back with Put or Drop.
type Note struct {
	// Entry is what happened. Its Text is copied by Put, unmasked as it is; its other words
	// must be masked, and no string may be a piece of a callback's body.
	Entry
	// Tried is for Decide to fill: rules.Turn.Tried.
	Tried rules.Tried

	text    []byte            // a copy of Entry.Text
	cut     bool              // Entry.Text was longer
	stories []rules.RuleStory // memory for Entry.Rules
}

// take copies the text into memory of the note's own.
func (n *Note) take() {
	head, cut := mask.Head(n.Text)
	n.text, n.cut = append(n.text[:0], head...), cut
	n.Text = ""
}

// reset makes the note fit for use again.
func (n *Note) reset() {
	n.Tried.Reset()
	clear(n.stories)
	n.Entry, n.text, n.cut, n.stories = Entry{}, n.text[:0], false, n.stories[:0]
}

// finish puts into words what was noted, masked.
func (n *Note) finish(m mask.Mode, s *rules.Stories) {
	n.Text = m.Excerpt(string(n.text), n.cut)
	n.Why, n.Error = mask.First(n.Why, maxText), mask.First(n.Error, maxText)
	n.stories = s.Of(&n.Tried, n.stories)
	for i := range n.stories {
		n.stories[i].Why = mask.First(n.stories[i].Why, maxText)
	}
	n.Rules = n.stories
}

// appendTo encodes the entry. One of a rule file so long that the story of a turn would
// fill a conversation's room is kept without the rules that were tried.
func (n *Note) appendTo(b []byte) []byte {
	start := len(b)
	if b = appendEntry(b, &n.Entry); len(b)-start <= maxEntry {
		return b
	}
	n.Rules = nil
	return appendEntry(b[:start], &n.Entry)
}
