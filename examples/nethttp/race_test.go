//go:build race

package main

// buildFlags make the program under test look for races too.
var buildFlags = []string{"-race"}
