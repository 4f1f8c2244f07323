package bot

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/mask"
	"escalator/bot/messages"
	"escalator/bot/store"
)

func TestForget_removesHistoryRecordAndWords_ofThatUserOnly(t *testing.T) {
	inWorldWithHistory(t, mask.Masked, func(w *world) {
		w.user("a human please")
		put := func(r store.Record) {
			if err := w.bot.Records.PutRecords(w.t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		for _, user := range []string{"user1", "user2"} {
			put(store.Record{Kind: store.KindUser, Name: user, Value: []byte("kept")})
		}
		for session, user := range map[string]string{"s1": "user1", "s7": "user2"} {
			r, _, err := messages.Add(store.Record{Kind: store.KindWords, Name: session}, &messages.Left{Conversation: session, User: user, Text: "call me", At: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			put(r)
		}
		got, err := w.bot.Forget(w.t.Context(), "user1")
		if diff := cmp.Diff(Forgotten{User: "user1", Conversations: 1, Record: true, Words: 1, Decisions: 1}, got); err != nil || diff != "" {
			t.Error(err, diff)
		}
		for kind, name := range map[store.Kind]string{store.KindUser: "user2", store.KindWords: "s7"} {
			if left, err := w.bot.Records.Records(w.t.Context(), kind); err != nil || len(left) != 1 || left[0].Name != name {
				t.Errorf("%s: %v %v", kind, left, err)
			}
		}
		if _, err := w.bot.Conversation(w.t.Context(), "s1"); err == nil {
			t.Error("the history is still there")
		}
		if got, err := w.bot.Forget(w.t.Context(), "user1"); err != nil || got != (Forgotten{User: "user1"}) {
			t.Errorf("once more: %+v %v", got, err)
		}
	})
}
