package api

import (
	"sync"
	"time"
)

// freshFor is how long an answer that anybody may ask for is given again: making
// it reads every node, and strangers may ask as often as they like.
const freshFor = 2 * time.Second

// fresh keeps one answer for a moment. Who asks while it is made waits for it.
type fresh[T any] struct {
	mu    sync.Mutex
	at    time.Time
	value T
}

// get returns the answer, made anew if it is not fresh. An error is not kept.
func (f *fresh[T]) get(now time.Time, make func() (T, error)) (T, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if age := now.Sub(f.at); !f.at.IsZero() && age >= 0 && age < freshFor {
		return f.value, nil
	}
	value, err := make()
	if err == nil {
		f.at, f.value = now, value
	}
	return value, err
}
