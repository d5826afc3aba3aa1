package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Bounds of a message: how many groups it tells one by one, and how many
// subjects of each group it names.
const (
	maxGroups   = 40
	maxSubjects = 20
)

// group is what one sentence tells.
type group struct {
	topic    Topic
	ended    bool
	area     broadcast.ID
	words    Words
	since    broadcast.Instant
	subjects []string
}

// compose writes one message over notices, those that came before those that
// are over, topic by topic.
func (p *Post) compose(r reader, rows []store.Notice) (subject, body string, err error) {
	groups, err := p.groupsOf(rows)
	if err != nil {
		return "", "", err
	}
	var b strings.Builder
	at := p.now().Time().In(broadcast.Local()).Format("15:04 02/01/2006")
	for i, g := range groups {
		if i == maxGroups {
			fmt.Fprintf(&b, pick(r.Language, "… và %d việc khác.\n", "… and %d more.\n"), len(groups)-i)
			break
		}
		p.write(&b, r.Language, g)
	}
	fmt.Fprintf(&b, "\n%s %s\n", pick(r.Language, "Lúc", "At"), at)
	return p.headline(r.Language, groups), b.String(), nil
}

func (p *Post) groupsOf(rows []store.Notice) ([]group, error) {
	var groups []group
	at := map[string]int{}
	for _, n := range rows {
		name := fmt.Sprintf("%v|%s|%s|%s", n.Ended > 0, n.Topic, n.Area, n.Cause)
		i, ok := at[name]
		if !ok {
			var w Words
			if err := json.Unmarshal([]byte(n.Words), &w); err != nil {
				return nil, fmt.Errorf("notice %s: %w", n.Name, err)
			}
			i = len(groups)
			at[name] = i
			groups = append(groups, group{topic: Topic(n.Topic), ended: n.Ended > 0, area: n.Area, words: w, since: n.Since})
		}
		groups[i].since = min(groups[i].since, n.Since)
		if n.Subject != "" {
			groups[i].subjects = append(groups[i].subjects, n.Subject)
		}
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		return slices.Index(order(), placed{a.ended, a.topic}) - slices.Index(order(), placed{b.ended, b.topic})
	})
	return groups, nil
}

// placed is where a group stands in a message.
type placed struct {
	ended bool
	topic Topic
}

func order() []placed {
	var out []placed
	for _, ended := range []bool{false, true} {
		for _, t := range []Topic{Approvals, Missed, Faults, Endings} {
			out = append(out, placed{ended, t})
		}
	}
	return out
}

func (p *Post) write(b *strings.Builder, language string, g group) {
	row := topicRows()[g.topic]
	head := pick(language, row.vi, row.en)
	if g.ended {
		head = pick(language, "Đã hết", "Over") + " · " + head
	}
	where := ""
	if g.area != "" {
		where = p.nameOf(g.area) + ": "
	}
	fmt.Fprintf(b, "[%s] %s%s", head, where, pick(language, g.words.VI, g.words.EN))
	if n := len(g.subjects); n > 0 {
		shown := strings.Join(g.subjects[:min(n, maxSubjects)], ", ")
		if n > maxSubjects {
			shown += fmt.Sprintf(pick(language, " và %d nơi khác", " and %d others"), n-maxSubjects)
		}
		fmt.Fprintf(b, " (%s)", shown)
	}
	fmt.Fprintf(b, pick(language, ", từ %s\n", ", since %s\n"), g.since.Time().In(broadcast.Local()).Format("15:04 02/01/2006"))
	if do := pick(language, g.words.DoVI, g.words.DoEN); do != "" && !g.ended {
		fmt.Fprintf(b, "    → %s\n", do)
	}
}

// headline is the subject line: the first thing, and how many more there are.
func (p *Post) headline(language string, groups []group) string {
	g := groups[0]
	text := pick(language, g.words.VI, g.words.EN)
	if g.ended {
		text = pick(language, "Đã hết: ", "Over: ") + text
	}
	if g.area != "" {
		text = p.nameOf(g.area) + ": " + text
	}
	if n := len(g.subjects); n > 1 {
		text += fmt.Sprintf(" ×%d", n)
	}
	if n := len(groups) - 1; n > 0 {
		text += fmt.Sprintf(pick(language, " (và %d việc khác)", " (and %d more)"), n)
	}
	runes := []rune("Loaxa: " + oneLine(text))
	return string(runes[:min(len(runes), 160)])
}

func (p *Post) nameOf(id broadcast.ID) string {
	if a, ok := p.cfg.Tree().Find(id); ok {
		if f, ok := a.At(p.now()); ok {
			return f.Name
		}
	}
	return string(id)
}

// oneLine keeps what somebody wrote from becoming a second header of a mail.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
