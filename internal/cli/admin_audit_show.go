package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/bridgehead-hpc/bridgehead/client"
)

// showTrail prints what is there and returns the place of the last record in the trail, whether it matches or not, so that
// following goes on behind it.
func (t *tool) showTrail(ctx context.Context, c *client.Client, f client.AuditFilter, d detail, out *auditPrinter) (int64, error) {
	newest, err := c.ListAudit(ctx, client.AuditFilter{Limit: 1})
	if err != nil {
		return 0, err
	}
	last := int64(0)
	if len(newest) > 0 {
		last = newest[0].Seq
	}
	f.Before = last + 1              // what comes while this is shown, following shows
	if t.opts.all && !out.whole(d) { // however many there are, only one page is in memory
		f.Limit = 0
		return last, c.WalkAudit(ctx, f, func(r client.AuditRecord) error { return out.print([]client.AuditRecord{r}) })
	}
	if t.opts.all {
		f.Limit = int(last)
	}
	records, err := newestRecords(ctx, c, f)
	if err != nil {
		return 0, err
	}
	if out.whole(d) {
		return last, t.show(auditListing(records), d)
	}
	return last, out.print(records)
}

// newestRecords returns the newest f.Limit records, the last one at the end.
func newestRecords(ctx context.Context, c *client.Client, f client.AuditFilter) ([]client.AuditRecord, error) {
	const page = 1000
	var all []client.AuditRecord
	for left := f.Limit; left > 0; {
		f.Limit = min(left, page)
		records, err := c.ListAudit(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
		if left -= len(records); len(records) < f.Limit {
			break
		}
		f.Before = records[len(records)-1].Seq
	}
	slices.Reverse(all)
	return all, nil
}

// auditPrinter writes records one below the other.
type auditPrinter struct {
	tool  *tool
	form  string
	width [5]int // of the columns so far
}

// whole reports whether the form needs all records before it can begin.
func (p *auditPrinter) whole(d detail) bool {
	return p.form == "table" || p.form == "csv" || p.form != "json" && (d != short || len(p.tool.opts.fields) > 0)
}

func (p *auditPrinter) print(records []client.AuditRecord) error {
	if p.form == "json" {
		for _, r := range records {
			if _, err := p.tool.env.Stdout.Write(append(r.Line, '\n')); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, len(records))
	for i, r := range records {
		rows[i] = auditRow(r)
		for k := range p.width {
			p.width[k] = max(p.width[k], len([]rune(rows[i][k])))
		}
	}
	for _, row := range rows {
		p.line(p.tool.env.Stdout, row)
	}
	return nil
}

func (p *auditPrinter) line(w io.Writer, row []string) {
	var b strings.Builder
	for k, text := range row {
		if k < len(p.width) {
			text += strings.Repeat(" ", p.width[k]-len([]rune(text)))
		}
		b.WriteString(text + "  ")
	}
	_, _ = fmt.Fprintln(w, strings.TrimRight(b.String(), " ")) // the tool's writer remembers failures
}

// auditRow is a record for people: nothing in it can steer the terminal.
func auditRow(r client.AuditRecord) []string {
	row := []string{strconv.FormatInt(r.Seq, 10), r.Time.UTC().Format("2006-01-02 15:04:05"), auditWho(r), r.Action, r.Object, r.Outcome, r.Reason}
	for i, text := range row {
		row[i] = printable(text)
		if text == "" && i < len(row)-1 {
			row[i] = "-"
		}
	}
	return row
}

// auditWho names who acted, and as whom when that is somebody else.
func auditWho(r client.AuditRecord) string {
	if r.Actor == r.Subject {
		return r.Actor
	}
	return r.Actor + " as " + r.Subject
}

func auditListing(records []client.AuditRecord) listing {
	l := listing{title: "Audit", key: "seq", columns: []string{"ts", "actor", "subject", "action", "object", "outcome", "reason"}, tabular: true, bulky: []string{"hash"}}
	for _, r := range records {
		var fields map[string]any
		dec := json.NewDecoder(bytes.NewReader(r.Line))
		dec.UseNumber()
		if dec.Decode(&fields) == nil { // it has been decoded before
			delete(fields, "seq")
			l.records = append(l.records, record{strconv.FormatInt(r.Seq, 10), "", fields})
		}
	}
	return l
}
