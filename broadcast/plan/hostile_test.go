package plan

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAFloodBySignersTooFewLeavesTheTrueEmergency(t *testing.T) {
	in := monday(emergency("lu", "12:00", 60))
	for n := range 20 {
		lone := emergency(fmt.Sprintf("gia-%d", n), "11:00", 1).repeat(60, 6*3600)
		lone.Signers = lone.Signers[:1]
		in.Items = append(in.Items, lone)
	}
	p, err := Compute(in)
	if !errors.Is(err, ErrTooMany) || len(p.Entries) != 1 || p.Entries[0].Announcement != "lu" || p.Entries[0].Rung != broadcast.Ended {
		t.Errorf("%v: %d entries, the first is %+v", err, len(p.Entries), p.Entries[:min(1, len(p.Entries))])
	}
}

func TestAWithdrawalDatedBeforeItsAnnouncementHasNoEffect(t *testing.T) {
	early := withdrawal("lu", issued, broadcast.Emergency, broadcast.Province)
	early.Revision = issued - 1
	in := monday(emergency("lu", "06:00", 30).level(broadcast.District))
	in.Withdrawals = []Withdrawal{early}
	if e := compute(t, in).Entries[0]; e.Rung != broadcast.Ended {
		t.Errorf("%s %s", e.Rung, e.Reason)
	}
	newer := emergency("lu", "06:00", 30).level(broadcast.District).revised(time.Hour)
	early.Revision, early.Upto = issued, newer.Announcement.Revision+1000
	in = monday(newer)
	in.Withdrawals = []Withdrawal{early}
	if e := compute(t, in).Entries[0]; e.Rung != broadcast.Ended {
		t.Errorf("a revision that was yet to come: %s %s", e.Rung, e.Reason)
	}
}
