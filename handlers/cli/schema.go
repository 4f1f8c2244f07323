package cli

import (
	"context"

	"escalator/rules"
)

// schema prints the JSON Schema of rules.yaml, for editors.
func schema(_ context.Context, env Env, args []string) error {
	if err := flagsOnly(newFlags("schema"), env, args, "> rules.schema.json"); err != nil {
		return err
	}
	_, err := env.Stdout.Write(rules.Schema())
	return err
}
