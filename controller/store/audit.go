package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// maxAuditDetail bounds the detail of one row in bytes.
const maxAuditDetail = 16 << 10

// auditPage is how many rows are looked at in one query.
const auditPage = 500

// Deed is what a row of the audit log says.
type Deed struct {
	At broadcast.Instant
	// Person did it; empty for the controller itself.
	Person broadcast.ID
	// Act names what was done, such as announcement.approve.
	Act string
	// Subject names what it was done to.
	Subject string
	// Detail is anything that has a canonical encoding, or nil.
	Detail any
}

// AuditRow is one row of the audit log, chained to the row before it.
type AuditRow struct {
	bun.BaseModel `bun:"table:audit" json:"-"`

	Seq     int64             `bun:"seq,pk" json:"seq"`
	At      broadcast.Instant `bun:"at_ms" json:"at"`
	Person  broadcast.ID      `bun:"person" json:"person"`
	Act     string            `bun:"act" json:"act"`
	Subject string            `bun:"subject" json:"subject"`
	// Detail is canonical JSON, or empty.
	Detail string           `bun:"detail" json:"detail"`
	Prev   broadcast.Digest `bun:"prev" json:"prev"`
	// Hash covers everything above.
	Hash broadcast.Digest `bun:"hash" json:"hash"`
}

// sum returns the hash that the row ought to have.
func (r AuditRow) sum() (broadcast.Digest, error) {
	r.Hash = ""
	b, err := broadcast.Encode(r)
	if err != nil {
		return "", err
	}
	return broadcast.Sum(append([]byte("loaxa/audit.v1 "), b...)), nil
}

// Audit adds a row to the audit log in the transaction of the deed itself, so
// that neither exists without the other.
func (t Tx) Audit(ctx context.Context, d Deed) error {
	row := AuditRow{At: d.At, Person: d.Person, Act: d.Act, Subject: d.Subject}
	if d.Detail != nil {
		b, err := broadcast.Encode(d.Detail)
		if err != nil {
			return fmt.Errorf("audit %s: %w", d.Act, err)
		}
		if len(b) > maxAuditDetail {
			return fmt.Errorf("audit %s: detail of %d bytes, at most %d", d.Act, len(b), maxAuditDetail)
		}
		row.Detail = string(b)
	}
	head, err := auditHead(ctx, t.tx)
	if err != nil {
		return err
	}
	row.Seq, row.Prev = head.Length+1, head.Head
	if row.Hash, err = row.sum(); err != nil {
		return fmt.Errorf("audit %s: %w", d.Act, err)
	}
	if _, err := t.tx.NewInsert().Model(&row).Exec(ctx); err != nil {
		return fmt.Errorf("audit %s: %w", d.Act, err)
	}
	return nil
}

// AuditHead returns the length of the audit log and the hash of its last row.
// Whoever keeps it elsewhere can later prove that rows are missing.
func (db *DB) AuditHead(ctx context.Context) (broadcast.AuditHead, error) {
	return auditHead(ctx, db.read)
}

func auditHead(ctx context.Context, from bun.IDB) (broadcast.AuditHead, error) {
	var rows []AuditRow
	if err := from.NewSelect().Model(&rows).Order("seq DESC").Limit(1).Scan(ctx); err != nil {
		return broadcast.AuditHead{}, fmt.Errorf("head of the audit log: %w", err)
	}
	if len(rows) == 0 {
		return broadcast.AuditHead{}, nil
	}
	return broadcast.AuditHead{Length: rows[0].Seq, Head: rows[0].Hash}, nil
}

// AuditRows returns at most limit rows after a sequence number, oldest first.
func (db *DB) AuditRows(ctx context.Context, after int64, limit int) ([]AuditRow, error) {
	var rows []AuditRow
	err := db.read.NewSelect().Model(&rows).Where("seq > ?", after).Order("seq").Limit(int64(min(limit, auditPage))).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return rows, nil
}

// AuditQuery chooses rows of the audit log. Zero fields choose all.
type AuditQuery struct {
	// Persons are those who did it; nil for everybody, and for the controller.
	Persons []broadcast.ID
	// Act is one act, or with a dot at its end all that begin so.
	Act     string
	Subject string
	// From is the first moment, To the one after the last.
	From, To broadcast.Instant
	// Before is the sequence number of the last row on the page before.
	Before int64
	// Limit must be positive.
	Limit int
}

// AuditPage returns the rows asked for, the newest first.
func (db *DB) AuditPage(ctx context.Context, q AuditQuery) ([]AuditRow, error) {
	if q.Persons != nil && len(q.Persons) == 0 {
		return nil, nil
	}
	var out []AuditRow
	rows := db.read.NewSelect().Model(&out).Order("seq DESC").Limit(int64(q.Limit))
	if q.Persons != nil {
		rows.Where("person IN (?)", bun.List(q.Persons))
	}
	if group, ok := strings.CutSuffix(q.Act, "."); ok {
		rows.Where("act >= ? AND act < ?", q.Act, group+"/") // a slash comes right after a dot
	} else if q.Act != "" {
		rows.Where("act = ?", q.Act)
	}
	if q.Subject != "" {
		rows.Where("subject = ?", q.Subject)
	}
	if q.From != 0 {
		rows.Where("at_ms >= ?", q.From)
	}
	if q.To != 0 {
		rows.Where("at_ms < ?", q.To)
	}
	if q.Before != 0 {
		rows.Where("seq < ?", q.Before)
	}
	if err := rows.Scan(ctx); err != nil {
		return nil, fmt.Errorf("audit log: %w", err)
	}
	return out, nil
}

// AuditBreach names the first row of the audit log that is not what was written.
type AuditBreach struct {
	Seq int64
	// Last is the last missing row, or 0 if the row is there and was changed.
	Last int64
}

// Error says which row, and what happened to it.
func (b *AuditBreach) Error() string {
	switch {
	case b.Last == 0:
		return fmt.Sprintf("audit log: row %d, or one before it, was changed", b.Seq)
	case b.Last == b.Seq:
		return fmt.Sprintf("audit log: row %d is missing", b.Seq)
	}
	return fmt.Sprintf("audit log: rows %d to %d are missing", b.Seq, b.Last)
}

// VerifyAudit walks the whole audit log and returns an *AuditBreach for the
// first row that is changed or missing. Rows cut off at the end, or a log
// rewritten as a whole, show only against heads that were kept elsewhere: in
// manifests, by nodes, on paper.
func (db *DB) VerifyAudit(ctx context.Context, kept ...broadcast.AuditHead) error {
	var last AuditRow
	for {
		rows, err := db.AuditRows(ctx, last.Seq, auditPage)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := follows(last, row, kept); err != nil {
				return err
			}
			last = row
		}
		if len(rows) < auditPage {
			break
		}
	}
	for _, head := range kept {
		if head.Length > last.Seq {
			return &AuditBreach{Seq: last.Seq + 1, Last: head.Length}
		}
	}
	return nil
}

// follows says whether a row is whole, comes right after the last one, and is
// the one that the kept heads name.
func follows(last, row AuditRow, kept []broadcast.AuditHead) error {
	if row.Seq != last.Seq+1 {
		return &AuditBreach{Seq: last.Seq + 1, Last: row.Seq - 1}
	}
	sum, err := row.sum()
	if err != nil {
		return errors.Join(&AuditBreach{Seq: row.Seq}, err)
	}
	if row.Prev != last.Hash || row.Hash != sum {
		return &AuditBreach{Seq: row.Seq}
	}
	for _, head := range kept {
		if head.Length == row.Seq && head.Head != row.Hash {
			return &AuditBreach{Seq: row.Seq}
		}
	}
	return nil
}
