package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

// How missed announcements are looked for.
const (
	// fresh is how long something that did not sound is told of.
	fresh = 24 * time.Hour
	// patience is how long an emergency may take to prove itself.
	patience = time.Minute
	// again lies between two readings of the receipts.
	again = 30 * time.Second
	// maxRecent bounds how many announcements are read.
	maxRecent = 300
)

// MissedSource tells of what did not sound where it should have, node by node:
// an emergency a minute after its start, anything else when its end is proved
// or cannot be any more. Of an announcement that recurs, an occurrence of which
// a node tells nothing at all shows as the fault of that node. It is for one
// Post at a time.
type MissedSource struct {
	DB   *store.DB
	Desk Desk
	Now  func() time.Time
	// read and last are the newest reading.
	read time.Time
	last []Notice
}

func (*MissedSource) topic() Topic { return Missed }

// Notices returns what did not sound, as read within the last half minute.
func (s *MissedSource) Notices(ctx context.Context) ([]Notice, error) {
	now := s.Now()
	if !s.read.IsZero() && now.Sub(s.read) < again {
		return s.last, nil
	}
	rows, err := s.recent(ctx, broadcast.InstantOf(now))
	if err != nil {
		return nil, err
	}
	var out []Notice
	for _, id := range rows {
		d, err := s.Desk.Deliveries(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, node := range d.Nodes {
			out = append(out, missed(d, node)...)
		}
	}
	s.read, s.last = now, out
	return out, nil
}

// recent are the announcements of which something may have been missed of late.
func (s *MissedSource) recent(ctx context.Context, now broadcast.Instant) ([]broadcast.ID, error) {
	open, err := s.DB.Closable(ctx)
	if err != nil {
		return nil, err
	}
	closed, err := s.DB.ClosedSince(ctx, now.Add(-fresh), maxRecent)
	if err != nil {
		return nil, err
	}
	var out []broadcast.ID
	for _, row := range emergenciesFirst(append(open, closed...)) {
		if row.Published != 0 && len(out) < maxRecent {
			out = append(out, row.ID)
		}
	}
	return out, nil
}

// emergenciesFirst puts rows in the order in which they are read: if there are
// too many, no emergency is left out for anything else.
func emergenciesFirst(rows []store.Announcement) []store.Announcement {
	var first, others []store.Announcement
	for _, row := range rows {
		var body struct {
			Class broadcast.Class `json:"class"`
		}
		if err := json.Unmarshal([]byte(row.Body), &body); err == nil && body.Class != broadcast.Emergency {
			others = append(others, row)
			continue
		}
		first = append(first, row)
	}
	return append(first, others...)
}

// missed is what there is to tell of one node.
func missed(d desk.Deliveries, node desk.Delivery) []Notice {
	a := d.Announcement
	base := Notice{Topic: Missed, Cause: string(a.ID), Area: node.Area, Subject: string(node.Node), Urgent: a.Document.Class == broadcast.Emergency}
	title := oneLine(a.Document.Title)
	tell := func(start broadcast.Instant, passing bool, why broadcast.Reason, vi, en string) Notice {
		n := base
		n.Name, n.Passing, n.Since = fmt.Sprintf("missed:%s:%d:%s", a.ID, start, node.Node), passing, max(start, a.Published)
		n.Cause += ":" + string(why) + fmt.Sprint(start)
		n.Words = Words{VI: fmt.Sprintf("bản tin “%s” %s", title, vi), EN: fmt.Sprintf("“%s” %s", title, en)}
		if words := why.Words(); why != "" && words.VI != "" {
			n.Words.VI, n.Words.EN = n.Words.VI+": "+words.VI, n.Words.EN+": "+words.EN
		}
		return n
	}
	var out []Notice
	for _, o := range node.Occurrences {
		if quietly(o.End) && d.At.Sub(o.Start) < fresh {
			out = append(out, tell(o.Start, true, o.Reason, "không phát được", "did not sound"))
		}
	}
	switch {
	case len(out) > 0 || !node.Expected:
	case len(node.Occurrences) == 0 && quietly(node.End):
		out = append(out, tell(0, true, node.Reason, "không phát được", "did not sound"))
	case a.State == store.Closed && node.End == "" && a.Withdrawn == 0:
		out = append(out, tell(0, true, "", "không có bằng chứng đã phát", "is not proved to have sounded"))
	case overdue(d, node):
		out = append(out, tell(0, false, node.Reason, "chưa có bằng chứng đã phát", "is not proved to sound yet"))
	}
	return out
}

// quietly says whether an end means that people heard less than they should.
func quietly(end broadcast.Rung) bool {
	switch end {
	case broadcast.Skipped, broadcast.Refused, broadcast.Interrupted, broadcast.Failed, broadcast.Expired:
		return true
	}
	return false
}

// overdue says whether a node should long have proved an emergency.
func overdue(d desk.Deliveries, node desk.Delivery) bool {
	a := d.Announcement
	began := max(a.Published, a.Document.Timing.Start)
	return a.Document.Class == broadcast.Emergency && a.State == store.Published && node.End == "" &&
		node.Rung.Height() < broadcast.Playing.Height() && d.At.Sub(began) > patience
}
