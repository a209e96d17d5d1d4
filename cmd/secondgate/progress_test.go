package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestPace_SaysRateAndTimeRemaining(t *testing.T) {
	records := func(done, all int, took time.Duration) string {
		return pace("records", done, all, took)
	}
	for want, got := range map[string]string{
		"500 of 2000 records, 50 a second, 30s remaining": records(500, 2000, 10*time.Second),
		"500 records, 50 a second":                        records(500, 0, 10*time.Second),
		"2100 records, 210 a second":                      records(2100, 2000, 10*time.Second),
		"0 records, 0 a second":                           records(0, 2000, 10*time.Second),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSource_EstimatesHowManyUsersThereAre(t *testing.T) {
	s := source{Reader: strings.NewReader(strings.Repeat("x", 100)), size: 1000}
	if got := s.estimate(10); got != 0 {
		t.Errorf("before the first read: got %d, want 0", got)
	}
	if _, err := io.Copy(io.Discard, &s); err != nil {
		t.Fatal(err)
	}
	if got := s.estimate(10); got != 100 {
		t.Errorf("after a tenth: got %d, want 100", got)
	}
	s.size = 0
	if got := s.estimate(10); got != 0 {
		t.Errorf("of a pipe: got %d, want 0", got)
	}
}
