package rulefile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"escalator/bot/regular"
	"escalator/rules"
	"escalator/rules/lang"
)

// folder is where a rule file lies. What it takes in must lie below, wherever links lead.
type folder string

var errOutside = lang.Errorf("it lies outside the folder of the rule file")

// Read reads a file of the folder, and waits for no other process.
func (f folder) Read(name string, most int) ([]byte, error) {
	root, name, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	file, err := regular.OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	src, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err == nil && len(src) > most {
		err = rules.ErrTooLarge
	}
	return src, err
}

// List lists the names in a folder below.
func (f folder) List(name string) ([]string, error) {
	root, name, err := f.open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	dir, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY, 0)
	if errors.Is(err, syscall.ENOTDIR) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = dir.Close() }()
	return dir.Readdirnames(-1)
}

// open resolves the links of a name and opens the folder, out of which a link that is put there meanwhile does not lead
// either. Links may be absolute, which a root alone would not follow.
func (f folder) open(name string) (root *os.Root, resolved string, err error) {
	base, err := filepath.EvalSymlinks(string(f))
	if err != nil {
		return nil, "", err
	}
	path, err := filepath.EvalSymlinks(filepath.Join(base, filepath.FromSlash(name)))
	if err != nil {
		return nil, "", err
	}
	if resolved, err = filepath.Rel(base, path); err != nil || !filepath.IsLocal(resolved) {
		return nil, "", errOutside
	}
	root, err = os.OpenRoot(base)
	return root, resolved, err
}
