package reception

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"
	"go.uber.org/goleak"

	"escalator/bot/clock"
	"escalator/bot/desk"
	"escalator/bot/logtest"
	"escalator/bot/store"
	"escalator/bot/store/memory"
	"escalator/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeDesk says what the test says, and counts how often it is asked.
type fakeDesk struct {
	mu      sync.Mutex
	told    desk.Reception
	members map[string]int // MemberStatus by agent
	err     error
	errOne  error // of Members
	asked   int
	ids     []string // of the last call of Members; "all"
}

func (d *fakeDesk) Reception(context.Context) (desk.Reception, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	return d.told, d.err
}

func (d *fakeDesk) Members(_ context.Context, ids ...string) (page desk.Page[desk.MemberStatistics], err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ids = ids
	if ids == nil {
		d.ids = []string{"all"}
	}
	for _, id := range slices.Sorted(maps.Keys(d.members)) {
		if len(ids) == 0 || slices.Contains(ids, id) {
			page.Items = append(page.Items, desk.MemberStatistics{ID: id, Status: new(d.members[id])})
		}
	}
	return page, d.errOne
}

func (d *fakeDesk) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

func (d *fakeDesk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// office is one or several watchers of one Desk.
type office struct {
	t       *testing.T
	desk    *fakeDesk
	records store.Records
	log     *logtest.Buffer

	mu      sync.Mutex
	asks    rules.Asks
	waiting bool
	told    []string // the free agents of each new reading, with the process before it
}

// watcher starts a watcher and returns what stops it.
func (o *office) watcher(name string, change ...func(*Options)) (w *Watcher, stop func()) {
	log := logrus.New()
	log.SetOutput(o.log)
	log.SetFormatter(&logrus.JSONFormatter{})
	options := Options{
		Desk: o.desk, Records: o.records, Every: 10 * time.Second, Log: log, Clock: clock.New(),
		Asks:    func() rules.Asks { o.mu.Lock(); defer o.mu.Unlock(); return o.asks },
		Waiting: func() bool { o.mu.Lock(); defer o.mu.Unlock(); return o.waiting },
		Told: func(r *rules.Reading) {
			o.mu.Lock()
			defer o.mu.Unlock()
			free := "?"
			if r.Free != nil {
				free = fmt.Sprint(*r.Free)
			}
			o.told = append(o.told, name+free)
		},
	}
	for _, f := range change {
		f(&options)
	}
	w = New(options)
	ctx, cancel := context.WithCancel(o.t.Context())
	var done sync.WaitGroup
	done.Go(func() { w.Run(ctx) })
	return w, func() { cancel(); done.Wait() }
}

// inOffice runs a test in virtual time; a rule needs readings.
func inOffice(t *testing.T, test func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		free, queue := 2, 5
		o := &office{
			t: t, log: &logtest.Buffer{}, records: memory.NewRecords(memory.RecordsOptions{Max: store.NewCaps(10)}),
			desk: &fakeDesk{told: desk.Reception{Free: &free, Queue: &queue, GroupQueues: map[string]int{"7": 3}}, members: map[string]int{}},
			asks: rules.Asks{Reading: true},
		}
		test(o)
	})
}

func passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (o *office) need(asks rules.Asks, waiting bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asks, o.waiting = asks, waiting
}
