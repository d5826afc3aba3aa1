// Package speechtest has a voice for tests: it says a sample for every byte of a
// text, as fast as it is asked, and is down or hoarse when a test says so.
package speechtest

import (
	"context"
	"slices"
	"sync"

	"github.com/loaxa/loaxa/controller/speech"
)

// Voice is an engine with the one voice nu-bac. The zero value speaks.
type Voice struct {
	mu   sync.Mutex
	said []string
	fail error
	// Before, if not nil, is called before each utterance.
	Before func(ctx context.Context)
}

// Fail lets it fail from now on; nil lets it speak again.
func (v *Voice) Fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fail = err
}

// Said returns what was said so far, and forgets it.
func (v *Voice) Said() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	said := slices.Clone(v.said)
	v.said = nil
	return said
}

// Speak says a text.
func (v *Voice) Speak(ctx context.Context, u speech.Utterance) (speech.Sound, error) {
	if v.Before != nil {
		v.Before(ctx)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		return speech.Sound{}, v.fail
	}
	v.said = append(v.said, u.Text)
	return speech.Sound{Rate: 16000, PCM: make([]byte, 200*len(u.Text))}, ctx.Err()
}

// Voices lists the one.
func (v *Voice) Voices(context.Context) ([]speech.Voice, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return []speech.Voice{{ID: "nu-bac", Language: "vi", Name: "Nữ Bắc"}}, v.fail
}
