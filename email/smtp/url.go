package smtp

import (
	"errors"
	"net/url"
	"strconv"

	"github.com/secondgate/secondgate/secret"
)

// ParseURL reads a Config from a URL, as command lines and environments have them:
//
//	smtp://user:password@mail.example.com:587?from=no-reply@example.com    StartTLS
//	smtps://user:password@mail.example.com:465?from=no-reply@example.com   TLS
//	smtp+insecure://localhost:1025?from=no-reply@example.com               no encryption
//
// The parameter helo is optional: it is Config.HELO. Without a port, Config's defaults hold. What
// has a meaning in URLs is percent-encoded in a user name or password. Anything more in the URL is
// refused, as a password that was not encoded looks like it. The errors do not hold the URL, which
// has the password.
func ParseURL(s string) (Config, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Config{}, errors.New("smtp: not a URL; want " +
			"smtp://user:password@host:587?from=address, the user and password percent-encoded")
	}
	var c Config
	if c.Security, err = securityOf(u.Scheme); err != nil {
		return Config{}, err
	}
	if c.From, c.HELO, err = parametersIn(u.RawQuery); err != nil {
		return Config{}, err
	}
	if u.Fragment != "" || u.Opaque != "" || u.Path != "" && u.Path != "/" {
		return Config{}, errors.New("smtp: the URL has more than user, password, host, port and " +
			"from; write / ? # @ : % in a password percent-encoded")
	}
	if c.Host = u.Hostname(); c.Host == "" {
		return Config{}, errors.New("smtp: the URL has no host")
	}
	if u.Port() != "" {
		if c.Port, err = strconv.Atoi(u.Port()); err != nil || c.Port < 1 || c.Port > 65535 {
			return Config{}, errors.New("smtp: the port must be 1 to 65535")
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		c.Username, c.Password = u.User.Username(), secret.New(password)
	}
	return c, nil
}

func securityOf(scheme string) (Security, error) {
	switch scheme {
	case "smtp":
		return StartTLS, nil
	case "smtps":
		return TLS, nil
	case "smtp+insecure":
		return InsecureNoTLS, nil
	}
	return 0, errors.New("smtp: the scheme must be smtp, smtps or smtp+insecure")
}

// parametersIn returns the two parameters that a URL takes.
func parametersIn(rawQuery string) (from, helo string, err error) {
	query, err := url.ParseQuery(rawQuery)
	from, helo = query.Get("from"), query.Get("helo")
	want := 1
	if query.Has("helo") {
		want = 2
	}
	if err != nil || len(query) != want || len(query["from"]) != 1 || from == "" ||
		want == 2 && (len(query["helo"]) != 1 || helo == "") {
		return "", "", errors.New("smtp: the URL needs ?from=address, may have &helo=name, each " +
			"once, and takes no other parameter")
	}
	return from, helo, nil
}
