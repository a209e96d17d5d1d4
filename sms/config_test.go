package sms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secondgate/secondgate/sms"
)

func TestNew_RefusesUnsafeConfigs(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sms.Config)
		want   string
	}{
		{"no sender", func(c *sms.Config) { c.Sender = nil }, "Sender is nil; use NewTwilio"},
		{"no name", func(c *sms.Config) { c.ServiceName = " " }, "ServiceName is empty"},
		{"name outside GSM-7", func(c *sms.Config) {
			c.ServiceName = "Łódź"
		}, "ServiceName holds 'Ł'"},
		{"name with emoji", func(c *sms.Config) { c.ServiceName = "Acme 🔒" }, "ServiceName holds"},
		{"name of two lines", func(c *sms.Config) {
			c.ServiceName = "Acme\n@evil.example #1"
		}, "ServiceName holds '\\n'"},
		{"name not UTF-8", func(c *sms.Config) { c.ServiceName = "Acme\xff" }, "ServiceName holds"},
		{"name too long", func(c *sms.Config) {
			c.ServiceName = strings.Repeat("Acme ", 20)
		}, "shorten ServiceName"},
		{"no origin", func(c *sms.Config) { c.Origin = "" }, "Origin is empty"},
		{"origin with scheme", func(c *sms.Config) {
			c.Origin = "https://acme.example"
		}, "Origin is not a host"},
		{"origin with port", func(c *sms.Config) {
			c.Origin = "acme.example:8080"
		}, "Origin is not a host"},
		{"origin with path", func(c *sms.Config) {
			c.Origin = "acme.example/"
		}, "Origin is not a host"},
		{"origin with space", func(c *sms.Config) {
			c.Origin = "acme.example #1"
		}, "Origin is not a host"},
		{"origin with at", func(c *sms.Config) {
			c.Origin = "@acme.example"
		}, "Origin is not a host"},
		{"origin with line feed", func(c *sms.Config) {
			c.Origin = "acme.example\n"
		}, "Origin is not a host"},
		{"origin in Unicode", func(c *sms.Config) { c.Origin = "bücher.example" }, "xn--"},
		{"origin too long", func(c *sms.Config) {
			c.Origin = strings.Repeat("a.", 40) + "example"
		}, "shorten ServiceName, Origin"},
		{"nothing allowed", func(c *sms.Config) { c.Allow = nil }, "Allow is empty"},
		{"allowed without plus", func(c *sms.Config) {
			c.Allow = []string{"31"}
		}, "Allow or Deny holds \"31\""},
		{"allowed plus alone", func(c *sms.Config) {
			c.Allow = []string{"+"}
		}, "Allow or Deny holds \"+\""},
		{"allowed nothing", func(c *sms.Config) {
			c.Allow = []string{""}
		}, "Allow or Deny holds \"\""},
		{"allowed with spaces", func(c *sms.Config) {
			c.Allow = []string{"+1 876"}
		}, "Allow or Deny holds"},
		{"denied region", func(c *sms.Config) { c.Deny = []string{"JM"} }, "Allow or Deny holds"},
		{"all denied", func(c *sms.Config) {
			c.Deny = []string{sms.AnyCountry}
		}, "Deny holds AnyCountry"},
		{"TTL too short", func(c *sms.Config) { c.TTL = 30*time.Second - 1 }, "TTL is"},
		{"TTL too long", func(c *sms.Config) { c.TTL = 10*time.Minute + 1 }, "TTL is"},
		{"TTL negative", func(c *sms.Config) { c.TTL = -time.Second }, "TTL is"},
		{"five digits", func(c *sms.Config) { c.Digits = 5 }, "Digits is 5, want 6 to 10"},
		{"eleven digits", func(c *sms.Config) { c.Digits = 11 }, "Digits is 11"},
	} {
		cfg := config(&outbox{})
		c.change(&cfg)
		f, err := sms.New(cfg)
		if err == nil || f != nil || !strings.HasPrefix(err.Error(), "sms: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestNew_AcceptsTheWholeRange(t *testing.T) {
	for name, change := range map[string]func(*sms.Config){
		"the least":         func(*sms.Config) {},
		"shortest TTL":      func(c *sms.Config) { c.TTL = 30 * time.Second },
		"longest TTL":       func(c *sms.Config) { c.TTL = 10 * time.Minute },
		"ten digits":        func(c *sms.Config) { c.Digits = 10 },
		"capitals":          func(c *sms.Config) { c.Origin = "Acme.Example" },
		"the machine":       func(c *sms.Config) { c.Origin = "localhost" },
		"punycode":          func(c *sms.Config) { c.Origin = "xn--bcher-kva.example" },
		"no origin":         func(c *sms.Config) { c.Origin = sms.NoOrigin },
		"name with accents": func(c *sms.Config) { c.ServiceName = "Ærlig & Søn [{€}]" },
		"countries": func(c *sms.Config) {
			c.Allow, c.Deny = []string{"+31", "+1"}, []string{"+1876"}
		},
	} {
		cfg := config(&outbox{})
		change(&cfg)
		if _, err := sms.New(cfg); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is served does not change with the caller's slice.
func TestNew_CopiesTheConfig(t *testing.T) {
	cfg := config(&outbox{})
	cfg.Allow = []string{"+31"}
	f := newFactor(t, cfg)
	cfg.Allow[0] = "+1"
	if _, err := enroll(f, "+12015550123", ""); reason(err) != "number_country" {
		t.Errorf("the caller's slice decides: %v", err)
	}
}
