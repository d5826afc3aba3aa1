// Package calendar answers what is on, by day and by place.
//
// It promises that what it foresees is the plan that the nodes make themselves,
// and that it says what it did not look at. A stretch of days is read by its
// days, not by walking everything that was ever announced; every answer is
// bounded and goes on where the page before ended.
package calendar
