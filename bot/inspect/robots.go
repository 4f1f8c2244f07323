package inspect

import (
	"cmp"
	"slices"

	"escalator/bot/desk"
	"escalator/rules"
	"escalator/rules/lang"
)

// robotLines compares whose robot each entry has with who answers by our settings.
func (s *side) robotLines() (all []Finding) {
	if !s.entries.known() {
		return nil
	}
	ids := s.entryIDs()
	for _, id := range s.Policy.Entries() {
		if !slices.Contains(ids, id) {
			all = append(all, Finding{
				Check: "robot", OK: true, Detail: lang.Say("%sai_provider names the entry %s, which Desk does not have; it has %s", warning, id, orNone(ids)),
				WayOut: hint(id, ids, "take an entry from the list"),
			})
		}
	}
	for _, e := range s.entries.value {
		if e.ID == "" {
			continue
		}
		if i := slices.IndexFunc(s.kinds.value, func(k desk.Entry) bool { return k.ID == e.ID }); i >= 0 {
			e.RobotType = s.kinds.value[i].RobotType
			if on := s.kinds.value[i].Robot; on != nil {
				e.Robot = on
			}
		}
		all = append(all, s.robotOf(e))
	}
	return all
}

// robotNames are Desk's kinds of robots.
var robotNames = map[int]lang.Text{desk.RobotBuiltIn: "Desk's built-in robot", desk.RobotThirdParty: "a third-party bot", desk.RobotADP: "a bot of Tencent's agent platform"}

// robotOf compares one entry.
func (s *side) robotOf(e desk.Entry) Finding {
	answerers := s.Policy.Answerers(e.ID)
	from := "ai_provider"
	if answerers == nil {
		answerers, from = []string{s.AIProvider}, "ESCALATOR_AI_PROVIDER"
	}
	by := func(who string) bool { return slices.Contains(answerers, who) }
	kind := lang.Text("a robot of unknown type")
	if e.RobotType != nil {
		kind = cmp.Or(robotNames[*e.RobotType], lang.Say("a robot of type %d", *e.RobotType))
	}
	is := func(t int) bool { return e.RobotType != nil && *e.RobotType == t }
	f := Finding{Check: "robot", OK: true, Detail: lang.Say("entry %s has %s; %s says %s", e.ID, kind, from, some(answerers))}
	switch {
	case e.Robot != nil && !*e.Robot && by(rules.ProviderDesk):
		f.Detail = lang.Say("%sentry %s has no robot, and %s says desk: nobody answers what no rule takes", warning, e.ID, from)
		f.WayOut = "switch the robot of the entry on, or say self for this entry in ai_provider"
	case is(desk.RobotBuiltIn) && by(rules.ProviderSelf):
		f.Detail = lang.Say("%s%s says self for entry %s, which has Desk's built-in robot: both may answer", warning, from, e.ID)
		f.WayOut = "connect your bot at the entry (the standard edition refuses that: it allows the built-in robot only), or say desk for this entry in ai_provider"
	case is(desk.RobotThirdParty) && by(rules.ProviderDesk) && !s.Forwards:
		f.Detail = lang.Say("%sentry %s has a third-party bot, and %s says desk: Desk's robot answers in its place", warning, e.ID, from)
		f.WayOut = "say self for this entry in ai_provider, or name the bot in ESCALATOR_FORWARD_URL"
	case is(desk.RobotThirdParty) && by(rules.ProviderOmit):
		f.Detail = lang.Say("%sentry %s has a third-party bot, and %s says omit: Desk is not told who answers", warning, e.ID, from)
		f.WayOut = "say self or desk for this entry in ai_provider"
	case e.Robot == nil && e.RobotType == nil:
		f.Detail = lang.Say("unknown: whether entry %s has a robot, and whose; %s says %s", e.ID, from, some(answerers))
	}
	return f
}
