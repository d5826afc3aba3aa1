package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/loaxa/loaxa/controller/api"
)

type notifyCmd struct {
	List     notifyListCmd     `cmd:"" help:"Subscriptions: your own, and those of people whom you manage."`
	Add      notifyAddCmd      `cmd:"" help:"Be told by mail, webhook or a command."`
	End      notifyEndCmd      `cmd:"" help:"No longer be told."`
	Try      notifyTryCmd      `cmd:"" help:"Send a test message."`
	Messages notifyMessagesCmd `cmd:"" help:"Messages, with what came of them."`
}

type notifyListCmd struct{ caller }

// Run prints a line for each subscription.
func (c *notifyListCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var all struct {
		Ways          []string
		Subscriptions []api.Subscription
	}
	if err := c.get(ctx, s, "/api/v1/subscriptions", &all); err != nil {
		return err
	}
	if len(all.Ways) == 0 {
		_, _ = fmt.Fprintln(s.Err, "No way is set up: start the controller with --notify FILE; docs/notifications.md")
	}
	lines := [][]string{{"ID", "PERSON", "WAY", "ADDRESS", "AREAS", "TOPICS", "QUIET"}}
	for _, sub := range all.Subscriptions {
		lines = append(lines, []string{sub.ID, sub.Person, sub.Way, sub.Address, strings.Join(sub.Areas, ","), strings.Join(sub.Topics, ","), sub.Quiet})
	}
	return columns(s.Out, lines)
}

type notifyAddCmd struct {
	caller
	Way      string   `arg:"" help:"mail, webhook or command."`
	Address  string   `arg:"" help:"An e-mail address, a web address, or a telephone number."`
	Area     []string `help:"Where; what lies below is meant as well." required:"" placeholder:"ID"`
	Topic    []string `help:"faults, missed, approvals or endings; several with commas." default:"faults,missed" placeholder:"TOPIC"`
	Language string   `help:"vi or en." default:"vi" enum:"vi,en"`
	Quiet    string   `help:"From-to in local time, in which only urgent messages come." placeholder:"22:00-05:30"`
}

// Run prints the id of the subscription.
func (c *notifyAddCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var sub api.Subscription
	wish := api.Wish{Way: c.Way, Address: c.Address, Areas: c.Area, Topics: c.Topic, Language: c.Language, Quiet: c.Quiet}
	if err := c.post(ctx, s, "/api/v1/subscriptions", wish, &sub); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out, sub.ID)
	return err
}

type notifyEndCmd struct {
	caller
	ID string `arg:"" help:"Which subscription."`
}

// Run ends one subscription.
func (c *notifyEndCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var sub api.Subscription
	if err := c.post(ctx, s, "/api/v1/subscriptions/"+url.PathEscape(c.ID)+"/end", struct{}{}, &sub); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "%s is told nothing more at %s\n", sub.Person, sub.Address)
	return err
}

type notifyTryCmd struct {
	caller
	ID string `arg:"" help:"Which subscription."`
}

// Run queues a test message.
func (c *notifyTryCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var m api.Message
	if err := c.post(ctx, s, "/api/v1/subscriptions/"+url.PathEscape(c.ID)+"/try", struct{}{}, &m); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "message %s goes to %s; notify messages says what came of it\n", m.ID, m.Address)
	return err
}

type notifyMessagesCmd struct{ caller }

// Run prints the newest messages.
func (c *notifyMessagesCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var all struct{ Messages []api.Message }
	if err := c.get(ctx, s, "/api/v1/messages", &all); err != nil {
		return err
	}
	lines := [][]string{{"ID", "MADE", "STATE", "TRIES", "ADDRESS", "SUBJECT", "REASON"}}
	for _, m := range all.Messages {
		lines = append(lines, []string{m.ID, minute(m.Created), m.State, fmt.Sprint(m.Tries), m.Address, m.Subject, m.Reason})
	}
	return columns(s.Out, lines)
}
