package desk

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	minHidden = 6   // shorter keys are test values; hiding them would garble words
	maxInfo   = 300 // bytes of ErrorInfo that are kept
	maxRun    = 40  // a longer unbroken run of a signature's characters is hidden, whatever it is
)

// hide returns a replacer that masks a secret, as it is and as it looks in a
// query.
func hide(s Secret) *strings.Replacer {
	v := s.Reveal()
	if len(v) < minHidden {
		return strings.NewReplacer()
	}
	return strings.NewReplacer(v, masked, url.QueryEscape(v), masked)
}

// redact returns the error without the key and the signature. Errors of
// net/http print the whole address, and some quote what the peer sent, which may
// be our own words. An error whose text had to be changed is replaced
// altogether, because Unwrap would hand out what it hides.
func (c *Client) redact(err error, sig Secret) error {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	before := err.Error()
	if after := c.scrub(before, sig); after != before {
		return errors.New(after)
	}
	return err
}

// scrub masks the key, the signature, and anything as long as a piece of one: a
// peer may quote a signature in part.
func (c *Client) scrub(s string, sig Secret) string {
	s = hide(sig).Replace(c.scrubber.Replace(s))
	var b strings.Builder
	for s != "" {
		n := 0
		for n < len(s) && inSignature(s[n]) {
			n++
		}
		if n > maxRun {
			b.WriteString(masked)
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
		other := strings.IndexFunc(s, func(r rune) bool { return r < utf8.RuneSelf && inSignature(byte(r)) })
		if other < 0 {
			other = len(s)
		}
		b.WriteString(s[:other])
		s = s[other:]
	}
	return b.String()
}

func inSignature(c byte) bool { return isWordByte(c) || c == '*' }

// cleanInfo makes Desk's words fit for a log: no secrets, no control
// characters, not long. Secrets go first, because a cut could leave half of one.
func (c *Client) cleanInfo(s string, sig Secret) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, c.scrub(s, sig))
	if len(s) <= maxInfo {
		return strings.Clone(s)
	}
	cut := maxInfo
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
