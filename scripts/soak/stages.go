package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// stage is one kind of long test.
type stage struct {
	name, what string
	// tests are those that run in the packages; none stands for all.
	tests    []string
	packages []string
	// times is how often a test plays, by its own measure.
	times int
	// count is how often each test runs, in another order each time.
	count int
	limit time.Duration
	// repeats says that it is played again until the time is up.
	repeats bool
}

// stages in the order in which they run.
var stages = []stage{
	{name: "once", what: "1,000 fates in which everything dies", tests: []string{"TestWhateverDiesEverythingSoundsOnceAndEndsOnce"},
		packages: []string{"."}, times: 1000, count: 1, limit: time.Hour},
	{name: "guard", what: "every death of a board in every state, and how soon its relay is open",
		tests: []string{"TestTheRelayIsOpenInTimeWhoeverDies"}, packages: []string{"."}, times: 1, count: 1, limit: 30 * time.Minute},
	{name: "fortnight", what: "20 more fortnights of a district", tests: []string{"TestAVirtualFortnightKeepsEveryLaw"},
		packages: []string{"./device/fortnight"}, times: 20, count: 1, limit: 90 * time.Minute},
	{name: "kill", what: "20 announcements in which programs are killed", tests: []string{"TestKilledAtRandomMomentsNobodySoundsTwice"},
		packages: []string{"."}, times: 20, count: 1, limit: 30 * time.Minute},
	{name: "line", what: "104 soundings over a line that loses a third", tests: []string{"TestAnEmergencySoundsOverALineThatLosesAThird"},
		packages: []string{"."}, times: 13, count: 1, limit: 30 * time.Minute},
	{name: "card", what: "every test of the card, five times over", packages: []string{"./device/store/..."}, count: 5, limit: 20 * time.Minute},
	{name: "order", what: "every test in random order, until the time is up", packages: []string{"./..."}, count: 1, limit: 20 * time.Minute, repeats: true},
}

// args are what "go test" is told for a stage.
func (s stage) args(seed uint64) []string {
	args := []string{"test", "-json", fmt.Sprintf("-count=%d", s.count), fmt.Sprintf("-timeout=%v", s.limit), fmt.Sprintf("-shuffle=%d", seed)}
	if len(s.tests) > 0 {
		args = append(args, "-run", "^("+strings.Join(s.tests, "|")+")$")
	}
	return append(args, s.packages...)
}

// env is what its tests are told. What has no measure of its own plays its short form, by seeds that
// it draws itself.
func (s stage) env(seed uint64) []string {
	if s.times == 0 {
		return nil
	}
	return []string{fmt.Sprintf("LOAXA_SOAK=%d", s.times), fmt.Sprintf("LOAXA_SEED=%d", seed)}
}

// farewell is how much longer than its tests a stage may take, to say why they were stopped.
const farewell = time.Minute

// goTest plays a stage by "go test" and has scripts/tally count its events.
func goTest(ctx context.Context, s stage, seed uint64) (count, said string, err error) {
	test := exec.CommandContext(ctx, "go", s.args(seed)...)
	test.Cancel = func() error { return test.Process.Signal(os.Interrupt) } // which go hands on to what it runs
	test.WaitDelay = farewell
	test.Env = append(os.Environ(), s.env(seed)...)
	events, err := test.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	test.Stderr = test.Stdout
	tally := exec.Command("go", "run", "./scripts/tally")
	var out bytes.Buffer
	tally.Stdin, tally.Stdout = events, &out
	if err := errors.Join(test.Start(), tally.Start()); err != nil {
		return "", "", err
	}
	counted := tally.Wait()
	ran := test.Wait()
	said = out.String()
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if ran != nil {
		ran = fmt.Errorf("go test: %w", ran)
	}
	return lines[len(lines)-1], said, errors.Join(ran, counted)
}
