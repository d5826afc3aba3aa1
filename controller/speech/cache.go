package speech

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// mostCached is how much of spoken sentences is kept, in bytes: about ten hours.
const mostCached = 1 << 30

// cache keeps spoken sentences under the digest of what was asked. What it loses
// is spoken again.
type cache struct {
	dir  string
	most int64
}

func openCache(dir string, most int64) (cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cache{}, fmt.Errorf("make the folder of spoken sentences: %w", err)
	}
	return cache{dir: dir, most: most}, nil
}

// key names a sentence as one voice of one engine says it.
func key(engine string, u Utterance) broadcast.Digest {
	return broadcast.Sum([]byte(strings.Join([]string{"loaxa/speech.v1", engine, u.Voice, fmt.Sprint(u.Rate), u.Text}, "\x00")))
}

func (c cache) path(k broadcast.Digest) string { return filepath.Join(c.dir, string(k)+".wav") }

// get returns a sentence that was kept whole. One that a crash cut is gone.
func (c cache) get(k broadcast.Digest, now time.Time) (Sound, bool) {
	b, err := os.ReadFile(c.path(k))
	if err != nil {
		return Sound{}, false
	}
	s, err := ReadWave(bytes.NewReader(b))
	if err != nil || !bytes.Equal(b, wave(s)) {
		_ = os.Remove(c.path(k)) // spoken again
		return Sound{}, false
	}
	_ = os.Chtimes(c.path(k), now, now) // only the order of forgetting
	return s, true
}

func wave(s Sound) []byte { return append(waveHead(s.Rate, int64(len(s.PCM))), s.PCM...) }

// put keeps a sentence, or does not; the next time it is spoken again.
func (c cache) put(k broadcast.Digest, s Sound) error {
	made, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return err
	}
	_, err = made.Write(wave(s))
	if err = errors.Join(err, made.Close()); err == nil {
		err = os.Rename(made.Name(), c.path(k))
	}
	if err != nil {
		return errors.Join(err, os.Remove(made.Name()))
	}
	return nil
}

// trim forgets what was not used for longest until the rest is within bounds.
func (c cache) trim() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return err
	}
	var files []fs.FileInfo
	var all int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files, all = append(files, info), all+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, f := range files {
		if all <= c.most {
			break
		}
		if err := os.Remove(filepath.Join(c.dir, f.Name())); err != nil {
			return err
		}
		all -= f.Size()
	}
	return nil
}

// say returns the sound of an utterance: the kept one, or a new one that is kept.
func (s *Studio) say(ctx context.Context, engine string, u Utterance) (Sound, error) {
	k := key(engine, u)
	if kept, ok := s.cache.get(k, s.cfg.Now()); ok {
		return kept, nil
	}
	e, ok := s.cfg.Engines[engine]
	if !ok {
		return Sound{}, fmt.Errorf("%w: no engine %q is set up", ErrDown, engine)
	}
	sound, err := e.Speak(ctx, u)
	if err != nil {
		return Sound{}, err
	}
	s.pace.add(u, sound.Length())
	if err := s.cache.put(k, sound); err != nil {
		s.cfg.Log.Warn("a spoken sentence was not kept; it will be spoken again", "error", err)
	}
	return sound, nil
}

// pace is how fast the voices here turned out to speak.
type pace struct {
	mu        sync.Mutex
	syllables float64
	spoken    time.Duration
}

// usualPace is in syllables a second at 100 percent: eSpeak NG took 373 s for 1,200
// syllables without a pause.
const usualPace = 3.2

// add counts an utterance at 100 percent.
func (p *pace) add(u Utterance, length time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.syllables += float64(len(strings.Fields(u.Text)))
	p.spoken += length * time.Duration(u.Rate) / 100
}

// rate returns syllables a second at 100 percent, as measured once enough was
// spoken.
func (p *pace) rate() float64 {
	const enough = 200
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.syllables < enough || p.spoken <= 0 {
		return usualPace
	}
	return p.syllables / p.spoken.Seconds()
}
