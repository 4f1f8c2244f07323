// Package secrets reads keys, tokens and addresses from files. No error that it returns
// shows any of them.
package secrets

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"unicode"

	"escalator/bot/regular"
	"escalator/rules/lang"
)

// maxFile bounds what is read of a file: it may be anything.
const maxFile = 64 << 10

// Read reads a secret without what editors put around a text: a byte order mark, and
// one line end. The error goes on where the file's name ends.
func Read(r io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return "", lang.Errorf("cannot be read: %w", cause(err))
	case len(b) > maxFile:
		return "", lang.Errorf("is larger than %d KiB", maxFile>>10)
	}
	value := strings.TrimPrefix(string(b), "\ufeff")
	value = strings.TrimSuffix(strings.TrimSuffix(value, "\n"), "\r")
	if value == "" {
		return "", lang.Errorf("is empty")
	}
	return value, nil
}

// Flaw says what stands in a key, a token or an address that cannot be a part of it:
// with it every signature would be another one. Blanks beside the comma of a list are
// read over. "": nothing.
func Flaw(value string) lang.Text {
	if strings.TrimSpace(value) == "" {
		return "is blank"
	}
	for _, r := range strings.ReplaceAll(strings.ReplaceAll(value, " ,", ","), ", ", ",") {
		switch {
		case strings.ContainsRune("\"'`“”„‘’«»", r):
			return "has quotes in it: write the value without them"
		case unicode.IsSpace(r):
			return "has white space in it, a line end perhaps: write the value without it"
		case !unicode.IsPrint(r):
			return "has an invisible character in it, a byte order mark perhaps: write the value without it"
		}
	}
	return ""
}

// Folder is where secrets lie, a file for each; "": there is none.
type Folder string

// Read returns the secret in a file, as it is now: it may have been changed since the
// last time. The name leads nowhere out of the folder.
func (f Folder) Read(name string) (string, error) {
	if f == "" {
		return "", lang.Errorf("ESCALATOR_SECRETS_DIR is not set")
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return "", lang.Errorf("ESCALATOR_SECRETS_DIR: %w", cause(err))
	}
	defer func() { _ = root.Close() }()
	file, err := regular.OpenIn(root, name)
	if err != nil {
		return "", lang.Errorf("%s in ESCALATOR_SECRETS_DIR: %w", name, cause(err))
	}
	defer func() { _ = file.Close() }()
	value, err := Read(file)
	if err != nil {
		return "", lang.Errorf("%s in ESCALATOR_SECRETS_DIR %w", name, err)
	}
	if flaw := Flaw(value); flaw != "" {
		return "", lang.Errorf("%s in ESCALATOR_SECRETS_DIR %s", name, flaw)
	}
	return value, nil
}

// cause is what went wrong with a file, without its path, which may say where others
// lie.
func cause(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

// Exposed reports whether every user of this machine may read a secret, as far as the
// folder and the file say.
func (f Folder) Exposed(name string) bool {
	const readable, passable = 0o004, 0o001
	dir, err := os.Stat(string(f))
	if err != nil || runtime.GOOS == "windows" || dir.Mode()&passable == 0 {
		return false
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	file, err := root.Stat(name)
	return err == nil && file.Mode()&readable != 0
}
