// Command cc-backend is the head node: see the cluster, steer it, with signed tokens as the key to every door.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/bridgehead-hpc/bridgehead/internal/server"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := server.Main(ctx, server.Env{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv})
	stop()
	os.Exit(code)
}
