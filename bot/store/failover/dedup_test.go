package failover

import (
	"fmt"
	"testing"
	"time"

	"escalator/bot/store"
)

// answer handles a callback, the first of its key, as the bot does.
func (r *replica) answer(key, answer string) {
	r.t.Helper()
	if c, err := r.Claim(r.t.Context(), key, "s"); !c.First || err != nil {
		r.t.Fatalf("Claim(%q) = %+v, %v", key, c, err)
	}
	r.Finish(r.t.Context(), key, []byte(answer))
}

// A load balancer may bring the copy to another replica, which has only the shared
// store.
func TestDedup_whatWasAnsweredWithoutTheSharedStore_isKnownThereWhenItIsBack(t *testing.T) {
	for name, breaks := range map[string]func(r *replica){
		"a call failed":          func(r *replica) { r.fake.fail(1) },
		"it skipped the call":    func(r *replica) { r.fake.set(store.ErrSkipped) },
		"it is away for a while": func(r *replica) { r.fake.set(store.ErrAway) },
		"it is known to be away": func(r *replica) { r.fake.set(store.ErrAway); r.escalate("other", "e"); pass(5 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(t *testing.T, r *replica) {
				r.answer("before", "0")
				breaks(r)
				r.answer("alone", "1")
				if c, err := r.Claim(t.Context(), "alone", "s"); c.First || string(c.Answer) != "1" || err != nil {
					t.Errorf("a copy here got %+v, %v", c, err)
				}
				r.fake.set(nil)
				pass(5 * time.Second)
				for key, want := range map[string]string{"before": "0", "alone": "1"} {
					if c, err := r.fake.Claim(t.Context(), key, "s"); c.First || string(c.Answer) != want || err != nil {
						t.Errorf("a copy of %s elsewhere got %+v, %v", key, c, err)
					}
				}
				if _, callbacks, _ := r.Behind(); callbacks != 0 || len(r.claims) != 0 {
					t.Errorf("%d callbacks to tell of, %d under way", callbacks, len(r.claims))
				}
			})
		})
	}
}

// One that was given up is the sender's to repeat, wherever that goes.
func TestDedup_whatWasGivenUpWithoutTheSharedStore_isNotTold(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.set(store.ErrAway)
		if c, err := r.Claim(t.Context(), "k", "s"); !c.First || err != nil {
			t.Fatal(c, err)
		}
		r.Release(t.Context(), "k")
		r.fake.set(nil)
		pass(5 * time.Second)
		if c, err := r.fake.Claim(t.Context(), "k", "s"); !c.First || err != nil {
			t.Errorf("the repeat got %+v, %v", c, err)
		}
	})
}

func TestDedup_ofCallbacksThatTheSharedStoreShouldKnow_theLatestAreKept(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		for n := range maxUntold + 2 {
			r.tellLater(callback{fmt.Sprint("k", n), "s"})
		}
		_, callbacks, _ := r.Behind()
		if last := r.untold[callbacks-1].key; callbacks != maxUntold/2+2 || last != fmt.Sprint("k", maxUntold+1) {
			t.Errorf("%d are kept, the last is %s", callbacks, last)
		}
	})
}

// chat is one that plain IM and Desk may both report; who says what is the shared store's.
func chat(session string) *store.Chat { return &store.Chat{Pair: "im:u|@s", Session: session} }

func TestDedup_ofAChat_isKeptWhereTheSharedStoreHasItsPlace(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.place = &store.Place{Conversation: "im:u|@s"}
		c, err := r.ClaimIn(t.Context(), "k", "s1", chat("s1"))
		if !c.First || err != nil || c.Place != r.fake.place {
			t.Fatalf("ClaimIn = %+v, %v", c, err)
		}
		if kept := r.claims["k"]; kept != "im:u|@s" {
			t.Errorf("its answer is to be kept with %q", kept)
		}
		r.Finish(t.Context(), "k", []byte("1"))
	})
}

// A copy is answered here where the first one came here. That both report the chat, the others must know: of Desk that
// it does, and of plain IM where Desk was the first.
func TestDedup_ofAChat_aCopyOfTheOther_isToldOf(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.place = &store.Place{Conversation: "im:u|@s"}
		afterDesks := chat("")
		afterDesks.Reported = true
		for _, chat := range []*store.Chat{chat(""), chat(""), chat("s1"), afterDesks} {
			told := chat.Session != "" || chat.Reported
			c, err := r.ClaimIn(t.Context(), "k", "s1", chat)
			if err != nil {
				t.Fatal(err)
			}
			if c.First {
				r.Finish(t.Context(), "k", []byte("1"))
			} else if (c.Place != nil) != told || string(c.Answer) != "1" {
				t.Errorf("a copy in %+v: %+v", *chat, c)
			}
		}
		if len(r.fake.met) != 2 {
			t.Errorf("told of %q", r.fake.met)
		}
	})
}

func TestDedup_ofAChat_withoutTheSharedStore_hasNoPlace(t *testing.T) {
	inTime(t, func(t *testing.T, r *replica) {
		r.fake.place = &store.Place{Conversation: "im:u|@s"}
		r.fake.set(store.ErrAway)
		for _, first := range []bool{true, false} {
			c, err := r.ClaimIn(t.Context(), "k", "s1", chat("s1"))
			if c.First != first || c.Place != nil || err != nil {
				t.Errorf("ClaimIn = %+v, %v", c, err)
			}
			if first {
				r.Finish(t.Context(), "k", []byte("1"))
			}
		}
	})
}
