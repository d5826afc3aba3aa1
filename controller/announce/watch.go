package announce

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/controller/api"
)

// lookPause lies between two looks at the deliveries.
const lookPause = 400 * time.Millisecond

// follow watches until every node has ended, if asked to, and returns the exit
// code.
func (r *run) follow(ctx context.Context, a api.Announcement) (int, error) {
	if !r.opt.Watch && !r.opt.JSON {
		_, err := fmt.Fprintln(r.opt.Out, a.ID)
		return AllEnded, err
	}
	last, err := r.watch(ctx, a)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("stopped watching; announcement %s goes on without you", a.ID)
		} else {
			err = fmt.Errorf("cannot watch any longer; announcement %s is published and goes on without you: %w", a.ID, err)
		}
		return Failed, err
	}
	if r.opt.JSON {
		if err := printJSON(r.opt.Out, last); err != nil {
			return Failed, err
		}
	}
	if !r.opt.Watch {
		return AllEnded, nil
	}
	return r.verdict(last), nil
}

// watch shows deliveries until they are final, or once if nobody watches.
func (r *run) watch(ctx context.Context, a api.Announcement) (api.Deliveries, error) {
	s := newScreen(r.opt)
	for {
		var d api.Deliveries
		if err := r.c.Get(ctx, r.opt.Token, r.path(a, "/deliveries"), &d); err != nil {
			return d, explain(err)
		}
		if !r.opt.Watch {
			return d, nil
		}
		s.show(d)
		if final(d) {
			s.finish(d)
			return d, nil
		}
		select {
		case <-ctx.Done():
			return d, ctx.Err()
		case <-r.opt.after(lookPause):
		}
	}
}

// final says that nothing more is to be waited for.
func final(d api.Deliveries) bool {
	return d.Summary.Open == 0 || d.Announcement.State == "closed"
}

// verdict says how it went.
func (r *run) verdict(d api.Deliveries) int {
	s := d.Summary
	switch {
	case s.Expected == 0:
		r.say("no confirmed node stands in these areas, so nothing has sounded; confirm a node, or name other areas")
		return SomeSilent
	case s.Ended == s.Expected:
		return AllEnded
	}
	if s.Doubtful > 0 {
		r.say("%d doubtful / không chắc chắn: two boxes, or an old card, may have used one key; see the nodes' faults", s.Doubtful)
	}
	r.say("%d of %d nodes sounded to the end; %d did not, %d never said", s.Ended, s.Expected, s.Silent, s.Open)
	return SomeSilent
}
