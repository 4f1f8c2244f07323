package handlers_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"escalator/bot/delivery"
)

func TestOutbox_whatOperatorsDo(t *testing.T) {
	li := delivery.Operator{By: "li", Why: "mended"}
	for _, c := range []struct {
		path, body string
		err        error
		status     int
		asked      string
		who        delivery.Operator
		says       string
	}{
		{"s1/retry", "", nil, 200, "s1", delivery.Operator{By: "192.0.2.1"}, `{"session":"s1","state":"pending"}`},
		{"s1/retry", `{"by":"li","why":"mended"}`, nil, 200, "s1", li, `"state":"pending"`},
		{"s1/dismiss", `{"by":"li","why":"mended"}`, nil, 200, "dismiss s1", li, `{"session":"s1","state":"dismissed"}`},
		{"im:jared%7C@service/dismiss", "", nil, 200, "dismiss im:jared|@service", delivery.Operator{By: "192.0.2.1"}, `"state":"dismissed"`},
		{"group/a/b/dismiss", "", nil, 200, "dismiss group/a/b", delivery.Operator{By: "192.0.2.1"}, `"session":"group/a/b"`},
		{"retry?code=70009", `{"by":"li","why":"mended"}`, nil, 200, "code 70009", li, `{"retried":3,"target_gone":1,"left":0}`},
		{"retry?code=network", "", nil, 200, "code network", delivery.Operator{By: "192.0.2.1"}, `"retried":3`},

		{"retry", "", nil, 400, "", delivery.Operator{}, "?code="},
		{"retry?code=7000x", "", nil, 400, "", delivery.Operator{}, "?code="},
		{"retry?code=-1", "", nil, 400, "", delivery.Operator{}, "?code="},
		{"retry?cod=1", "", nil, 400, "", delivery.Operator{}, "cod"},
		{"s1/retry", `{"who":"li"}`, nil, 400, "", delivery.Operator{}, "it has no field"},
		{"s1/dismiss", `[]`, nil, 400, "", delivery.Operator{}, "must be an object"},
		{"s1/retry", "", fmt.Errorf("target %q: %w", "vip", delivery.ErrTargetGone), 409, "s1", delivery.Operator{By: "192.0.2.1"}, `no longer have this target`},
		{"s1/retry", "", delivery.ErrNotGivenUp, 404, "s1", delivery.Operator{By: "192.0.2.1"}, "was given up"},
		{"s1/dismiss", "", delivery.ErrNoTransfer, 404, "dismiss s1", delivery.Operator{By: "192.0.2.1"}, "holds no transfer"},
		{"retry?code=1", "", errors.New("the disk is full"), 503, "code 1", delivery.Operator{By: "192.0.2.1"}, "disk is full"},
	} {
		n := &named{err: c.err}
		s, log := operators(n, nil)
		w := ask(s, http.MethodPost, "/api/outbox/"+c.path, c.body)
		if w.Code != c.status || strings.Join(n.ids, ",") != c.asked || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s: %d %s, asked for %q", c.path, c.body, w.Code, w.Body, n.ids)
		}
		if diff := cmp.Diff(c.who, n.who); diff != "" {
			t.Errorf("%s %s:\n%s", c.path, c.body, diff)
		}
		if audited := strings.Contains(log.String(), `"msg":"operator"`); audited != (c.status == 200) {
			t.Errorf("%s %s: log %s", c.path, c.body, log)
		}
	}
}
