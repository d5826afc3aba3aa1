package api

import (
	"context"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// sees says whether whoever asks may know of what stands in an area. Somebody
// over the whole house also sees what stands in areas that are gone.
func (s *server) sees(ctx context.Context, need people.Permission, area broadcast.ID) bool {
	by := callerOf(ctx).Person
	return s.cfg.Office.Authorise(by, need, area) == nil || s.cfg.Office.Authorise(by, need, s.cfg.Office.Top()) == nil
}

// reads says whether whoever asks may read an announcement. What was published
// was said in public, so everybody here may; a draft is for its author and for
// those in one of its areas or above.
func (s *server) reads(ctx context.Context, a desk.Announcement) bool {
	return a.SHA256 != "" || a.Author == callerOf(ctx).Person.ID ||
		slices.ContainsFunc(a.Document.Areas, func(area broadcast.ID) bool { return s.sees(ctx, people.AnnouncementRead, area) })
}

// readable returns an announcement that the one who asks may read; another is
// not there.
func (s *server) readable(ctx context.Context, id broadcast.ID) (desk.Announcement, error) {
	a, err := s.cfg.Desk.Announcement(ctx, id)
	if err == nil && !s.reads(ctx, a) {
		err = fmt.Errorf("announcement %s: %w", id, store.ErrNotFound)
	}
	return a, err
}

// knows says whether whoever asks may read a template: its author, and whoever
// acts somewhere in its areas, above or below.
func (s *server) knows(ctx context.Context, t desk.Template) bool {
	by := callerOf(ctx).Person
	if t.Author == by.ID {
		return true
	}
	var areas []broadcast.ID
	for _, words := range []*broadcast.Template{t.Draft, t.Standing} {
		if words != nil {
			areas = append(areas, words.Areas...)
		}
	}
	return slices.ContainsFunc(areas, func(area broadcast.ID) bool {
		below := func(own broadcast.ID) bool { return s.cfg.Tree().Covers(area, own, s.now()) }
		return slices.ContainsFunc(by.Areas, below) || s.sees(ctx, people.AnnouncementRead, area)
	})
}
