package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bridgehead-hpc/bridgehead/client"
	"github.com/bridgehead-hpc/bridgehead/internal/audit"
)

func auditVerify(t *tool) *cobra.Command {
	var noted string
	cmd := &cobra.Command{
		Use: "verify FILE ...", Args: cobra.MinimumNArgs(1),
		Short: "Verify an exported trail, or what a receiver has written, without a head",
		Long: `Verify an exported trail, or the file that a receiver has written, without asking a head.

Several files are read one after the other, as they were rotated; - is stdin. The records have to be complete: an export
with filters is no chain. A file that begins later in the trail is verified from its second record on.`,
		Example: "  cw-adminctl audit verify trail.jsonl\n  cw-adminctl audit verify clusterware.audit.1 clusterware.audit --head 4711:9f86d081884c7d65...",
	}
	cmd.Flags().StringVar(&noted, "head", "", "a head that was noted down, as `SEQ:HASH`, which the records have to contain")
	cmd.RunE = func(_ *cobra.Command, files []string) error { return t.verifyFiles(files, noted) }
	return cmd
}

func (t *tool) verifyFiles(files []string, noted string) error {
	v := audit.NewVerifier(audit.Head{})
	v.TrustFirst()
	var err error
	if v.Noted, err = parseHead(noted); err != nil {
		return err
	}
	var first int64
	for _, name := range files {
		if err := t.verifyFile(v, name, &first); err != nil {
			return err
		}
	}
	return t.verified(v, first, nil)
}

// verifyFile adds the records of a file and notes the first one of all.
func (t *tool) verifyFile(v *audit.Verifier, name string, first *int64) error {
	in := t.env.Stdin
	if name != "-" {
		f, err := os.Open(expandHome(t.env, name))
		if err != nil {
			return fmt.Errorf("read the trail: %w", err)
		}
		defer func() { _ = f.Close() }() // it is only read
		in = f
	}
	lines := bufio.NewReaderSize(in, 1<<20)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		r, err := audit.ParseLine([]byte(strings.TrimSuffix(string(line), "\n")))
		if err == nil {
			err = v.Add(r)
		}
		if err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if *first == 0 {
			*first = r.Seq
		}
	}
}

// verifyTrail walks the trail and checks every hash here: nothing is believed but the first record's place.
func (t *tool) verifyTrail(ctx context.Context, c *client.Client, noted audit.Head) error {
	v := audit.NewVerifier(audit.Head{})
	v.Noted = noted
	end, err := c.AuditHead(ctx) // also the right to see all of it: own records alone are no chain
	if err != nil {
		return err
	}
	err = c.WalkAudit(ctx, client.AuditFilter{Before: end.Seq + 1}, func(r client.AuditRecord) error {
		rec, err := audit.ParseLine(r.Line)
		if err != nil {
			return fmt.Errorf("record %d: %w", r.Seq, err)
		}
		return v.Add(rec)
	})
	if err == nil && v.Head().Seq != end.Seq {
		err = fmt.Errorf("the head says that its trail ends with record %d, but it shows none after %d", end.Seq, v.Head().Seq)
	}
	return t.verified(v, 1, err)
}

// verified reports what a verifier has found.
func (t *tool) verified(v *audit.Verifier, first int64, err error) error {
	if err == nil {
		err = v.End()
	}
	if err != nil {
		return err
	}
	h := v.Head()
	if h.Seq == 0 {
		t.say("the trail is empty")
		return nil
	}
	if first > 1 {
		t.say("records before %d are not here: record %d itself is taken on trust", first, first)
	}
	t.say("%d records, %d to %d: each follows from the one before it", v.Walked(), first, h.Seq)
	t.say("head %d:%s of %s", h.Seq, h.Hash, h.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	return nil
}

// parseHead reads SEQ:HASH; "" is no head.
func parseHead(text string) (audit.Head, error) {
	if text == "" {
		return audit.Head{}, nil
	}
	seq, hash, ok := strings.Cut(text, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if !ok || err != nil || n < 1 || len(hash) != 64 {
		return audit.Head{}, usagef("--head %q is not valid: a record's number, a colon and its hash, as --verify prints them", text)
	}
	return audit.Head{Seq: n, Hash: strings.ToLower(hash)}, nil
}
