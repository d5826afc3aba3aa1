package config

import (
	"fmt"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// Prefetch says when and how much may be fetched ahead of its time.
type Prefetch struct {
	// Night is when recordings come that are due later than tomorrow, in local
	// time: "00:00-04:30".
	Night string `toml:"night"`
	// Daily is what recordings may cost of a day's data, in megabytes; 0 for no
	// bound. Emergencies may use as much again.
	Daily int64 `toml:"daily_mb"`
}

const mostDaily = 1 << 20

func defaultPrefetch() Prefetch { return Prefetch{Night: "00:00-04:30", Daily: 300} }

// Span is the night as a stretch of every day.
func (p Prefetch) Span() (broadcast.Span, error) {
	from, to, found := strings.Cut(p.Night, "-")
	var s broadcast.Span
	var err error
	if s.From, err = broadcast.ParseLocalTime(from); err == nil {
		s.To, err = broadcast.ParseLocalTime(to)
	}
	if err == nil {
		err = s.Validate()
	}
	if err != nil || !found {
		return broadcast.Span{}, fmt.Errorf("night %q: write a stretch of the day such as 00:00-04:30", p.Night)
	}
	return s, nil
}

// Validate refuses nights that are none and senseless amounts of data.
func (p Prefetch) Validate() error {
	if p.Daily < 0 || p.Daily > mostDaily {
		return fmt.Errorf("daily_mb %d: choose 1 to %d, or 0 for no bound", p.Daily, mostDaily)
	}
	_, err := p.Span()
	return err
}
