package app

import (
	"slices"
	"strings"

	"escalator/handlers"
	"escalator/rules/lang"
)

// panelProblems says what contradicts another setting of the agents' panel. No token is shown.
func (s *Settings) panelProblems() (problems []lang.Text) {
	if s.PanelPath == "" {
		const alone = "%s is set, but there is no panel: set ESCALATOR_PANEL_PATH too, or leave it out"
		if s.PanelToken != "" {
			problems = append(problems, lang.Say(alone, "ESCALATOR_PANEL_TOKEN"))
		}
		if s.PanelFrameAncestors != nil {
			problems = append(problems, lang.Say(alone, "ESCALATOR_PANEL_FRAME_ANCESTORS"))
		}
		return problems
	}
	switch {
	case s.PanelToken == "":
		problems = append(problems, "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_TOKEN: anyone could read what customers said; set a token of 16 characters or more")
	case s.PanelToken == s.AdminToken, slices.Contains(s.CallbackTokens, s.PanelToken):
		problems = append(problems, "ESCALATOR_PANEL_TOKEN is also ESCALATOR_ADMIN_TOKEN or ESCALATOR_CALLBACK_TOKEN, but every agent's browser has it: make another one")
	}
	if s.PanelFrameAncestors == nil {
		problems = append(problems, "ESCALATOR_PANEL_PATH is set without ESCALATOR_PANEL_FRAME_ANCESTORS: name the origin of Desk's workbench, which shows the panel in a frame, such as https://desk.example.com")
	}
	if s.PanelPath == s.CallbackPath || strings.HasPrefix(s.CallbackPath, s.PanelPath+"/") {
		problems = append(problems, "ESCALATOR_PANEL_PATH is that of the callbacks, or one above it: give the panel a path of its own")
	}
	return problems
}

// panel is what the settings say of the agents' panel, nil if it is off.
func (s *Settings) panel(customers handlers.Customers) *handlers.PanelOptions {
	if s.PanelPath == "" {
		return nil
	}
	return &handlers.PanelOptions{Path: s.PanelPath, Token: s.PanelToken, FrameAncestors: s.PanelFrameAncestors, Customers: customers}
}
