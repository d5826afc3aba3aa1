package notify

import (
	"context"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
)

// Topic is what notices are about.
type Topic string

// The topics.
const (
	Faults    Topic = "faults"    // what is wrong with loudspeakers and the controller
	Missed    Topic = "missed"    // what did not sound where it should have
	Approvals Topic = "approvals" // what waits for a signature
	Endings   Topic = "endings"   // rights and standing orders that end soon
)

// topicRow is what the controller knows of a topic.
type topicRow struct {
	// need is the permission over the area that whoever is told must have.
	need   people.Permission
	vi, en string
}

func topicRows() map[Topic]topicRow {
	return map[Topic]topicRow{
		Faults:    {people.NodeRead, "Sự cố", "Faults"},
		Missed:    {people.DeliveryRead, "Bản tin không phát được", "Not sounded"},
		Approvals: {people.AnnouncementApprove, "Chờ duyệt", "Waiting for approval"},
		Endings:   {people.AreaRead, "Sắp hết hạn", "Ends soon"},
	}
}

// Topics returns every topic.
func Topics() []Topic { return []Topic{Faults, Missed, Approvals, Endings} }

// Validate refuses unknown topics.
func (t Topic) Validate() error {
	if !slices.Contains(Topics(), t) {
		return fmt.Errorf("topic %q: use faults, missed, approvals or endings", string(t))
	}
	return nil
}

// Words say one thing in both languages: what is so, and what to do about it.
type Words struct {
	VI   string `json:"vi"`
	EN   string `json:"en"`
	DoVI string `json:"do_vi,omitempty"`
	DoEN string `json:"do_en,omitempty"`
}

// Notice is something that people ought to know of now.
type Notice struct {
	// Name is the same as long as it is the same thing.
	Name  string
	Topic Topic
	// Cause is alike for notices that one sentence can tell together.
	Cause string
	// Area is where; Person, if not empty, who alone is told besides administrators.
	Area   broadcast.ID
	Person broadcast.ID
	// Urgent ones are told at any hour; Passing ones have no end to tell.
	Urgent, Passing bool
	// Subject is what it is about: a node, the title of an announcement.
	Subject string
	Words   Words
	Since   broadcast.Instant
}

// Source finds out what there is to be told now, from what is stored.
type Source interface {
	Notices(ctx context.Context) ([]Notice, error)
}
