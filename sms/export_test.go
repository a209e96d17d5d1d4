package sms

// Longest returns the message that a configuration makes of the first text that fits.
func (cfg Config) Longest(c Content, texts ...string) (string, error) {
	m, err := cfg.longest(c, texts...)
	return m.Text, err
}

// Septets is how many septets a text takes, or -1.
func Septets(s string) int { return septets(s) }
