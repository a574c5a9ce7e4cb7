// Command cw-adminctl manages administrators, their roles and their tokens.
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
	code := cli.AdminCtl(ctx, cli.System())
	stop()
	os.Exit(code)
}
