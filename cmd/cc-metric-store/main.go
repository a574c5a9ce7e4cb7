// Command cc-metric-store keeps the metrics of clusters, on its own: samples in, queries out.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/bridgehead-hpc/bridgehead/internal/metricserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := metricserver.Main(ctx, metricserver.Env{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}
