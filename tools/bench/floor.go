package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/gin-gonic/gin"
)

// maxBody is the bound on a body, that of the product.
const maxBody = 1 << 20

// constantAnswer is what the floor answers, and the hook of webhook.
const constantAnswer = `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":1}`

// floorHandler is the least that a Gin handler can do with a callback: read it
// within the bound and answer a constant. It also plays the small bot to which
// callbacks are passed on.
func floorHandler() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	answer := []byte(constantAnswer)
	e.POST("/callback", func(c *gin.Context) {
		if _, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "application/json", answer)
	})
	e.GET("/metrics", func(c *gin.Context) { tellMemory(c.Writer) })
	return e
}

// tellMemory writes what was allocated so far, under the names that the product
// uses as well.
func tellMemory(w io.Writer) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "%s %d\n%s %d\n", metricBytes, m.TotalAlloc, metricObjects, m.Mallocs)
}

// proxyTo passes everything on to another address, as the standard library does.
func proxyTo(address string) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	// As many connections are kept as callbacks come at once: with the default of two each would make its own.
	proxy.Transport = &http.Transport{MaxIdleConns: 4 * connections, MaxIdleConnsPerHost: 4 * connections, IdleConnTimeout: time.Minute}
	mux := http.NewServeMux()
	mux.Handle("POST /callback", proxy)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { tellMemory(w) })
	return mux
}

// serve is the life of a process that answers.
func serve(ctx context.Context, h http.Handler) error {
	ctx, cancel := leashed(ctx)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintln(os.Stdout, listener.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	return server.Close()
}
