package broadcast_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func TestRecurrenceSoundsAtMostDailyAndHasNoEndOfItsOwn(t *testing.T) {
	for name, rule := range map[string]string{
		"none":                   "",
		"no frequency":           "BYDAY=MO",
		"frequency not first":    "INTERVAL=2;FREQ=DAILY",
		"every second":           "FREQ=SECONDLY",
		"every minute":           "FREQ=MINUTELY",
		"every hour":             "FREQ=HOURLY;INTERVAL=24",
		"several hours":          "FREQ=DAILY;BYHOUR=5,17",
		"several minutes":        "FREQ=DAILY;BYMINUTE=0,30",
		"several seconds":        "FREQ=DAILY;BYSECOND=0",
		"own count":              "FREQ=DAILY;COUNT=10",
		"own end":                "FREQ=DAILY;UNTIL=20270101T000000Z",
		"own start":              "DTSTART=20270101T000000Z;FREQ=DAILY",
		"week numbers":           "FREQ=YEARLY;BYWEEKNO=20",
		"year days":              "FREQ=YEARLY;BYYEARDAY=100",
		"property name":          "RRULE:FREQ=DAILY",
		"lower case":             "freq=daily",
		"lower case value":       "FREQ=daily",
		"lower case day":         "FREQ=WEEKLY;BYDAY=mo",
		"unknown part":           "FREQ=DAILY;X-LOAXA=1",
		"no value":               "FREQ=",
		"no value of a part":     "FREQ=DAILY;BYMONTH=",
		"two frequencies":        "FREQ=DAILY;FREQ=WEEKLY",
		"two intervals":          "FREQ=DAILY;INTERVAL=1;INTERVAL=2",
		"interval of nothing":    "FREQ=DAILY;INTERVAL=0",
		"interval with a zero":   "FREQ=DAILY;INTERVAL=02",
		"interval backwards":     "FREQ=DAILY;INTERVAL=-1",
		"interval of four":       "FREQ=DAILY;INTERVAL=1000",
		"trailing semicolon":     "FREQ=DAILY;",
		"leading semicolon":      ";FREQ=DAILY",
		"space":                  "FREQ=DAILY; INTERVAL=2",
		"line break":             "FREQ=DAILY\n",
		"second rule":            "FREQ=DAILY\nRRULE:FREQ=HOURLY",
		"longer than the bound":  "FREQ=MONTHLY;BYMONTHDAY=" + strings.Repeat("1,", 45) + ";BYMONTH=" + strings.Repeat("1", 30) + ";INTERVAL=100",
		"no such day":            "FREQ=WEEKLY;BYDAY=XX",
		"eighth Thursday":        "FREQ=MONTHLY;BYDAY=8TH",
		"sixth among others":     "FREQ=MONTHLY;BYDAY=MO,-6TU",
		"thirtieth in a month":   "FREQ=YEARLY;BYMONTH=2;BYDAY=30SU",
		"54th Monday of a year":  "FREQ=YEARLY;BYDAY=54MO",
		"counted in a week":      "FREQ=WEEKLY;BYDAY=2MO",
		"day 0":                  "FREQ=MONTHLY;BYMONTHDAY=0",
		"day 32":                 "FREQ=MONTHLY;BYMONTHDAY=1,32",
		"month 13":               "FREQ=YEARLY;BYMONTH=13",
		"position 367":           "FREQ=YEARLY;BYDAY=MO;BYSETPOS=367",
		"week from no day":       "FREQ=WEEKLY;WKST=XX",
		"days without bound":     "FREQ=WEEKLY;BYDAY=" + strings.Repeat("MO,", 21),
		"month days with no end": "FREQ=MONTHLY;BYMONTHDAY=" + strings.Repeat("1,", 46),
	} {
		if err := (broadcast.Recurrence{Rule: rule}).Validate(); err == nil {
			t.Errorf("%s: %q was accepted", name, rule)
		} else if !strings.HasPrefix(err.Error(), "rule: ") {
			t.Errorf("%s: the refusal does not name the rule: %v", name, err)
		}
	}
}

func TestRecurrenceReadsTheRulesOfACommune(t *testing.T) {
	for _, rule := range []string{
		"FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=DAILY;INTERVAL=1", "FREQ=DAILY;INTERVAL=999",
		"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", "FREQ=MONTHLY;BYDAY=1MO,-1FR",
		"FREQ=MONTHLY;BYDAY=+2SU", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "FREQ=YEARLY;BYMONTH=9;BYMONTHDAY=2", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
		"FREQ=MONTHLY;BYDAY=5SA,-5SU", "FREQ=YEARLY;BYDAY=53MO", "FREQ=YEARLY;BYMONTHDAY=-31;BYMONTH=12;BYSETPOS=366",
	} {
		if err := (broadcast.Recurrence{Rule: rule}).Validate(); err != nil {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

func TestExceptionsAreRealDatesInOrder(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprintf("2026-12-%02d", i+1))
	}
	for name, c := range map[string]struct {
		except []string
		ok     bool
	}{
		"none":            {nil, true},
		"one":             {[]string{"2026-12-25"}, true},
		"leap day":        {[]string{"2028-02-29"}, true},
		"as many as go":   {many[:24], true},
		"one too many":    {many, false},
		"twice":           {[]string{"2026-12-25", "2026-12-25"}, false},
		"going back":      {[]string{"2026-12-25", "2026-12-24"}, false},
		"no leap day":     {[]string{"2026-02-29"}, false},
		"no such month":   {[]string{"2026-13-01"}, false},
		"Vietnamese date": {[]string{"25/12/2026"}, false},
		"short":           {[]string{"2026-1-1"}, false},
		"with time":       {[]string{"2026-12-25T00:00:00.000Z"}, false},
		"with space":      {[]string{"2026-12-25 "}, false},
		"empty":           {[]string{""}, false},
	} {
		err := broadcast.Recurrence{Rule: "FREQ=DAILY", Except: c.except}.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "except: ") {
			t.Errorf("%s: the refusal does not name the exceptions: %v", name, err)
		}
	}
}
