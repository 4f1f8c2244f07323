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
func Clip(s string) string {
	if len(s) > maxID {
		end := maxID
		for end > maxID-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end]
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}
