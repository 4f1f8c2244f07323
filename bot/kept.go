package bot

import (
	"encoding/binary"
	"time"
)

// What is kept under a dedup key is the decision, not the bytes of one answer: a
// copy may come in another form and gets the same decision in its own.
//
//	a        we act on it: no robot must answer
//	n…       it was counted; then the length of its text, for a message that comes again, longer
//	f…       the own bot failed; then after how many µs
//	l        the own bot answered, at a length that is not kept
//	{…       an answer as it was given: to a question, or the own bot's
const (
	markActed   = 'a'
	markCounted = 'n'
	markFailed  = 'f'
	markLarge   = 'l'
)

var keptActed, keptLarge = []byte{markActed}, []byte{markLarge}

// The lengths of nearly all texts: millions of callbacks are kept at a time.
var keptLengths = func() (all [1024][]byte) {
	for n := range all {
		all[n] = binary.AppendUvarint([]byte{markCounted}, uint64(n))
	}
	return all
}()

func keptCounted(textLen int) []byte {
	if textLen < len(keptLengths) {
		return keptLengths[textLen]
	}
	return binary.AppendUvarint([]byte{markCounted}, uint64(textLen))
}

func keptFailed(after time.Duration) []byte {
	return binary.AppendUvarint([]byte{markFailed}, uint64(max(1, after.Microseconds()))) // 0 would say that it had not
}

func isJSON(kept []byte) bool   { return len(kept) > 0 && kept[0] == '{' }
func hasActed(kept []byte) bool { return len(kept) > 0 && kept[0] == markActed }

// number reads what stands after a mark, 0 where another one stands.
func number(kept []byte, mark byte) uint64 {
	if len(kept) == 0 || kept[0] != mark {
		return 0
	}
	n, _ := binary.Uvarint(kept[1:])
	return n
}

// textLen is how long the text was that was counted; what nobody can outgrow where
// there is none.
func textLen(kept []byte) int {
	if len(kept) == 0 || kept[0] != markCounted {
		return 1 << 30
	}
	return int(number(kept, markCounted))
}
