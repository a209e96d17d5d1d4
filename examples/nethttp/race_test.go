//go:build race

package main

// raced says that the program under test looks for races, which makes it slow.
const raced = true
