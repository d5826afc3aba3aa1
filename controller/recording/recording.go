// Package recording keeps what was spoken at the boxes of nodes.
//
// It promises that a recording is here only if a receipt of that very node named
// its digest before, and that every byte of it was then found to be what was
// named: a wave of one form and of that length, which plays as speech and is
// nothing else. What comes broken goes, and can be sent again from its first
// byte. What was taken of one that broke off stays, also across restarts, and
// goes on where it stopped. One node can never fill, spoil or ask for what is
// another's, and has so much room and no more; nothing that is here makes way
// for what comes later.
//
// How: a folder for each node holds DIGEST.wav for what is whole, DIGEST.wav.part
// for what the node sends and DIGEST.wav.hand for what somebody brings. What receipts named and what
// became of it stands in the database (store.Recording).
package recording

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// Why something was not taken.
var (
	// ErrBytes: the bytes are not those that the receipt named, and were dropped.
	ErrBytes = errors.New("the bytes are not those that the receipt named: send all of it again")
	// ErrOffset: what is sent does not begin where what is here ends.
	ErrOffset = errors.New("it does not go on where what is here ends: ask how much is here")
	// ErrSize: longer than anybody can have spoken, or than the receipt says.
	ErrSize = errors.New("longer than the receipt says, or than anybody may speak")
	// ErrRoom: this node has no more room.
	ErrRoom = errors.New("this node has no more room for recordings here until older ones go")
	// ErrBusy: something of this node is being sent already.
	ErrBusy = errors.New("a recording of this node is being sent already: try again in a minute")
)

const (
	// Longest is the largest recording in bytes, with a second to spare.
	Longest = media.VoiceHeader + 2*media.VoiceRate*int64((broadcast.MaxSpeech+time.Second)/time.Second)
	// room is what one node may have here, in bytes: nine hours.
	room = 1 << 30
	// Kept is how long a recording is here.
	Kept = 365 * 24 * time.Hour
	// tidyEvery is how often old ones are looked for, at most tidyAtOnce.
	tidyEvery  = 24 * time.Hour
	tidyAtOnce = 1000
)

// Folder is where recordings are in a data folder.
const Folder = "recordings"

// Config is what an archive works with; all of it is needed.
type Config struct {
	DB *store.DB
	// Dir is the folder of all recordings.
	Dir    string
	Events *events.Hub
	Now    func() time.Time
	Log    *slog.Logger
}

// Archive is where recordings are kept. It is safe for concurrent use by one
// process; beside it another may Put.
type Archive struct {
	cfg Config

	mu   sync.Mutex
	busy map[broadcast.ID]bool
}

// Open makes the folder where it is absent.
func Open(cfg Config) (*Archive, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of recordings: %w", err)
	}
	return &Archive{cfg: cfg, busy: map[broadcast.ID]bool{}}, nil
}

func (a *Archive) now() broadcast.Instant { return broadcast.InstantOf(a.cfg.Now()) }

// file is where the recording of a node stands.
func (a *Archive) file(r store.Recording) string {
	return filepath.Join(a.cfg.Dir, string(r.Node), string(r.SHA256)+".wav")
}

// known is what a receipt named. A name that nobody could have given is not known.
func (a *Archive) known(ctx context.Context, node broadcast.ID, sha broadcast.Digest) (store.Recording, error) {
	if err := errors.Join(node.Validate(), sha.Validate()); err != nil {
		return store.Recording{}, errors.Join(store.ErrNotFound, err)
	}
	return a.cfg.DB.Recording(ctx, node, sha)
}

// Held says how many bytes of a recording are here, and of how many. The error
// is store.ErrNotFound until a receipt of the node has named it.
func (a *Archive) Held(ctx context.Context, node broadcast.ID, sha broadcast.Digest) (held, of int64, err error) {
	r, err := a.known(ctx, node, sha)
	if err != nil {
		return 0, 0, err
	}
	if r.Here != 0 {
		return r.Bytes, r.Bytes, nil
	}
	for _, name := range []string{a.file(r), part(a.file(r))} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		if held = min(info.Size(), r.Bytes); held == r.Bytes {
			held-- // whole, but not yet said to be: the last byte has it looked at
		}
		return held, r.Bytes, nil
	}
	return 0, r.Bytes, nil
}

// Open opens a recording that is here; the error is store.ErrNotFound for another.
func (a *Archive) Open(ctx context.Context, node broadcast.ID, sha broadcast.Digest) (*os.File, error) {
	r, err := a.known(ctx, node, sha)
	if err == nil && r.Where() != store.RecordingHere {
		err = fmt.Errorf("recording %s of %s: %w", sha.Short(), node, store.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return os.Open(a.file(r))
}

// Gone notes that the card of the node has a recording no more, and what came of
// it goes. One that is here stays.
func (a *Archive) Gone(ctx context.Context, node broadcast.ID, sha broadcast.Digest) error {
	r, err := a.known(ctx, node, sha)
	if err != nil || r.Gone != 0 {
		return err
	}
	leave, err := a.enter(r)
	if err != nil {
		return err
	}
	defer leave()
	if r, err = a.known(ctx, node, sha); err != nil {
		return err
	}
	r.Gone = a.now()
	if err := a.save(ctx, r); err != nil {
		return err
	}
	a.cfg.Log.WarnContext(ctx, "a recording is gone from its card", "node", node, "recording", sha.Short(), "here", r.Here != 0)
	return remove(part(a.file(r)))
}

// save keeps what became of a recording and tells who watches.
func (a *Archive) save(ctx context.Context, r store.Recording) error {
	if err := a.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SaveRecording(ctx, r) }); err != nil {
		return err
	}
	a.cfg.Events.Publish(events.Event{Kind: events.Delivery, ID: r.Announcement})
	return nil
}

// enter keeps others from the recordings of a node until leave is called.
func (a *Archive) enter(r store.Recording) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.busy[r.Node] {
		return nil, ErrBusy
	}
	a.busy[r.Node] = true
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.busy, r.Node)
	}, nil
}

// Serve lets go of what was kept for long enough, until ctx ends.
func (a *Archive) Serve(ctx context.Context) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := a.tidy(ctx); err != nil && ctx.Err() == nil {
			a.cfg.Log.ErrorContext(ctx, "old recordings stay", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// tidy says first that a recording is gone, and then has it go.
func (a *Archive) tidy(ctx context.Context) error {
	old, err := a.cfg.DB.RecordingsHere(ctx, a.now().Add(-Kept), tidyAtOnce)
	for _, r := range old {
		r.Dropped = a.now()
		if err := errors.Join(a.save(ctx, r), remove(a.file(r))); err != nil {
			return err
		}
	}
	return err
}

// part is what there is of a file that the node sends, hand of one that somebody
// brings.
func part(file string) string { return file + ".part" }
func hand(file string) string { return file + ".hand" }

// remove has a file go that may be gone already.
func remove(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
