package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
)

// bbolt maps its file into memory and trusts what it finds: in a file that was
// cut, or whose pages point anywhere, it reads beyond the map, and the process
// dies in a way that no recover can catch. So the pages are walked here first,
// with ordinary reads. The layout is that of version 2 of the format
// (go.etcd.io/bbolt/internal/common: meta.go, page.go, inode.go, bucket.go).
const (
	pageHeader   = 16
	leafElement  = 16
	branchSize   = 16
	bucketHeader = 16
	metaSize     = 64

	magic         = 0xED0CDAED
	formatVersion = 2
	flagBranch    = 0x01
	flagLeaf      = 0x02
	flagFreelist  = 0x10
	flagBucket    = 0x01 // of a leaf's element
	noFreelist    = ^uint64(0)
	maxPageSize   = 1 << 20
)

// page is one page as it was read, overflow included.
type page struct {
	flags uint16
	count int
	data  []byte
}

// walker checks the pages of one file.
type walker struct {
	file     io.ReaderAt
	size     int64
	pageSize int64
	root     uint64
	freelist uint64
	top      uint64 // pages from here on are not in use
	seen     map[uint64]bool
}

// verify returns an foreignError for a file that bbolt must not be given. A file
// that does not exist yet, or is empty, is good.
func verify(path string) error {
	f, err := os.Open(path) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	w := &walker{file: f, size: info.Size(), seen: map[uint64]bool{}}
	if err := w.readMeta(); err != nil {
		return err
	}
	if w.freelist != noFreelist {
		if p, err := w.read(w.freelist); err != nil || p.flags != flagFreelist {
			return foreignError(fmt.Sprintf("page %d is no free list", w.freelist))
		}
	}
	return w.walk(w.root)
}

// readMeta finds the newer of the two valid meta pages. The second stands one
// page on, and the size of a page stands in the first; where that is torn the
// usual sizes are tried.
func (w *walker) readMeta() error {
	var newest uint64
	found := false
	for _, at := range []int64{0, int64(os.Getpagesize()), 4096, 16384, 65536} {
		b := make([]byte, pageHeader+metaSize)
		if _, err := w.file.ReadAt(b, at); err != nil {
			continue
		}
		m := b[pageHeader:]
		u32, u64 := binary.NativeEndian.Uint32, binary.NativeEndian.Uint64
		sum := fnv.New64a()
		_, _ = sum.Write(m[:56])
		if u32(m) != magic || u32(m[4:]) != formatVersion || u64(m[56:]) != sum.Sum64() {
			continue
		}
		if txid := u64(m[48:]); !found || txid > newest {
			found, newest = true, txid
			w.pageSize, w.root, w.freelist, w.top = int64(u32(m[8:])), u64(m[16:]), u64(m[32:]), u64(m[40:])
		}
	}
	switch {
	case !found:
		return foreignError("it is no database of ours: both of its first pages are unreadable")
	case w.pageSize < 512 || w.pageSize > maxPageSize || w.top > uint64(w.size/w.pageSize):
		return foreignError(fmt.Sprintf("it was cut: %d bytes are left of %d pages", w.size, w.top))
	}
	return nil
}

// read reads one page with its overflow.
func (w *walker) read(id uint64) (p page, err error) {
	if id < 2 || id >= w.top {
		return p, foreignError(fmt.Sprintf("page %d is out of bounds", id))
	}
	head := make([]byte, pageHeader)
	at := int64(id) * w.pageSize
	if _, err := w.file.ReadAt(head, at); err != nil {
		return p, foreignError(err.Error())
	}
	overflow := uint64(binary.NativeEndian.Uint32(head[12:]))
	if binary.NativeEndian.Uint64(head) != id || id+overflow >= w.top {
		return p, foreignError(fmt.Sprintf("page %d is torn", id))
	}
	p.flags, p.count = binary.NativeEndian.Uint16(head[8:]), int(binary.NativeEndian.Uint16(head[10:]))
	p.data = make([]byte, int64(overflow+1)*w.pageSize)
	if _, err := w.file.ReadAt(p.data, at); err != nil {
		return p, foreignError(err.Error())
	}
	return p, nil
}

// walk checks the tree below a page.
func (w *walker) walk(id uint64) error {
	if w.seen[id] {
		return foreignError(fmt.Sprintf("page %d is used twice", id))
	}
	w.seen[id] = true
	p, err := w.read(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case flagBranch:
		return w.walkBranch(id, p)
	case flagLeaf:
		return w.walkLeaf(id, p)
	default:
		return foreignError(fmt.Sprintf("page %d is of no known kind", id))
	}
}

func (w *walker) walkBranch(id uint64, p page) error {
	if pageHeader+p.count*branchSize > len(p.data) || p.count == 0 {
		return foreignError(fmt.Sprintf("page %d is torn", id))
	}
	for i := range p.count {
		at := pageHeader + i*branchSize
		e := p.data[at:]
		pos, key := int(binary.NativeEndian.Uint32(e)), int(binary.NativeEndian.Uint32(e[4:]))
		if at+pos+key > len(p.data) {
			return foreignError(fmt.Sprintf("page %d is torn", id))
		}
		if err := w.walk(binary.NativeEndian.Uint64(e[8:])); err != nil {
			return err
		}
	}
	return nil
}

// walkLeaf checks the places of keys and values, and the buckets among them. A
// bucket with the root 0 is small and stands in the value itself.
func (w *walker) walkLeaf(id uint64, p page) error {
	torn := foreignError(fmt.Sprintf("page %d is torn", id))
	if pageHeader+p.count*leafElement > len(p.data) {
		return torn
	}
	for i := range p.count {
		at := pageHeader + i*leafElement
		e := p.data[at:]
		flags, pos := binary.NativeEndian.Uint32(e), int(binary.NativeEndian.Uint32(e[4:]))
		key, value := int(binary.NativeEndian.Uint32(e[8:])), int(binary.NativeEndian.Uint32(e[12:]))
		begin := at + pos + key
		if begin+value > len(p.data) {
			return torn
		}
		if flags&flagBucket == 0 {
			continue
		}
		if value < bucketHeader {
			return torn
		}
		inner := p.data[begin : begin+value]
		if root := binary.NativeEndian.Uint64(inner); root != 0 {
			if err := w.walk(root); err != nil {
				return err
			}
			continue
		}
		if err := w.walkInline(id, inner[bucketHeader:]); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) walkInline(id uint64, data []byte) error {
	if len(data) < pageHeader || binary.NativeEndian.Uint16(data[8:]) != flagLeaf {
		return foreignError(fmt.Sprintf("page %d holds a torn bucket", id))
	}
	return w.walkLeaf(id, page{flags: flagLeaf, count: int(binary.NativeEndian.Uint16(data[10:])), data: data})
}
