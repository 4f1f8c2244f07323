package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"

	"escalator/rules/replay"
	"escalator/rules/score"
)

// eval scores the rules on labelled messages and dialogues.
func eval(_ context.Context, env Env, args []string) error {
	fs := newFlags("eval")
	file, at := rulesFlag(fs), atFlag(fs)
	positive := fs.String("positive", "human", "label of the messages whose writers want a person")
	show := fs.Int("show", 20, "how many of the wrong ones to print")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, "FILE… [--positive LABEL] [--rules FILE] [--at TIME] [--show N] [--json]")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{[]string{"eval needs a file of labelled lines, or - for standard input"}}
	}
	policy, err := readRulesOrShipped(env, *file)
	if err != nil {
		return err
	}
	scorer := &score.Scorer{Policy: policy, Positive: *positive, At: *at}
	lines := &lineFiles{env: env}
	if err := scoreAll(lines, files, scorer); err != nil {
		return err
	}
	if scorer.Score().N() == 0 {
		fmt.Fprintln(env.Stderr, "no line was scored: the shares below mean nothing")
	}
	if *asJSON {
		return writeJSON(env.Stdout, scorer.Score())
	}
	writeScore(env.Stdout, scorer.Score(), *show)
	return nil
}

// scoreBatch is how many lines are judged together, by all processors.
const scoreBatch = 4096

// judged is a line on its way to the score.
type judged struct {
	rec     *replay.Record
	verdict score.Verdict
}

func scoreAll(lines *lineFiles, files []string, s *score.Scorer) error {
	batch := make([]judged, 0, scoreBatch)
	flush := func() {
		judgeAll(batch, s)
		for _, j := range batch {
			s.Add(j.rec, j.verdict)
		}
		batch = batch[:0]
	}
	err := lines.each(files, func(file string, line int, rec *replay.Record) {
		if !score.Labelled(rec) {
			lines.skip(file, line, errNoLabel)
			return
		}
		if batch = append(batch, judged{rec: rec}); len(batch) == scoreBatch {
			flush()
		}
	})
	flush()
	return err
}

var errNoLabel = errors.New("it has no label to compare with (`label`, or `transferred` of a dialogue)")

// judgeAll judges a batch on all processors; the order stays.
func judgeAll(batch []judged, s *score.Scorer) {
	var workers sync.WaitGroup
	for part := range slices.Chunk(batch, max(1, len(batch)/runtime.GOMAXPROCS(0)+1)) {
		workers.Go(func() {
			for i := range part {
				part[i].verdict = s.Judge(part[i].rec)
			}
		})
	}
	workers.Wait()
}

// writeScore prints the table, and some of the wrong ones.
func writeScore(w io.Writer, s *score.Score, show int) {
	fmt.Fprintf(w, "%-10s %7s %6s %6s %6s %7s  %9s %9s %9s\n", "", "n", "tp", "fp", "fn", "tn", "precision", "recall", "f1")
	row := func(name string, c score.Counts) {
		fmt.Fprintf(w, "%-10s %7d %6d %6d %6d %7d  %9.4f %9.4f %9.4f\n", name, c.N(), c.TP, c.FP, c.FN, c.TN, c.Precision(), c.Recall(), c.F1())
	}
	row("all", s.Counts)
	for _, lang := range sortedKeys(s.ByLang) {
		name := lang
		if name == "" {
			name = "(no lang)"
		}
		row(name, *s.ByLang[lang])
	}
	fmt.Fprintln(w)
	for _, rule := range sortedKeys(s.ByRule) {
		fmt.Fprintf(w, "rule %-20s %6d right, %6d wrong\n", rule, s.ByRule[rule].TP, s.ByRule[rule].FP)
	}
	for i, wrong := range s.Wrong {
		if i == show {
			fmt.Fprintf(w, "… and %d more (--show N)\n", len(s.Wrong)-show)
			break
		}
		if wrong.Rule != "" {
			fmt.Fprintf(w, "called without need (%s): [%s] %s\n", wrong.Rule, wrong.Label, wrong.Text)
		} else {
			fmt.Fprintf(w, "not called: [%s] %s\n", wrong.Label, wrong.Text)
		}
	}
}
