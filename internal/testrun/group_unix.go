//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// grouped makes cmd the head of a process group, and its end that of the whole group. Test
// programs that hang print their goroutines first. The function that it returns ends what is
// left of the group after that.
func grouped(cmd *exec.Cmd) (kill func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGQUIT) }
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
