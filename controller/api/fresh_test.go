package api

import (
	"errors"
	"testing"
	"time"
)

func TestAnAnswerForAnybodyIsMadeOnceInAWhile(t *testing.T) {
	var f fresh[int]
	made, fails := 0, errors.New("no database")
	begin := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	for i, c := range []struct {
		after time.Duration
		err   error
		want  int
	}{
		{0, fails, 0}, {0, nil, 1}, {0, nil, 1}, {freshFor - 1, nil, 1}, {freshFor, nil, 2}, {freshFor + 1, fails, 2},
		{2 * freshFor, fails, 0}, {2 * freshFor, nil, 3}, {-time.Hour, nil, 4}, {-time.Hour, nil, 4},
	} {
		got, err := f.get(begin.Add(c.after), func() (int, error) {
			if c.err != nil {
				return 0, c.err
			}
			made++
			return made, nil
		})
		if got != c.want || err != nil && c.want != 0 {
			t.Errorf("step %d: %d %v, want %d", i, got, err, c.want)
		}
	}
}
