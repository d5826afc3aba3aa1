package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/notify"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Post tells subscribers.
type Post interface {
	Ways() []notify.Way
	Subscribe(ctx context.Context, by people.Person, w notify.Wish) (store.Subscription, error)
	Unsubscribe(ctx context.Context, by people.Person, id broadcast.ID) (store.Subscription, error)
	Try(ctx context.Context, by people.Person, id broadcast.ID) (store.Message, error)
}

// Wish is what somebody asks to be told.
type Wish struct {
	Way      string   `json:"way" enum:"mail,webhook,command" doc:"One of the ways that the list of subscriptions offers"`
	Address  string   `json:"address" minLength:"1" maxLength:"300" doc:"A bare e-mail address, a web address, or a telephone number"`
	Areas    []string `json:"areas" nullable:"false" minItems:"1" maxItems:"24" doc:"What lies in them and below"`
	Topics   []string `json:"topics" nullable:"false" minItems:"1" maxItems:"4" doc:"faults, missed, approvals, endings"`
	Language string   `json:"language" enum:"vi,en" default:"vi"`
	Quiet    string   `json:"quiet,omitempty" maxLength:"11" doc:"From-to in local time, such as 22:00-05:30, in which only urgent messages come"`
}

// Subscription is somebody's wish to be told.
type Subscription struct {
	ID     string `json:"id"`
	Person string `json:"person"`
	Wish
	Created string `json:"created" format:"date-time"`
}

// Message is one message to one address, and what came of it.
type Message struct {
	ID      string `json:"id"`
	Person  string `json:"person"`
	Way     string `json:"way"`
	Address string `json:"address"`
	Subject string `json:"subject"`
	Body    string `json:"body"`
	Urgent  bool   `json:"urgent,omitempty"`
	State   string `json:"state" enum:"queued,sent,failed" doc:"sent: taken by whoever delivers it; failed: given up"`
	Tries   int64  `json:"tries"`
	Reason  string `json:"reason,omitempty" doc:"Why the last attempt failed"`
	Next    string `json:"next,omitempty" format:"date-time" doc:"When it is tried again"`
	Created string `json:"created" format:"date-time"`
	Sent    string `json:"sent,omitempty" format:"date-time"`
}

type subscriptionsAnswer struct {
	Body struct {
		Ways          []string       `json:"ways" nullable:"false" doc:"What is set up here"`
		Subscriptions []Subscription `json:"subscriptions" nullable:"false"`
	}
}

type wishInput struct{ Body Wish }

type subscriptionAnswer struct{ Body Subscription }

type messageAnswer struct{ Body Message }

type messagesInput struct {
	Cursor string `query:"cursor" pattern:"^[a-z0-9-]{1,40}$" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type messagesAnswer struct {
	Body struct {
		Messages []Message `json:"messages" nullable:"false"`
		Next     string    `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

type idInput struct {
	ID string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
}

func (s *server) notices(r *registry) {
	on(r, "list-subscriptions", s.listSubscriptions)
	on(r, "create-subscription", s.subscribe)
	on(r, "end-subscription", s.unsubscribe)
	on(r, "try-subscription", s.trySubscription)
	on(r, "list-messages", s.listMessages)
}

// listSubscriptions gives one's own; to whoever manages people also theirs.
func (s *server) listSubscriptions(ctx context.Context, _ *struct{}) (*subscriptionsAnswer, error) {
	all, err := s.cfg.DB.Subscriptions(ctx, "")
	if err != nil {
		return nil, err
	}
	out := &subscriptionsAnswer{}
	out.Body.Ways, out.Body.Subscriptions = texts(s.cfg.Post.Ways()), []Subscription{}
	may := s.readerOf(ctx)
	for _, sub := range all {
		if may(sub.Person) {
			out.Body.Subscriptions = append(out.Body.Subscriptions, subscriptionOf(sub))
		}
	}
	return out, nil
}

// readerOf says whose subscriptions and messages the caller may read.
func (s *server) readerOf(ctx context.Context) func(broadcast.ID) bool {
	by := callerOf(ctx).Person
	known := map[broadcast.ID]bool{by.ID: true}
	return func(id broadcast.ID) bool {
		may, asked := known[id]
		if !asked {
			p, err := s.cfg.Office.Person(ctx, id)
			may = err == nil && s.cfg.Office.Authorise(by, people.PersonManage, p.Areas...) == nil
			known[id] = may
		}
		return may
	}
}

func subscriptionOf(s store.Subscription) Subscription {
	return Subscription{ID: string(s.ID), Person: string(s.Person), Created: moment(s.Created),
		Wish: Wish{Way: s.Way, Address: s.Address, Areas: texts(s.Areas), Topics: s.Topics, Language: s.Language, Quiet: s.Quiet}}
}

func (s *server) subscribe(ctx context.Context, in *wishInput) (*subscriptionAnswer, error) {
	w := notify.Wish{Way: notify.Way(in.Body.Way), Address: in.Body.Address, Language: in.Body.Language, Quiet: in.Body.Quiet}
	for _, a := range in.Body.Areas {
		w.Areas = append(w.Areas, broadcast.ID(a))
	}
	for _, t := range in.Body.Topics {
		w.Topics = append(w.Topics, notify.Topic(t))
	}
	sub, err := s.cfg.Post.Subscribe(ctx, callerOf(ctx).Person, w)
	if err != nil {
		return nil, err
	}
	return &subscriptionAnswer{Body: subscriptionOf(sub)}, nil
}

func (s *server) unsubscribe(ctx context.Context, in *idInput) (*subscriptionAnswer, error) {
	sub, err := s.cfg.Post.Unsubscribe(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &subscriptionAnswer{Body: subscriptionOf(sub)}, nil
}

func (s *server) trySubscription(ctx context.Context, in *idInput) (*messageAnswer, error) {
	m, err := s.cfg.Post.Try(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &messageAnswer{Body: messageOf(m)}, nil
}

// listMessages gives one's own; to whoever manages people also theirs.
func (s *server) listMessages(ctx context.Context, in *messagesInput) (*messagesAnswer, error) {
	persons, err := s.cfg.Office.Persons(ctx)
	if err != nil {
		return nil, err
	}
	may := s.readerOf(ctx)
	var whose []broadcast.ID
	for _, p := range persons {
		if may(p.ID) {
			whose = append(whose, p.ID)
		}
	}
	rows, err := s.cfg.DB.Messages(ctx, whose, broadcast.ID(in.Cursor), in.Limit+1)
	if err != nil {
		return nil, err
	}
	out := &messagesAnswer{}
	out.Body.Messages = []Message{}
	for i, m := range rows {
		if i == in.Limit {
			out.Body.Next = out.Body.Messages[i-1].ID
			break
		}
		out.Body.Messages = append(out.Body.Messages, messageOf(m))
	}
	return out, nil
}

func messageOf(m store.Message) Message {
	out := Message{ID: string(m.ID), Person: string(m.Person), Way: m.Way, Address: m.Address, Subject: m.Subject, Body: m.Body, Urgent: m.Urgent,
		State: string(m.State), Tries: m.Tries, Reason: m.Reason, Created: moment(m.Created), Sent: moment(m.Sent)}
	if m.State == store.MessageQueued {
		out.Next = moment(m.Next)
	}
	return out
}
