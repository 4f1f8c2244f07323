package rulefile

import (
	"context"
	"io"
	"path/filepath"

	"escalator/bot/regular"
	"escalator/rules"
)

// source is where the rules are read from.
type source struct {
	path    string
	storage storage
}

// name is what the file is called in its folder.
func (s source) name() string { return filepath.Base(s.path) }

// read reads the file, but does not wait for storage that hangs.
func (s source) read(ctx context.Context) (rules.Files, error) {
	return within(ctx, s.storage, func() (rules.Files, error) {
		src, err := Read(s.path)
		if err != nil {
			return nil, err
		}
		return rules.Files{s.name(): src}, nil
	})
}

// Read reads a rule file: a regular file, opened so that nothing waits for
// another process, and no more of it than shows that it is too large.
func Read(path string) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, rules.MaxSize+1))
}
