package cli

import (
	"context"

	"escalator/rules"
)

// schema prints the JSON Schema of rules.yaml, for editors.
func schema(_ context.Context, env Env, args []string) error {
	rest, err := parse(newFlags("schema"), env, args, "> rules.schema.json")
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return &usageError{[]string{"schema takes no argument: escalator schema > rules.schema.json"}}
	}
	_, err = env.Stdout.Write(rules.Schema())
	return err
}
