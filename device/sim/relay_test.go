package sim_test

import (
	"crypto/ed25519"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pion/opus/pkg/oggreader"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/sim"
)

// packets are those of a recording of the decoder's tests.
func packets(t *testing.T, name string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "player", "decode", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, _, err := oggreader.NewWith(f)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for {
		packet, _, err := r.ParseNextPacket()
		if errors.Is(err, io.EOF) {
			return out[1:] // the first is the comment header
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, slices.Clone(packet))
	}
}

// radio is a station that says one recording over and over, from an instant on,
// and whoever stands between it and the nodes.
type radio struct {
	c       *centre
	began   broadcast.Instant
	voice   [][]byte
	session broadcast.Key
	// from is when forward begins to change what a node gets.
	from    broadcast.Instant
	forward map[string]func(w io.Writer, b wire.Block)
}

func frame(w io.Writer, f wire.Frame, body []byte) {
	_, _ = w.Write(wire.AppendFrame(nil, f, body)) // a node that left is not our affair
}

func (r *radio) open(w io.Writer, signer string, sealed ...string) {
	at := r.c.Instant()
	s := broadcast.Session{Key: r.session, Station: "vov1", Signer: sealtest.Public(signer), At: at, Until: at.Add(time.Hour)}
	by := r.c.House.Service
	if len(sealed) > 0 {
		by.Key = sealtest.Key(sealed[0])
	}
	frame(w, wire.SessionFrame, sealtest.Sealed(broadcast.KindSession, s, by))
}

// serve answers one node: what was on the air in the last eight seconds, and then
// what is, as it comes.
func (r *radio) serve(w http.ResponseWriter, req *http.Request) {
	node, _, _ := req.BasicAuth()
	r.open(w, "station")
	changed := false
	for at := max(r.began, r.c.Instant().Add(-8*time.Second)/100*100); ; at += 100 {
		select {
		case <-time.After(at.Sub(r.c.Instant())):
		case <-req.Context().Done():
			return
		}
		b := wire.Block{First: int64(at-r.began) / 20, At: at}
		for i := range int64(5) {
			b.Packets = append(b.Packets, r.voice[(b.First+i)%int64(len(r.voice))])
		}
		if change := r.forward[node]; change != nil && r.c.Instant() >= r.from {
			if !changed {
				b.Packets[0] = nil // says that it is the first
			}
			changed = true
			change(w, b)
		} else {
			frame(w, wire.BlockFrame, b.Sign(sealtest.Key("station")))
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
	}
}

// expected is what a faithful decoder makes of the station from an instant on.
func (r *radio) expected(t *testing.T, from broadcast.Instant, n int) []int16 {
	t.Helper()
	p, err := decode.InProcess{}.Packets()
	if err != nil {
		t.Fatal(err)
	}
	const before = 20 // for the memory of the codec
	first := int64(from-r.began)/20 - before
	inside := int(from-r.began) % 20 * (media.SampleRate / 1000)
	out := make([]int16, n+(before+2)*decode.PacketSamples)
	for i := 0; i+decode.PacketSamples <= len(out); i += decode.PacketSamples {
		number := first + int64(i/decode.PacketSamples)
		if number < 0 {
			continue
		}
		if err := p.Decode(r.voice[number%int64(len(r.voice))], out[i:]); err != nil {
			t.Fatal(err)
		}
	}
	return out[before*decode.PacketSamples+inside:][:n]
}

// foreign is how long something sounds in a recording that is not what was expected.
func foreign(got, want []int16) time.Duration {
	const window = media.SampleRate / 20
	strange := 0
	for at := 0; at+window <= min(len(got), len(want)); at += window {
		if media.RMS(got[at:at+window]) < -4500 {
			continue
		}
		if alike, lag := media.Correlate(want[at:at+window], got[at:at+window]); alike < 0.8 || lag < -20 || lag > 20 {
			strange++
		}
	}
	return time.Duration(strange) * time.Second / 20
}

// attacks are what somebody on the line does with the sound of a station.
func attacks(r *radio, voice [][]byte) []func(io.Writer, wire.Block) {
	swap := func(b wire.Block) wire.Block {
		for i := range b.Packets {
			b.Packets[i] = voice[(int(b.First)+i)%len(voice)]
		}
		return b
	}
	return []func(io.Writer, wire.Block){
		nil, // nothing: the station is heard to its end
		func(w io.Writer, b wire.Block) { // other packets under the signatures of the station
			b.Packets[0] = voice[0]
			raw := b.Sign(sealtest.Key("station"))
			signature := raw[len(raw)-ed25519.SignatureSize:]
			forged := swap(b).Sign(sealtest.Key("thief"))
			frame(w, wire.BlockFrame, append(forged[:len(forged)-ed25519.SignatureSize], signature...))
		},
		func(w io.Writer, b wire.Block) { // a session and signatures of his own
			if b.Packets[0] == nil {
				r.open(w, "thief", "thief")
			}
			frame(w, wire.BlockFrame, swap(b).Sign(sealtest.Key("thief")))
		},
	}
}

// TestLiveSubstitution has somebody on the line put another voice into a relay
// five seconds after it began. The nodes fall silent at once and say why; the one
// that nobody meddles with relays to the end.
func TestLiveSubstitution(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	r := &radio{c: c, voice: packets(t, "speech.opus"), session: sealtest.Public("session"), began: c.Instant().Add(-time.Minute) / 100 * 100,
		forward: map[string]func(io.Writer, wire.Block){}}
	c.onAir = r.serve
	out := t.TempDir()
	places, err := sim.DefaultPlaces(3)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []broadcast.ID
	for i, p := range places {
		nodes = append(nodes, p.Node)
		r.forward[string(p.Node)] = attacks(r, packets(t, "sweep.opus"))[i]
	}
	run := simulated(t, c, out, 3)
	c.until("nodes have their place and their time", c.allPlaced(nodes))
	start := c.Instant().Add(6 * time.Second)
	r.from = start.Add(5 * time.Second)
	a := programme(t, c, start, broadcast.Segment{Title: "Tiếp âm", Relay: &broadcast.Live{Source: broadcast.Relay, Station: "vov1",
		SessionKey: string(r.session), Millis: 10000}})
	defer func() {
		for _, n := range nodes {
			t.Logf("%s: %q", n, c.Rungs(n, a.ID))
		}
	}()
	c.until("every node ended", func() bool {
		return c.proved(a.ID, "ended", nodes[0]) && c.proved(a.ID, "interrupted unauthenticated", nodes[1:]...)
	})
	run.stop()
	for i, n := range nodes {
		dir := filepath.Join(out, string(n))
		files, err := filepath.Glob(filepath.Join(dir, "*.wav"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: recordings %q (%v)", dir, files, err)
		}
		first, pcm, err := playertest.ReadWAV(files[0])
		if err != nil {
			t.Fatal(err)
		}
		heard := pcm[:min(len(pcm), 10*media.SampleRate)]
		want := r.expected(t, broadcast.InstantOf(first).Add(-4*time.Second), len(heard))
		if strange := foreign(heard, want); strange > 400*time.Millisecond {
			t.Errorf("%s: a foreign voice was heard for %v", n, strange)
		}
		if alike, _ := media.Correlate(want[:5*media.SampleRate-4800], heard[:5*media.SampleRate-4800]); alike < 0.9 {
			t.Errorf("%s: the station was heard as %.2f of itself", n, alike)
		}
		silent := sounds(t, filepath.Join(dir, "sound.jsonl"))[0].Last
		opened := lines[edge](t, filepath.Join(dir, "relay.jsonl"))[2].At
		if after := silent.Sub(r.from.Time()); i > 0 && after > time.Second {
			t.Errorf("%s: it was silent %v after the voice was changed", n, after)
		}
		if after := opened.Sub(silent); i > 0 && after > hold+100*time.Millisecond {
			t.Errorf("%s: the relay opened %v after the last sample", n, after)
		}
		t.Logf("%s: foreign voice %v, silent after %v, relay open after %v", n, foreign(heard, want), silent.Sub(r.from.Time()), opened.Sub(r.from.Time()))
	}
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

// hold is how long a simulated relay stays closed for what may follow.
const hold = 2 * time.Second

// programme announces one of some segments.
func programme(t *testing.T, c *centre, start broadcast.Instant, segments ...broadcast.Segment) broadcast.Announcement {
	t.Helper()
	order := broadcast.RunningOrder{Station: "Đài xã", Segments: segments}
	raw, err := broadcast.Encode(order)
	if err != nil {
		t.Fatal(err)
	}
	length := int64(0)
	for _, s := range segments {
		length = max(length, s.Hard) + s.Duration().Milliseconds()
	}
	a := broadcast.Announcement{ID: "buoi", Revision: c.Revision("buoi"), Class: broadcast.Priority, Title: "Buổi phát", Areas: []broadcast.ID{nodetest.Top},
		Meta:     broadcast.Sum([]byte("{}")),
		Versions: []broadcast.Version{{Language: "vi", Programme: &broadcast.Programme{SHA256: c.Put(raw), Millis: length, Bytes: int64(len(raw))}}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeStart, Start: start}}
	c.announce(a)
	return a
}
