package envelope

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/secondgate/secondgate/secret"
)

// AWSCredentials sign requests to AWS.
type AWSCredentials struct {
	AccessKeyID     string
	SecretAccessKey secret.Text
	// SessionToken is empty for the keys of an IAM user, which have none.
	SessionToken secret.Text
}

// awsKMS is AWS KMS.
type awsKMS struct {
	CloudKey
	region, service string
	credentials     func(context.Context) (AWSCredentials, error)
}

// awsName is the ARN of a key or of an alias.
var awsName = regexp.MustCompile(
	`^arn:(aws|aws-cn|aws-eusc|aws-us-gov):kms:([a-z0-9-]+):\d{12}:(key|alias)/[A-Za-z0-9/_-]+$`)

// awsContext is the name in the encryption context that has the purpose.
const awsContext = "secondgate:purpose"

// AWSKMS returns a vault whose key is a symmetric one in AWS KMS. Its Name is the ARN of the key,
// or of an alias. A file is read as long as its alias names the same key.
//
// The Context is the encryption context, which policies can require and CloudTrail shows. The
// vault adds the name "secondgate:purpose" to it.
//
// It calls credentials for each request, which needs kms:Encrypt and kms:Decrypt for the key and
// nothing else. With the AWS SDK, credentials is a function that calls Retrieve of an
// aws.CredentialsProvider.
func AWSKMS(
	key CloudKey, credentials func(context.Context) (AWSCredentials, error),
) (Vault, error) {
	key, err := key.check()
	if err != nil {
		return nil, err
	}
	parts := awsName.FindStringSubmatch(key.Name)
	if parts == nil || credentials == nil {
		return nil, errors.New("envelope: AWSKMS needs the ARN of a key, such as " +
			"arn:aws:kms:eu-central-1:111122223333:key/ID, and a function for credentials")
	}
	for name := range key.Context {
		if strings.HasPrefix(name, "aws:") || name == awsContext {
			return nil, fmt.Errorf("envelope: AWSKMS: the name %q in Context is reserved", name)
		}
	}
	if key.Context == nil {
		key.Context = make(map[string]string)
	}
	key.Context[awsContext] = purpose
	domain := "amazonaws.com"
	switch parts[1] {
	case "aws-cn":
		domain = "amazonaws.com.cn"
	case "aws-eusc":
		domain = "amazonaws.eu"
	}
	return &awsKMS{CloudKey: key, region: parts[2], credentials: credentials,
		service: "https://kms." + parts[2] + "." + domain}, nil
}

// Encrypt implements [Vault].
func (v *awsKMS) Encrypt(ctx context.Context, key []byte) ([]byte, error) {
	var reply struct{ CiphertextBlob []byte }
	err := v.call(ctx, "Encrypt", map[string]any{"KeyId": v.Name, "Plaintext": key,
		"EncryptionContext": v.Context}, &reply)
	if err == nil && len(reply.CiphertextBlob) == 0 {
		err = errors.New("envelope: AWS KMS returned no ciphertext")
	}
	return reply.CiphertextBlob, err
}

// Decrypt implements [Vault]. It names the key, because AWS KMS would otherwise use any key that a
// ciphertext names.
func (v *awsKMS) Decrypt(ctx context.Context, encrypted []byte) ([]byte, error) {
	var reply struct{ Plaintext []byte }
	err := v.call(ctx, "Decrypt", map[string]any{"KeyId": v.Name, "CiphertextBlob": encrypted,
		"EncryptionContext": v.Context}, &reply)
	if err == nil && len(reply.Plaintext) == 0 {
		err = errors.New("envelope: AWS KMS returned no plaintext")
	}
	return reply.Plaintext, err
}

func (v *awsKMS) call(ctx context.Context, operation string, in, out any) error {
	return exchange{vault: "AWS KMS", operation: strings.ToLower(operation) + " a key",
		url: v.at(v.service, "/"), client: v.Client,
		authorize: func(request *http.Request, body []byte) error {
			c, err := v.credentials(ctx)
			if err != nil {
				return fmt.Errorf("envelope: the credentials: %w", err)
			}
			request.Header.Set("Content-Type", "application/x-amz-json-1.1")
			request.Header.Set("X-Amz-Target", "TrentService."+operation)
			signAWS(request, body, c, v.region, "kms", time.Now())
			return nil
		},
		code: func(header http.Header, body []byte) string {
			var reply struct {
				Type string `json:"__type"`
			}
			_ = json.Unmarshal(body, &reply)
			return cmp.Or(reply.Type, header.Get("X-Amzn-Errortype"))
		},
	}.do(ctx, in, out)
}

// signAWS signs a request with Signature Version 4. The path is "/" and there is no query.
func signAWS(
	request *http.Request, body []byte, c AWSCredentials, region, service string, now time.Time,
) {
	stamp := now.UTC().Format("20060102T150405Z")
	request.Header.Set("X-Amz-Date", stamp)
	if token := c.SessionToken.Reveal(); token != "" {
		request.Header.Set("X-Amz-Security-Token", token)
	}
	names := []string{"host"}
	values := map[string]string{"host": request.URL.Host}
	for name := range request.Header {
		lower := strings.ToLower(name)
		names = append(names, lower)
		values[lower] = request.Header.Get(name)
	}
	slices.Sort(names)
	var headers strings.Builder
	for _, name := range names {
		headers.WriteString(name + ":" + strings.TrimSpace(values[name]) + "\n")
	}
	signed := strings.Join(names, ";")
	canonical := strings.Join([]string{request.Method, "/", "", headers.String(), signed,
		hexSum(body)}, "\n")
	scope := strings.Join([]string{stamp[:8], region, service, "aws4_request"}, "/")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, scope, hexSum([]byte(canonical))},
		"\n")
	key := []byte("AWS4" + c.SecretAccessKey.Reveal())
	for part := range strings.SplitSeq(scope, "/") {
		key = hmacSum(key, part)
	}
	request.Header.Set("Authorization", fmt.Sprintf(
		"AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", c.AccessKeyID, scope,
		signed, hex.EncodeToString(hmacSum(key, text))))
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hmacSum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
