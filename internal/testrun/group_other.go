//go:build !unix

package main

import "os/exec"

// grouped does nothing where there are no process groups: only go test itself is ended.
func grouped(*exec.Cmd) (kill func()) { return func() {} }
