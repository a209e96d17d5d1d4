package totp

import (
	"strconv"
	"strings"

	"github.com/pquerna/otp"

	"github.com/secondgate/secondgate/mfa/factor"
	"github.com/secondgate/secondgate/secret"
)

// takeOver prepares an instance that another system has confirmed.
func (f *Factor) takeOver(in factor.EnrollInput) (*factor.EnrollOutput, error) {
	params, err := withURI(in.Params)
	if err != nil {
		return nil, err
	}
	if params["secret"].Reveal() == "" {
		return nil, secretForm("an import needs a secret")
	}
	// What another system does not say is the default of the format, and not that of the Config.
	plain := &Factor{cfg: Config{Digits: defaultDigits, Period: defaultPeriod}}
	s, err := plain.newState(params, minImported)
	if err != nil {
		return nil, err
	}
	if _, err := s.name(in); err != nil {
		return nil, err
	}
	return &factor.EnrollOutput{State: s.encode(), Name: defaultName, Renew: s.short()}, nil
}

// withURI replaces the parameter "uri" by those that it holds.
func withURI(params map[string]secret.Text) (map[string]secret.Text, error) {
	text := params["uri"].Reveal()
	if text == "" {
		return params, nil
	}
	key, err := otp.NewKeyFromURL(text)
	if err != nil || len(params) > 1 || !strings.HasPrefix(text, "otpauth://totp/") {
		return nil, secretForm("the URI is not one of an authenticator app with time-based codes, " +
			"or has other parameters beside it")
	}
	read := map[string]string{"secret": key.Secret(), "algorithm": key.Algorithm().String(),
		"digits": key.Digits().String(), "period": strconv.FormatUint(key.Period(), 10)}
	out := make(map[string]secret.Text, len(read))
	for name, value := range read {
		out[name] = secret.New(value)
	}
	return out, nil
}
