package broker

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/url"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	// warmTopic is where the broker asks itself whether it is awake. No filter
	// of the wire reaches it.
	warmTopic = "broker-awake"
	// warmLimit bounds the loading of the retained messages.
	warmLimit = 60 * time.Second
	// warmPause lies between two questions.
	warmPause = 10 * time.Millisecond
)

// warm returns once the server has loaded every retained message of its store.
//
// The server begins to load them when its first client connects and tells
// nobody when it has finished. They are loaded in the order they were stored,
// so a new retained message, stored last, is visible only after all the others.
func warm(ctx context.Context, addr, username, password string) error {
	ctx, cancel := context.WithTimeout(ctx, warmLimit)
	defer cancel()
	seen := make(chan mqtt.Message, 16)
	client := mqtt.NewClient(warmOptions(addr, username, password, seen))
	if err := within(ctx, warmLimit, client.Connect()); err != nil {
		return fmt.Errorf("connect to itself: %w", err)
	}
	defer client.Disconnect(250)
	mark := rand.Text()
	if err := within(ctx, warmLimit, client.Publish(warmTopic, 1, true, mark)); err != nil {
		return fmt.Errorf("store a mark: %w", err)
	}
	for round := 1; ; round++ {
		found, err := askRetained(ctx, client, seen, mark, fmt.Sprint("round ", round))
		if err != nil {
			return err
		}
		if found {
			return within(ctx, warmLimit, client.Publish(warmTopic, 1, true, "")) // an empty payload removes it
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(warmPause):
		}
	}
}

func warmOptions(addr, username, password string, seen chan<- mqtt.Message) *mqtt.ClientOptions {
	return baseOptions(addr).
		SetUsername(username).SetPassword(password).
		SetCustomOpenConnectionFn(dialSelf(addr)).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			select {
			case seen <- m:
			default:
			}
		})
}

// dialSelf reaches a listener of this machine, wherever it is bound.
func dialSelf(addr string) mqtt.OpenConnectionFunc {
	return func(_ *url.URL, _ mqtt.ClientOptions) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return net.DialTimeout("tcp", net.JoinHostPort(host, port), connectTimeout)
	}
}

// askRetained subscribes afresh and says whether the mark came as a retained
// message. The echo of a plain message published after the subscription ends
// the wait, since the server sends the retained ones first.
func askRetained(ctx context.Context, client mqtt.Client, seen <-chan mqtt.Message, mark, echo string) (bool, error) {
	if err := within(ctx, warmLimit, client.Subscribe(warmTopic, 0, nil)); err != nil {
		return false, fmt.Errorf("subscribe: %w", err)
	}
	if err := within(ctx, warmLimit, client.Publish(warmTopic, 0, false, echo)); err != nil {
		return false, fmt.Errorf("publish: %w", err)
	}
	found := false
	for {
		select {
		case m := <-seen:
			if m.Retained() && string(m.Payload()) == mark {
				found = true
			}
			if string(m.Payload()) == echo {
				return found, within(ctx, warmLimit, client.Unsubscribe(warmTopic))
			}
		case <-ctx.Done():
			return false, fmt.Errorf("no answer from itself: %w", ctx.Err())
		}
	}
}
