package broker

import (
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"pgregory.net/rapid"
)

func TestFiltersThatGrantMoreThanTheySayAreRefused(t *testing.T) {
	for _, filter := range []string{
		"", "#", "+", "+/a", "$SYS/a", "$JS/#", "$", "/a", "a/", "a//b", "a/#/b", "a/b#", "a/+b",
		"a/*", "a/>", "*", ">", "a.b", "a b", "a\tb", "a/\x7f", "a/\x00", "a/\u00e9", strings.Repeat("a", maxFilter+1),
	} {
		if got, err := subjects(filter); !errors.Is(err, errFilter) {
			t.Errorf("filter %q became %q, error %v", filter, got, err)
		}
	}
}

func TestOneBadFilterVoidsTheWholeList(t *testing.T) {
	if got, err := allSubjects([]string{"a/b", "#"}); err == nil {
		t.Errorf("became %q", got)
	}
}

func TestNoFiltersMeanNoTopicsAtAll(t *testing.T) {
	permissions, err := permissions(Rights{})
	if err != nil {
		t.Fatal(err)
	}
	if permissions.Publish.Allow == nil || permissions.Subscribe.Allow == nil {
		t.Error("an allow-list is missing, which the server reads as everything")
	}
}

// matches is MQTT 3.1.1 section 4.7 in its shortest form.
func matches(filter, topic []string) bool {
	switch {
	case len(filter) == 0:
		return len(topic) == 0
	case filter[0] == "#":
		return true
	case len(topic) == 0:
		return false
	}
	return (filter[0] == "+" || filter[0] == topic[0]) && matches(filter[1:], topic[1:])
}

func TestTranslatedFiltersMatchTheSameTopics(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "node-1"})
	rapid.Check(t, func(t *rapid.T) {
		filter := []string{name.Draw(t, "first")}
		filter = append(filter, rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "node-1", "+"}), 0, 4).Draw(t, "middle")...)
		if rapid.Bool().Draw(t, "open end") {
			filter = append(filter, "#")
		}
		topic := rapid.SliceOfN(name, 1, 6).Draw(t, "topic")
		translated, err := subjects(strings.Join(filter, "/"))
		if err != nil {
			t.Fatal(err)
		}
		granted := false
		for _, subject := range translated {
			granted = granted || server.SubjectMatchesFilter(strings.Join(topic, "."), subject)
		}
		if want := matches(filter, topic); granted != want {
			t.Fatalf("filter %v on topic %v: granted %v, MQTT says %v", filter, topic, granted, want)
		}
	})
}
