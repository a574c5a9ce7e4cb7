// Command cw-clusterctl tells about the cluster as a whole: so far, what its metrics take up.
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
	code := cli.ClusterCtl(ctx, cli.System())
	stop()
	os.Exit(code)
}
