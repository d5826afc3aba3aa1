package loaxa

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/store"
)

// cardBytes is the size of a card that others may fill.
const cardBytes = 4 << 20

// sickened is a daemon whose card is a file system of its own.
type sickened struct {
	*world
	name, dir string
	daemon    *process
	code      broadcast.FaultCode
	// strike makes the card sick, mend well again.
	strike, mend func(*sickened) error
}

// TestAnEmergencySoundsThoughTheCardTakesNothing runs the real daemon on real
// file systems, one full and one read-only. What it has to say is not on board:
// it comes, sounds, and says that it was not journalled; the fault shows within
// a minute; and when the card is well again the node goes on by itself.
func TestAnEmergencySoundsThoughTheCardTakesNothing(t *testing.T) {
	t.Parallel()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: 2}
	w.startController()
	w.token = w.tokenOf("officer")
	all := []*sickened{
		newSickened(w, "tan-lap-1", broadcast.FaultStoreFull, (*sickened).fill, func(s *sickened) error { return os.Remove(s.on("ballast")) }),
		newSickened(w, "tan-lap-2", broadcast.FaultStoreReadOnly,
			func(s *sickened) error { return s.remount("ro") }, func(s *sickened) error { return s.remount("rw") }),
	}
	w.awaitNodes()
	for _, s := range all {
		if err := s.strike(s); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	first := w.sounds(all, musicMP3(t, 24))
	for _, s := range all {
		s.shows(true, first.Accepted.Add(broadcast.MaxFaultDelay))
		if err := s.mend(s); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	for _, s := range all {
		s.told(first, broadcast.WhyUnjournalled)
		s.shows(false, time.Now().Add(2*time.Minute))
	}
	second := w.sounds(all, musicMP3(t, 16))
	for _, s := range all {
		s.told(second, "")
		s.whole()
	}
}

// newSickened starts a guard, and a daemon on a card of its own.
func newSickened(w *world, name string, code broadcast.FaultCode, strike, mend func(*sickened) error) *sickened {
	w.Helper()
	guard, err := builtGuard()
	if err != nil {
		w.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "card-") // sockets have short names
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &sickened{world: w, name: name, dir: dir, code: code, strike: strike, mend: mend}
	logs := filepath.Join(w.out(), name)
	if err := errors.Join(os.MkdirAll(logs, 0o700), os.Mkdir(filepath.Join(dir, "card"), 0o700), os.Mkdir(filepath.Join(dir, "memory"), 0o700)); err != nil {
		w.Fatal(err)
	}
	socket := filepath.Join(dir, "guard.sock")
	start(w, filepath.Join(dir, "guard.log"), guard, "-socket", socket, "-simulate", filepath.Join(logs, "relay.jsonl"))
	file := w.card(name, dir, socket)
	raw, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	heard := strings.Replace(string(raw), `kind = "null"`, fmt.Sprintf("kind = \"wav\"\ndir = %q", logs), 1)
	if err := os.WriteFile(file, []byte(heard), 0o600); err != nil {
		w.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", fmt.Sprintf("mount -t tmpfs -o size=%d card %s/card && exec %s run --config %s", cardBytes, dir, w.device, file))
	cmd.Env = append(os.Environ(), "RUNTIME_DIRECTORY="+filepath.Join(dir, "memory"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	s.daemon = startAs(w, filepath.Join(dir, "device.log"), cmd)
	return s
}

// card is a file on the card, as seen from outside of the daemon's namespace.
func (s *sickened) on(name string) string {
	return filepath.Join("/proc", fmt.Sprint(s.daemon.cmd.Process.Pid), "root", s.dir, "card", name)
}

// fill leaves no room on the card.
func (s *sickened) fill() error {
	f, err := os.Create(s.on("ballast"))
	if err != nil {
		return err
	}
	_, err = io.Copy(f, io.LimitReader(zeros{}, 2*cardBytes))
	if err = errors.Join(err, f.Close()); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the card is not full: %w", err)
	}
	return nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func (s *sickened) remount(how string) error {
	out, err := exec.Command("nsenter", "--user", "--mount", "--preserve-credentials", "--target", fmt.Sprint(s.daemon.cmd.Process.Pid),
		"mount", "-o", "remount,"+how, filepath.Join(s.dir, "card")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("remount %s: %w: %s", how, err, out)
	}
	return nil
}

// told waits until the controller knows of the end, and of nothing else.
func (s *sickened) told(p published, why broadcast.Reason) {
	s.Helper()
	var end delivery
	s.until(s.name+" has told the end", func() bool {
		d, err := s.deliveries(p.ID)
		i := slices.IndexFunc(d.Nodes, func(n delivery) bool { return n.Node == s.name && n.End != "" })
		if err != nil || i < 0 {
			return false
		}
		end = d.Nodes[i]
		return true
	})
	if end.End != "ended" || end.Reason.Code != why || end.Attempts != 1 {
		s.Errorf("%s: the controller was told %q for %q in %d attempts, want ended for %q", s.name, end.End, end.Reason.Code, end.Attempts, why)
	}
}

// sounds announces an emergency, and measures that it was heard at every site.
func (w *world) sounds(all []*sickened, file string) published {
	w.Helper()
	content, err := w.upload(file, "")
	if err != nil {
		w.Fatal(err)
	}
	p, source := w.publish("emergency", content, time.Time{}), decoded(w, file)
	for _, s := range all {
		w.until(s.name+" has sounded and its relay is open", func() bool {
			edges := w.edges(s.name)
			return len(edges) > 0 && !edges[len(edges)-1].Closed && edges[len(edges)-1].At.After(p.Start)
		})
		closed := slices.ContainsFunc(w.edges(s.name), func(e relayEdge) bool { return e.Closed && e.At.After(p.Accepted) })
		i := slices.IndexFunc(w.recordings(s.name), func(r recording) bool { return r.announcement == p.ID })
		if !closed || i < 0 {
			w.Errorf("%s: nothing was heard (relay closed: %t)", s.name, closed)
			continue
		}
		r := w.recordings(s.name)[i]
		peak, _ := media.Correlate(source, r.pcm)
		w.Logf("%s: first sample %v after the approval, alike by %.3f", s.name, r.first.Sub(p.Accepted).Round(time.Millisecond), peak)
		if peak < alike {
			w.Errorf("%s: alike to its source by %.3f, want %.2f", s.name, peak, alike)
		}
	}
	return p
}

// shows waits until the controller shows the fault of the site, or no more.
func (s *sickened) shows(want bool, until time.Time) {
	s.Helper()
	s.until(fmt.Sprintf("%s shows %s: %t", s.name, s.code, want), func() bool {
		var all struct {
			Faults []struct {
				Code  broadcast.FaultCode
				Node  string
				Which string
			}
		}
		if s.get("/api/v1/faults", &all) != nil {
			return false
		}
		shown := false
		for _, f := range all.Faults {
			shown = shown || f.Code == s.code && f.Node == s.name && f.Which == "contents"
		}
		return shown == want
	})
	if late := time.Since(until); late > 0 {
		s.Errorf("%s: %s was shown to be %t %v late", s.name, s.code, want, late.Round(time.Second))
	}
}

// whole reads the card while the daemon stands still: nothing on it is spoiled,
// and all of its receipts are told.
func (s *sickened) whole() {
	s.Helper()
	pid := s.daemon.cmd.Process.Pid
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	copied := filepath.Join(s.dir, "copy")
	for _, folder := range []string{"journal", "registers", "contents"} {
		if err := os.CopyFS(filepath.Join(copied, folder), os.DirFS(s.on(folder))); err != nil {
			s.Fatal(err)
		}
	}
	j, err := store.OpenJournal(store.OS(), filepath.Join(copied, "journal"), store.JournalLimits{Record: 256 << 10, Segment: 128 << 10, Total: 16 << 20})
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	for _, d := range j.Damage() {
		if !d.Torn {
			s.Errorf("%s: the journal is damaged: %s", s.name, d)
		}
	}
	r, err := store.OpenRegisters(store.OS(), filepath.Join(copied, "registers"), store.RegisterLimits{Value: 260 << 10, Count: 6000, Total: 64 << 20})
	if err != nil {
		s.Fatal(err)
	}
	names, err := r.List("")
	if err != nil || len(names) == 0 {
		s.Fatalf("%s: %d registers, %v", s.name, len(names), err)
	}
	for _, name := range names {
		if _, err := r.Get(name); err != nil {
			s.Errorf("%s: %v", s.name, err)
		}
	}
	c, err := store.OpenContents(store.OS(), filepath.Join(copied, "contents"), store.ContentLimits{File: 64 << 20, Quota: 64 << 20})
	if err != nil {
		s.Fatal(err)
	}
	for _, sum := range c.Held() {
		if err := c.Verify(sum); err != nil {
			s.Errorf("%s: %v", s.name, err)
		}
	}
}
