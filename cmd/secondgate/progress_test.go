package main

import (
	"testing"
	"time"
)

func TestPace_SaysRateAndTimeRemaining(t *testing.T) {
	for want, got := range map[string]string{
		"500 of 2000 records, 50 a second, 30s remaining": pace(500, 2000, 10*time.Second),
		"500 records, 50 a second":                        pace(500, 0, 10*time.Second),
		"2100 records, 210 a second":                      pace(2100, 2000, 10*time.Second),
		"0 records, 0 a second":                           pace(0, 2000, 10*time.Second),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
