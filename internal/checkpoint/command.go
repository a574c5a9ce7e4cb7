package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bridgehead-hpc/bridgehead/internal/clock"
)

// Command imports for somebody who looks on: it says every few seconds how far it is, and at the end what was done, also
// when it fails.
func Command(ctx context.Context, c Config, clk clock.Clock, out io.Writer) error {
	const every = 5 * time.Second
	said := clk.Now()
	c.Progress = func(s Summary) {
		if now := clk.Now(); now.Sub(said) >= every {
			said = now
			_, _ = fmt.Fprintf(out, "%d hosts, %d samples so far\n", s.Hosts, s.Samples) // an import does not end because nobody listens
		}
	}
	s, err := Import(ctx, c)
	return errors.Join(err, s.Report(out))
}

// Hint tells the operator of an empty store that its folder has files of ClusterCockpit's.
func Hint(dir string, store Store, log *slog.Logger) {
	if store.Stats().Series == 0 && Present(dir) {
		log.Warn("the folder has samples of ClusterCockpit's metric store, which are not read: take them over with -import-checkpoints, once", "folder", dir)
	}
}
