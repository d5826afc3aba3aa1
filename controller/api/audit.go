package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/audit"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Deed is one row of the audit log.
type Deed struct {
	Seq    int64  `json:"seq"`
	At     string `json:"at" format:"date-time"`
	Person string `json:"person,omitempty" doc:"None: the controller itself"`
	Name   string `json:"name,omitempty" doc:"What that person is called"`
	Act    string `json:"act" doc:"What was done, such as announcement.approve"`
	// Subject is what it was done to.
	Subject string          `json:"subject,omitempty" doc:"What it was done to"`
	Detail  json.RawMessage `json:"detail,omitempty" doc:"What else there is to say, as it was hashed"`
	Hash    string          `json:"hash" doc:"Covers the row and, with it, every row before"`
}

// AuditVerdict is the outcome of a walk over the whole log.
type AuditVerdict struct {
	Whole     bool   `json:"whole"`
	Rows      int64  `json:"rows"`
	Head      string `json:"head,omitempty" doc:"The hash of the last row: worth writing down on paper"`
	Witnesses int    `json:"witnesses" doc:"How many manifests and nodes were told how long the log was"`
	// From and To are the first and the last row that is missing or was changed.
	From int64    `json:"from,omitempty" doc:"The first row that is missing or was changed"`
	To   int64    `json:"to,omitempty" doc:"The last row that is missing; none if the row is there and was changed"`
	Know []string `json:"know,omitempty" nullable:"false" doc:"Nodes and areas that were told of those rows: ask there"`
	VI   string   `json:"vi"`
	EN   string   `json:"en"`
}

type auditInput struct {
	Person  string `query:"person" pattern:"^[a-z0-9-]{1,40}$" doc:"Done by this person alone"`
	Act     string `query:"act" pattern:"^[a-z-]+([.][a-z-]*)*$" maxLength:"60" doc:"This act alone; with a dot at its end, all that begin so"`
	Subject string `query:"subject" maxLength:"200" doc:"Done to this alone"`
	From    string `query:"from" format:"date-time"`
	To      string `query:"to" format:"date-time" doc:"The moment after the last"`
	Cursor  int64  `query:"cursor" minimum:"1" doc:"next of the page before"`
	Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type auditAnswer struct {
	Body struct {
		Deeds []Deed `json:"deeds" nullable:"false"`
		Next  int64  `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

type auditVerdictAnswer struct{ Body AuditVerdict }

func (s *server) audits(r *registry) {
	on(r, "list-audit", s.listAudit)
	on(r, "verify-audit", s.verifyAudit)
}

// listAudit gives the deeds of people whose areas are all the caller's. What the
// controller did by itself is for those over everybody.
func (s *server) listAudit(ctx context.Context, in *auditInput) (*auditAnswer, error) {
	persons, err := s.cfg.Office.Persons(ctx)
	if err != nil {
		return nil, err
	}
	q := store.AuditQuery{Persons: s.answerable(ctx, persons, broadcast.ID(in.Person)), Act: in.Act, Subject: in.Subject, Before: in.Cursor, Limit: in.Limit + 1}
	if q.From, err = instant("from", in.From); err != nil {
		return nil, err
	}
	if q.To, err = instant("to", in.To); err != nil {
		return nil, err
	}
	rows, err := s.cfg.DB.AuditPage(ctx, q)
	if err != nil {
		return nil, err
	}
	names := map[broadcast.ID]string{}
	for _, p := range persons {
		names[p.ID] = p.Name
	}
	out := &auditAnswer{}
	out.Body.Deeds = []Deed{}
	for i, row := range rows {
		if i == in.Limit {
			out.Body.Next = rows[i-1].Seq
			break
		}
		out.Body.Deeds = append(out.Body.Deeds, Deed{Seq: row.Seq, At: moment(row.At), Person: string(row.Person), Name: names[row.Person],
			Act: row.Act, Subject: row.Subject, Detail: json.RawMessage(row.Detail), Hash: string(row.Hash)})
	}
	return out, nil
}

// answerable are the people whose deeds the caller may read; nil for all of them
// and the controller itself.
func (s *server) answerable(ctx context.Context, persons []people.Person, asked broadcast.ID) []broadcast.ID {
	by := callerOf(ctx).Person
	out := []broadcast.ID{}
	for _, p := range persons {
		meant := asked == "" || p.ID == asked
		if meant && len(p.Areas) > 0 && s.cfg.Office.Authorise(by, people.AuditRead, p.Areas...) == nil {
			out = append(out, p.ID)
		}
	}
	if asked == "" && len(out) == len(persons) {
		return nil
	}
	return out
}

// verifyAudit walks the whole log. It is one log for all areas, and whether it is
// whole is no secret to anybody who may read of it.
func (s *server) verifyAudit(ctx context.Context, _ *struct{}) (*auditVerdictAnswer, error) {
	verdict, err := s.verdict.get(s.cfg.Now(), func() (AuditVerdict, error) {
		var areas []broadcast.ID
		for _, a := range s.cfg.Tree().Areas() {
			areas = append(areas, a.ID)
		}
		report, err := audit.Verify(ctx, s.cfg.DB, areas)
		var breach *audit.Breach
		if err != nil && !errors.As(err, &breach) {
			return AuditVerdict{}, err
		}
		return verdictOf(report, breach), nil
	})
	if err != nil {
		return nil, err
	}
	return &auditVerdictAnswer{Body: verdict}, nil
}

// verdictOf puts a report into words; breach is nil for a whole log.
func verdictOf(r audit.Report, breach *audit.Breach) AuditVerdict {
	out := AuditVerdict{Whole: breach == nil, Rows: r.Head.Length, Head: string(r.Head.Head), Witnesses: len(r.Witnesses)}
	if breach == nil {
		out.VI = fmt.Sprintf("Nhật ký còn nguyên vẹn: %d dòng.", out.Rows)
		out.EN = fmt.Sprintf("The log is whole: %d rows.", out.Rows)
		return out
	}
	out.From, out.To = breach.Row.Seq, breach.Row.Last
	for _, w := range breach.Witnesses {
		out.Know = append(out.Know, string(w.Who))
	}
	rows := strconv.FormatInt(out.From, 10)
	if out.To > out.From {
		rows += "–" + strconv.FormatInt(out.To, 10)
	}
	out.VI = "Nhật ký thiếu dòng " + rows + "; hãy đối chiếu với bản sao lưu và những nơi đã được báo."
	out.EN = "The log lacks row " + rows + "; compare it with the backups and with those who were told of it."
	if out.To == 0 {
		out.VI = "Dòng " + rows + " của nhật ký, hoặc dòng trước đó, đã bị sửa; hãy đối chiếu với bản sao lưu."
		out.EN = "Row " + rows + " of the log, or one before it, was changed; compare it with the backups."
	}
	return out
}
