package journal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	// A segment grows in steps of zeros that are written ahead: a sync that moves no
	// end of a file takes half the time. The first step is small, for small disks.
	firstStep = 64 << 10
	longStep  = 1 << 20
)

var zeros [longStep]byte

// segment is the file that is being appended to.
type segment struct {
	file   file
	number int64
	end    int64 // of what was written
	synced int64 // of what is on disk for certain
	room   int64 // of what was made ready
}

// position is the end of a segment.
type position struct{ segment, end int64 }

func segmentName(number int64) string { return fmt.Sprintf("journal-%08d.log", number) }

// segmentsIn returns the numbers of the segments among names, in order.
func segmentsIn(names []string) (numbers []int64) {
	for _, name := range names {
		digits := strings.TrimSuffix(strings.TrimPrefix(name, "journal-"), ".log")
		if n, err := strconv.ParseInt(digits, 10, 32); err == nil && n > 0 && segmentName(n) == name {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// beginning is what a segment is called until its first frame is on disk: one that has
// its name and is empty was cut.
const beginning = "journal.new"

// nextSegment begins one that goes on where another ends. Where it fails it leaves
// nothing that takes room.
func nextSegment(in folder, before position) (*segment, error) {
	s := &segment{number: before.segment + 1}
	name := segmentName(s.number)
	f, err := in.create(beginning)
	if err != nil {
		return nil, err
	}
	s.file = f
	if err = s.append(appendFixed(nil, ofSegment, format, numbers(before.segment, before.end))); err == nil {
		err = s.sync()
	}
	if err == nil {
		err = in.rename(beginning, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), in.remove(beginning))
	}
	if err = in.sync("."); err != nil {
		return nil, errors.Join(err, f.Close(), in.remove(name))
	}
	return s, nil
}

// append writes at the end. After an error the segment is not to be written again.
func (s *segment) append(b []byte) error {
	for s.room < s.end+int64(len(b)) {
		step := min(max(s.room, firstStep), longStep)
		if _, err := s.file.WriteAt(zeros[:step], s.room); err != nil {
			return err
		}
		s.room += step
	}
	if _, err := s.file.WriteAt(b, s.end); err != nil {
		return err
	}
	s.end += int64(len(b))
	return nil
}

// sync makes certain what was written. After an error what was not certain is lost: the
// next sync may succeed all the same.
func (s *segment) sync() (err error) {
	if s.synced == s.end {
		return nil
	}
	if err = s.file.Sync(); err != nil {
		s.end = s.synced
	}
	s.synced = s.end
	return err
}

// close ends the segment, and says what is certain of it.
func (s *segment) close() position {
	_, _ = s.sync(), s.file.Close() // what became of that is in what is returned
	return position{s.number, s.synced}
}
