// Command cw-nodectl manages nodes and their attributes and copies files to and from them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/bridgehead-hpc/bridgehead/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.NodeCtl(ctx, cli.System())
	stop()
	os.Exit(code)
}
