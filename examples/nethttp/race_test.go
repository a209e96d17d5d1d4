//go:build race

package main

// raced reports whether the program runs with the race detector, which makes it slow.
const raced = true
