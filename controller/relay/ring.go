package relay

import (
	"context"
	"sync"
)

// kept is how many blocks are kept for who comes: eight seconds, more than lies
// between the air and the horns.
const kept = 80

// ring is the newest blocks of one pull. It is safe for one who adds and many who
// follow.
type ring struct {
	mu     sync.Mutex
	blocks [][]byte
	first  int64 // the number of blocks[0]
	over   error // why nothing follows
	news   chan struct{}
}

func newRing() *ring { return &ring{news: make(chan struct{})} }

func (r *ring) tell() {
	close(r.news)
	r.news = make(chan struct{})
}

func (r *ring) add(block []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocks = append(r.blocks, block)
	if over := len(r.blocks) - kept; over > 0 {
		r.blocks, r.first = append([][]byte(nil), r.blocks[over:]...), r.first+int64(over)
	}
	r.tell()
}

// end says that nothing follows, and why.
func (r *ring) end(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over == nil {
		r.over = why
		r.tell()
	}
}

// next waits for the blocks from a number on, and says which number comes after
// them. Who is too slow misses the oldest.
func (r *ring) next(ctx context.Context, from int64) ([][]byte, int64, error) {
	for {
		r.mu.Lock()
		from = max(from, r.first)
		if n := r.first + int64(len(r.blocks)); from < n {
			list := r.blocks[from-r.first:]
			r.mu.Unlock()
			return list, n, nil
		}
		news, over := r.news, r.over
		r.mu.Unlock()
		if over != nil {
			return nil, from, over
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, from, ctx.Err()
		}
	}
}
