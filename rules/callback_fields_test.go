package rules

import (
	"os"
	"strings"
	"testing"
)

// A path that no callback has is told with the one that was most likely meant; whoever is right hears nothing.
func TestCallbackFields_pathsThatNoCallbackHas(t *testing.T) {
	for path, want := range map[string]string{
		"MsgBody.MsgContent.Text":          "did you mean MsgBody.0.MsgContent.Text?",
		"MsgBody.0.Text":                   "did you mean MsgBody.0.MsgContent.Text?",
		"MsgBody.0.msgcontent.Text":        "did you mean MsgBody.0.MsgContent.Text?",
		"MsgBody.0.MsgContents.Data.x":     "did you mean MsgBody.0.MsgContent.Data.x?",
		"MsgBody.Data.content":             "did you mean MsgBody.0.MsgContent.Data.content?",
		"MsgBody.*.Data.content":           "did you mean MsgBody.*.MsgContent.Data.content?",
		"MsgContent.Text":                  "did you mean MsgBody.0.MsgContent.Text?",
		"messageType":                      "did you mean CloudCustomData.messageType?",
		"channel_type":                     "did you mean ChannelType?",
		"CloudCustomDate.level":            "did you mean CloudCustomData.level?",
		"cloudcustomdata.level":            "did you mean CloudCustomData.level?",
		"ClientUserId.name":                "ClientUserId has no parts: path: ClientUserId",
		"level":                            "what your app sends along lies in CloudCustomData: path: CloudCustomData.level",
		"user.level":                       "what your app sends along lies in CloudCustomData: path: CloudCustomData.user.level",
		"CloudCustomData.level":            "",
		"CloudCustomData.message_type":     "", // the app's own
		"CloudCustomData":                  "",
		"MsgBody":                          "",
		"MsgBody.3.MsgContent.Data.a.b":    "",
		"MsgBody.*.MsgContent.Data":        "",
		"MsgBody.0.MsgContent.ImageFormat": "",
		"Body.question":                    "",
		"ClientInfo.1.IsConnected":         "",
		"AtRobots_Account.0":               "",
		"Locale":                           "", // Desk may add fields
		"Locale.Zone":                      "",
	} {
		if got := fieldHint(strings.Split(path, ".")); got.String() != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// fieldTable is the table of fields of docs/rules.md.
func fieldTable() string {
	var b strings.Builder
	b.WriteString("| path | in | holds |\n| --- | --- | --- |\n")
	for _, f := range callbackFields {
		path := "`" + f.path + "`"
		if f.below != "" {
			path += ", `" + f.path + ".…`"
		}
		b.WriteString("| " + path + " | " + f.in + " | " + f.doc + " |\n")
	}
	return b.String()
}

// The lint and the table of docs/rules.md say the same; -update writes the table anew.
func TestCallbackFields_tableOfTheDocs(t *testing.T) {
	const path = "../docs/rules.md"
	doc := string(readFile(t, path))
	head, rest, ok := strings.Cut(doc, "| path | in | holds |")
	_, tail, end := strings.Cut(rest, "\n\n")
	if !ok || !end {
		t.Fatal("docs/rules.md has no table of fields")
	}
	want := head + fieldTable() + "\n" + tail
	if want == doc {
		return
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the table of fields is old; run this test with -update")
}
