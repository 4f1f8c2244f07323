package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"
)

// consolePolicy lets the console have what is its own, and nobody show it in a frame.
const consolePolicy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// assetsForever is how long a browser may keep an asset: its address names its content.
const assetsForever = "public, max-age=31536000, immutable"

// consoleViews are the addresses of the console's views. Each shows the same page, which
// reads its address: so a link can be sent to a colleague.
var consoleViews = []string{
	"/console/", "/console/c", "/console/c/:session", "/console/try", "/console/rules", "/console/rules/:id",
	"/console/file", "/console/history", "/console/delivery", "/console/suggest",
}

//go:embed console
var consoleFiles embed.FS

// console is the operators' page: files without data, which anybody may read who reaches
// the listener. What it shows comes from the API, which asks for the token.
type console struct {
	page  []byte
	hash  string            // of all assets, which they have in their address
	kinds map[string]string // of each asset
	files fs.FS
	// packed are the assets as browsers get them. Most services are never looked at: they are packed for the first who does.
	packed func() map[string][]byte
}

// theConsole is read once: its files are part of the program.
var theConsole = sync.OnceValue(func() *console {
	files, _ := fs.Sub(consoleFiles, "console") // it is there, or this is not built
	all := &console{kinds: map[string]string{}, files: files}
	all.packed = sync.OnceValue(all.pack)
	sum := sha256.New()
	_ = fs.WalkDir(files, ".", func(name string, f fs.DirEntry, _ error) error {
		if f.IsDir() || name == "index.html" {
			return nil
		}
		content, _ := fs.ReadFile(files, name) // the same
		sum.Write([]byte(name + "\x00"))
		sum.Write(content)
		all.kinds[name] = kindOf(name)
		return nil
	})
	all.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	page, _ := fs.ReadFile(files, "index.html")
	all.page = bytes.ReplaceAll(page, []byte("{hash}"), []byte(all.hash))
	return all
})

// kindOf does not ask the system for its table of types, which differs.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".json":
		return "application/json; charset=utf-8"
	default:
		return mime.TypeByExtension(path.Ext(name))
	}
}

// pack compresses all assets, with one writer: each has 800 KB of its own.
func (s *console) pack() map[string][]byte {
	packed := map[string][]byte{}
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // there is that level
	for name := range s.kinds {
		var out bytes.Buffer
		w.Reset(&out)
		_, _ = w.Write(s.plain(name)) // a buffer takes all
		_ = w.Close()
		packed[name] = out.Bytes()
	}
	return packed
}

func (s *console) plain(name string) []byte {
	content, _ := fs.ReadFile(s.files, name) // it was read before
	return content
}

func (s *console) routes() []route {
	all := []route{
		{method: http.MethodGet, path: "/", access: visitor, handler: toConsole},
		{method: http.MethodGet, path: "/console", access: visitor, handler: toConsole},
		{method: http.MethodGet, path: "/console/assets/:hash/*name", access: visitor, handler: s.asset},
	}
	for _, view := range consoleViews {
		all = append(all, route{method: http.MethodGet, path: view, access: visitor, handler: s.show, query: anyQuery}) // the page's own filters
	}
	return all
}

func toConsole(c *gin.Context) { c.Redirect(http.StatusFound, "/console/") }

func (*console) headers(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", consolePolicy)
	h.Set("Referrer-Policy", "no-referrer") // addresses of views name customers
}

func (s *console) show(c *gin.Context) {
	s.headers(c)
	c.Data(http.StatusOK, "text/html; charset=utf-8", s.page)
}

func (s *console) asset(c *gin.Context) {
	name := strings.TrimPrefix(pathValue(c, "name"), "/")
	kind, known := s.kinds[name]
	if !known || c.Param("hash") != s.hash { // of another version: to answer with ours would be kept as that
		refuse(c, http.StatusNotFound, nothingHere)
		return
	}
	s.headers(c)
	h := c.Writer.Header()
	h.Set("Cache-Control", assetsForever)
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(c.GetHeader("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		c.Data(http.StatusOK, kind, s.packed()[name])
		return
	}
	c.Data(http.StatusOK, kind, s.plain(name))
}
