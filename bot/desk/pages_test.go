package desk_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// paged serves a list of n groups, whose pages count from base; before that, it
// says what Desk may say to a page that does not exist.
func paged(n, base int, before string) (trip, *int) {
	calls := 0
	return func(r *http.Request) (*http.Response, error) {
		calls++
		var q struct{ PageSize, PageNumber int }
		_ = json.NewDecoder(r.Body).Decode(&q)
		page := q.PageNumber - base
		switch {
		case page < 0 && before == "the first":
			page = 0
		case page < 0:
			return respond(200, before)
		}
		var items []string
		for i := page * q.PageSize; i < min(n, (page+1)*q.PageSize); i++ {
			items = append(items, fmt.Sprintf(`{"MemberGroupID":%d}`, i))
		}
		return respond(200, fmt.Sprintf(`{"ErrorCode":0,"Total":%d,"MemberGroupList":[%s]}`, n, strings.Join(items, ",")))
	}, &calls
}

func TestClient_pages_areReadWhateverTheyCountFrom(t *testing.T) {
	const empty = `{"ErrorCode":0,"MemberGroupList":[]}`
	for _, tt := range []struct {
		name     string
		n, base  int
		before   string
		want     int
		cut      bool
		maxCalls int
	}{
		{"none", 0, 0, "", 0, false, 2},
		{"one page", 3, 0, "", 3, false, 1},
		{"a full page", 100, 0, "", 100, false, 2},
		{"several pages", 250, 0, "", 250, false, 3},
		{"from 1, page 0 is illegal", 250, 1, jsonAnswer(141004, "x"), 250, false, 4},
		{"from 1, page 0 is empty", 250, 1, empty, 250, false, 4},
		{"from 1, page 0 is the first", 250, 1, "the first", 250, false, 4},
		{"as many as we read", 1000, 0, "", 1000, false, 11},
		{"more than we read", 1500, 0, "", 1000, true, 11},
		{"more than we read, from 1", 1500, 1, empty, 1000, true, 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rt, calls := paged(tt.n, tt.base, tt.before)
			page, err := newClient(t, rt).Groups(t.Context())
			if err != nil || len(page.Items) != tt.want || page.Cut != tt.cut || *calls > tt.maxCalls {
				t.Fatalf("%d of %v, cut %v, %d calls, %v", len(page.Items), page.Total, page.Cut, *calls, err)
			}
			for i, g := range page.Items {
				if g.ID != fmt.Sprint(i) {
					t.Fatalf("item %d is %s", i, g.ID)
				}
			}
		})
	}
}

func TestClient_pages_refusalBeyondTheFirst_isAnError(t *testing.T) {
	calls := 0
	c := newClient(t, trip(func(*http.Request) (*http.Response, error) {
		if calls++; calls == 1 {
			return respond(200, jsonAnswer(141004, "x"))
		}
		return respond(200, jsonAnswer(141004, "again"))
	}))
	if _, err := c.Groups(t.Context()); asError(t, err).Code != 141004 || calls != 2 {
		t.Errorf("%v after %d calls", err, calls)
	}
	if _, err := c.GroupMembers(t.Context(), 1); asError(t, err).Code != 141004 || calls != 3 {
		t.Errorf("%v after %d calls: these pages count from 0, the page says", err, calls)
	}
}

func TestClient_pages_serverThatIgnoresTheOffset_isNotAskedForEver(t *testing.T) {
	items := strings.Repeat(`{"SessionId":"s"},`, 99) + `{"SessionId":"s"}`
	c, seen := answering(t, `{"ErrorCode":0,"IMCdrList":[`+items+`]}`)
	page, err := c.Records(t.Context(), time.Unix(1, 0), time.Unix(2, 0), "")
	if err != nil || len(page.Items) != 100 || len(*seen) != 2 {
		t.Errorf("%d records, %d calls, %v", len(page.Items), len(*seen), err)
	}
}

func TestClient_Members_manyIDs_areAskedForInParts(t *testing.T) {
	var asked []string
	c := newClient(t, trip(func(r *http.Request) (*http.Response, error) {
		body, _ := io.ReadAll(r.Body)
		var q struct {
			IDs []string `json:"MemberIds"`
		}
		_ = json.Unmarshal(body, &q)
		if len(q.IDs) > 100 || len(body) > 12<<10 {
			t.Errorf("%d ids in %d bytes", len(q.IDs), len(body))
		}
		var items []string
		for _, id := range q.IDs {
			if !slices.Contains(asked, id) {
				items = append(items, fmt.Sprintf(`{"MemberId":%q,"MemberStatus":1}`, id))
			}
		}
		asked = append(asked, q.IDs...)
		return respond(200, `{"ErrorCode":0,"TotalCount":9,"Data":[`+strings.Join(items, ",")+`]}`)
	}))
	var ids []string
	for i := range 230 {
		ids = append(ids, fmt.Sprintf("somebody.with.a.long.address-%03d@customer-service.example.com", i))
	}
	page, err := c.Members(t.Context(), ids...)
	if err != nil || len(page.Items) != 230 || page.Items[229].ID != ids[229] || page.Total != nil {
		t.Errorf("%d of %v, %v", len(page.Items), page.Total, err)
	}
}
