package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// maxBody is the bound on a body, that of the product.
const maxBody = 1 << 20

// serveFloor serves the least that a Gin handler can do with a callback: read
// it within the bound and answer a constant. It also plays the small bot that
// the product forwards to.
func serveFloor(ctx context.Context, leash io.Reader, out io.Writer) error {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	answer := []byte(`{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":"","AIProvider":1}`)
	e.POST("/callback", func(c *gin.Context) {
		if _, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		c.Data(http.StatusOK, "application/json", answer)
	})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintln(out, listener.Addr())
	let := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, leash); close(let) }()
	select {
	case err := <-served:
		return err
	case <-let:
	case <-ctx.Done():
	}
	return server.Close()
}
