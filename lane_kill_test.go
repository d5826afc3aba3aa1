package loaxa

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killRounds is how many rounds are played unless LOAXA_SOAK says another number.
const killRounds = 5

// killed is the test of kills: a world with a dice and the announcements that
// were entrusted to it.
type killed struct {
	*world
	dice  *rand.Rand
	clips map[string]string // a recording by class
	// titles of the announcements that somebody made, with their class.
	titles map[string]string
	died   []time.Time // when the nodes did
	order  []int       // in which the moments come
}

func TestKilledAtRandomMomentsNobodySoundsTwice(t *testing.T) {
	t.Parallel()
	seed, rounds := uint64(time.Now().UnixNano()), killRounds
	if text := os.Getenv("LOAXA_SEED"); text != "" {
		seed = number(t, "LOAXA_SEED", text)
	}
	if text := os.Getenv("LOAXA_SOAK"); text != "" {
		rounds = int(number(t, "LOAXA_SOAK", text))
	}
	t.Logf("seed %d, %d rounds: repeat with LOAXA_SEED=%d LOAXA_SOAK=%d", seed, rounds, seed, rounds)
	k := &killed{world: newWorld(t, 5), dice: rand.New(rand.NewPCG(seed, 23)), titles: map[string]string{}}
	k.clips = map[string]string{"emergency": spokenMP3(t, "Nước lên, xin di chuyển ngay."), "priority": musicMP3(t, 7), "normal": musicMP3(t, 8)}
	k.abolishQuietHours()
	k.betweenAcceptedAndPublished()
	for round := range rounds {
		k.round(round)
	}
	k.judge()
}

func number(t testing.TB, name, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// moment is a place in the life of an announcement.
type moment struct {
	name string
	come func(k *killed, announce *process, before traces) bool
}

// moments lead through the life of an announcement, by what is seen from
// outside.
var moments = []moment{
	{"it was begun", func(*killed, *process, traces) bool { return true }},
	{"the recording was sent", func(_ *killed, a *process, _ traces) bool { return strings.Contains(a.said(), "of sound") }},
	{"it was published", func(_ *killed, a *process, _ traces) bool { return strings.Contains(a.said(), "published") }},
	{"a relay closed", func(k *killed, _ *process, before traces) bool { return k.traces().closings > before.closings }},
	{"a recording began", func(k *killed, _ *process, before traces) bool { return k.traces().recordings > before.recordings }},
	{"a sound ended", func(k *killed, _ *process, before traces) bool { return k.traces().ends > before.ends }},
}

// sounding is the place in moments at which a node has begun to sound.
const sounding = 4

// traces is what all nodes together left so far.
type traces struct{ closings, recordings, ends int }

func (w *world) traces() traces {
	var n traces
	for _, node := range w.names() {
		for _, e := range w.edges(node) {
			if e.Closed {
				n.closings++
			}
		}
		files, _ := filepath.Glob(filepath.Join(w.out(), node, "*.wav"))
		n.recordings += len(files)
		n.ends += len(w.heard(node))
	}
	return n
}

// round makes one announcement and kills the controller or the nodes somewhere
// in its life; sometimes both, one after the other.
func (k *killed) round(round int) {
	k.Helper()
	class, place, nodes := k.fate(round)
	title := fmt.Sprintf("Vòng %d", round+1)
	k.titles[title] = class
	before := k.traces()
	announce := start(k, filepath.Join(k.dir, fmt.Sprintf("announce-%d.log", round+1)), k.controller,
		k.announcing(k.clips[class], class, title, "--watch")...)
	k.until(place.name, func() bool {
		_, gone := announce.ended()
		return gone || place.come(k, announce, before)
	})
	k.strike(class, place.name, nodes)
	if k.dice.IntN(3) == 0 {
		k.strike(class, "the first restart", k.dice.IntN(2) == 0)
	}
	k.until("the announcement was made", func() bool { _, gone := announce.ended(); return gone })
	if code, _ := announce.ended(); code != 0 && code != 2 {
		k.Errorf("round %d: announce ended with %d:\n%s", round+1, code, announce.said())
	}
	k.settle(title)
}

// fate says what is announced in a round and where in its life one side is
// killed: somewhere else than in the rounds before, until all places had their
// turn. The first two are what nobody should have to hope for: every node dies
// while it sounds, once in an emergency and once not.
func (k *killed) fate(round int) (class string, place moment, nodes bool) {
	if round < 2 {
		return []string{"emergency", "priority"}[round], moments[sounding], true
	}
	if round%len(moments) == 2 {
		k.order = k.dice.Perm(len(moments))
	}
	classes := []string{"emergency", "normal", "emergency", "priority"}
	return classes[k.dice.IntN(len(classes))], moments[k.order[(round-2)%len(moments)]], k.dice.IntN(2) == 0
}

// strike kills one side at a random moment within 900 ms and starts it again.
func (k *killed) strike(class, after string, nodes bool) {
	k.Helper()
	wait := time.Duration(k.dice.IntN(900)) * time.Millisecond
	<-time.After(wait)
	k.Logf("%s: kill -9 of the %s %v after %s", class, map[bool]string{true: "nodes", false: "controller"}[nodes], wait, after)
	if nodes {
		k.sim.kill()
		k.died = append(k.died, time.Now())
		k.startNodes()
		return
	}
	k.ctl.kill()
	k.startController()
}

// found are the announcements of a title.
func (k *killed) found(title string) []string {
	var list struct {
		Announcements []struct{ ID, Title, State string }
	}
	k.until("the controller lists announcements", func() bool { return k.get("/api/v1/announcements?limit=100", &list) == nil })
	var out []string
	for _, a := range list.Announcements {
		if a.Title == title {
			out = append(out, a.ID)
		}
	}
	return out
}

// settle waits until one announcement is over everywhere. What was interrupted
// and sounds again is not: the controller has to know.
func (k *killed) settle(title string) {
	k.Helper()
	for _, id := range k.found(title) {
		var last deliveries
		k.until("every node has ended "+title, func() bool {
			d, err := k.deliveries(id)
			last = d
			return err == nil && !slices.ContainsFunc(d.Nodes, func(n delivery) bool {
				return n.End == ""
			}) && d.Summary.Expected == k.nodes
		})
		k.Logf("%s %s: %s", k.titles[title], id, summary(last))
		for _, n := range last.Nodes {
			if n.End == "refused" {
				k.Errorf("%s refused %s %s: %s", n.Node, k.titles[title], title, n.Reason.Code)
			}
		}
	}
}

// summary says of every node how it ended and in how many attempts.
func summary(d deliveries) string {
	var parts []string
	for _, n := range d.Nodes {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s/%d %s", n.End, n.Attempts, n.Reason.Code)))
	}
	return strings.Join(parts, ", ")
}

// betweenAcceptedAndPublished kills the controller while it answers a create,
// and once more as soon as it has accepted the approval, before the nodes can
// have been told.
func (k *killed) betweenAcceptedAndPublished() {
	k.Helper()
	const title = "Giữa duyệt và phát"
	k.titles[title] = "emergency"
	content, err := k.upload(k.clips["emergency"], "upload")
	if err != nil {
		k.Fatal(err)
	}
	body := map[string]any{"title": title, "class": "emergency", "areas": []string{"bac-quang"}, "reason": "one officer on duty",
		"versions": []any{map[string]any{"content": content}}}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_ = k.post("/api/v1/announcements", "only-once", body, &json.RawMessage{}) // the kill may win
	}()
	<-time.After(time.Duration(k.dice.IntN(20)) * time.Millisecond)
	k.ctl.kill()
	<-answered
	k.startController()
	var made, again struct{ ID, Digest, State string }
	if err := k.post("/api/v1/announcements", "only-once", body, &made); err != nil {
		k.Fatal(err)
	}
	path := "/api/v1/announcements/" + url.PathEscape(made.ID)
	named := map[string]string{"digest": made.Digest}
	if err := k.post(path+"/submit", "", named, &made); err != nil {
		k.Fatal(err)
	}
	signed := map[string]any{"digest": made.Digest, "accept_difference": true}
	if err := k.post(path+"/approve", "", signed, &made); err != nil || made.State != "published" {
		k.Fatalf("approve: %v, state %s", err, made.State)
	}
	k.ctl.kill()
	k.startController()
	if err := k.post("/api/v1/announcements", "only-once", body, &again); err != nil || again.ID != made.ID {
		k.Errorf("the same create was answered with %s and with %s (%v)", made.ID, again.ID, err)
	}
	k.settle(title)
	if n := len(k.found(title)); n != 1 {
		k.Errorf("%d announcements were made of one", n)
	}
}
