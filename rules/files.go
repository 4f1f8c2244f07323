package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
)

// Files is a rule file with the files that it takes in: their bytes by their names, relative to its folder.
type Files map[string][]byte

// Version is the beginning of the SHA-256 over name and bytes of each file, in byte order of the names.
func (f Files) Version() string {
	h := sha256.New()
	f.write(h)
	return shortHash(h)
}

func (f Files) write(h hash.Hash) {
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(h, "%d:%s %d:", len(name), name, len(f[name]))
		h.Write(f[name]) // never fails
	}
}

func shortHash(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)[:6]) }

// Set is a rule file with all that was found of the files that it takes in, ready to be loaded.
type Set struct {
	// Main is the name of the rule file.
	Main string
	Files
	// Faults says why a file that the rule file takes in could not be read, by its name, or why a folder could not, by the
	// pattern.
	Faults map[string]error
}

// Version is Files.Version. The faults belong to it: once a missing file is there, the set is another one.
func (s Set) Version() string {
	if len(s.Faults) == 0 {
		return s.Files.Version()
	}
	h := sha256.New()
	s.write(h)
	for _, name := range slices.Sorted(maps.Keys(s.Faults)) {
		fmt.Fprintf(h, "%d:%s! %s", len(name), name, s.Faults[name])
	}
	return shortHash(h)
}

// names are the files that the set knows of, in byte order.
func (s Set) names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range s.Files {
			if !yield(name) {
				return
			}
		}
		for name := range s.Faults {
			if _, read := s.Files[name]; !read && !yield(name) {
				return
			}
		}
	})
}
