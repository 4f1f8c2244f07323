package rules

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"go.yaml.in/yaml/v4"
)

// digest is a short hash of what a node says, whatever its layout and comments.
func digest(n *yaml.Node) string {
	h := sha256.New()
	writeNode(h, n)
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// writeNode writes a node so that different trees differ: each value with its length, each list with its size.
func writeNode(w io.Writer, n *yaml.Node) {
	fmt.Fprintf(w, "%d %s %d:%s %d\n", n.Kind, n.Tag, len(n.Value), n.Value, len(n.Content))
	for _, kid := range n.Content {
		writeNode(w, kid)
	}
}
