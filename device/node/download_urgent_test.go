package node_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// span is what a request for a piece asks for: the bytes from one place up to
// before another.
func span(t *testing.T, asked string) (from, to int) {
	t.Helper()
	if _, err := fmt.Sscanf(asked, "bytes=%d-%d", &from, &to); err != nil {
		t.Errorf("what is urgent was asked for as %q: %v", asked, err)
	}
	return from, to + 1
}

// warning is an emergency with a large recording, heard once for a moment.
func warning(r *nodetest.Rig) broadcast.Announcement {
	a := large(r, "flood", broadcast.Emergency, 3*time.Second)
	a.Versions[0].Content.Millis = 300
	return a
}

// An emergency comes in many pieces at once. What is on the card when the power
// goes is not asked for again, and what was on its way is.
func TestTheRecordingOfAnEmergencyGoesOnAfterTheNodeLostItsPower(t *testing.T) {
	t.Parallel()
	const stall = 400 << 10
	o, cut := &office{}, make(chan struct{})
	o.pieces = func(r *http.Request, raw []byte) []byte {
		if _, to := span(t, r.Header.Get("Range")); to > stall {
			select { // no answer, however often it is asked
			case <-r.Context().Done():
			case <-cut:
			}
		}
		return raw
	}
	r := downloading(t, o)
	checkEverySounding(t, r)
	a := warning(r)
	r.Announce(a)
	eventually(t, "all that the server gives", func() bool { return unfinished(r) == stall })
	r.Crash(storetest.KeepSynced)
	before := len(o.asked(a.Versions[0].Content.SHA256))
	close(cut)
	r.Boot()
	r.List()
	heardOnce(t, r, a)
	covered := make([]bool, a.Versions[0].Content.Bytes)
	for _, asked := range o.asked(a.Versions[0].Content.SHA256)[before:] {
		from, to := span(t, asked)
		for i := from; i < to; i++ {
			covered[i] = true
		}
	}
	from := slices.Index(covered, true)
	if from < stall-192<<10 || from > stall || slices.Contains(covered[max(0, from):], false) {
		t.Errorf("after %d bytes and a power cut it went on at %d", stall, from)
	}
}

// A piece with a wrong byte, from whichever of several requests, is found out when
// the recording is whole: nothing of it is played, and all of it comes again.
func TestASpoiledPieceOfAnEmergencyIsNeverPlayedAndFetchedAgain(t *testing.T) {
	t.Parallel()
	o := &office{}
	var mu sync.Mutex
	spoiled, ended, rounds := 0, false, 0
	o.pieces = func(r *http.Request, raw []byte) []byte {
		mu.Lock()
		defer mu.Unlock()
		from, to := span(t, r.Header.Get("Range"))
		if from == 0 && ended { // it begins anew
			rounds, ended = rounds+1, false
		}
		ended = ended || to == len(raw)
		if middle := len(raw) / 2; rounds == 0 && from <= middle && middle < to {
			raw = slices.Clone(raw)
			raw[middle] ^= 1
			spoiled++
		}
		return raw
	}
	r := downloading(t, o)
	checkEverySounding(t, r)
	a := warning(r)
	r.Announce(a)
	heardOnce(t, r, a)
	mu.Lock()
	defer mu.Unlock()
	if spoiled == 0 || rounds != 1 {
		t.Errorf("%d pieces came spoiled, and it was fetched again %d times", spoiled, rounds)
	}
}
