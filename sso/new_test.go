package sso_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/secondgate/secondgate/seal"
	"github.com/secondgate/secondgate/secret"
	"github.com/secondgate/secondgate/sso"
)

func TestNew_RefusesInvalidConfigs(t *testing.T) {
	keys, err := seal.NewKeyring(seal.GenerateKey())
	require.NoError(t, err)
	r := newRig(t)
	good := func() sso.Config {
		return sso.Config{Store: r.store, Keys: keys, URL: "https://app.example/sso",
			Providers: []sso.Provider{sso.Microsoft("id", secret.New("s3cr3t")),
				sso.Google("id", secret.New("s3cr3t"))},
		}
	}
	_, err = sso.New(good())
	require.NoError(t, err)
	for name, change := range map[string]func(c *sso.Config){
		"Store":         func(c *sso.Config) { c.Store = nil },
		"Keys":          func(c *sso.Config) { c.Keys = nil },
		"Providers":     func(c *sso.Config) { c.Providers = nil },
		"https":         func(c *sso.Config) { c.URL = "http://app.example/sso/" },
		"URL":           func(c *sso.Config) { c.URL = "/sso/" },
		"escaping":      func(c *sso.Config) { c.URL = "https://app.example/{x}/" },
		"FlowTTL":       func(c *sso.Config) { c.FlowTTL = 2 * 3600e9 },
		"twice":         func(c *sso.Config) { c.Providers[1].ID = "microsoft" },
		"ID":            func(c *sso.Config) { c.Providers[0].ID = "Microsoft" },
		"ClientID":      func(c *sso.Config) { c.Providers[0].ClientID = "" },
		"ClientSecret":  func(c *sso.Config) { c.Providers[0].ClientSecret = secret.Text{} },
		"Open to every": func(c *sso.Config) { c.Providers[0].Open = true },
		"OwnAddress":    func(c *sso.Config) { c.Providers[0].OwnAddress = true },
		"{tenantid}": func(c *sso.Config) {
			c.Providers[1].Issuer = "https://x.example/{tenantid}"
		},
		"tenant ID": func(c *sso.Config) {
			c.Providers[0].Issuer = "https://login.microsoftonline.com/contoso.com/v2.0"
		},
		"Issuer": func(c *sso.Config) { c.Providers[1].Issuer = "accounts.google.com" },
		"must be https": func(c *sso.Config) {
			c.Providers[1].Issuer = "http://accounts.google.com"
		},
		"Discovery": func(c *sso.Config) {
			c.Providers[0].Discovery = "http://login.microsoftonline.com"
		},
		"MaxAge": func(c *sso.Config) { c.Providers[0].MaxAge = -1 },
		"ACRValues": func(c *sso.Config) {
			c.Providers[0].ACRValues = []string{"phr phrh"}
		},
	} {
		c := good()
		change(&c)
		_, err := sso.New(c)
		require.ErrorIs(t, err, sso.ErrConfig, name)
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", good(), good().Providers, good().Providers[0]),
		"s3cr3t")
	one := sso.Microsoft("id", secret.New("s3cr3t"))
	one.Issuer, one.Discovery, one.Open = "https://login.microsoftonline.com/"+contoso+"/v2.0",
		"", true
	c := good()
	c.Providers = []sso.Provider{one}
	_, err = sso.New(c)
	require.NoError(t, err)
}
