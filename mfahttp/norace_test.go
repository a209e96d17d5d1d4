//go:build !race

package mfahttp_test

const raceEnabled = false
