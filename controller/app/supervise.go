package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"
)

// part is one long-lived thing of the controller under its name.
type part struct {
	name  string
	serve func(context.Context) error
}

// supervise runs all parts until ctx ends or one of them fails, which ends the
// others: a controller that is half alive would promise what it cannot keep.
// Whoever started the process starts it again.
func supervise(ctx context.Context, log *slog.Logger, parts []part) error {
	g, inner := errgroup.WithContext(ctx)
	for _, p := range parts {
		g.Go(func() error {
			err := p.serve(inner)
			if inner.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
				return nil
			}
			if err == nil {
				err = errors.New("ended by itself")
			}
			log.ErrorContext(ctx, "a part of the controller failed", "part", p.name, "err", err)
			return fmt.Errorf("%s: %w", p.name, err)
		})
	}
	return g.Wait()
}
