package events

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestEveryWatcherSeesEveryEventInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var h Hub
		a, b := h.Watch(ctx), h.Watch(ctx)
		h.Publish(Event{Node, "n1"})
		h.Publish(Event{Delivery, "a1"})
		for _, w := range []<-chan Event{a, b} {
			if first, second := <-w, <-w; first.ID != "n1" || second.ID != "a1" {
				t.Errorf("%v %v", first, second)
			}
		}
		stop()
		synctest.Wait()
		if _, open := <-a; open {
			t.Error("a watcher that left is still served")
		}
		h.Publish(Event{Node, "n2"})
	})
}

func TestSlowWatcherIsToldThatItMissedSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var h Hub
		w := h.Watch(ctx)
		for range backlog + 10 {
			h.Publish(Event{Node, "n1"})
		}
		for range backlog {
			<-w
		}
		h.Publish(Event{Node, "n2"})
		if first, second := <-w, <-w; first.Kind != Missed || second.ID != "n2" {
			t.Errorf("%v %v", first, second)
		}
	})
}
