package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/secondgate/secondgate/seal/envelope"
	"github.com/secondgate/secondgate/secret"
)

// inCloud returns the vault of a key in a cloud, or nil if the URL is that of no such key. The
// query of the URL is the Context of the key.
func inCloud(u *url.URL) (envelope.Vault, error) {
	host := u.Scheme + "://" + u.Host
	azure := strings.HasPrefix(u.Path, "/keys/") // a transit engine has its mount before it
	google, isGoogle := strings.CutPrefix(u.Path, "/v1/projects/")
	if u.Scheme != "arn" && !azure && !isGoogle {
		return nil, nil
	}
	about, err := contextIn(u)
	if err != nil {
		return nil, err
	}
	key := envelope.CloudKey{Context: about}
	var v envelope.Vault
	switch {
	case u.Scheme == "arn":
		key.Name = "arn:" + u.Opaque
		// The names of these variables are those of the programs of AWS.
		key.URL = cmp.Or(os.Getenv("AWS_ENDPOINT_URL_KMS"), os.Getenv("AWS_ENDPOINT_URL"))
		v, err = envelope.AWSKMS(key, awsCredentials)
	case azure:
		key.Name, key.URL = "https://"+u.Host+u.Path, host
		v, err = envelope.AzureKeyVault(key, vaultToken)
	default:
		key.Name, key.URL = "projects/"+google, host
		v, err = envelope.GoogleKMS(key, vaultToken)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errUsage)
	}
	return v, nil
}

// contextIn reads the Context of a key from the query of a URL.
func contextIn(u *url.URL) (map[string]string, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.User != nil || u.Fragment != "" {
		return nil, errVaultURL
	}
	about := make(map[string]string)
	for name, values := range query {
		if len(values) != 1 {
			return nil, errVaultURL
		}
		about[name] = values[0]
	}
	return about, nil
}

// awsCredentials returns the credentials in the variables that the programs of AWS read.
func awsCredentials(context.Context) (envelope.AWSCredentials, error) {
	id, key := os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if id == "" || key == "" {
		return envelope.AWSCredentials{}, errors.New("$AWS_ACCESS_KEY_ID or " +
			"$AWS_SECRET_ACCESS_KEY is not set; run aws configure export-credentials --format env")
	}
	return envelope.AWSCredentials{AccessKeyID: id, SecretAccessKey: secret.New(key),
		SessionToken: secret.New(os.Getenv("AWS_SESSION_TOKEN"))}, nil
}
