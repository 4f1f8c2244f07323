package history

import "time"

// OnDisk returns how many bytes of history lie on this disk, and when the oldest entry
// there happened; zero: there is none.
func (h *History) OnDisk() (bytes int64, since time.Time) {
	l := h.local
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments {
		if bytes += s.size; s.first > 0 && (since.IsZero() || s.first < since.UnixMilli()) {
			since = time.UnixMilli(s.first)
		}
	}
	return bytes, since
}
