package browser_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// lacks skips a test for want of a program, or fails it where the programs must be there.
func lacks(t *testing.T, program string) {
	t.Helper()
	if os.Getenv("SECONDGATE_REQUIRE_TOOLS") != "" {
		t.Fatalf("no %s is installed; see scripts/tools.sh", program)
	}
	t.Skipf("no %s is installed", program)
}

func needChromium(t *testing.T) {
	t.Helper()
	if chromium == "" {
		lacks(t, "chromium")
	}
}

func needFirefox(t *testing.T) {
	t.Helper()
	if firefoxPath == "" {
		lacks(t, "firefox-esr")
	}
}

// firefoxPath is the other browser.
var firefoxPath, _ = exec.LookPath("firefox-esr")

// idle are settings with which Firefox does nothing but what the tests ask for: it fetches no
// lists, updates and suggestions, reports nothing, starts no process for pages that nobody opens,
// and moves nothing in its own window, such as the mark of a tab that loads.
var idle = map[string]any{
	"app.normandy.enabled":                                        false,
	"app.update.disabledForTesting":                               true,
	"browser.aboutwelcome.enabled":                                false,
	"browser.newtab.preload":                                      false,
	"browser.newtabpage.enabled":                                  false,
	"browser.pagethumbnails.capturing_disabled":                   true,
	"browser.region.network.url":                                  "",
	"browser.safebrowsing.blockedURIs.enabled":                    false,
	"browser.safebrowsing.downloads.enabled":                      false,
	"browser.safebrowsing.malware.enabled":                        false,
	"browser.safebrowsing.phishing.enabled":                       false,
	"browser.search.update":                                       false,
	"browser.shell.checkDefaultBrowser":                           false,
	"browser.startup.homepage_override.mstone":                    "ignore",
	"datareporting.healthreport.uploadEnabled":                    false,
	"datareporting.policy.dataSubmissionPolicyBypassNotification": true,
	"dom.ipc.processPrelaunch.enabled":                            false,
	"extensions.update.enabled":                                   false,
	"network.captive-portal-service.enabled":                      false,
	"network.connectivity-service.enabled":                        false,
	"ui.prefersReducedMotion":                                     1,
	"services.settings.server":                                    "data:,#none",
	"toolkit.cosmeticAnimations.enabled":                          false,
	"toolkit.telemetry.server":                                    "",
}

// launchFirefox runs Firefox with a profile until stop is called.
func launchFirefox(profile string, args ...string) (stop func(), err error) {
	prefs, err := os.OpenFile(filepath.Join(profile, "user.js"),
		os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	for name, value := range idle {
		if _, err := fmt.Fprintf(prefs, "user_pref(%q, %#v);\n", name, value); err != nil {
			return nil, err
		}
	}
	if err := prefs.Close(); err != nil {
		return nil, err
	}
	cmd := exec.Command(firefoxPath, append([]string{"--headless", "--no-remote", "--profile",
		profile}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+profile)
	// A run that is stopped by its limit leaves no Firefox behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}, cmd.Start()
}
