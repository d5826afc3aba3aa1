package app

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// lasting serves until it is told to end.
func lasting(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestOnePartThatFailsEndsAll(t *testing.T) {
	broken := errors.New("disk full")
	for name, c := range map[string]struct {
		serve func(context.Context) error
		says  string
	}{
		"an error":       {func(context.Context) error { return broken }, "store: disk full"},
		"an end":         {func(context.Context) error { return nil }, "store: ended by itself"},
		"a false cancel": {func(context.Context) error { return context.Canceled }, "store: context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			var said diary
			ended := make(chan struct{})
			err := supervise(t.Context(), said.log(), []part{{"store", c.serve}, {"http", func(ctx context.Context) error {
				defer close(ended)
				return lasting(ctx)
			}}})
			if err == nil || err.Error() != c.says {
				t.Errorf("got %v, want %s", err, c.says)
			}
			select {
			case <-ended:
			default:
				t.Error("the other part still runs")
			}
			if !said.has("part=store") || said.has("part=http") {
				t.Errorf("the log blames %s", said.buf.String())
			}
		})
	}
}

func TestEndingInGoodOrderIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	quietly := func(ctx context.Context) error { <-ctx.Done(); return nil }
	cancel()
	if err := supervise(ctx, quiet(), []part{{"a", lasting}, {"b", quietly}}); err != nil {
		t.Errorf("%v", err)
	}
}

func TestAFailureWhileEndingIsNotHidden(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := supervise(ctx, quiet(), []part{{"a", lasting}, {"b", func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("could not write")
	}}})
	if err == nil || !strings.Contains(err.Error(), "b: could not write") {
		t.Errorf("%v", err)
	}
}
