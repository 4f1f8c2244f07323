package desk

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// minValidity is Tencent's advice for 70001: at least a day.
const minValidity = 24 * time.Hour

// Signer hands out one cached signature and renews it at half of its life, so
// that a clock that is hours off does no harm. Safe for concurrent use.
type Signer struct {
	id       Identity
	validity time.Duration
	now      func() time.Time

	current atomic.Pointer[signature]
	renewal sync.Mutex // at most one goroutine signs
}

type signature struct {
	sig     Secret
	issued  time.Time
	renewAt time.Time
}

// NewSigner returns a Signer whose signatures are valid for at least a day. now
// is time.Now unless a test says otherwise.
func NewSigner(id Identity, validity time.Duration, now func() time.Time) (*Signer, error) {
	if err := id.Check(); err != nil {
		return nil, err
	}
	if validity < minValidity {
		return nil, errors.New("the validity of a signature must be 24 h or more")
	}
	if now == nil {
		now = time.Now
	}
	return &Signer{id: id, validity: validity, now: now}, nil
}

// Signature returns the current signature, renewed when it is due.
func (s *Signer) Signature() Secret {
	if c := s.current.Load(); c != nil && s.good(c) {
		return c.sig
	}
	s.renewal.Lock()
	defer s.renewal.Unlock()
	if c := s.current.Load(); c != nil && s.good(c) {
		return c.sig
	}
	return s.renew(s.now())
}

// good also refuses a signature from the future: the clock was set back, and
// Tencent's was right all the time.
func (s *Signer) good(c *signature) bool {
	now := s.now()
	return now.Before(c.renewAt) && !now.Before(c.issued.Add(-time.Minute))
}

// Invalidate drops a signature that Tencent refused, if it still is the
// current one, so that many callers that failed together renew it once. The
// next one differs even within the same second: it is dated a second earlier.
func (s *Signer) Invalidate(refused Secret) {
	s.renewal.Lock()
	defer s.renewal.Unlock()
	c := s.current.Load()
	if c == nil || c.sig != refused {
		return
	}
	issued := s.now()
	if issued.Unix() == c.issued.Unix() {
		issued = c.issued.Add(-time.Second)
	}
	s.renew(issued)
}

// renew needs the lock. The identity was checked by NewSigner, so that only a
// clock before 1970 can make signing fail; the empty signature that results is
// refused by Tencent with a code of its own (70002).
func (s *Signer) renew(issued time.Time) Secret {
	sig, err := UserSig(s.id, issued, s.validity)
	if err != nil {
		return ""
	}
	s.current.Store(&signature{sig: sig, issued: issued, renewAt: issued.Add(s.validity / 2)})
	return sig
}
