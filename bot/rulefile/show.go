package rulefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"unicode/utf8"

	"escalator/rules"
	"escalator/rules/lang"
)

// Shown is the rule file with what it takes in, as it is on disk.
type Shown struct {
	Version string `json:"version"`
	// Main is the name of the rule file.
	Main  string            `json:"main"`
	Files map[string]string `json:"files"`
	// LeftOut says of files that are not shown why.
	LeftOut map[string]string `json:"left_out,omitempty"`
	InForce bool              `json:"in_force"`
	// Refused says why it would not be put in force.
	Refused string `json:"refused,omitempty"`
	// Writable says that a draft of the rule file may be saved, WhyNot why that cannot be.
	Writable bool            `json:"writable"`
	WhyNot   string          `json:"why_not,omitempty"`
	Problems []rules.Problem `json:"problems"`
	Warnings []rules.Problem `json:"warnings"`
}

// maxShown are the bytes of all files that are shown: what is longer nobody reads in a browser.
const maxShown = 2 << 20

// Show reads the files as they are now.
func (f *File) Show(ctx context.Context) (*Shown, error) {
	set, err := f.now(ctx)
	if err != nil {
		return nil, err
	}
	s := &Shown{Version: set.Version(), Main: set.Main, Files: map[string]string{}, LeftOut: map[string]string{}, Problems: []rules.Problem{}, Warnings: []rules.Problem{}}
	s.InForce = s.Version == f.Policy().Version()
	s.show(set)
	s.WhyNot = f.notWritable(ctx)
	s.Writable = s.WhyNot == ""
	v, err := f.judge(ctx, set)
	refused, ok := errors.AsType[*RefusedError](err)
	switch {
	case ok:
		s.Refused, s.Problems = refused.Why.String(), append(s.Problems, refused.Report.Errors...)
	case err != nil:
		return nil, err
	default:
		s.Warnings = append(s.Warnings, v.warnings...)
	}
	return s, nil
}

// show takes in the texts, the rule file first, as far as they are text and fit.
func (s *Shown) show(set rules.Set) {
	left := maxShown
	names := append([]string{set.Main}, slices.Sorted(func(yield func(string) bool) {
		for name := range set.Files {
			if name != set.Main && !yield(name) {
				return
			}
		}
	})...)
	for _, name := range names {
		switch src := set.Files[name]; {
		case !utf8.Valid(src):
			s.LeftOut[name] = "it is not UTF-8 text"
		case len(src) > left:
			s.LeftOut[name] = fmt.Sprintf("it is too long for here: %d bytes", len(src))
		default:
			left -= len(src)
			s.Files[name] = string(src)
		}
	}
}

// now reads the files as they are now.
func (f *File) now(ctx context.Context) (rules.Set, error) {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	return f.side(ctx, OnDisk)
}

// notWritable says why the rule file cannot be replaced, "" if it seems that it can.
func (f *File) notWritable(ctx context.Context) string {
	f.reloading.Lock()
	defer f.reloading.Unlock()
	_, err := within(ctx, f.source.storage, func() (struct{}, error) {
		info, err := os.Lstat(f.source.path)
		switch {
		case err != nil:
		case info.Mode()&os.ModeSymlink != 0:
			err = errLink
		default:
			const write = 2
			if err = syscall.Access(filepath.Dir(f.source.path), write); err != nil {
				err = lang.Errorf("nothing can be written to its folder: %w", err)
			}
		}
		return struct{}{}, err
	})
	if err != nil {
		return err.Error()
	}
	return ""
}
