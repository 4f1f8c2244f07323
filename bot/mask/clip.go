package mask

import (
	"strings"
	"unicode/utf8"
)

// maxID bounds the identifiers and names of strangers in logs, labels and keys, in bytes.
const maxID = 128

// Clip shortens an identifier that nobody would make that long. It cuts between
// characters and replaces bytes that are no UTF-8: a label of a metric must be
// valid text, or the metrics library panics.
func Clip(s string) string { return clip(s, maxID) }

// maxReason bounds what operators write of why they do something, in bytes: the
// console takes 300 characters, which may have three bytes each.
const maxReason = 1024

// Reason shortens, likewise, the words of an operator.
func Reason(s string) string { return clip(s, maxReason) }

func clip(s string, limit int) string {
	if len(s) > limit {
		end := limit
		for end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
