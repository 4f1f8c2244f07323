package desk

import (
	"os"
	"strings"
	"testing"
)

// The table of docs/installations.md says of each command what operations says.
func TestOperations_areDocumentedForUsers(t *testing.T) {
	doc, err := os.ReadFile("../../docs/installations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(doc)) {
		if cells := strings.Split(line, " | "); len(cells) == 5 && strings.HasPrefix(cells[0], "| `") {
			rows[strings.Trim(cells[0], "| `")] = cells
		}
	}
	for name, op := range operations {
		cells := rows[name]
		if cells == nil {
			t.Errorf("%s has no row", name)
			continue
		}
		address := "documented"
		if op.inferred {
			address = "inferred"
		}
		if cells[1] != "`"+op.path+"`" || cells[3] != address {
			t.Errorf("%s: the row says %s, %s; it is %s, %s", name, cells[1], cells[3], op.path, address)
		}
	}
	if len(rows) != len(operations) {
		t.Errorf("%d rows for %d commands", len(rows), len(operations))
	}
}
