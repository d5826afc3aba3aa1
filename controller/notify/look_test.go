package notify

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func TestTroubleOfTheCentreIsToldOnlyToWhomItStillConcerns(t *testing.T) {
	r := newRig(t)
	one := reader{r.wish("quan-tri", nil), r.Named("quan-tri").Person}
	centre := store.Notice{Name: "fault:disk", Topic: string(Faults)}
	if !r.post.concerns(one, centre) {
		t.Error("whoever looks after a part is not told of the centre")
	}
	one.person.Areas = nil
	if r.post.concerns(one, centre) {
		t.Error("whoever may see nothing any more is told of the centre")
	}
}

// interrupted is a way on which something urgent comes up while it is busy.
type interrupted struct {
	box
	busy func()
}

func (i *interrupted) Send(ctx context.Context, m store.Message) error {
	if len(i.took) == 0 {
		i.busy()
	}
	return i.box.Send(ctx, m)
}

func TestWhatIsUrgentWaitsForOneMessageThatHangsNotForAll(t *testing.T) {
	r := newRig(t)
	s := r.wish("quan-tri", nil)
	queue := func(id broadcast.ID, urgent bool) {
		m := r.post.message(s)
		m.ID, m.Urgent = id, urgent
		if err := r.DB.Update(t.Context(), func(tx store.Tx) error { return tx.AddMessage(t.Context(), m) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		queue(broadcast.ID(fmt.Sprintf("m%d", i)), false)
	}
	way := &interrupted{busy: func() { queue("urgent", true) }}
	r.post.ways[Mail] = way
	if err := r.post.Deliver(t.Context(), Mail); err != nil {
		t.Fatal(err)
	}
	var got []broadcast.ID
	for _, m := range way.took {
		got = append(got, m.ID)
	}
	if want := []broadcast.ID{"m0", "urgent", "m1", "m2"}; !slices.Equal(got, want) {
		t.Errorf("sent %v, want %v", got, want)
	}
}

func TestNoEmergencyIsLeftOutForAnythingElse(t *testing.T) {
	got := emergenciesFirst([]store.Announcement{{ID: "a", Body: `{"class":"normal"}`}, {ID: "b", Body: `{"class":"emergency"}`}, {ID: "c", Body: `{"class":"priority"}`}})
	if len(got) != 3 || got[0].ID != "b" || got[1].ID != "a" || got[2].ID != "c" {
		t.Errorf("%v", got)
	}
}

func TestAFaultIsNotOverBecauseThereAreManyNewerOnes(t *testing.T) {
	r := newRig(t)
	var faults []store.Fault
	for i := range maxFaults + 1 {
		faults = append(faults, store.Fault{ID: broadcast.ID(fmt.Sprintf("f%06d", i)), Code: "node-gone", Part: fmt.Sprint(i), Since: 1})
	}
	if err := r.DB.Update(t.Context(), func(tx store.Tx) error { return tx.SaveFaults(t.Context(), faults) }); err != nil {
		t.Fatal(err)
	}
	all, err := FaultSource{DB: r.DB}.open(t.Context())
	if err != nil || len(all) != len(faults) {
		t.Errorf("%d of %d faults: %v", len(all), len(faults), err)
	}
}
