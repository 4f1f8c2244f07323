package history

import (
	"strings"
	"unicode/utf8"

	"escalator/bot/mask"
	"escalator/rules"
)

const (
	// maxText is how many characters of a text are kept.
	maxText = 500
	// maxCopy is how many bytes of a text are copied for that, at most: masking makes
	// texts shorter.
	maxCopy = 4 << 10
	// cutMargin is how many characters before the place where a text was cut are not
	// shown: they may begin a number, or an address, that is hidden when it is seen whole.
	cutMargin = 100
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
	end := len(n.Text)
	if n.cut = end > maxCopy; n.cut {
		for end = maxCopy; end > maxCopy-utf8.UTFMax && !utf8.RuneStart(n.Text[end]); {
			end--
		}
	}
	n.text = append(n.text[:0], n.Text[:end]...)
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
	n.Text = shown(m, string(n.text), n.cut)
	n.Why, n.Error = clip(n.Why, maxText), clip(n.Error, maxText)
	n.stories = s.Of(&n.Tried, n.stories)
	for i := range n.stories {
		n.stories[i].Why = clip(n.stories[i].Why, maxText)
	}
	n.Rules = n.stories
}

// shown is as much of a text as is kept.
func shown(m mask.Mode, text string, wasCut bool) string {
	text = m.Text(strings.ToValidUTF8(text, string(utf8.RuneError)))
	if !wasCut {
		return clip(text, maxText)
	}
	return clip(text, min(maxText, max(0, utf8.RuneCountInString(text)-cutMargin)))
}

// clip shortens a text to so many characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
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
