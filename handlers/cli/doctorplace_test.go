package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"escalator/bot/desk"
	"escalator/bot/trace/otlp"
	"escalator/handlers/app"
)

func TestDoctor_makesNoFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir: "can be written", filepath.Join(dir, "a", "b"): "does not exist yet and can be created", file: "", filepath.Join(file, "x"): "",
	} {
		f := examineFolder("data", "ESCALATOR_DATA_DIR", path)
		if f.OK != (want != "") || !strings.Contains(f.Detail.String(), want) || !f.OK && !strings.Contains(f.WayOut.String(), "ESCALATOR_DATA_DIR") {
			t.Errorf("%s: %+v", path, f)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestDoctor_tellsOfDamageInTheDataFolder(t *testing.T) {
	dir := t.TempDir()
	s := &app.Settings{DataDir: dir}
	if f := examineData(s); !f.OK {
		t.Errorf("an empty folder: %+v", f)
	}
	if err := os.WriteFile(filepath.Join(dir, "journal-00000001.log"), []byte("not a journal at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := examineData(s); f.OK || !strings.Contains(f.Detail.String(), "journal-00000001.log") || f.WayOut == "" {
		t.Errorf("a damaged one: %+v", f)
	}
}

func TestDoctor_looksAtPortsAndTheOwnBot(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &app.Settings{Listen: taken.Addr().String(), AdminListen: "127.0.0.1:0", ForwardURL: desk.Secret("http://u:" + plantedSecret + "@" + taken.Addr().String())}
	if f := examinePorts(t.Context(), s); len(f) != 2 || f[0].OK || !f[1].OK || !strings.Contains(f[0].WayOut.String(), "ESCALATOR_LISTEN") {
		t.Errorf("%+v", f)
	}
	if f := examineForward(t.Context(), s); !f.OK {
		t.Errorf("%+v", f)
	}
	collector, problems := (&otlp.Settings{Endpoint: "http://" + taken.Addr().String() + "/" + plantedSecret}).Read()
	if f := examineTraces(t.Context(), collector); problems != nil || !f.OK || strings.Contains(f.Detail.String(), plantedSecret) {
		t.Errorf("%v %+v", problems, f)
	}
	_ = taken.Close()
	if f := examineTraces(t.Context(), collector); f.OK || !strings.Contains(f.WayOut.String(), "OTEL_EXPORTER_OTLP_ENDPOINT") {
		t.Errorf("%+v", f)
	}
	if f := examineForward(t.Context(), s); f.OK || strings.Contains(f.Detail.String()+f.WayOut.String(), "planted") {
		t.Errorf("%+v", f)
	}
	if f := examinePorts(t.Context(), s); !f[0].OK {
		t.Errorf("%+v", f)
	}
}
