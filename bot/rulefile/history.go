package rulefile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"escalator/rules"
	"escalator/rules/lang"
)

// What is kept of accepted versions. The newest is kept whatever its size.
const (
	maxKept      = 50
	maxKeptBytes = 256 << 20
)

// ErrUnknownVersion is the error of a version that is not kept.
var ErrUnknownVersion = lang.Errorf("no such version is kept")

// Author is who put rules in force.
type Author struct {
	How     string `json:"author"`       // start, reload or rollback
	By      string `json:"by,omitempty"` // as the caller says
	Why     string `json:"why,omitempty"`
	Address string `json:"address,omitempty"` // of the caller
}

// Accepted is a version that was put in force.
type Accepted struct {
	Version string    `json:"version"`
	At      time.Time `json:"at"`
	Author
	File  string `json:"file"`  // the rule file's name; the others are those that it takes in
	Bytes int    `json:"bytes"` // of all files
}

// history keeps accepted versions whole, each in a folder of its own in which the
// files lie as they were: whoever has only the data folder left can copy them.
//
//	rules/00000017-5be0c1d2a3f4/about.json      an Accepted
//	rules/00000017-5be0c1d2a3f4/files/rules.yaml
//
// A version is written elsewhere and renamed, so it is there whole or not at all.
type history struct {
	folder string // "": nothing is kept

	mu   sync.Mutex // never held while files are read or written
	kept []keptVersion
}

// keptVersion is a version and the name of its folder, which begins with a number that grows.
type keptVersion struct {
	Accepted
	folder string
}

const aboutFile, filesFolder, freshFolder = "about.json", "files", ".new"

// openHistory reads what an earlier process has kept. It writes nothing: the folder may be another process's.
func openHistory(folder string) (*history, error) {
	h := &history{folder: folder}
	if folder == "" {
		return h, nil
	}
	entries, err := os.ReadDir(folder) // in the order of their names, so of their numbers
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	for _, e := range entries {
		k := keptVersion{folder: e.Name()}
		src, err := Read(filepath.Join(folder, e.Name(), aboutFile), rules.MaxSize)
		if err == nil && k.number() > 0 && json.Unmarshal(src, &k.Accepted) == nil {
			h.kept = append(h.kept, k)
		}
	}
	return h, err
}

func (k keptVersion) number() int {
	number, _, _ := strings.Cut(k.folder, "-")
	n, _ := strconv.Atoi(number)
	return n
}

// list returns the versions, newest first.
func (h *history) list() []Accepted {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]Accepted, 0, len(h.kept))
	for _, k := range slices.Backward(h.kept) {
		all = append(all, k.Accepted)
	}
	return all
}

// leastOfVersion are the letters that a shortened version has at least: one may be a slip.
const leastOfVersion = 4

// find returns the newest with that version, which may be shortened as long as it can only mean one.
func (h *history) find(version string) (keptVersion, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found *keptVersion
	for i := range slices.Backward(h.kept) {
		switch k := &h.kept[i]; {
		case len(version) < leastOfVersion || !strings.HasPrefix(k.Version, version):
		case found == nil:
			found = k
		case found.Version != k.Version:
			return keptVersion{}, lang.Errorf("%w: %q may be %s or %s", ErrUnknownVersion, version, found.Version, k.Version)
		}
	}
	if found == nil {
		return keptVersion{}, lang.Errorf("%w: %q", ErrUnknownVersion, version)
	}
	return *found, nil
}

// files reads a version, and makes sure that it is what it was.
func (h *history) files(k keptVersion) (rules.Files, error) {
	files, folder := rules.Files{}, filepath.Join(h.folder, k.folder, filesFolder)
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = Read(path, rules.MaxListSize)
		return err
	})
	if err == nil && files.Version() != k.Version {
		err = errors.New("its files were changed")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kept version %s: %w", k.Version, err)
	}
	return files, nil
}

// add keeps a version, unless it is the newest anyway.
func (h *history) add(a Accepted, files rules.Files) error {
	h.mu.Lock()
	next := 1
	if n := len(h.kept); n > 0 {
		next = h.kept[n-1].number() + 1
		if h.kept[n-1].Version == a.Version {
			next = 0
		}
	}
	h.mu.Unlock()
	if h.folder == "" || next == 0 {
		return nil
	}
	k := keptVersion{Accepted: a, folder: fmt.Sprintf("%08d-%s", next, a.Version)}
	if err := h.write(k, files); err != nil {
		return err
	}
	h.mu.Lock()
	h.kept = append(h.kept, k)
	total, first := 0, len(h.kept)
	for first > 0 && len(h.kept)-first < maxKept && (total == 0 || total+h.kept[first-1].Bytes <= maxKeptBytes) {
		first--
		total += h.kept[first].Bytes
	}
	h.kept = slices.Clone(h.kept[first:])
	stay := slices.Clone(h.kept)
	h.mu.Unlock()
	return h.removeOthers(stay)
}

// write puts a version into its folder.
func (h *history) write(k keptVersion, files rules.Files) error {
	fresh, final := filepath.Join(h.folder, freshFolder), filepath.Join(h.folder, k.folder)
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(final)); err != nil { // of an attempt that failed
		return err
	}
	about, err := json.MarshalIndent(k.Accepted, "", "  ")
	if err != nil {
		return err
	}
	all := map[string][]byte{aboutFile: append(about, '\n')}
	for name, src := range files {
		all[filepath.Join(filesFolder, filepath.FromSlash(name))] = src
	}
	for name, src := range all {
		path := filepath.Join(fresh, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := writeFile(path, src, 0o600); err != nil {
			return err
		}
		if err := syncFolder(filepath.Dir(path)); err != nil {
			return err
		}
	}
	if err := syncFolder(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, final); err != nil {
		return err
	}
	return errors.Join(syncFolder(h.folder), syncFolder(filepath.Dir(h.folder)))
}

// removeOthers removes what does not stay: versions that are too old, and what a process that died has left.
func (h *history) removeOthers(stay []keptVersion) error {
	entries, err := os.ReadDir(h.folder)
	for _, e := range entries {
		if !slices.ContainsFunc(stay, func(k keptVersion) bool { return k.folder == e.Name() }) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(h.folder, e.Name())))
		}
	}
	return err
}

// writeFile writes a file that is not there yet, down to the disk.
func writeFile(path string, src []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode) //nolint:gosec // below the data folder, or beside the rule file
	if err != nil {
		return err
	}
	_, err = f.Write(src)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

// syncFolder makes sure that the names in a folder are on the disk.
func syncFolder(path string) error {
	f, err := os.Open(path) //nolint:gosec // as above
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
