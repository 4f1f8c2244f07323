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
	takes   *rules.Collector // what the file takes in; used by the storage's work only
}

func newSource(path string) source {
	return source{path, newStorage(), &rules.Collector{In: folder(filepath.Dir(path))}}
}

// name is what the file is called in its folder.
func (s source) name() string { return filepath.Base(s.path) }

// read reads the file and all that it takes in, but does not wait for storage that hangs.
func (s source) read(ctx context.Context) (rules.Set, error) {
	return within(ctx, s.storage, s.readNow)
}

// readNow reads them as a part of the storage's work.
func (s source) readNow() (rules.Set, error) {
	src, err := Read(s.path, rules.MaxSize)
	if err != nil {
		return rules.Set{}, err
	}
	return s.takes.Collect(s.name(), src), nil
}

// Collect reads what a rule file of that path and text takes in.
func Collect(path string, src []byte) rules.Set {
	takes := rules.Collector{In: folder(filepath.Dir(path))}
	return takes.Collect(filepath.Base(path), src)
}

// Read reads a regular file, opened so that nothing waits for another process, and no more than one byte over so many:
// that shows that it is too large.
func Read(path string, most int) ([]byte, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, int64(most)+1))
}
