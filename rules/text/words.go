package text

import (
	"bufio"
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
)

// The common words: of English, of the other languages in which typing errors
// are forgiven, and those of chats and shops that the lists lack. data/README.md
// says where they come from.
var (
	//go:embed data/english.txt.gz
	englishWords []byte
	//go:embed data/words.txt.gz
	otherWords []byte
	//go:embed data/chat.txt
	chatWords string
)

// A wordSet is a set of hashed words. Two words have the same place and 32 bits
// with a chance of one in 10,000, and all that would follow is that one typing
// error is not forgiven.
type wordSet struct {
	slots []uint32 // 0 is free
	shift uint
}

const wordSetBits = 18

// commonWords returns the common words of four letters and more, with their
// inflections, of all languages together: words of different scripts differ
// anyway. They are read once, when a file first has a phrase that forgives
// typing errors.
var commonWords = sync.OnceValue(func() *wordSet {
	set := &wordSet{slots: make([]uint32, 1<<wordSetBits), shift: 64 - wordSetBits}
	for _, packed := range [][]byte{englishWords, otherWords} {
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			panic("text: the embedded list of words: " + err.Error())
		}
		set.addLines(r)
	}
	set.addLines(strings.NewReader(chatWords))
	return set
})

// ReadWords reads the common words, for which the first file with such a phrase would wait.
func ReadWords() { commonWords() }

func (s *wordSet) addLines(r io.Reader) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if b := lines.Bytes(); len(b) > 0 && b[0] != '#' {
			s.add(hashOn(hashSeed, b))
		}
	}
}

func (s *wordSet) add(h uint64) {
	tag := uint32(h) | 1
	for i := h >> s.shift; ; i = (i + 1) & uint64(len(s.slots)-1) {
		if s.slots[i] == tag {
			return
		}
		if s.slots[i] == 0 {
			s.slots[i] = tag
			return
		}
	}
}

// has reports whether the word with this hash is in the set.
func (s *wordSet) has(h uint64) bool {
	if s == nil {
		return false
	}
	tag := uint32(h) | 1
	for i := h >> s.shift; ; i = (i + 1) & uint64(len(s.slots)-1) {
		if s.slots[i] == tag {
			return true
		}
		if s.slots[i] == 0 {
			return false
		}
	}
}
