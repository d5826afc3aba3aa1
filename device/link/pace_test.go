package link_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestAStalledDownloadIsTriedAgainAfter20Seconds(t *testing.T) {
	data := content(300 << 10)
	atSite(t, nil, func(s *site) {
		first := true
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			if first {
				first = false
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				_, _ = w.Write(data[:10<<10])
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done() // until the node hangs up
				return
			}
			whole(data)(w, r)
		})
		began := time.Now()
		s.fetch(data)
		if took := time.Since(began); took < 20*time.Second || took > 25*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestASlowLineThatMovesIsNotBrokenOff(t *testing.T) {
	data := content(64 << 10)
	atSite(t, nil, func(s *site) {
		s.answer(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			for off := 0; off < len(data); off += 1 << 10 {
				_, _ = w.Write(data[off : off+1<<10])
				_ = http.NewResponseController(w).Flush()
				<-time.After(15 * time.Second)
			}
		})
		s.fetch(data)
		if n := len(s.asked()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

// slow passes 32 kB a second.
type slow struct{ http.ResponseWriter }

func (s slow) Write(p []byte) (int, error) {
	<-time.After(time.Duration(len(p)) * time.Second / (32 << 10))
	n, err := s.ResponseWriter.Write(p)
	_ = http.NewResponseController(s.ResponseWriter).Flush()
	return n, err
}

// dripping passes so many bytes, then waits.
type dripping struct {
	http.ResponseWriter
	bytes int
	every time.Duration
}

func (d dripping) Write(p []byte) (int, error) {
	sent := 0
	for len(p) > 0 {
		<-time.After(d.every)
		n, err := d.ResponseWriter.Write(p[:min(d.bytes, len(p))])
		if sent += n; err != nil {
			return sent, err
		}
		_ = http.NewResponseController(d.ResponseWriter).Flush() // a writer that cannot is one that keeps nothing back
		p = p[n:]
	}
	return sent, nil
}

func TestDrippingServerHoldsNoPlaceForEver(t *testing.T) {
	data := content(90 << 10)
	for name, c := range map[string]struct {
		bytes int
		every time.Duration
		good  bool
	}{
		"a byte every 19 s":     {1, 19 * time.Second, false},
		"100 bytes every 10 s":  {100, 10 * time.Second, false},
		"the worst line":        {2 << 10, time.Second, true},
		"a burst every quarter": {16 << 10, 15 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			atSite(t, nil, func(s *site) {
				s.answer(func(w http.ResponseWriter, r *http.Request) { whole(data)(dripping{w, c.bytes, c.every}, r) })
				began := time.Now()
				err := s.fetcher.Content(s.t.Context(), s.order(data, true))
				if (err == nil) != c.good {
					t.Errorf("%v", err)
				}
				if took := time.Since(began); took > 40*time.Minute {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
