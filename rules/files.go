package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Files is a rule file with the files that it takes in: their bytes by their names, relative to its folder.
type Files map[string][]byte

// Version is the beginning of the SHA-256 over name and bytes of each file, in byte order of the names.
func (f Files) Version() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		fmt.Fprintf(h, "%d:%s %d:%s", len(name), name, len(f[name]), f[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
