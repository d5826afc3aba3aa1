package loaxa

import (
	"context"
	"strings"
	"time"

	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/store"
)

// wrongdoing is what is wrong with a house, so that its judge can prove himself.
type wrongdoing string

const (
	nothingWrong     wrongdoing = ""
	forgetfulJournal wrongdoing = "a node's card says that it kept its journal, and did not"
	stutteringHorn   wrongdoing = "a horn says everything twice"
	forgetfulCentre  wrongdoing = "the controller's disk says that it kept what it did not"
)

// forgetful is a card whose journal says that it kept what it did not.
func forgetful(fs store.FS) store.FS {
	honest := fs
	fs.OpenFile = func(path string, flag int) (store.File, error) {
		f, err := honest.OpenFile(path, flag)
		if err == nil && strings.HasPrefix(path, "journal") {
			f = unsynced{f}
		}
		return f, err
	}
	return fs
}

type unsynced struct{ store.File }

// Sync lies.
func (unsynced) Sync() error { return nil }

// stutterer says everything twice.
type stutterer struct{ *nodetest.Player }

// Prepare prepares a sounding that is heard once more.
func (s stutterer) Prepare(ctx context.Context, what player.Sounding) (node.Performance, error) {
	p, err := s.Player.Prepare(ctx, what)
	return stutter{p, s.Player, what}, err
}

type stutter struct {
	node.Performance
	player *nodetest.Player
	what   player.Sounding
}

// Play sounds it, and once more.
func (s stutter) Play(ctx context.Context, events player.Events) (player.Evidence, error) {
	e, err := s.Performance.Play(ctx, events)
	if err != nil {
		return e, err
	}
	s.what.Start = s.player.Now()
	again, err := s.player.Prepare(ctx, s.what)
	if err == nil {
		_, _ = again.Play(ctx, deaf{})
	}
	return e, nil
}

// deaf hears nothing of a sounding.
type deaf struct{}

// Powered, Playing and Progress say nothing.
func (deaf) Powered(time.Time) {}

// Playing has no objection.
func (deaf) Playing(time.Time) error { return nil }

// Progress is not followed.
func (deaf) Progress(player.Progress) {}
