package cli

import (
	"io"
	"os"
)

// standardInput is the name of standard input where a command takes a file.
const standardInput = "-"

// maxTyped is more than a rule file may hold.
const maxTyped = 16 << 20

// readSource reads the rule file that a command was given. The files that one from
// standard input includes are looked for in this folder.
func readSource(env Env, file string) ([]byte, error) {
	if file == standardInput {
		return io.ReadAll(io.LimitReader(env.Stdin, maxTyped))
	}
	return os.ReadFile(file) //nolint:gosec // the user names the file
}
