package accounts

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

func TestOneNetworkDoesNotFillTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := newTurns()
		ctx, leave := context.WithCancel(t.Context())
		line.place <- struct{}{} // somebody is being looked at
		wait := func(network string) chan error {
			done := make(chan error, 1)
			go func() { done <- line.take(ctx, network, func() error { return nil }) }()
			synctest.Wait()
			return done
		}
		for range maxWaitingEach {
			wait("192.0.2.66")
		}
		if err := <-wait("192.0.2.66"); !errors.Is(err, ErrBusy) {
			t.Errorf("a third from there: %v", err)
		}
		other := wait("10.0.0.1")
		for i := range maxWaiting {
			wait(fmt.Sprint(i))
		}
		if err := <-wait("last"); !errors.Is(err, ErrBusy) {
			t.Errorf("beyond the bound: %v", err)
		}
		leave()
		if err := <-other; !errors.Is(err, context.Canceled) {
			t.Errorf("who gave up: %v", err)
		}
		synctest.Wait()
		if line.all != 0 || len(line.waiting) != 0 {
			t.Errorf("%d still wait: %v", line.all, line.waiting)
		}
	})
}
