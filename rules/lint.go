package rules

import "go.yaml.in/yaml/v4"

func (l *loader) lint(root *yaml.Node) {}
