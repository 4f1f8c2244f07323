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

//go:embed data/english.txt.gz
var englishData []byte

//go:embed data/english-chat.txt
var englishChat string

// A wordSet is a set of hashed words. Two words of a language have the same
// 32 bits with a chance of one in 100,000, and all that would follow is that
// one typing error is not forgiven.
type wordSet struct {
	slots []uint32 // 0 is free
	shift uint
}

// english returns the common English words of four letters and more, with
// their inflections. It is read once, when a file first has a phrase that
// forgives typing errors.
var english = sync.OnceValue(func() *wordSet {
	set := &wordSet{slots: make([]uint32, 1<<17), shift: 64 - 17}
	r, err := gzip.NewReader(bytes.NewReader(englishData))
	if err != nil {
		panic("text: the embedded list of English words: " + err.Error())
	}
	for _, src := range []io.Reader{r, strings.NewReader(englishChat)} {
		lines := bufio.NewScanner(src)
		for lines.Scan() {
			if b := lines.Bytes(); len(b) > 0 && b[0] != '#' {
				set.add(hashOn(hashSeed, b))
			}
		}
	}
	return set
})

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
