package redis

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"escalator/bot/store"
	"escalator/bot/store/redis/redistest"
	"escalator/rules"
)

const chatPair = "im:u|@s"

// in makes a callback of the chat of u with @s; one of plain IM has no session.
func in(session, words string) *store.Chat {
	return &store.Chat{Pair: chatPair, Session: session, Words: words}
}

// tells gives a callback of a chat to a replica, which counts it as the bot does. It returns how it was
// understood.
func (o *one) tells(key, conversation string, chat *store.Chat) string {
	o.t.Helper()
	c, err := o.ClaimIn(o.t.Context(), key, conversation, chat)
	switch {
	case err != nil || c.Place == nil:
		o.t.Fatalf("ClaimIn(%q) = %+v, %v", key, c, err)
	case !c.First:
		return "again " + string(c.Answer)
	case c.Place.Left:
		o.Release(o.t.Context(), key)
		return "left"
	}
	how, answer := "counts in ", []byte("of "+key)
	if c.Place.Echo {
		how, answer = "copy in ", c.Place.Answer
	}
	err = o.Update(o.t.Context(), c.Place.Conversation, func(*rules.Conversation) (store.Effect, error) {
		return store.Effect{DedupKey: key, Answer: answer}, nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.Finish(o.t.Context(), key, answer)
	return how + c.Place.Conversation
}

func (o *one) wantTells(key, conversation string, chat *store.Chat, want string) {
	o.t.Helper()
	if got := o.tells(key, conversation, chat); got != want {
		o.t.Errorf("%s of %+v: %s, want %s", key, *chat, got, want)
	}
}

func TestChat_ofWhichPlainIMSpokeFirst(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
	a.wantTells("k2", chatPair, in("", "hello"), "counts in im:u|@s")
	b.wantTells("d1", "s1", in("s1", "hello"), "copy in im:u|@s")
	b.wantTells("d1", "s1", in("s1", "hello"), "again of k1")
	b.wantTells("d2", "s1", in("s1", "hello"), "copy in im:u|@s")
	b.wantTells("d3", "s1", in("s1", "hello"), "counts in im:u|@s") // each copy is used once
	b.wantTells("k2", chatPair, in("s1", "hello"), "again of k2")
	a.wantTells("k4", chatPair, in("", "hello"), "left")
	a.wantTells("d3", chatPair, in("", "hello"), "again of d3")
}

func TestChat_ofWhichDeskSpokeFirst(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	kept := func() time.Duration {
		left, err := raw(t, server).PTTL(t.Context(), a.client.keys.chat(chatPair)).Result()
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	b.wantTells("d1", "s1", in("s1", "hello"), "counts in s1")
	if d := kept(); d > chatLife {
		t.Errorf("kept for %s where only Desk tells", d)
	}
	a.wantTells("d1", chatPair, in("", "hello"), "again of d1")
	a.wantTells("k2", chatPair, in("", "hello"), "left")
	b.wantTells("k2", "s1", in("s1", "hello"), "counts in s1")
	b.wantTells("d3", "s2", in("s2", "hello"), "counts in s2")
	if d := kept(); d <= chatLife {
		t.Errorf("kept for %s where both tell", d)
	}
	a.wantTells("d3", chatPair, in("", "hello"), "again of d3")
}

// What comes again has had its turn: plain IM's next message of the same words is left to Desk's copy of it.
func TestChat_aCallbackThatComesAgain_isNoCopyOfALaterMessage(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k1", chatPair, in("", "what"), "counts in im:u|@s")
	b.wantTells("d2", "s1", in("s1", "hello"), "counts in im:u|@s")
	do(t, raw(t, server), "DEL", a.client.keys.chat(chatPair))
	a.wantTells("k3", chatPair, in("", "hello"), "counts in im:u|@s")
	a.wantTells("d2", "s1", in("s1", "hello"), "again of d2")
	b.wantTells("d3", "s1", in("s1", "hello"), "copy in im:u|@s")
}

// A copy that came to the replica of the first one is answered there: the others must know all the same that it came.
func TestChat_aCopyToTheSameReplica_isUsedUpForAll(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
	a.wantTells("k1", chatPair, in("s1", "hello"), "again of k1")
	b.wantTells("k2", "s1", in("s1", "hello"), "counts in im:u|@s")
	b.wantTells("k3", chatPair, in("", "hello"), "left")
}

func TestChat_whatWasGivenUp_isNoCopy(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	if c, err := a.ClaimIn(t.Context(), "k1", chatPair, in("", "hello")); !c.First || err != nil {
		t.Fatal(c, err)
	}
	a.Release(t.Context(), "k1")
	b.wantTells("d1", "s1", in("s1", "hello"), "counts in im:u|@s")
	a.wantTells("k1", chatPair, in("", "hello"), "left") // it counted as Desk's
}

func TestChat_theSameWordsLater_areNoCopy(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	b.dedup.sameWithin = time.Millisecond
	a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
	eventually(t, "a later time", func() bool { return time.Now().UnixMilli() > a.began(t)+1 })
	b.wantTells("d1", "s1", in("s1", "hello"), "counts in im:u|@s")
}

// Until its conversation is forgotten, plain IM's next message is left to Desk, whose next session may begin with it.
func TestChat_ofWhichPlainIMSpokeFirst_isKeptAsLongAsItsConversation_whereBothTell(t *testing.T) {
	for _, desks := range []string{"k1", "d1"} { // under the same key, and under one of its own
		server := redistest.Start(t)
		app := apps.Add(1)
		a, b := join(t, server, app), join(t, server, app)
		wantKept := func(after string) {
			t.Helper()
			chat, conversation := a.kept(a.client.keys.chat(chatPair)), a.kept(a.client.keys.conversation(chatPair))
			if conversation < 2*chatLife || chat < conversation-time.Minute {
				t.Errorf("%s after %s: the chat is kept for %s, its conversation for %s", desks, after, chat, conversation)
			}
		}
		a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
		if d := a.kept(a.client.keys.chat(chatPair)); d > chatLife {
			t.Errorf("kept for %s where only plain IM tells", d)
		}
		b.tells(desks, "s1", in("s1", "hello"))
		wantKept("Desk's copy")
		do(t, raw(t, server), "PEXPIRE", a.client.keys.chat(chatPair), 60_000)
		do(t, raw(t, server), "PEXPIRE", a.client.keys.conversation(chatPair), 60_000)
		b.wantTells("d2", chatPair, in("s1", "bye"), "counts in im:u|@s")
		wantKept("Desk's next message, a long time later")
		a.wantTells("k2", chatPair, in("", "bye"), "left")
		wantKept("what was left to Desk")
	}
}

// kept is for how long Redis keeps a key.
func (o *one) kept(key string) time.Duration {
	o.t.Helper()
	left, err := o.client.rdb.PTTL(o.t.Context(), key).Result()
	if err != nil {
		o.t.Fatal(err)
	}
	return left
}

// Plain IM's copy may come where Desk's was answered: the others must know all the same that both tell.
func TestChat_ofWhichDeskSpokeFirst_isKeptForLonger_alsoWhereOneReplicaGetsBothCopies(t *testing.T) {
	a := join(t, redistest.Start(t), apps.Add(1))
	a.wantTells("d1", "s1", in("s1", "hello"), "counts in s1")
	both := in("", "hello")
	both.Reported = true
	if got := a.tellsAgain("d1", chatPair, both); got != "of d1" {
		t.Errorf("plain IM's copy: %s", got)
	}
	if d := a.kept(a.client.keys.chat(chatPair)); d <= chatLife {
		t.Errorf("kept for %s", d)
	}
	a.wire.since()
	a.tellsAgain("d1", chatPair, both)
	wantTrips(t, "the same a moment later", a.wire.since(), 0)
}

// tellsAgain gives a callback to a replica that has answered it.
func (o *one) tellsAgain(key, conversation string, chat *store.Chat) string {
	o.t.Helper()
	c, err := o.ClaimIn(o.t.Context(), key, conversation, chat)
	if c.First || err != nil {
		o.t.Fatal(c, err)
	}
	return string(c.Answer)
}

// A chat that Redis has lost or forgotten is not begun anew by plain IM where it is known that Desk reports it.
func TestChat_ofWhichIsKnownThatDeskReportsIt_isLeftToDesk(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	told := in("", "hello")
	told.Reported = true
	a.wantTells("k1", chatPair, told, "left")
	b.wantTells("k1", "s1", in("s1", "hello"), "counts in s1")
	a.wantTells("k2", chatPair, told, "left")
}

// The bot's message that grows is told of each time: what the customer said before it must not be forgotten for that.
func TestChat_aMessageThatGrows_pushesOutNoneOfTheOtherSpeaker(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k0", chatPair, in("", "customer's"), "counts in im:u|@s")
	for n := range 20 {
		a.wantTells(fmt.Sprint("m", n), chatPair, in("", fmt.Sprint("bot's ", n)), "counts in im:u|@s")
	}
	b.wantTells("d0", "s1", in("s1", "customer's"), "copy in im:u|@s")
	b.wantTells("e19", "s1", in("s1", "bot's 19"), "copy in im:u|@s")
	b.wantTells("e0", "s1", in("s1", "bot's 0"), "counts in im:u|@s") // the last eight of one speaker are known
}

// Where callbacks are remembered for less than a minute, a copy under another key may come all the same.
func TestChat_aCopyUnderAnotherKey_isKnownForAMinute_howeverShortCallbacksAreRemembered(t *testing.T) {
	server := redistest.Start(t)
	client, err := New(Options{URL: server.URL(), App: apps.Add(1), DedupFor: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	m := NewDedup(client)
	if err := m.Keep(t.Context(), "k1", chatPair, []byte("1")); err != nil {
		t.Fatal(err)
	}
	if left := client.rdb.PTTL(t.Context(), client.keys.callback("k1", chatPair)).Val(); left < sameWithin-time.Second {
		t.Errorf("kept for %s", left)
	}
}

// Redis's clock may be set back: what was told at a time to come is no copy of what is said now.
func TestChat_whatWasToldAtATimeToCome_isNoCopy(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
	key := a.client.keys.chat(chatPair)
	later := strings.ReplaceAll(do(t, raw(t, server), "GET", key).(string), fmt.Sprint(a.began(t)/1e6), fmt.Sprint(a.began(t)/1e6+1000))
	do(t, raw(t, server), "SET", key, later)
	b.wantTells("d1", "s1", in("s1", "hello"), "counts in im:u|@s")
}

// began is when plain IM began the chat.
func (o *one) began(t *testing.T) (ms int64) {
	t.Helper()
	value := do(t, o.client.rdb, "GET", o.client.keys.chat(chatPair)).(string)
	_, after, _ := strings.Cut(value, `"began":`)
	var f float64
	if _, err := fmt.Sscan(strings.TrimRight(strings.Split(after, ",")[0], "}"), &f); err != nil {
		t.Fatalf("%s: %v", value, err)
	}
	return int64(f)
}

// A chat is forgotten before its conversation: that still says who spoke first.
func TestChat_afterItWasForgotten_isKnownByItsConversation(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	a.wantTells("k1", chatPair, in("", "hello"), "counts in im:u|@s")
	do(t, raw(t, server), "DEL", a.client.keys.chat(chatPair))
	b.wantTells("d2", "s1", in("s1", "hello"), "counts in im:u|@s")
}

func TestChat_thatIsNotOurs_isWrittenOver(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	key := o.client.keys.chat(chatPair)
	for n, foreign := range [][]any{
		{"SET", key, "damaged"},
		{"SET", key, `[1]`},
		{"SET", key, `{"own":7,"echoes":"x"}`},
		{"SET", key, `{"own":"im","began":"x","echoes":[1,{"at":"x"},{"at":9e99}]}`},
		{"SET", key, `{"session":null,"begun":[NaN],"echoes":[{"at":null}]}`},
		{"SET", key, `{"began":NaN}`},
		{"SET", key, `{"other":1e999,"echoes":[{"at":-1e999},{"at":NaN,"words":"hello","key":"k"}]}`},
		{"HSET", key, "a", "b"},
	} {
		do(t, raw(t, server), "DEL", key)
		do(t, raw(t, server), foreign...)
		begin := in("s1", "")
		begin.Begins = true
		o.tells(fmt.Sprint("b", n), "s1", begin)
		o.tells(fmt.Sprint("d", n), "s1", in("s1", "hello"))
		o.tells(fmt.Sprint("k", n), chatPair, in("", "hello"))
	}
	if !o.Sharing() || o.reported() != "" {
		t.Errorf("sharing %v, %s", o.Sharing(), o.reported())
	}
}

func TestChat_whateverItIsCalled_expires_andEachScriptIsInOneSlot(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	o := join(t, server, app)
	for n, id := range hostileIDs {
		for _, imFirst := range []bool{true, false} {
			chat := func(session string) *store.Chat {
				return &store.Chat{Pair: fmt.Sprint(id, imFirst), Session: session, Words: id}
			}
			if imFirst {
				o.wantTells(fmt.Sprint("k", n), "", chat(""), "counts in "+chat("").Pair)
			}
			o.tells(fmt.Sprint("d", n, imFirst), "session "+id, chat("session "+id))
			o.tells(fmt.Sprint("k", n, imFirst), "", chat(""))
		}
	}
	o.wire.oneSlot(t)
	wantTidy(t, raw(t, server), app)
}

// TestChat_costs are the round trips of a callback whose chat is asked for, with what the bot does after it.
func TestChat_costsAtMostOneRoundTripMore_andNothingWhereOnlyDeskTells(t *testing.T) {
	server := redistest.Start(t)
	app := apps.Add(1)
	a, b := join(t, server, app), join(t, server, app)
	for _, o := range []*one{a, b} { // loads the scripts
		warm := &store.Chat{Pair: "warm", Words: "w"}
		o.tells("warm", "warm", warm)
		o.tells("left", "warm", &store.Chat{Pair: "warm", Session: "warm session"})
		o.tells("left too", "warm", warm)
	}
	cost := func(what string, o *one, most int, key, conversation string, chat *store.Chat) {
		t.Helper()
		o.wire.since()
		how := o.tells(key, conversation, chat)
		wantTrips(t, what+": "+how, o.wire.since(), most)
	}
	only := func(words string) *store.Chat {
		return &store.Chat{Pair: "only Desk", Session: "s", Words: words}
	}
	cost("Desk's first", b, 2, "o1", "s", only("x"))
	cost("Desk's next", b, 2, "o2", "s", only("y"))
	cost("the same to the same replica", b, 0, "o2", "s", only("y"))
	cost("the same to another", a, 1, "o2", "s", only("y"))

	cost("plain IM's", a, 2, "k1", chatPair, in("", "1"))
	cost("Desk's copy, where it is not known who spoke first", b, 2, "k1", "s1", in("s1", "1"))
	cost("plain IM's, left to Desk", a, 2, "k2", chatPair, in("", "2"))
	cost("Desk's copy", b, 2, "k2", chatPair, in("s1", "2"))
	cost("the same again", b, 1, "k2", chatPair, in("s1", "2"))

	other := func(session, words string) *store.Chat {
		return &store.Chat{Pair: "other", Session: session, Words: words}
	}
	cost("plain IM's", a, 2, "p1", "other", other("", "1"))
	cost("Desk's copy under its own key, where it is not known who spoke first", b, 4, "q1", "s3", other("s3", "1"))
	cost("plain IM's, where Desk spoke first", a, 3, "o3", "only Desk", &store.Chat{Pair: "only Desk", Words: "z"})
}

// A callback that asks for its chat waits for a Redis that hangs as long as any other: the library must not try again by
// itself, nor in another pool of connections.
func TestChat_onARedisThatHangs_isWaitedForOnce(t *testing.T) {
	server := redistest.Start(t)
	o := join(t, server, apps.Add(1))
	o.tells("warm", chatPair, in("", "hello"))
	server.Pause()
	defer server.Continue()
	var all sync.WaitGroup
	for n := range 4 { // more than there are connections
		all.Go(func() {
			began := time.Now()
			c, err := o.ClaimIn(t.Context(), fmt.Sprint("k", n), chatPair, in("", "bye"))
			if took := time.Since(began); !c.First || c.Place != nil || err != nil || took >= callTimeout+poolTimeout/2 {
				t.Errorf("ClaimIn = %+v, %v after %s; want a first one, of this replica's own, after %s", c, err, took, callTimeout)
			}
		})
	}
	all.Wait()
}
