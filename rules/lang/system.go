package lang

import "strings"

// System are the ends of errors that come from outside of the program, from the system or the network: most who read them in
// Chinese cannot read English.
var System = []Text{
	"no such file or directory", "permission denied", "is a directory", "not a directory", "not a regular file", "file exists",
	"no space left on device", "read-only file system", "input/output error", "too many open files",
	"connection refused", "connection reset by peer", "address already in use", "cannot assign requested address",
	"no such host", "network is unreachable", "i/o timeout", "context deadline exceeded", "broken pipe",
}

// outside is what an error from outside says: what was done and on what is the same in every language, the reason behind it is not.
func outside(words string) Text {
	for _, reason := range System {
		if done, ok := strings.CutSuffix(words, ": "+string(reason)); ok {
			return Say("%[1]s: %[2]s", done, reason)
		}
	}
	return Raw(words)
}
