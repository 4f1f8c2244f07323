package inspect

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"escalator/bot/desk"
	"escalator/rules/lang"
)

// answer is what a call told, or why it told nothing.
type answer[T any] struct {
	value T
	err   error
}

func (a *answer[T]) known() bool { return a.err == nil }

// side is what Desk told of its settings.
type side struct {
	Options
	groups    answer[desk.Page[desk.Group]]
	agents    answer[desk.Page[desk.MemberStatistics]]
	members   map[int64]answer[desk.Page[string]] // of the groups that the file names
	entries   answer[[]desk.Entry]
	kinds     answer[[]desk.Entry] // of the same entries: whose robot they have
	settings  answer[desk.Page[desk.ConversationSetting]]
	robots    []answer[desk.RobotConfig] // by language
	reception answer[desk.Reception]
	records   answer[desk.Page[desk.SessionRecord]]
}

const (
	// maxGroups bounds the groups whose members are asked for.
	maxGroups = 20
	// maxLanguages bounds the languages in which the robot's texts are asked for.
	maxLanguages = 5
)

// ask puts all questions, those that need no other's answer beside each other.
func ask(ctx context.Context, o Options) *side {
	s := &side{Options: o, members: map[int64]answer[desk.Page[string]]{}}
	var first, second sync.WaitGroup
	put(&first, &s.groups, func() (desk.Page[desk.Group], error) { return o.Desk.Groups(ctx) })
	put(&first, &s.agents, func() (desk.Page[desk.MemberStatistics], error) { return o.Desk.Members(ctx) })
	put(&first, &s.entries, func() ([]desk.Entry, error) { return o.Desk.Entries(ctx) })
	put(&first, &s.settings, func() (desk.Page[desk.ConversationSetting], error) { return o.Desk.ConversationSettings(ctx) })
	put(&first, &s.reception, func() (desk.Reception, error) { return o.Desk.Reception(ctx) })
	put(&first, &s.records, func() (desk.Page[desk.SessionRecord], error) {
		now := time.Now()
		return o.Desk.Records(ctx, now.Add(-time.Minute), now, "")
	})
	first.Wait()

	if len(s.entries.value) > 0 {
		put(&second, &s.kinds, func() ([]desk.Entry, error) { return o.Desk.EntriesByID(ctx, s.entryIDs()...) })
	}
	languages := s.languages()
	s.robots = make([]answer[desk.RobotConfig], len(languages))
	for i, language := range languages {
		put(&second, &s.robots[i], func() (desk.RobotConfig, error) { return o.Desk.RobotConfig(ctx, language) })
	}
	members := make([]answer[desk.Page[string]], 0, maxGroups)
	named := s.namedGroups()
	for i, group := range named {
		members = append(members, answer[desk.Page[string]]{})
		put(&second, &members[i], func() (desk.Page[string], error) { return o.Desk.GroupMembers(ctx, group) })
	}
	second.Wait()
	for i, group := range named {
		s.members[group] = members[i]
	}
	return s
}

func put[T any](w *sync.WaitGroup, into *answer[T], question func() (T, error)) {
	w.Go(func() { into.value, into.err = question() })
}

func (s *side) entryIDs() (ids []string) {
	for _, e := range s.entries.value {
		if e.ID != "" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// languages are those of the entries' texts, the default one first.
func (s *side) languages() []string {
	known := map[string]bool{}
	for _, e := range s.entries.value {
		for language := range e.Texts {
			known[language] = true
		}
	}
	all := append([]string{""}, slices.Sorted(maps.Keys(known))...)
	return all[:min(len(all), maxLanguages)]
}

// namedGroups are the groups of the targets that Desk has, as far as it tells.
func (s *side) namedGroups() (groups []int64) {
	for _, t := range s.Policy.Targets() {
		if t.Group != nil && !slices.Contains(groups, *t.Group) && len(groups) < maxGroups {
			if _, there := s.group(*t.Group); there || !s.groups.known() {
				groups = append(groups, *t.Group)
			}
		}
	}
	return groups
}

// refusals says which calls Desk refused, and what is not known for that.
func (s *side) refusals() (all []Finding) {
	said := map[string]bool{}
	add := func(err error, lost lang.Text) {
		failure, ok := errors.AsType[*desk.Error](err)
		if !ok || said[failure.Op] {
			return
		}
		said[failure.Op] = true
		f := Finding{Check: "desk calls", OK: true, Detail: lang.Say("unknown: %s, because %s", lost, failure)}
		if row, known := desk.LookupCode(failure.Code); known && failure.Err == nil {
			f.WayOut = row.WayOut
		}
		if failure.Err == nil && failure.Inferred() {
			f.WayOut = "no page prints the address of this call, so it may be another one; or the app's edition does not have it"
		}
		all = append(all, f)
	}
	add(s.reception.err, "agents and queue (agents_online, queue; their rules never hold)")
	add(s.agents.err, "who the agents are (agents that rules name)")
	add(s.groups.err, "the groups and their names")
	for _, group := range slices.Sorted(maps.Keys(s.members)) {
		of := s.members[group]
		add(of.err, "who is in a group")
	}
	add(s.entries.err, "the consultation entries, with their texts and hours")
	add(s.kinds.err, "whose robot an entry has (the standard edition allows the built-in one only)")
	add(s.settings.err, "the sets of texts and hours that entries share")
	for i := range s.robots {
		add(s.robots[i].err, "what Desk's robot says when it does not understand")
	}
	add(s.records.err, "how sessions ended (escalator report)")
	if len(all) == 0 {
		all = append(all, Finding{Check: "desk calls", OK: true, Detail: "Desk answers every call that reads"})
	}
	return all
}
