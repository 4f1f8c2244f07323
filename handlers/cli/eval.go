package cli

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"escalator/rules/lang"
	"escalator/rules/replay"
	"escalator/rules/score"
	"escalator/rules/text"
)

// eval scores the rules on labelled messages and dialogues.
func eval(_ context.Context, env Env, args []string) error {
	fs := newFlags("eval")
	file, at := rulesFlag(fs, env), atFlag(fs)
	positive := fs.String("positive", "human", "label of the messages whose writers want a person")
	show := fs.Int("show", 20, "how many wrong results to print")
	minPrecision := fs.Float64("min-precision", 0, "exit with 1 if the precision is lower")
	minRecall := fs.Float64("min-recall", 0, "exit with 1 if the recall is lower")
	user := fs.String("user", "", "`ID` of the customer, for rules that have a share; without it, every customer is in it")
	asJSON := fs.Bool("json", false, "print one JSON document")
	files, err := parse(fs, env, args, "FILE… [--positive LABEL] [--rules FILE] [--at TIME] [--user ID] [--min-precision P] [--min-recall R] [--show N] [--json]")
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &usageError{[]lang.Text{"eval needs files of labelled lines, folders of them, or - for standard input"}}
	}
	policy, err := readRulesOrShipped(env, *file)
	if err != nil {
		return err
	}
	scorer := &score.Scorer{Policy: policy, Positive: *positive, At: at.of(policy), User: *user}
	lines := &lineFiles{env: env}
	if err := scoreAll(lines, files, scorer); err != nil {
		return err
	}
	sum := scorer.Score()
	switch {
	case *asJSON:
		err = writeJSON(env.Stdout, sum)
	case sum.N() > 0:
		writeScore(env, sum, *show)
	}
	if err != nil {
		return err
	}
	return judge(env, sum, *minPrecision, *minRecall)
}

// judge ends the command with 1 where nothing was scored, or less was reached than
// is asked for.
func judge(env Env, sum *score.Score, minPrecision, minRecall float64) error {
	if sum.N() == 0 {
		env.tell("no line was scored: each needs a `label`, or `transferred` if it is a dialogue")
		return exitError(exitBad)
	}
	low := false
	if p := sum.Precision(); p < minPrecision {
		env.tell("precision %.4f is below %.4f", p, minPrecision)
		low = true
	}
	if r := sum.Recall(); r < minRecall {
		env.tell("recall %.4f is below %.4f", r, minRecall)
		low = true
	}
	if low {
		return exitError(exitBad)
	}
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

var errNoLabel = lang.Errorf("it has no label to compare with (`label`, or `transferred` of a dialogue)")

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
func writeScore(env Env, s *score.Score, show int) {
	env.print("%-10s %7s %6s %6s %6s %7s  %9s %9s %9s", "", "n", "tp", "fp", "fn", "tn", "precision", "recall", "f1")
	row := func(name string, c score.Counts) {
		env.print("%s %7d %6d %6d %6d %7d  %9.4f %9.4f %9.4f", padded(name, 10), c.N(), c.TP, c.FP, c.FN, c.TN, c.Precision(), c.Recall(), c.F1())
	}
	row("all", s.Counts)
	for _, name := range sortedKeys(s.ByLang) {
		row(cmp.Or(name, "(no lang)"), *s.ByLang[name])
	}
	env.print("")
	for _, rule := range sortedKeys(s.ByRule) {
		env.print("rule %s %6d right, %6d wrong", padded(rule, 20), s.ByRule[rule].TP, s.ByRule[rule].FP)
	}
	for _, rule := range sortedKeys(s.Shadow) {
		env.print("shadow %s %6d right, %6d wrong (not counted above)", padded(rule, 18), s.Shadow[rule].TP, s.Shadow[rule].FP)
	}
	for i, wrong := range s.Wrong {
		if i == show {
			env.print("… and %d more (--show N)", len(s.Wrong)-show)
			break
		}
		if wrong.Rule != "" {
			env.print("false alarm (%s): [%s] %s", wrong.Rule, wrong.Label, text.Printable(wrong.Text))
		} else {
			env.print("missed: [%s] %s", wrong.Label, text.Printable(wrong.Text))
		}
	}
}
